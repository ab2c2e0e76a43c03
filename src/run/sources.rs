//! A row of `[[sources]]` becomes the source it names, its secrets read.

use crate::config::{Folder, Settings, SourceRow, Spool};
use crate::intake::asterisk::{AmiSettings, AsteriskSpool, SpoolSettings};
use crate::intake::folder::{FolderSettings, FolderSource};
use crate::intake::source::Source;
use crate::store::Store;
use anyhow::Context as _;
use std::time::Duration;

/// The source of a row; nothing is reached for yet. What it remembers is kept in `store`. `None` where the peer comes to us:
/// see `door`.
///
/// # Errors
/// Where a secret cannot be read; the text names the key.
pub fn source(row: &SourceRow, settings: &Settings, _store: &Store) -> anyhow::Result<Option<Box<dyn Source>>> {
    let max_bytes = settings.intake.max_mib * 1024 * 1024;
    Ok(Some(match row {
        SourceRow::Asterisk(row) => asterisk(row, max_bytes)?,
        SourceRow::Folder(row) => folder(row, max_bytes),
        SourceRow::Push(_) | SourceRow::Twilio(_) => return Ok(None),
    }))
}

fn folder(row: &Folder, max_bytes: u64) -> Box<dyn Source> {
    let poll = Duration::from_secs(row.poll_s);
    let settings = FolderSettings { poll, max_bytes, ..FolderSettings::new(row.path.clone()) };
    Box::new(FolderSource::new(row.name.clone(), settings))
}

fn asterisk(row: &Spool, max_bytes: u64) -> anyhow::Result<Box<dyn Source>> {
    let split =
        |mailbox: &String| mailbox.split_once('@').map(|(number, context)| (context.to_owned(), number.to_owned()));
    let ami = match &row.ami {
        None => None,
        Some(ami) => Some(AmiSettings {
            address: ami.address.clone(),
            username: ami.username.clone(),
            secret: ami.secret.reveal().map_err(anyhow::Error::msg).context("could not read sources.ami.secret")?,
            to_folder: ami.to_folder.clone(),
            timeout: Duration::from_secs(10),
        }),
    };
    let settings = SpoolSettings {
        mailboxes: row.mailboxes.iter().filter_map(split).collect(),
        poll: Duration::from_secs(row.poll_s),
        max_bytes,
        conf: Some(row.conf.clone()),
        ami,
        ..SpoolSettings::new(row.path.clone())
    };
    Ok(Box::new(AsteriskSpool::new(row.name.clone(), settings)))
}

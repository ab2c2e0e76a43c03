//! A row of `[[sources]]` becomes the source it names, its secrets read.

use crate::config::{Folder, FritzBox, Settings, SourceRow, Spool};
use crate::intake::Memory;
use crate::intake::asterisk::{AmiSettings, AsteriskSpool, SpoolSettings};
use crate::intake::folder::{FolderSettings, FolderSource};
use crate::intake::fritzbox;
use crate::intake::source::Source;
use crate::runtime::clock::SystemClock;
use crate::store::Store;
use anyhow::Context as _;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;

/// The source of a row; nothing is reached for yet. What it remembers is kept in `store`.
///
/// # Errors
/// Where a secret cannot be read; the text names the key.
pub fn source(row: &SourceRow, settings: &Settings, store: &Store) -> anyhow::Result<Box<dyn Source>> {
    let max_bytes = settings.intake.max_mib * 1024 * 1024;
    Ok(match row {
        SourceRow::Asterisk(row) => asterisk(row, max_bytes)?,
        SourceRow::Folder(row) => folder(row, max_bytes),
        SourceRow::FritzBox(row) => fritz_box(row, settings, store)?,
    })
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
        ami,
        ..SpoolSettings::new(row.path.clone())
    };
    Ok(Box::new(AsteriskSpool::new(row.name.clone(), settings)))
}

fn fritz_box(row: &FritzBox, settings: &Settings, store: &Store) -> anyhow::Result<Box<dyn Source>> {
    let address: reqwest::Url = row.address.parse().context("sources.address is no address")?;
    let web = row.web_address.as_deref().map(str::parse).transpose().context("sources.web_address is no address")?;
    let password = row.password.reveal().map_err(anyhow::Error::msg).context("could not read sources.password")?;
    let host = address.host_str().context("sources.address names no host")?;
    let fritz = fritzbox::FritzSettings {
        web,
        username: row.username.clone(),
        password,
        tams: row.tam.clone(),
        fingerprints: row.fingerprints(),
        monitor: row.call_monitor.then(|| format!("{host}:1012")),
        poll: Duration::from_secs(row.poll_s),
        mark_read: row.mark_read,
        longest_s: row.longest_s,
        first_look: TimeDelta::hours(i64::try_from(row.first_look_h).unwrap_or(24)),
        zone: settings.business_hours().zone,
        max_bytes: settings.intake.max_mib * 1024 * 1024,
        limits: fritzbox::Limits::default(),
        address,
    };
    let memory = Memory::new(store.clone(), row.name.clone());
    Ok(Box::new(fritzbox::FritzBox::new(row.name.clone(), fritz, memory, Arc::new(SystemClock))))
}

//! A row of `[[sources]]` becomes the source it names, its secrets read.

use crate::config::{
    Confirm as Mark, Folder, FreeSwitch, FreeSwitchFiles, FritzBox, Imap, OAuth, Placetel, Secret, Settings, Sipgate,
    SourceRow, Spool, Use,
};
use crate::domain::report::DRILL;
use crate::intake::Memory;
use crate::intake::asterisk::{AmiSettings, AsteriskSpool, SpoolSettings};
use crate::intake::folder::{FolderSettings, FolderSource};
use crate::intake::freeswitch::{self, EslSettings, FreeSwitchSettings, Mailbox, WebFiles};
use crate::intake::fritzbox;
use crate::intake::http::Limits;
use crate::intake::imap::{Confirm, ImapSettings, ImapSource, Login, OAuthSettings};
use crate::intake::mail::{self, Reading};
use crate::intake::placetel::{PlacetelSettings, PlacetelSource};
use crate::intake::sipgate::{SipgateSettings, SipgateSource};
use crate::intake::source::Source;
use crate::runtime::clock::SystemClock;
use crate::runtime::drill;
use crate::store::Store;
use anyhow::Context as _;
use chrono::TimeDelta;
use secrecy::SecretString;
use std::sync::Arc;
use std::time::Duration;

/// The source of a row; nothing is reached for yet. What it remembers is kept in `store`. `None` where the peer comes to us:
/// see `door`.
///
/// # Errors
/// Where a secret cannot be read; the text names the key.
pub fn source(row: &SourceRow, settings: &Settings, store: &Store) -> anyhow::Result<Option<Box<dyn Source>>> {
    let max_bytes = settings.intake.max_mib * 1024 * 1024;
    let memory = || Memory::new(store.clone(), row.name().to_owned());
    Ok(Some(match row {
        SourceRow::Asterisk(row) => asterisk(row, max_bytes)?,
        SourceRow::Folder(row) => folder(row, max_bytes),
        SourceRow::FreeSwitch(row) => freeswitch(row, memory(), max_bytes)?,
        SourceRow::FritzBox(row) => fritz_box(row, settings, store)?,
        SourceRow::Imap(row) => imap(row, settings, store)?,
        SourceRow::Placetel(row) => placetel(row, settings, memory(), max_bytes)?,
        SourceRow::Push(_) | SourceRow::Twilio(_) => return Ok(None),
        SourceRow::Sipgate(row) => sipgate(row, memory(), max_bytes)?,
    }))
}

/// The folder from which drills travel, if there are any.
pub(super) fn drill_source(settings: &Settings) -> Option<Box<dyn Source>> {
    settings.drill.enabled.then(|| {
        let path = drill::folder(&settings.store.folder);
        // the folder is there before it is looked into: an empty one is no trouble
        drop(std::fs::create_dir_all(&path));
        Box::new(FolderSource::new(DRILL.into(), FolderSettings::new(path))) as Box<dyn Source>
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
            secret: reveal(&ami.secret, "sources.ami.secret")?,
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

fn fritz_box(row: &FritzBox, settings: &Settings, store: &Store) -> anyhow::Result<Box<dyn Source>> {
    let address: reqwest::Url = row.address.parse().context("sources.address is no address")?;
    let web = row.web_address.as_deref().map(str::parse).transpose().context("sources.web_address is no address")?;
    let password = reveal(&row.password, "sources.password")?;
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
        first_look: hours(row.first_look_h),
        zone: settings.business_hours().zone,
        max_bytes: settings.intake.max_mib * 1024 * 1024,
        limits: fritzbox::Limits::default(),
        address,
    };
    let memory = Memory::new(store.clone(), row.name.clone());
    Ok(Box::new(fritzbox::FritzBox::new(row.name.clone(), fritz, memory, Arc::new(SystemClock))))
}

fn imap(row: &Imap, settings: &Settings, store: &Store) -> anyhow::Result<Box<dyn Source>> {
    let login = match (&row.password, &row.oauth) {
        (Some(password), _) => Login::Password(reveal(password, "sources.password")?),
        (None, Some(row)) => Login::OAuth(oauth(row)?),
        (None, None) => anyhow::bail!("sources.password is missing ({})", row.name),
    };
    let confirm = match row.confirm {
        Mark::Keyword => Confirm::Keyword(row.keyword.clone()),
        Mark::Seen => Confirm::Seen,
        Mark::Move => Confirm::Move(row.move_to.clone().unwrap_or_default()),
    };
    let reading = Reading {
        voicemails: row.uses.contains(&Use::Voicemail),
        reports: row.uses.contains(&Use::Reports),
        profiles: mail::profiles(&row.profiles).map_err(anyhow::Error::msg).context("sources.profiles")?,
        own_numbers: settings.terms.own_numbers.clone(),
        own_addresses: vec![row.username.clone()],
        zone: settings.business_hours().zone,
        max_bytes: settings.intake.max_mib * 1024 * 1024,
        longest_s: row.longest_s,
    };
    let settings = ImapSettings {
        host: row.host.clone(),
        port: row.port(),
        tls: row.tls,
        ca: row.ca.clone(),
        username: row.username.clone(),
        login,
        folder: row.folder.clone(),
        confirm,
        poll: Duration::from_secs(row.poll_s),
        idle: Duration::from_secs(row.idle_min * 60),
        first_look: hours(row.first_look_h),
        patience: Duration::from_secs(30),
        reading: Arc::new(reading),
    };
    let memory = Memory::new(store.clone(), row.name.clone());
    Ok(Box::new(ImapSource::new(row.name.clone(), settings, memory, Arc::new(SystemClock))))
}

/// How a row comes by its tokens, its secrets read.
///
/// # Errors
/// Where a secret cannot be read; the text names the key.
pub fn oauth(row: &OAuth) -> anyhow::Result<OAuthSettings> {
    let maybe = |own: &Option<Secret>, key: &str| own.as_ref().map(|own| reveal(own, key)).transpose();
    Ok(OAuthSettings {
        flow: row.flow,
        token_url: row.token_url(),
        device_url: row.device_url(),
        client_id: row.client_id.clone(),
        client_secret: maybe(&row.client_secret, "sources.oauth.client_secret")?,
        refresh_token: maybe(&row.refresh_token, "sources.oauth.refresh_token")?,
        scope: row.scope(),
    })
}

fn freeswitch(row: &FreeSwitch, memory: Memory, max_bytes: u64) -> anyhow::Result<Box<dyn Source>> {
    let mailbox = |mailbox: &String| Mailbox::parse(mailbox, row.profile.as_deref()).map_err(anyhow::Error::msg);
    let login = |files: &FreeSwitchFiles| -> anyhow::Result<Option<(String, SecretString)>> {
        let Some((user, password)) = files.username.as_ref().zip(files.password.as_ref()) else { return Ok(None) };
        Ok(Some((user.clone(), reveal(password, "sources.files.password")?)))
    };
    let files = match &row.files {
        None => None,
        Some(files) => Some(WebFiles { url: files.url.clone(), login: login(files)? }),
    };
    let settings = FreeSwitchSettings {
        esl: EslSettings {
            address: row.address.clone(),
            password: reveal(&row.password, "sources.password")?,
            timeout: Duration::from_secs(10),
        },
        mailboxes: row.mailboxes.iter().map(mailbox).collect::<anyhow::Result<_>>()?,
        storage: row.storage.clone(),
        files,
        poll: Duration::from_secs(row.poll_s),
        mark_read: row.mark_read,
        first_look: hours(row.first_look_h),
        longest_s: row.longest_s,
        max_bytes,
        // a listed message has its file: what is not there now will hardly come
        limits: Limits { give_up: Duration::from_mins(1), ..Limits::default() },
    };
    let opened = freeswitch::FreeSwitch::open(row.name.clone(), settings, memory, Arc::new(SystemClock));
    Ok(Box::new(opened.map_err(anyhow::Error::msg)?))
}

fn placetel(row: &Placetel, all: &Settings, memory: Memory, max_bytes: u64) -> anyhow::Result<Box<dyn Source>> {
    let settings = PlacetelSettings {
        api: row.api.clone(),
        key: reveal(&row.key, "sources.key")?,
        numbers: row.numbers.clone(),
        zone: all.business_hours().zone,
        poll: Duration::from_secs(row.poll_s),
        first_look: hours(row.first_look_h),
        longest_s: row.longest_s,
        max_bytes,
        limits: Limits::default(),
    };
    let opened = PlacetelSource::open(row.name.clone(), settings, memory, Arc::new(SystemClock));
    Ok(Box::new(opened.map_err(anyhow::Error::msg)?))
}

fn sipgate(row: &Sipgate, memory: Memory, max_bytes: u64) -> anyhow::Result<Box<dyn Source>> {
    let settings = SipgateSettings {
        api: row.api.clone(),
        token_id: row.token_id.clone(),
        token: reveal(&row.token, "sources.token")?,
        numbers: row.numbers.clone(),
        poll: Duration::from_secs(row.poll_s),
        mark_read: row.mark_read,
        first_look: hours(row.first_look_h),
        longest_s: row.longest_s,
        max_bytes,
        limits: Limits::default(),
    };
    let opened = SipgateSource::open(row.name.clone(), settings, memory, Arc::new(SystemClock));
    Ok(Box::new(opened.map_err(anyhow::Error::msg)?))
}

fn reveal(secret: &Secret, key: &str) -> anyhow::Result<SecretString> {
    secret.reveal().map_err(anyhow::Error::msg).with_context(|| format!("could not read {key}"))
}

fn hours(hours: u64) -> TimeDelta {
    TimeDelta::hours(i64::try_from(hours).unwrap_or(24))
}

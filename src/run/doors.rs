//! The rows of `[[sources]]` whose peer comes to us become one door, its secrets read.

use crate::config::{Push, Secret, Settings, SourceRow, Twilio};
use crate::intake::push::{DoorSettings, Limits, PushSettings, TwilioSettings};
use crate::intake::source::Said;
use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::HashSet;

/// A token that is easier to guess than this is none.
const SHORTEST_TOKEN: usize = 24;

/// The door of the settings, if there is one; nothing is listened to yet.
///
/// # Errors
/// Where a secret cannot be read, is too short, or two peers share one; the text names the key.
pub fn door(settings: &Settings) -> anyhow::Result<Option<DoorSettings>> {
    let Some(section) = &settings.push else { return Ok(None) };
    let mut door = DoorSettings {
        listen: section.listen,
        max_bytes: settings.intake.max_mib * 1024 * 1024,
        pushers: Vec::new(),
        webhooks: Vec::new(),
        limits: Limits::default(),
    };
    for row in &settings.sources {
        match row {
            SourceRow::Push(row) => door.pushers.push(pusher(row)?),
            SourceRow::Twilio(row) => door.webhooks.push(webhook(row)?),
            _ => {}
        }
    }
    let mut tokens = HashSet::new();
    for pusher in &door.pushers {
        let own = pusher.tokens.iter().all(|token| tokens.insert(token.expose_secret().to_owned()));
        anyhow::ensure!(own, "sources.token: {} has a token that stands twice: each peer needs its own", pusher.name);
    }
    Ok(Some(door))
}

/// What `nachtwache check` says of a peer that comes to us.
#[must_use]
pub fn says(row: &SourceRow, settings: &Settings) -> Vec<Said> {
    let Some(section) = &settings.push else { return vec![Err("there is no [push]: add it".into())] };
    let told = |error: anyhow::Error| format!("{error:#}");
    vec![match row {
        SourceRow::Push(row) => pusher(row).map_err(told).map(|pusher| {
            let tokens = if pusher.tokens.len() == 1 { "its token is there" } else { "both tokens are there" };
            format!("comes in at {}/api/v1/voicemails; {tokens}", section.listen)
        }),
        SourceRow::Twilio(row) => webhook(row).map_err(told).map(|webhook| {
            let host = webhook.recording_host;
            format!(
                "comes in at {}/api/v1/twilio/{}, fetched from {host}; its token is there",
                section.listen, row.name
            )
        }),
        _ => Ok("is looked at".into()),
    }]
}

fn pusher(row: &Push) -> anyhow::Result<PushSettings> {
    let mut tokens = vec![token(&row.token, "token", &row.name)?];
    if let Some(next) = &row.token_next {
        tokens.push(token(next, "token_next", &row.name)?);
    }
    Ok(PushSettings { name: row.name.clone(), tokens, mailbox: row.mailbox.clone(), longest_s: row.longest_s })
}

fn token(secret: &Secret, key: &str, name: &str) -> anyhow::Result<SecretString> {
    let token = secret.reveal().map_err(anyhow::Error::msg).with_context(|| format!("could not read sources.{key}"))?;
    let fit = |text: &str| text.len() >= SHORTEST_TOKEN && text.chars().all(|letter| letter.is_ascii_graphic());
    anyhow::ensure!(
        fit(token.expose_secret()),
        "sources.{key}: the token of {name} needs {SHORTEST_TOKEN} printable ASCII characters; `openssl rand -hex 32` makes one"
    );
    Ok(token)
}

fn webhook(row: &Twilio) -> anyhow::Result<TwilioSettings> {
    let auth_token =
        row.auth_token.reveal().map_err(anyhow::Error::msg).context("could not read sources.auth_token")?;
    Ok(TwilioSettings {
        name: row.name.clone(),
        account_sid: row.account_sid.clone(),
        auth_token,
        public_url: row.public_url.clone(),
        recording_host: row.recording_host.parse().context("could not use sources.recording_host")?,
        mailbox: row.mailbox.clone(),
        longest_s: row.longest_s,
    })
}

//! `nachtwache sources`: see what would be read from a saved mail, and learn a telephone system that nobody described yet.

use super::sources_login;
use crate::config::{Settings, SourceRow};
use crate::domain::report::{Mail, Sound};
use crate::intake::mail::{self, Learned, Letter, Reading};
use crate::transcribe::sound::{self, Limits};
use anyhow::Context as _;
use chrono_tz::Tz;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Debug, clap::Subcommand)]
pub(super) enum Options {
    /// Show what would be read from a saved mail; print a profile to paste where none fits
    #[command(
        after_help = "Example:\n  nachtwache sources learn voicemail.eml\n  nachtwache sources learn voicemail.eml --json"
    )]
    Learn(LearnOptions),
    /// Let the service read a mailbox whose settings say flow = "device": a person confirms it once
    #[command(after_help = "Example:\n  nachtwache sources login office365")]
    Login(sources_login::Options),
}

#[derive(Debug, clap::Args)]
pub(super) struct LearnOptions {
    /// A mail as the mail program saves it (.eml)
    #[arg(value_name = "SAMPLE.eml")]
    sample: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn sources(path: &Path, options: &Options) -> anyhow::Result<ExitCode> {
    match options {
        Options::Learn(options) => learn(&super::settings_or_defaults(path)?, options),
        Options::Login(options) => sources_login::login(&Settings::load(path)?, options).await,
    }
}

fn learn(settings: &Settings, options: &LearnOptions) -> anyhow::Result<ExitCode> {
    let path = &options.sample;
    let raw = std::fs::read(path).with_context(|| format!("could not read {}", path.display()))?;
    let reading = reading(settings)?;
    let learned = mail::learn(&raw, &reading);
    if options.json {
        super::say_json(&as_json(&learned, reading.zone))?;
        return Ok(ExitCode::SUCCESS);
    }
    for line in lines(&learned.letter, reading.zone) {
        super::say(&line);
    }
    super::say(&format!("seen: {}", learned.seen.join("; ")));
    if let Some(row) = &learned.profile {
        let block = toml::to_string(row).context("could not write the profile")?;
        super::say(
            "\nNo profile knows such mails yet. To take them in for certain, paste this below the mail account in the \
             settings:\n",
        );
        super::say(&format!("[[sources.profiles]]\n{}", block.trim_end()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Everything is read, by the profiles of all mail accounts.
fn reading(settings: &Settings) -> anyhow::Result<Reading> {
    let own: Vec<_> = settings.sources.iter().flat_map(SourceRow::profiles).cloned().collect();
    let users = settings.sources.iter().filter_map(|row| if let SourceRow::Imap(row) = row { Some(row) } else { None });
    Ok(Reading {
        voicemails: true,
        reports: true,
        profiles: mail::profiles(&own).map_err(anyhow::Error::msg).context("could not use sources.profiles")?,
        own_numbers: settings.terms.own_numbers.clone(),
        own_addresses: users.map(|row| row.username.clone()).collect(),
        zone: settings.business_hours().zone,
        max_bytes: settings.intake.max_mib * 1024 * 1024,
        longest_s: None,
    })
}

fn lines(letter: &Letter, zone: Tz) -> Vec<String> {
    let (profile, sound, caller, mailbox, called_at, seconds) = match letter {
        Letter::Voicemail { profile, sound, caller, mailbox, called_at, seconds, .. } => {
            (profile, sound, caller, mailbox, called_at, seconds)
        }
        Letter::Email(mail) => return written("a written mail, no voicemail", mail),
        Letter::Fax(mail) => return written("a fax", mail),
        Letter::Foreign => return vec!["nothing that is taken in".to_owned()],
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    vec![
        format!("a voicemail, known by: {profile}"),
        format!("  number   {}", or_none(&caller.number)),
        format!("  name     {}", or_none(&caller.name)),
        format!("  called   {}", or_none(mailbox)),
        format!("  time     {}", or_none(&called_at.map(|at| at.with_timezone(&zone).to_rfc3339()))),
        format!("  length   {}", or_none(&seconds.map(|seconds| format!("{}:{:02}", seconds / 60, seconds % 60)))),
        format!("  sound    {}", sound_line(sound)),
    ]
}

fn written(what: &str, mail: &Mail) -> Vec<String> {
    vec![
        what.to_owned(),
        format!("  sender   {}", mail.sender.as_deref().unwrap_or("-")),
        format!("  subject  {}", mail.subject),
        format!("  text     {} letters", mail.text.chars().count()),
        format!("  written  {}", if mail.automatic { "by a machine" } else { "by a person" }),
    ]
}

fn sound_line(sound: &Sound) -> String {
    match sound {
        Sound::Bytes { name, bytes } => match sound::decode(name, bytes, &Limits::default()) {
            Ok(decoded) => {
                let (format, ms) = (&decoded.format, decoded.sound_ms);
                format!("{name}: {format}, {}.{} s", ms / 1000, ms % 1000 / 100)
            }
            Err(error) => format!("{name}: {error}"),
        },
        Sound::Refused { path, why, .. } => format!("none taken: {}: {why}", path.display()),
    }
}

fn as_json(learned: &Learned, zone: Tz) -> serde_json::Value {
    let mut value = match &learned.letter {
        Letter::Voicemail { profile, sound, caller, mailbox, called_at, seconds, .. } => {
            let sound = match sound {
                Sound::Bytes { name, bytes } => match sound::decode(name, bytes, &Limits::default()) {
                    Ok(decoded) => json!({ "name": name, "format": decoded.format, "ms": decoded.sound_ms }),
                    Err(error) => json!({ "name": name, "error": error.to_string() }),
                },
                Sound::Refused { path, why, .. } => json!({ "refused": why, "place": path }),
            };
            let at = called_at.map(|at| at.with_timezone(&zone).to_rfc3339());
            json!({
                "kind": "voicemail", "profile": profile, "number": caller.number, "name": caller.name,
                "called": mailbox, "time": at, "length_s": seconds, "sound": sound,
            })
        }
        Letter::Email(mail) => json!({ "kind": "email", "sender": mail.sender, "automatic": mail.automatic }),
        Letter::Fax(mail) => json!({ "kind": "fax", "sender": mail.sender, "automatic": mail.automatic }),
        Letter::Foreign => json!({ "kind": "foreign" }),
    };
    value["seen"] = json!(learned.seen);
    value["suggestion"] = json!(learned.profile);
    value
}

//! The settings: one struct per section, unknown keys refused, every value checked at start.
//!
//! What is wrong is said with the key's name and what to write instead. Secrets come from a file or the environment.
//! The only place that reads the environment.

mod channels;
mod check;
mod escalation;
mod heartbeat;
mod push;
mod receipt;
mod roster;
mod secret;
mod sections;
mod smtp;
mod sources;
pub mod template;
mod watch;
mod web;

pub use channels::{ChannelRow, MailChannel, Verb, WebhookChannel};
pub use escalation::{Asked, Escalation, Inside, PolicyRow};
pub use heartbeat::Heartbeat;
pub use push::PushDoor;
pub use receipt::ReceiptRow;
pub use roster::{AbsenceRow, EntryRow, FeedRow, OverrideRow, RosterRow, RotationRow, WeeklyRow};
pub use secret::Secret;
pub use sections::{Assess, Hours, Intake, Office, StoreRow, Technician, Telegram, Terms, Transcribe, View};
pub use smtp::{Smtp, SmtpTls};
pub use sources::{
    Ami, Confirm, Flow, Folder, FreeSwitch, FreeSwitchFiles, FritzBox, Imap, OAuth, Placetel, ProfileRow, Provider,
    Push, Sipgate, SourceRow, Spool, Tls, Twilio, Use,
};
pub use watch::{DrillRow, MorningRow, WatchRow};
pub use web::{SecondFactor, Web};

use crate::domain::assessment::Verdict;
use crate::domain::escalation::Policy;
use crate::domain::hours::BusinessHours;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Where the settings lie when nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/nachtwache/nachtwache.toml";

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Database and sound folder.
    #[serde(default)]
    pub store: StoreRow,
    /// Business hours.
    #[serde(default)]
    pub hours: Hours,
    /// The firm's terms.
    #[serde(default)]
    pub terms: Terms,
    /// Limits of what is taken in.
    #[serde(default)]
    pub intake: Intake,
    /// The mailboxes.
    #[serde(default)]
    pub sources: Vec<SourceRow>,
    /// Where pushed recordings come in; none = no server.
    pub push: Option<PushDoor>,
    /// Speech to text.
    #[serde(default)]
    pub transcribe: Transcribe,
    /// Text to verdict.
    #[serde(default)]
    pub assess: Assess,
    /// Who can be on duty.
    #[serde(default)]
    pub technicians: Vec<Technician>,
    /// The office group.
    pub office: Option<Office>,
    /// Who is on duty when.
    #[serde(default)]
    pub roster: RosterRow,
    /// The bot.
    #[serde(default)]
    pub telegram: Telegram,
    /// Who is told when.
    #[serde(default)]
    pub escalation: Escalation,
    /// The mail server by which mails go out.
    pub smtp: Option<Smtp>,
    /// More ways to a human than Telegram.
    #[serde(default)]
    pub channels: Vec<ChannelRow>,
    /// The sign of life to somebody outside.
    pub heartbeat: Option<Heartbeat>,
    /// What is told of the service itself.
    #[serde(default)]
    pub watch: WatchRow,
    /// The daily proof that a message arrives.
    #[serde(default)]
    pub drill: DrillRow,
    /// The list at each opening.
    #[serde(default)]
    pub morning: MorningRow,
    /// The answer to somebody who wrote a mail.
    #[serde(default)]
    pub receipt: ReceiptRow,
    /// The page; none = no page.
    pub web: Option<Web>,
}

/// Why the settings cannot be used. Every complaint names its key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error(
        "could not read the settings {path}: {error}; copy config.example.toml there, or name another file with --config"
    )]
    Read {
        /// Which file.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// It is not the TOML that is expected.
    #[error("the settings cannot be understood: {0}")]
    Parse(String),
    /// Values that make no sense, all of them at once.
    #[error("the settings need a correction:\n  {}", .0.join("\n  "))]
    Invalid(Vec<String>),
}

impl Settings {
    /// Reads and checks a settings file.
    ///
    /// # Errors
    /// See `ConfigError`; all wrong values are named at once.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?;
        Self::parse(&text)
    }

    /// Parses and checks settings.
    ///
    /// # Errors
    /// As `load`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let settings: Self = toml::from_str(text).map_err(|error| ConfigError::Parse(with_nearest_key(&error)))?;
        let wrong = check::complaints(&settings);
        if wrong.is_empty() { Ok(settings) } else { Err(ConfigError::Invalid(wrong)) }
    }

    /// The business hours. The settings were checked: a wrong value cannot get here.
    #[must_use]
    pub fn business_hours(&self) -> BusinessHours {
        self.hours.parsed().expect("checked when the settings were loaded")
    }

    /// The policy that rules at `now` for a verdict, for a message left on `line`.
    #[must_use]
    pub fn policy(&self, verdict: Verdict, line: Option<&str>, now: DateTime<Utc>) -> Policy {
        let hours = self.business_hours();
        let asked = Asked { verdict, outside: !hours.is_open(now), line };
        self.escalation.policy(&asked, hours.zone).expect("checked when the settings were loaded")
    }
}

/// The TOML error, with the known key nearest to an unknown one.
fn with_nearest_key(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let mut quoted = error.message().split('`').skip(1).step_by(2);
    let nearest = quoted.next().filter(|_| error.message().starts_with("unknown field")).and_then(|unknown| {
        let scored = quoted.map(|known| (strsim::damerau_levenshtein(unknown, known), known));
        scored.filter(|(distance, known)| *distance <= 2 + known.len() / 4).min()
    });
    match nearest {
        Some((_, known)) => format!("{}\ndid you mean `{known}`?", text.trim_end()),
        None => text,
    }
}

/// The value of an environment variable, for the few settings of the command line that have no file.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one home of the environment")]
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let error = Settings::parse("[transcribe]\nlangage = \"de\"\n").unwrap_err().to_string();
        assert!(error.contains("did you mean `language`?"), "{error}");
    }

    #[test]
    fn all_wrong_values_are_named_at_once_with_their_keys() {
        let error = Settings::parse(
            "[hours]\nzone = \"Europe/Schweinfurt\"\n[terms]\nfee = \"viel\"\n[roster]\norder = [\"Nobody\"]\n\
             [[technicians]]\nname = \"Anna\"\ntelegram_chat = 1\n",
        )
        .unwrap_err()
        .to_string();
        for key in ["hours.zone", "terms.fee", "roster.order"] {
            assert!(error.contains(key), "{key} is missing in: {error}");
        }
    }

    #[test]
    fn the_example_is_valid_and_is_what_the_defaults_say() {
        let example = include_str!("../../config.example.toml");
        let settings = Settings::parse(example).unwrap();
        let defaults: Settings = toml::from_str("").unwrap();
        assert_eq!(settings.terms.fee, defaults.terms.fee);
        assert_eq!(settings.escalation.unheard_after_s, defaults.escalation.unheard_after_s);
        assert!(settings.business_hours().is_open("2026-11-23T09:00:00+01:00".parse().unwrap()));
    }

    #[test]
    fn every_key_of_the_example_is_explained_by_a_comment() {
        let example = include_str!("../../config.example.toml");
        let mut explained = false;
        for line in example.lines() {
            let key = line.trim_start_matches("# ").split(" = ").next().unwrap_or("");
            let is_key = line.contains(" = ") && key.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            assert!(!is_key || explained, "no sentence above: {line}");
            explained = line.starts_with('#') || (is_key && explained && line.starts_with(' '));
        }
    }
}

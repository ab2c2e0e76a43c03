//! One struct per section, each with the firm's own values as defaults.

use super::Secret;
use crate::domain::hours::{BusinessHours, FederalState, parse_span};
use crate::domain::tariff::{Cents, Tariff};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreRow {
    /// Folder of the database and the sound.
    pub folder: PathBuf,
    /// PostgreSQL url instead of SQLite in the folder.
    pub postgres: Option<Secret>,
}

impl Default for StoreRow {
    fn default() -> Self {
        Self { folder: "/var/lib/nachtwache".into(), postgres: None }
    }
}

/// `[hours]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hours {
    /// Time zone of the firm.
    pub zone: String,
    /// Federal state whose public holidays count as closed.
    pub state: String,
    /// Opening times, "08:00-12:00".
    pub monday: Vec<String>,
    /// As `monday`.
    pub tuesday: Vec<String>,
    /// As `monday`.
    pub wednesday: Vec<String>,
    /// As `monday`.
    pub thursday: Vec<String>,
    /// As `monday`.
    pub friday: Vec<String>,
    /// As `monday`.
    pub saturday: Vec<String>,
    /// As `monday`.
    pub sunday: Vec<String>,
    /// More days on which the firm is closed.
    pub closed_on: Vec<NaiveDate>,
}

impl Default for Hours {
    fn default() -> Self {
        let day = || vec!["08:00-12:00".to_owned(), "12:45-17:00".to_owned()];
        Self {
            zone: "Europe/Berlin".into(),
            state: "BY".into(),
            monday: day(),
            tuesday: day(),
            wednesday: day(),
            thursday: day(),
            friday: day(),
            saturday: Vec::new(),
            sunday: Vec::new(),
            closed_on: Vec::new(),
        }
    }
}

impl Hours {
    /// The hours as values.
    ///
    /// # Errors
    /// The first wrong key and what to write there.
    pub fn parsed(&self) -> Result<BusinessHours, String> {
        let zone = self
            .zone
            .parse()
            .map_err(|_| format!("hours.zone: {:?} is no time zone; write e.g. \"Europe/Berlin\"", self.zone))?;
        let state = FederalState::parse(&self.state)
            .ok_or_else(|| format!("hours.state: {:?} is no federal state; write e.g. \"BY\"", self.state))?;
        let rows = [
            ("monday", &self.monday),
            ("tuesday", &self.tuesday),
            ("wednesday", &self.wednesday),
            ("thursday", &self.thursday),
            ("friday", &self.friday),
            ("saturday", &self.saturday),
            ("sunday", &self.sunday),
        ];
        let mut days: [Vec<(NaiveTime, NaiveTime)>; 7] = Default::default();
        for (day, (name, spans)) in days.iter_mut().zip(rows) {
            for span in spans {
                let wrong = || format!("hours.{name}: {span:?} is no span of time; write e.g. \"08:00-12:00\"");
                day.push(parse_span(span).ok_or_else(wrong)?);
            }
        }
        Ok(BusinessHours { zone, days, state, extra_closed: self.closed_on.clone() })
    }
}

/// `[terms]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Terms {
    /// Net activation fee outside business hours, "48.00".
    pub fee: String,
    /// VAT in percent.
    pub vat_percent: u8,
    /// Surcharge inside business hours in percent.
    pub surcharge_percent: u8,
    /// Hours within which the firm reacts.
    pub reaction_hours: u32,
    /// The firm's own numbers: a caller who repeats one has not left his.
    pub own_numbers: Vec<String>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            fee: "48.00".into(),
            vat_percent: 19,
            surcharge_percent: 40,
            reaction_hours: 24,
            own_numbers: vec!["+4997219782362".into()],
        }
    }
}

impl Terms {
    /// The net fee in cents: digits, a point or comma, two digits.
    ///
    /// # Errors
    /// Where it is no such amount.
    pub fn fee_cents(&self) -> Result<Cents, String> {
        let wrong = || format!("terms.fee: {:?} is no amount; write e.g. \"48.00\"", self.fee);
        let (euros, cents) = self.fee.split_once(['.', ',']).ok_or_else(wrong)?;
        let digits = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
        if cents.len() != 2 || euros.is_empty() || euros.len() > 6 || !digits(euros) || !digits(cents) {
            return Err(wrong());
        }
        let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
        Ok(Cents(number(euros)? * 100 + number(cents)?))
    }

    /// What may be charged for a call outside or inside business hours.
    #[must_use]
    pub fn tariff(&self, outside: bool) -> Tariff {
        if !outside {
            return Tariff::Surcharge { percent: self.surcharge_percent };
        }
        let net = self.fee_cents().expect("checked when the settings were loaded");
        Tariff::Activation { net, gross: net.plus_percent(self.vat_percent), vat_percent: self.vat_percent }
    }
}

/// `[intake]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// Largest sound file or mail taken, MiB.
    pub max_mib: u64,
    /// Minutes after which a mailbox that cannot be reached is told of.
    pub unreachable_after_min: u64,
}

impl Default for Intake {
    fn default() -> Self {
        Self { max_mib: 30, unreachable_after_min: 3 }
    }
}

impl Intake {
    /// After so long a mailbox that cannot be reached is told of.
    #[must_use]
    pub fn unreachable_after(&self) -> TimeDelta {
        TimeDelta::minutes(i64::try_from(self.unreachable_after_min).unwrap_or(3))
    }
}

/// `[transcribe]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Transcribe {
    /// The model file.
    pub model: PathBuf,
    /// A larger model that hears every report a second time; none = there is no second hearing.
    pub confirm_model: Option<PathBuf>,
    /// Language spoken, ISO 639-1.
    pub language: String,
    /// Pieces of sound that are heard at once, of one report or of several; 0 = as many as the machine has cores.
    pub states: u32,
    /// Threads of the recogniser for all of them; 0 = as many as the machine has cores that nobody else uses.
    pub threads: u32,
    /// Decode a second, different way: proof of a consent needs both to agree.
    pub second_decode: bool,
    /// Words the recogniser should expect; never those of a consent.
    pub prompt: String,
    /// Shortest time limit of a recording, seconds.
    pub limit_min_s: u64,
    /// Time limit as a multiple of the recording's length.
    pub limit_factor: u32,
    /// Seconds without a sign of life after which the recogniser is ended.
    pub silence_limit_s: u64,
    /// Seconds until the next try, one entry a try; after the last the report is `unclear`.
    pub retry_after_s: Vec<u64>,
    /// Minutes without work after which the recogniser gives its memory back.
    pub idle_after_min: u64,
    /// Where models are fetched from.
    pub models_url: String,
}

impl Default for Transcribe {
    fn default() -> Self {
        Self {
            model: "/var/lib/nachtwache/models/ggml-small-q8_0.bin".into(),
            confirm_model: None,
            language: "de".into(),
            states: 0,
            threads: 0,
            second_decode: true,
            prompt: String::new(),
            limit_min_s: 60,
            limit_factor: 10,
            silence_limit_s: 60,
            retry_after_s: vec![5],
            idle_after_min: 15,
            models_url: "https://huggingface.co/ggerganov/whisper.cpp/resolve/main".into(),
        }
    }
}

impl Transcribe {
    /// How long a recording of so many milliseconds may take.
    #[must_use]
    pub fn limit(&self, sound_ms: u32) -> Duration {
        let relative = Duration::from_millis(u64::from(sound_ms)) * self.limit_factor;
        relative.max(Duration::from_secs(self.limit_min_s))
    }
}

/// `[assess]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assess {
    /// A consent whose words are less probable than this does not count.
    pub min_probability: f32,
    /// Folder with the firm's own rule files.
    pub rules: Option<PathBuf>,
}

impl Default for Assess {
    fn default() -> Self {
        Self { min_probability: 0.35, rules: None }
    }
}

/// `[[technicians]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technician {
    /// His name, as colleagues see it.
    pub name: String,
    /// His private chat with the bot; none = he is paired by an invitation, or reached by his channels only.
    pub telegram_chat: Option<i64>,
    /// His user number where it differs from the chat.
    pub telegram_user: Option<i64>,
    /// His other ways, by the names of `[[channels]]`, in the order they are tried.
    #[serde(default)]
    pub channels: Vec<String>,
    /// Further words that mean him in a duty calendar.
    #[serde(default)]
    pub calendar: Vec<String>,
}

/// `[office]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Office {
    /// The office group's chat.
    pub telegram_chat: i64,
    /// The office's other ways, by the names of `[[channels]]`.
    #[serde(default)]
    pub channels: Vec<String>,
}

/// What Telegram sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum View {
    /// The whole alert and the sound.
    Full,
    /// Number, verdict, nothing of the caller.
    Minimal,
}

/// `[telegram]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telegram {
    /// The bot's token.
    pub token: Option<Secret>,
    /// Where the Bot API is.
    pub api_url: String,
    /// What Telegram sees.
    pub view: View,
    /// Edit the messages of a closed case down to number and outcome.
    pub redact_closed: bool,
    /// Seconds without an answer of Telegram after which it counts as down.
    pub down_after_s: u64,
}

impl Default for Telegram {
    fn default() -> Self {
        Self {
            token: None,
            api_url: "https://api.telegram.org".into(),
            view: View::Full,
            redact_closed: true,
            down_after_s: 90,
        }
    }
}

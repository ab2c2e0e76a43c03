//! `kind = "placetel"`.

use super::checks;
use crate::config::Secret;
use serde::Deserialize;

/// The voicemails of a Placetel account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placetel {
    /// Its name, unique.
    pub name: String,
    /// Where the API is.
    #[serde(default = "api")]
    pub api: String,
    /// The API key.
    pub key: Secret,
    /// Voicemails of these numbers only; none takes all.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Seconds between two looks.
    #[serde(default = "minute")]
    pub poll_s: u64,
    /// How far back to look at the first start, in hours.
    #[serde(default = "day")]
    pub first_look_h: u64,
    /// The mailbox ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

fn api() -> String {
    "https://api.placetel.de/v2".into()
}

fn minute() -> u64 {
    60
}

fn day() -> u64 {
    24
}

impl Placetel {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        checks::address(wrong, "api", &self.name, &self.api);
        checks::numbers(wrong, &self.name, &self.numbers);
        checks::looks(wrong, &self.name, self.poll_s, self.first_look_h, self.longest_s);
    }
}

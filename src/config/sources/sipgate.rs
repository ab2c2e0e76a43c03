//! `kind = "sipgate"`.

use super::checks;
use crate::config::Secret;
use serde::Deserialize;

/// The voicemails of a sipgate account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sipgate {
    /// Its name, unique.
    pub name: String,
    /// Where the API is.
    #[serde(default = "api")]
    pub api: String,
    /// The id of the personal access token.
    pub token_id: String,
    /// The token.
    pub token: Secret,
    /// Voicemails of these numbers only; none takes all.
    #[serde(default)]
    pub numbers: Vec<String>,
    /// Seconds between two looks.
    #[serde(default = "minute")]
    pub poll_s: u64,
    /// Mark a stored voicemail as read.
    #[serde(default)]
    pub mark_read: bool,
    /// How far back to look at the first start, in hours.
    #[serde(default = "day")]
    pub first_look_h: u64,
    /// The mailbox ends a recording after so many seconds.
    pub longest_s: Option<u32>,
}

fn api() -> String {
    "https://api.sipgate.com/v2".into()
}

fn minute() -> u64 {
    60
}

fn day() -> u64 {
    24
}

impl Sipgate {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        if self.token_id.is_empty() {
            wrong.push(format!(
                "sources.token_id: it is empty; write the token's id, e.g. \"token-ABC123\" ({})",
                self.name
            ));
        }
        checks::address(wrong, "api", &self.name, &self.api);
        checks::numbers(wrong, &self.name, &self.numbers);
        checks::looks(wrong, &self.name, self.poll_s, self.first_look_h, self.longest_s);
    }
}

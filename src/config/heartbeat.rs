//! `[heartbeat]`: a sign of life to somebody outside, who raises the alarm when it stays away.

use super::{Secret, channels};
use serde::Deserialize;

/// `[heartbeat]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// The address that is asked; whoever knows it can pretend to be alive.
    pub url: Secret,
    /// Seconds between two.
    #[serde(default = "every_s")]
    pub every_s: u64,
}

fn every_s() -> u64 {
    60
}

impl Heartbeat {
    /// The address.
    ///
    /// # Errors
    /// Where it cannot be read or is none; the text names the key and not the address.
    pub fn address(&self) -> Result<reqwest::Url, String> {
        let text = self.url.reveal().map_err(|error| format!("heartbeat.url: {error}"))?;
        channels::address(&text, false).map_err(|error| format!("heartbeat.url: {error}"))
    }
}

/// What is wrong with the section.
pub(super) fn complain(row: Option<&Heartbeat>, wrong: &mut Vec<String>) {
    let Some(row) = row else { return };
    if matches!(row.url, Secret::Text(_)) {
        wrong.extend(row.address().err());
    }
    if !(15..=60).contains(&row.every_s) {
        wrong.push(format!(
            "heartbeat.every_s: {} is not between 15 and 60; beyond that a dead service is not noticed within 180 s",
            row.every_s
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_beat_goes_over_tls_and_not_too_seldom() {
        assert_eq!(complaint("[heartbeat]\nurl = \"https://hc-ping.com/5e0c-uuid\"\n"), "");
        assert_eq!(complaint("[heartbeat]\nurl = { file = \"/nowhere\" }\nevery_s = 15\n"), "");
        let slow = complaint("[heartbeat]\nurl = \"https://hc-ping.com/x\"\nevery_s = 61\n");
        assert!(slow.contains("heartbeat.every_s"), "{slow}");
        let clear = complaint("[heartbeat]\nurl = \"http://example.org/5e0c-uuid\"\n");
        assert!(clear.contains("heartbeat.url") && clear.contains("https") && !clear.contains("5e0c"), "{clear}");
    }
}

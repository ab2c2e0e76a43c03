//! The sign of life to somebody outside, who raises the alarm when it stays away (healthchecks.io style).
//!
//! Promise: it never takes longer than half the time to the next one, and its failure changes nothing here: silence is
//! what the other side listens for.

use crate::config::Settings;
use crate::runtime::outgoing::{Answer, Limits, Outgoing, OutgoingError};
use reqwest::Url;
use std::time::Duration;

/// Longest time for one beat.
const LONGEST: Duration = Duration::from_secs(10);

/// Gives signs of life.
pub struct Beat {
    outgoing: Outgoing,
    url: Url,
    /// Time between two.
    pub every: Duration,
}

impl Beat {
    /// By the settings; `None` where they want none. Nothing is sent yet.
    ///
    /// # Errors
    /// Where the address cannot be read or is none; the text names the key.
    pub fn of(settings: &Settings) -> Result<Option<Self>, String> {
        let Some(row) = &settings.heartbeat else { return Ok(None) };
        let every = Duration::from_secs(row.every_s);
        let total = LONGEST.min(every.mul_f32(0.45));
        let limits = Limits { connect: total / 2, total, ..Limits::default() };
        Ok(Some(Self { outgoing: Outgoing::new(limits)?, url: row.address()?, every }))
    }

    /// "All is well." Whether it was heard.
    pub async fn send(&self) -> bool {
        heard("alive", &self.outgoing.get(self.url.as_str()).await)
    }

    /// "Something is wrong here", with one word about it, at the address with `/fail` behind its path. Whether it was heard.
    pub async fn send_fail(&self, reason: &str) -> bool {
        let mut url = self.url.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("fail");
        }
        let body = reason.as_bytes().to_vec();
        let sent = self.outgoing.post(url.as_str(), "text/plain", body).await;
        heard("failing", &sent)
    }

    /// Whether the other side's host answers; it is not told that we live.
    ///
    /// # Errors
    /// What is wrong instead.
    pub async fn probe(&self) -> Result<(), String> {
        self.outgoing.probe(self.url.as_str()).await.map_err(|error| error.to_string())
    }
}

fn heard(what: &str, result: &Result<Answer, OutgoingError>) -> bool {
    if let Err(error) = result {
        tracing::warn!(%error, what, "the heartbeat was not heard");
    }
    result.is_ok()
}

//! One message to one technician over one channel, with its delivery state.

use crate::domain::assessment::words;
use crate::domain::case::CaseId;
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// Identity of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoticeId(pub Uuid);

impl fmt::Display for NoticeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

words! {
    /// What a notice shows.
    NoticeKind {
        /// The recording itself as a voice message; the silent first word.
        Voice = "voice",
        /// The alert of a case, loud.
        Alert = "alert",
        /// The words, on request.
        Transcript = "transcript",
        /// A free text (trouble at a source).
        Text = "text",
        /// Something at a mailbox that should be mended and loses no call yet; silent, to the admin.
        Hint = "hint",
        /// A mailbox that cannot be reached, or can be again (`Outage` as JSON).
        Outage = "outage",
    }
}

words! {
    /// How far the delivery is.
    Delivery {
        /// Not yet tried, or tried and provably not delivered.
        Due = "due",
        /// Written down before sending; found again after a crash = unknown.
        Sending = "sending",
        /// On the phone.
        Sent = "sent",
        /// Given up.
        Failed = "failed",
        /// Taken off the phone again, or no longer wanted before it was sent.
        Gone = "gone",
    }
}

/// A mailbox that cannot be reached, or can be again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// The source's name.
    pub source: String,
    /// Since when it could not be reached.
    pub since: DateTime<Utc>,
    /// Until when; `None` = it still cannot.
    pub until: Option<DateTime<Utc>>,
    /// The last failure, in English.
    pub why: String,
}

impl Outage {
    /// As the body of a notice.
    #[must_use]
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("texts and instants are always JSON")
    }

    /// Out of the body of a notice.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its identity.
    pub id: NoticeId,
    /// The report it is about.
    pub report: Option<ReportId>,
    /// The case it is about.
    pub case: Option<CaseId>,
    /// What it shows.
    pub kind: NoticeKind,
    /// The technician's name, or "office".
    pub recipient: String,
    /// The Telegram chat.
    pub chat: i64,
    /// Whether it rings.
    pub loud: bool,
    /// Which ring of the escalation it belongs to (0 = none).
    pub ring: u32,
    /// The text of a free notice.
    pub body: Option<String>,
    /// How far the delivery is.
    pub delivery: Delivery,
    /// The message's number at Telegram, once sent.
    pub message: Option<i64>,
    /// Fingerprint of what the phone shows.
    pub shown: Option<String>,
    /// An earlier try may have arrived.
    pub repeated: bool,
    /// Tries so far, this one included.
    pub attempt: u32,
    /// Counts the changes of what it should show.
    pub version: i64,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// When it arrived.
    pub sent_at: Option<DateTime<Utc>>,
}

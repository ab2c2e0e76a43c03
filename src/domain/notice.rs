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
        /// The time by which the taker wanted to call back has passed; with `unclosed` as body: called back, not closed.
        Remind = "remind",
        /// A colleague wants to hand the case over.
        Offer = "offer",
        /// Asks the technician to answer with a text: what for stands in the body ("eta", "reason").
        Question = "question",
        /// Several cases in one list, after an outage (their numbers as body).
        Bundle = "bundle",
        /// "Bist du bereit?", before a shift (its beginning as body).
        Ready = "ready",
        /// A colleague asks to have his shift taken over (the change's id as body).
        Swap = "swap",
        /// A test alarm that a technician asked for.
        Test = "test",
        /// The daily proof that a message arrives (its text as body; none = a newer one stands there).
        Drill = "drill",
        /// A text that was worded when it was planned.
        Message = "message",
        /// The answer to a command, with buttons (`Said` as JSON).
        Reply = "reply",
    }
}

words! {
    /// Which buttons are open under a notice beside the usual ones.
    Menu {
        /// When the customer is called back.
        Eta = "eta",
        /// Why it is no emergency.
        Reason = "reason",
        /// To whom it is handed over.
        Hand = "hand",
    }
}

/// The numbers of a list's cases as the body of its notice.
#[must_use]
pub fn listed(cases: &[CaseId]) -> String {
    cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Out of [`listed`].
#[must_use]
pub fn cases_of(body: &str) -> Vec<CaseId> {
    body.split(' ').filter_map(|number| number.parse().ok().map(CaseId)).collect()
}

/// The ways to somebody: a technician, or the office.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Recipient {
    /// The technician's name, or "office".
    pub name: String,
    /// The Telegram chat, if there is one.
    pub chat: Option<i64>,
    /// His other ways, by their names in the settings.
    pub channels: Vec<String>,
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

/// What is said to somebody who asked for something, with what he may choose next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Said {
    /// The text.
    pub text: String,
    /// Rows of buttons: label and data (64 bytes at most).
    #[serde(default)]
    pub keys: Vec<Vec<(String, String)>>,
}

impl Said {
    /// Without a choice.
    #[must_use]
    pub fn only(text: impl Into<String>) -> Self {
        Self { text: text.into(), keys: Vec::new() }
    }

    /// As the body of a notice.
    #[must_use]
    pub fn body(&self) -> String {
        serde_json::to_string(self).expect("texts are always JSON")
    }

    /// Out of the body of a notice.
    #[must_use]
    pub fn parse(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }
}

impl Notice {
    /// An earlier try may have arrived: another one says so.
    #[must_use]
    pub fn may_have_arrived(&self) -> bool {
        self.repeated || self.delivery == Delivery::Sending
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
    /// The channel's name where it goes another way than Telegram. Those ways only send: nothing is changed later.
    pub channel: Option<String>,
    /// The Telegram chat; 0 on another way.
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
    /// Which menu is open under it.
    pub menu: Option<Menu>,
    /// When it was planned.
    pub created_at: DateTime<Utc>,
    /// When it should have gone out: earlier than planned after an outage of ours.
    pub wanted_at: DateTime<Utc>,
    /// When it arrived.
    pub sent_at: Option<DateTime<Utc>>,
}

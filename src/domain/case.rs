//! What a technician works on. What may be done with it: `act`; what falls due with it: `life`.

use crate::domain::assessment::{Verdict, words};
use crate::domain::escalation::Progress;
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The case's number, as people say it ("Vorgang 1042").
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CaseId(pub i64);

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

words! {
    /// Who has the case.
    CaseState {
        /// Nobody yet: the escalation runs.
        Open = "open",
        /// A technician.
        Taken = "taken",
        /// Finished.
        Closed = "closed",
    }
}

words! {
    /// How a case ended.
    Outcome {
        /// A technician says it is done.
        Done = "done",
        /// A technician says it is no emergency.
        NoEmergency = "no_emergency",
        /// Opened unheard; the assessment that came later found no emergency (written policy).
        Harmless = "harmless",
    }
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its number.
    pub id: CaseId,
    /// The report that opened it.
    pub report: ReportId,
    /// The newest verdict (`unclear` while unheard).
    pub verdict: Verdict,
    /// Opened because no verdict came in time, and none has come since.
    pub unheard: bool,
    /// Who has it.
    pub state: CaseState,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// How far its escalation is.
    pub progress: Progress,
    /// The technician who took it.
    pub taken_by: Option<String>,
    /// When he took it.
    pub taken_at: Option<DateTime<Utc>>,
    /// When the customer was called back.
    pub called_back_at: Option<DateTime<Utc>>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it is no emergency.
    pub reason: Option<Reason>,
    /// By when the taker calls the customer back; some time exactly while it is taken.
    pub eta_at: Option<DateTime<Utc>>,
    /// When he was reminded that this passed.
    pub reminded_at: Option<DateTime<Utc>>,
    /// Who is asked to take it over. Until he accepts it stays where it is.
    pub offer: Option<Offer>,
    /// When something is due with it: some time exactly until it is closed.
    pub due_at: Option<DateTime<Utc>>,
}

/// A colleague is asked to take a case over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// Who is asked.
    pub to: String,
    /// Until when he may accept.
    pub until: DateTime<Utc>,
}

/// What a customer said to a technician on the phone about conditions and fee. Never the spoken proof of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneConsent {
    /// Agreed, or refused.
    pub given: bool,
    /// The technician who asked.
    pub actor: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// What a technician wrote or said about a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its identity, UUID v7.
    pub id: String,
    /// On which case.
    pub case: CaseId,
    /// The technician.
    pub author: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What it is.
    pub content: NoteContent,
}

/// What a note is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteContent {
    /// Written words.
    Written(String),
    /// A voice message.
    Spoken {
        /// Where Telegram keeps it.
        file_id: String,
        /// Its length in seconds.
        seconds: u32,
        /// The file in the sound folder, once fetched.
        file: Option<String>,
    },
}

/// Why a case is no emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Somebody dialled wrong.
    Misdial,
    /// It is over already.
    Settled,
    /// It can wait for the morning.
    CanWait,
    /// The caller is no customer.
    NoCustomer,
    /// There is another case about it.
    Duplicate,
    /// In the technician's own words.
    Other(String),
}

impl Reason {
    /// Those that have a button.
    pub const NAMED: [Self; 5] = [Self::Misdial, Self::Settled, Self::CanWait, Self::NoCustomer, Self::Duplicate];

    /// As it is stored: a word, or "other:" and the text.
    #[must_use]
    pub fn stored(&self) -> String {
        let word = match self {
            Self::Misdial => "misdial",
            Self::Settled => "settled",
            Self::CanWait => "can_wait",
            Self::NoCustomer => "no_customer",
            Self::Duplicate => "duplicate",
            Self::Other(text) => return format!("other:{text}"),
        };
        word.to_owned()
    }

    /// Out of `stored`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(own) = text.strip_prefix("other:") {
            return Some(Self::Other(own.to_owned()));
        }
        Self::NAMED.into_iter().find(|reason| reason.stored() == text)
    }
}

impl Case {
    /// A case that is opened now; its first ring is due at once.
    #[must_use]
    pub fn opened(id: CaseId, report: ReportId, verdict: Verdict, unheard: bool, now: DateTime<Utc>) -> Self {
        Self {
            id,
            report,
            verdict,
            unheard,
            state: CaseState::Open,
            opened_at: now,
            progress: Progress::start(now),
            taken_by: None,
            taken_at: None,
            called_back_at: None,
            closed_by: None,
            closed_at: None,
            outcome: None,
            reason: None,
            eta_at: None,
            reminded_at: None,
            offer: None,
            due_at: Some(now),
        }
    }

    /// The verdict whose policy is followed: an open case always wakes people.
    #[must_use]
    pub fn policy_verdict(&self) -> Verdict {
        if self.verdict.wakes() { self.verdict } else { Verdict::Unclear }
    }

    /// Ends by the written policy: what was opened unheard turned out to be harmless.
    pub fn end_harmless(&mut self, now: DateTime<Utc>) {
        self.state = CaseState::Closed;
        self.closed_at = Some(now);
        self.outcome = Some(Outcome::Harmless);
        self.due_at = None;
    }

    /// Open again, as if it began now: what the policy had ended as harmless is none.
    pub fn reopen(&mut self, now: DateTime<Utc>) {
        self.state = CaseState::Open;
        self.progress = Progress::start(now);
        self.closed_at = None;
        self.outcome = None;
        self.due_at = Some(now);
    }

    /// Rings anew at once, where nobody has it yet.
    pub fn ring_now(&mut self, now: DateTime<Utc>) {
        if self.state == CaseState::Open {
            self.due_at = Some(now);
        }
    }
}

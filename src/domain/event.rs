//! One line of a story: append-only.

use crate::domain::assessment::words;
use crate::domain::case::CaseId;
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};

words! {
    /// What happened.
    EventKind {
        /// A report was stored.
        Stored = "stored",
        /// The same message was seen once more.
        SeenAgain = "seen_again",
        /// The source was told.
        Confirmed = "confirmed",
        /// It has its transcript.
        Transcribed = "transcribed",
        /// A step failed and is tried again.
        Failed = "failed",
        /// A step was given up.
        GivenUp = "given_up",
        /// A larger model heard it a second time.
        HeardAgain = "heard_again",
        /// It has its verdict.
        Assessed = "assessed",
        /// A case was opened.
        Opened = "opened",
        /// People were told.
        Rang = "rang",
        /// A notice was delivered.
        Sent = "sent",
        /// A notice could not be delivered.
        Undelivered = "undelivered",
        /// A technician did something with the case.
        Acted = "acted",
        /// A technician noted something.
        Noted = "noted",
        /// The case ended.
        Closed = "closed",
        /// A charge was proposed.
        Proposed = "proposed",
        /// A proposed charge was taken back.
        Withdrawn = "withdrawn",
        /// A person released a charge.
        Released = "released",
        /// A person cancelled a charge.
        Cancelled = "cancelled",
        /// Something came up about a charge that a person must look at.
        Objected = "objected",
        /// A chat got a new number at Telegram.
        Moved = "moved",
        /// It joined a case that another report opened.
        Joined = "joined",
        /// A technician took it off the case it had joined.
        Split = "split",
        /// People were told of a mailbox.
        Trouble = "trouble",
        /// People were told that more waits than should, or that it is over.
        Queue = "queue",
        /// A receipt went to the sender of a mail.
        Receipt = "receipt",
        /// A notice that nobody answered goes another way.
        OtherWay = "other_way",
        /// The taker was reminded of his call-back.
        Reminded = "reminded",
        /// The taker did not call back in time: the escalation goes on.
        Resumed = "resumed",
        /// A colleague did not accept what he was offered.
        Lapsed = "lapsed",
        /// A way to people failed, or works again.
        Path = "path",
        /// A phone was paired with a technician, or no longer is.
        Paired = "paired",
        /// A technician changed the roster, or asked a colleague to.
        Roster = "roster",
        /// Something of a report was deleted: its period was over, or somebody asked for it.
        Deleted = "deleted",
        /// Somebody said that a report stays, or that it need not any longer.
        Held = "held",
        /// What is stored of a caller was handed out.
        Exported = "exported",
        /// A person corrected what was heard or judged.
        Corrected = "corrected",
        /// A report was kept as an example for the rules, or an example was changed or thrown away.
        Example = "example",
        /// A rule file was written.
        Rules = "rules",
        /// The list of words for the recogniser changed.
        Vocabulary = "vocabulary",
        /// Somebody entered the page, was refused, or left it.
        Access = "access",
        /// Somebody's account at the page was changed.
        Account = "account",
        /// The auditor found and mended something.
        Mended = "mended",
    }
}

/// One line of a story.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: EventKind,
    /// About which report.
    pub report: Option<ReportId>,
    /// About which case.
    pub case: Option<CaseId>,
    /// Who did it; none = the service.
    pub actor: Option<String>,
    /// More, in a few words.
    pub detail: String,
}

impl Event {
    /// An event of the service itself.
    #[must_use]
    pub fn new(at: DateTime<Utc>, kind: EventKind, detail: impl Into<String>) -> Self {
        Self { at, kind, report: None, case: None, actor: None, detail: detail.into() }
    }

    /// The same, about a report.
    #[must_use]
    pub fn report(mut self, id: ReportId) -> Self {
        self.report = Some(id);
        self
    }

    /// The same, about a case.
    #[must_use]
    pub fn case(mut self, id: CaseId) -> Self {
        self.case = Some(id);
        self
    }

    /// The same, done by somebody.
    #[must_use]
    pub fn by(mut self, actor: impl Into<String>) -> Self {
        self.actor = Some(actor.into());
        self
    }
}

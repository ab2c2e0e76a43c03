//! What a technician works on, and what may happen to it.

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
}

words! {
    /// What a technician may do with a case; also the word in a button's data.
    Act {
        /// "Übernehmen"
        Take = "take",
        /// "Weitergeben": not me, the next one now.
        Pass = "pass",
        /// "Kein Notfall"
        NoEmergency = "none",
        /// "Abschrift": send me the words.
        Transcript = "text",
        /// "Rückruf erfolgt"
        CalledBack = "called",
        /// "Erledigt"
        Done = "done",
        /// "Zurückgeben": the escalation goes on.
        GiveBack = "back",
        /// "Gehört nicht dazu": the newest joined report becomes a case of its own.
        Split = "split",
    }
}

/// Why an act changes nothing. Each is told to the one who pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody else has the case.
    TakenBy(String),
    /// It is closed already.
    Closed,
    /// Only the one who took it may do this.
    NotYours,
    /// It was done already, by the same person.
    Already,
}

impl Case {
    /// Whether `who` may do `act` now. First one wins: a taken case refuses another taker.
    ///
    /// # Errors
    /// The reason to tell the one who pressed.
    pub fn allows(&self, act: Act, who: &str) -> Result<(), Refusal> {
        let mine = self.taken_by.as_deref() == Some(who);
        let before_taking = matches!(act, Act::Take | Act::Pass | Act::NoEmergency | Act::Split);
        match self.state {
            _ if act == Act::Transcript => Ok(()),
            CaseState::Closed => Err(Refusal::Closed),
            CaseState::Open if before_taking => Ok(()),
            CaseState::Open => Err(Refusal::NotYours),
            CaseState::Taken if !mine => Err(self.taken_by.clone().map_or(Refusal::NotYours, Refusal::TakenBy)),
            CaseState::Taken if act == Act::Take => Err(Refusal::Already),
            CaseState::Taken if act == Act::CalledBack && self.called_back_at.is_some() => Err(Refusal::Already),
            CaseState::Taken => Ok(()),
        }
    }

    /// The verdict whose policy is followed: an open case always wakes people.
    #[must_use]
    pub fn policy_verdict(&self) -> Verdict {
        if self.verdict.wakes() { self.verdict } else { Verdict::Unclear }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(state: CaseState, by: Option<&str>) -> Case {
        Case {
            id: CaseId(1001),
            report: ReportId::fresh(),
            verdict: Verdict::Confirmed,
            unheard: false,
            state,
            opened_at: DateTime::UNIX_EPOCH,
            progress: Progress::start(DateTime::UNIX_EPOCH),
            taken_by: by.map(str::to_owned),
            taken_at: None,
            called_back_at: None,
            closed_by: None,
            closed_at: None,
            outcome: None,
        }
    }

    #[test]
    fn the_first_one_wins_and_the_second_learns_who_has_it() {
        assert_eq!(case(CaseState::Open, None).allows(Act::Take, "Anna"), Ok(()));
        let taken = case(CaseState::Taken, Some("Anna"));
        assert_eq!(taken.allows(Act::Take, "Bernd"), Err(Refusal::TakenBy("Anna".into())));
        assert_eq!(taken.allows(Act::Take, "Anna"), Err(Refusal::Already));
    }

    #[test]
    fn only_the_one_who_has_it_gives_it_back_or_ends_it() {
        let taken = case(CaseState::Taken, Some("Anna"));
        assert_eq!(taken.allows(Act::Done, "Anna"), Ok(()));
        assert_eq!(taken.allows(Act::GiveBack, "Bernd"), Err(Refusal::TakenBy("Anna".into())));
        assert_eq!(case(CaseState::Open, None).allows(Act::Done, "Anna"), Err(Refusal::NotYours));
    }

    #[test]
    fn a_closed_case_refuses_all_but_the_transcript() {
        let closed = case(CaseState::Closed, Some("Anna"));
        assert_eq!(closed.allows(Act::Take, "Bernd"), Err(Refusal::Closed));
        assert_eq!(closed.allows(Act::Transcript, "Bernd"), Ok(()));
    }
}

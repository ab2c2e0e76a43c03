//! What a technician may do with a case: which act when, and what the case is after it. Pure.

use crate::domain::case::{Case, CaseId, CaseState, Offer, Outcome, Reason};
use crate::domain::escalation::Policy;
use crate::domain::life::Patience;
use chrono::{DateTime, TimeDelta, Utc};

/// One act. Also what stands in a button's data (64 bytes at most, Bot API): "eta:1042:30".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// "Übernehmen"
    Take,
    /// "Weitergeben": not me, the next one now; in which step, so that a second tap passes nobody over.
    Pass(u32),
    /// "Kein Notfall", and why.
    NoEmergency(Reason),
    /// "Abschrift": send me the words.
    Transcript,
    /// "Zeigen": send me the alert with the recording.
    Show,
    /// "Rückruf in … Minuten"
    Eta(u32),
    /// "Rückruf erfolgt"
    CalledBack,
    /// "Zustimmung am Telefon": obtained, or refused.
    Consent(bool),
    /// "Erledigt"
    Done,
    /// "Zurückgeben": the escalation goes on.
    GiveBack,
    /// "Übergeben" to a named colleague, who must accept.
    HandOver(String),
    /// "Annehmen": I take over what I am offered.
    Accept,
    /// "Ablehnen"
    Decline,
    /// "Gehört nicht dazu": the newest of so many joined reports becomes a case of its own.
    Split(u32),
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
    /// Nothing is offered to him (any more).
    NotOffered,
    /// He would hand it over to himself, or to nobody we know.
    NobodyElse,
    /// Not a time from now on up to 12 hours.
    NoTime,
}

/// Nobody plans his call-back further ahead than this.
const LONGEST_ETA_MIN: u32 = 12 * 60;

impl Act {
    /// The act's word.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Pass(_) => "pass",
            Self::NoEmergency(_) => "none",
            Self::Transcript => "text",
            Self::Show => "show",
            Self::Eta(_) => "eta",
            Self::CalledBack => "called",
            Self::Consent(_) => "consent",
            Self::Done => "done",
            Self::GiveBack => "back",
            Self::HandOver(_) => "hand",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Split(_) => "split",
        }
    }

    /// What distinguishes it from its like: minutes, a reason, a name.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::NoEmergency(reason) => Some(reason.stored()),
            Self::Eta(number) | Self::Pass(number) | Self::Split(number) => Some(number.to_string()),
            Self::Consent(given) => Some(if *given { "yes" } else { "no" }.to_owned()),
            Self::HandOver(to) => Some(to.clone()),
            _ => None,
        }
    }

    /// As a button's data.
    #[must_use]
    pub fn data(&self, case: CaseId) -> String {
        let detail = self.detail().map(|detail| format!(":{detail}")).unwrap_or_default();
        format!("{}:{case}{detail}", self.as_str())
    }

    /// Out of a button's data.
    #[must_use]
    pub fn parse(data: &str) -> Option<(Self, CaseId)> {
        let (word, rest) = data.split_once(':')?;
        let (case, detail) = rest.split_once(':').map_or((rest, None), |(case, detail)| (case, Some(detail)));
        let case = CaseId(case.parse().ok()?);
        let act = match (word, detail) {
            ("none", Some(reason)) => Self::NoEmergency(Reason::parse(reason)?),
            ("eta", Some(minutes)) => Self::Eta(minutes.parse().ok()?),
            ("pass", Some(step)) => Self::Pass(step.parse().ok()?),
            ("split", Some(joined)) => Self::Split(joined.parse().ok()?),
            ("consent", Some("yes")) => Self::Consent(true),
            ("consent", Some("no")) => Self::Consent(false),
            ("hand", Some(to)) if !to.is_empty() => Self::HandOver(to.to_owned()),
            ("take", None) => Self::Take,
            ("text", None) => Self::Transcript,
            ("show", None) => Self::Show,
            ("called", None) => Self::CalledBack,
            ("done", None) => Self::Done,
            ("back", None) => Self::GiveBack,
            ("accept", None) => Self::Accept,
            ("decline", None) => Self::Decline,
            _ => return None,
        };
        Some((act, case))
    }

    /// Whether it only asks to see something.
    #[must_use]
    pub fn only_shows(&self) -> bool {
        matches!(self, Self::Transcript | Self::Show)
    }
}

impl Case {
    /// Whether `who` may do `act` now. First one wins: a taken case refuses another taker.
    ///
    /// # Errors
    /// The reason to tell the one who pressed.
    pub fn allows(&self, act: &Act, who: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        let before_taking = matches!(act, Act::Take | Act::Pass(_) | Act::NoEmergency(_) | Act::Split(_));
        match self.state {
            _ if act.only_shows() => Ok(()),
            CaseState::Closed => Err(Refusal::Closed),
            CaseState::Open if matches!(act, Act::Pass(step) if usize::try_from(*step) != Ok(self.progress.steps_begun)) => {
                Err(Refusal::Already)
            }
            CaseState::Open if before_taking => Ok(()),
            CaseState::Open if matches!(act, Act::Accept | Act::Decline) => Err(Refusal::NotOffered),
            CaseState::Open => Err(Refusal::NotYours),
            CaseState::Taken => self.allows_taken(act, who, now),
        }
    }

    fn allows_taken(&self, act: &Act, who: &str, now: DateTime<Utc>) -> Result<(), Refusal> {
        let mine = self.taken_by.as_deref() == Some(who);
        match act {
            Act::Accept | Act::Decline if mine => Err(Refusal::Already),
            Act::Accept | Act::Decline => match &self.offer {
                Some(offer) if offer.to == who && now < offer.until => Ok(()),
                _ => Err(Refusal::NotOffered),
            },
            _ if !mine => Err(self.taken_by.clone().map_or(Refusal::NotYours, Refusal::TakenBy)),
            Act::Take => Err(Refusal::Already),
            Act::CalledBack | Act::Eta(_) if self.called_back_at.is_some() => Err(Refusal::Already),
            Act::Eta(minutes) if !(1..=LONGEST_ETA_MIN).contains(minutes) => Err(Refusal::NoTime),
            Act::HandOver(to) if to == who => Err(Refusal::NobodyElse),
            Act::HandOver(to) if self.offer.as_ref().is_some_and(|offer| offer.to == *to && now < offer.until) => {
                Err(Refusal::Already)
            }
            _ => Ok(()),
        }
    }

    /// Does an act that `allows` said yes to. `policy` is the one that rules now.
    pub fn act(&mut self, act: &Act, who: &str, now: DateTime<Utc>, policy: &Policy, patience: &Patience) {
        match act {
            Act::Take | Act::Accept => self.taken(who, now, patience),
            Act::Eta(minutes) => self.expect(now + TimeDelta::minutes(i64::from(*minutes)), patience),
            Act::CalledBack => {
                self.called_back_at = Some(now);
                self.reminded_at = None;
                self.due_at = self.next_due(patience);
            }
            Act::Done => self.close(who, Outcome::Done, None, now),
            Act::NoEmergency(reason) => self.close(who, Outcome::NoEmergency, Some(reason.clone()), now),
            Act::GiveBack | Act::Pass(_) => self.resume(now, policy),
            Act::HandOver(to) => {
                self.offer = Some(Offer { to: to.clone(), until: now + patience.offer });
                self.due_at = self.next_due(patience);
            }
            Act::Decline => {
                self.offer = None;
                self.due_at = self.next_due(patience);
            }
            Act::Transcript | Act::Show | Act::Consent(_) | Act::Split(_) => {}
        }
    }

    fn taken(&mut self, who: &str, now: DateTime<Utc>, patience: &Patience) {
        self.state = CaseState::Taken;
        self.taken_by = Some(who.to_owned());
        self.taken_at = Some(now);
        // Whoever has it now has his own word to keep, whatever the one before him did.
        self.called_back_at = None;
        self.offer = None;
        self.expect(now + patience.eta, patience);
    }

    fn expect(&mut self, eta_at: DateTime<Utc>, patience: &Patience) {
        self.eta_at = Some(eta_at);
        self.reminded_at = None;
        self.due_at = self.next_due(patience);
    }

    fn close(&mut self, who: &str, outcome: Outcome, reason: Option<Reason>, now: DateTime<Utc>) {
        self.state = CaseState::Closed;
        self.closed_by = Some(who.to_owned());
        self.closed_at = Some(now);
        self.outcome = Some(outcome);
        self.reason = reason;
        self.offer = None;
        self.due_at = None;
    }

    /// Nobody has it any more: the next step of the escalation begins now.
    pub(super) fn resume(&mut self, now: DateTime<Utc>, policy: &Policy) {
        self.progress = policy.passed_on(self.progress, now);
        self.state = CaseState::Open;
        self.taken_by = None;
        self.taken_at = None;
        self.eta_at = None;
        self.reminded_at = None;
        self.offer = None;
        self.due_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::Verdict;
    use crate::domain::report::ReportId;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn case(state: CaseState, by: Option<&str>) -> Case {
        let opened = Case::opened(CaseId(1001), ReportId::fresh(), Verdict::Confirmed, false, NOW);
        Case { state, taken_by: by.map(str::to_owned), ..opened }
    }

    #[test]
    fn the_first_one_wins_and_the_second_learns_who_has_it() {
        assert_eq!(case(CaseState::Open, None).allows(&Act::Take, "Anna", NOW), Ok(()));
        let taken = case(CaseState::Taken, Some("Anna"));
        assert_eq!(taken.allows(&Act::Take, "Bernd", NOW), Err(Refusal::TakenBy("Anna".into())));
        assert_eq!(taken.allows(&Act::Take, "Anna", NOW), Err(Refusal::Already));
    }

    #[test]
    fn only_the_one_who_has_it_gives_it_back_or_ends_it() {
        let taken = case(CaseState::Taken, Some("Anna"));
        assert_eq!(taken.allows(&Act::Done, "Anna", NOW), Ok(()));
        assert_eq!(taken.allows(&Act::GiveBack, "Bernd", NOW), Err(Refusal::TakenBy("Anna".into())));
        assert_eq!(case(CaseState::Open, None).allows(&Act::Done, "Anna", NOW), Err(Refusal::NotYours));
    }

    #[test]
    fn a_closed_case_refuses_all_but_to_be_shown() {
        let closed = case(CaseState::Closed, Some("Anna"));
        assert_eq!(closed.allows(&Act::Take, "Bernd", NOW), Err(Refusal::Closed));
        assert_eq!(closed.allows(&Act::Transcript, "Bernd", NOW), Ok(()));
    }

    #[test]
    fn only_the_one_who_is_asked_may_accept_and_only_in_time() {
        let offer = Some(Offer { to: "Bernd".into(), until: NOW + TimeDelta::minutes(5) });
        let offered = Case { offer, ..case(CaseState::Taken, Some("Anna")) };
        assert_eq!(offered.allows(&Act::Accept, "Bernd", NOW), Ok(()));
        assert_eq!(offered.allows(&Act::Accept, "Clara", NOW), Err(Refusal::NotOffered));
        assert_eq!(offered.allows(&Act::Accept, "Bernd", NOW + TimeDelta::minutes(5)), Err(Refusal::NotOffered));
        assert_eq!(offered.allows(&Act::HandOver("Anna".into()), "Anna", NOW), Err(Refusal::NobodyElse));
    }

    #[test]
    fn only_our_own_buttons_are_understood() {
        let mut acts = vec![
            Act::Take,
            Act::Pass(7),
            Act::Transcript,
            Act::Show,
            Act::Eta(45),
            Act::CalledBack,
            Act::Consent(true),
            Act::Consent(false),
            Act::Done,
            Act::GiveBack,
            Act::HandOver("Jörg: der Zweite".into()),
            Act::Accept,
            Act::Decline,
            Act::Split(2),
        ];
        acts.extend(Reason::NAMED.map(Act::NoEmergency));
        for act in acts {
            let data = act.data(CaseId(1042));
            assert!(data.len() <= 64, "{data}");
            assert_eq!(Act::parse(&data), Some((act, CaseId(1042))), "{data}");
        }
        for odd in
            ["", "take", "take:", "take:x", "drop:1", "take:1:2", "eta:1", "eta:1:-4", "consent:1:maybe", "hand:1:"]
        {
            assert_eq!(Act::parse(odd), None, "{odd}");
        }
    }
}

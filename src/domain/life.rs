//! What falls due with a case until it is closed: rings while nobody has it, then the taker's own word is held against
//! him, and what was taken and forgotten comes back. Pure.
//!
//! Promise: something is due until the case is closed (`Case::due_at`), and `wake` always moves it beyond `now`.

use crate::domain::case::{Case, CaseState};
use crate::domain::escalation::{Policy, Ring};
use chrono::{DateTime, TimeDelta, Utc};

/// How long people may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until the call-back, where the taker names no time.
    pub eta: TimeDelta,
    /// After the reminder, until the escalation resumes.
    pub grace: TimeDelta,
    /// Until a colleague accepts what he is offered.
    pub offer: TimeDelta,
    /// After the call-back, until the taker is asked whether it is done; and again after as long.
    pub unclosed: TimeDelta,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            eta: TimeDelta::minutes(30),
            grace: TimeDelta::minutes(10),
            offer: TimeDelta::minutes(5),
            unclosed: TimeDelta::hours(12),
        }
    }
}

/// Something that is due now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// People are told.
    Ring(Ring),
    /// The taker's time has passed: he is reminded, loudly.
    Remind(String),
    /// He did not answer to that: nobody has it any more.
    Resumed(String),
    /// Whom it was offered to did not accept: it stays with the one who has it.
    Lapsed {
        /// Who was asked.
        to: String,
        /// Who has it.
        keeper: String,
    },
    /// Called back long ago and still not closed: the taker is asked, silently.
    Unclosed(String),
}

impl Case {
    /// What is due at `now`, and the case after it. Nothing where it is not due yet.
    pub fn wake(&mut self, now: DateTime<Utc>, policy: &Policy, patience: &Patience) -> Vec<Due> {
        let mut due = Vec::new();
        if self.due_at.is_none_or(|at| at > now) {
            return due;
        }
        if self.state == CaseState::Taken {
            self.wake_taken(now, policy, patience, &mut due);
        }
        if self.state == CaseState::Open {
            let ring = policy.ring(self.progress, now);
            self.progress = ring.progress;
            self.due_at = Some(ring.next_at);
            due.push(Due::Ring(ring));
        }
        due
    }

    fn wake_taken(&mut self, now: DateTime<Utc>, policy: &Policy, patience: &Patience, due: &mut Vec<Due>) {
        let keeper = self.taken_by.clone().unwrap_or_default();
        if let Some(offer) = self.offer.take_if(|offer| offer.until <= now) {
            due.push(Due::Lapsed { to: offer.to, keeper: keeper.clone() });
        }
        if self.next_due(patience).is_some_and(|at| at <= now) {
            match (self.called_back_at, self.reminded_at) {
                (Some(_), _) => {
                    due.push(Due::Unclosed(keeper));
                    self.reminded_at = Some(now);
                }
                (None, None) => {
                    due.push(Due::Remind(keeper));
                    self.reminded_at = Some(now);
                }
                (None, Some(_)) => {
                    due.push(Due::Resumed(keeper));
                    return self.resume(now, policy);
                }
            }
        }
        self.due_at = self.next_due(patience);
    }

    /// The clock was set back `by` so much: what was planned by it would come as much too late. Whoever has time keeps what
    /// was left of it; where nobody has the case it rings now.
    pub fn set_back(&mut self, by: TimeDelta, now: DateTime<Utc>, patience: &Patience) {
        self.progress.began_at = (self.progress.began_at - by).min(now);
        self.eta_at = self.eta_at.map(|at| at - by);
        self.taken_at = self.taken_at.map(|at| at.min(now));
        self.called_back_at = self.called_back_at.map(|at| at.min(now));
        self.reminded_at = self.reminded_at.map(|at| (at - by).min(now));
        if let Some(offer) = &mut self.offer {
            offer.until -= by;
        }
        match self.state {
            CaseState::Open => self.due_at = Some(now),
            CaseState::Taken => self.due_at = self.next_due(patience),
            CaseState::Closed => {}
        }
    }

    /// The customer calls again after the call-back: it has to be done anew, and is held against the taker.
    pub fn called_again(&mut self, now: DateTime<Utc>, patience: &Patience) {
        if self.state == CaseState::Taken {
            self.called_back_at = None;
            self.reminded_at = None;
            self.eta_at = Some(now + patience.eta);
            self.due_at = self.next_due(patience);
        }
    }

    /// Whoever has it is no technician any more: it is nobody's, and rings.
    pub fn abandoned(&mut self, now: DateTime<Utc>, policy: &Policy) {
        self.called_back_at = None;
        self.resume(now, policy);
    }

    /// When something is due with a taken case.
    pub(super) fn next_due(&self, patience: &Patience) -> Option<DateTime<Utc>> {
        let own = match (self.called_back_at, self.reminded_at) {
            (Some(called), reminded) => reminded.unwrap_or(called) + patience.unclosed,
            (None, Some(reminded)) => reminded + patience.grace,
            // whoever took it without a word has the usual time
            (None, None) => self.eta_at.or(self.taken_at.map(|at| at + patience.eta))?,
        };
        Some(self.offer.as_ref().map_or(own, |offer| offer.until.min(own)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::act::Act;
    use crate::domain::assessment::Verdict;
    use crate::domain::case::CaseId;
    use crate::domain::escalation::Step;
    use crate::domain::report::ReportId;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    fn policy() -> Policy {
        let step =
            |after_min, tell: &str, every| Step { after_min, tell: vec![tell.into()], repeat_every_min: Some(every) };
        Policy::new(vec![step(0, "duty", 5), step(12, "everyone", 10)]).unwrap()
    }

    fn words(due: &[Due]) -> Vec<String> {
        due.iter()
            .map(|one| match one {
                Due::Ring(ring) => format!("ring {}", ring.tell.join("+")),
                Due::Remind(who) => format!("remind {who}"),
                Due::Resumed(who) => format!("resumed from {who}"),
                Due::Lapsed { to, keeper } => format!("{to} did not accept, {keeper} keeps"),
                Due::Unclosed(who) => format!("unclosed {who}"),
            })
            .collect()
    }

    /// Every minute up to `until`: what was due when.
    fn watch(case: &mut Case, from: i64, until: i64) -> Vec<(i64, String)> {
        let mut seen = Vec::new();
        for minute in from..=until {
            let due = case.wake(at(minute), &policy(), &Patience::default());
            seen.extend(words(&due).into_iter().map(|word| (minute, word)));
        }
        seen
    }

    fn open() -> Case {
        Case::opened(CaseId(1001), ReportId::fresh(), Verdict::Confirmed, false, at(0))
    }

    fn acts(case: &mut Case, who: &str, act: &Act, minute: i64) {
        case.allows(act, who, at(minute)).unwrap();
        case.act(act, who, at(minute), &policy(), &Patience::default());
    }

    #[test]
    fn a_case_that_was_taken_and_forgotten_comes_back() {
        let mut case = open();
        watch(&mut case, 0, 0);
        acts(&mut case, "Anna", &Act::Take, 1);
        let seen = watch(&mut case, 1, 52);
        let expected = [(31, "remind Anna"), (41, "resumed from Anna"), (41, "ring everyone"), (51, "ring everyone")];
        assert_eq!(seen, expected.map(|(minute, word)| (minute, word.to_owned())));
    }

    #[test]
    fn a_new_time_keeps_it_and_passes_again() {
        let mut case = open();
        acts(&mut case, "Anna", &Act::Take, 0);
        acts(&mut case, "Anna", &Act::Eta(15), 1);
        assert_eq!(watch(&mut case, 1, 20), [(16, "remind Anna".to_owned())]);
        acts(&mut case, "Anna", &Act::Eta(60), 20);
        let seen = watch(&mut case, 20, 91);
        assert_eq!(seen[0], (80, "remind Anna".to_owned()));
        assert_eq!(seen[1], (90, "resumed from Anna".to_owned()));
    }

    #[test]
    fn an_offer_that_nobody_accepts_leaves_the_case_where_it_was() {
        let mut case = open();
        acts(&mut case, "Anna", &Act::Take, 0);
        acts(&mut case, "Anna", &Act::HandOver("Bernd".into()), 1);
        assert_eq!(watch(&mut case, 1, 29), [(6, "Bernd did not accept, Anna keeps".to_owned())]);
        assert_eq!(case.taken_by.as_deref(), Some("Anna"));
        acts(&mut case, "Anna", &Act::HandOver("Bernd".into()), 29);
        acts(&mut case, "Bernd", &Act::Accept, 30);
        assert_eq!((case.taken_by.as_deref(), case.eta_at), (Some("Bernd"), Some(at(60))));
    }

    #[test]
    fn after_the_call_back_it_is_asked_for_silently_until_closed() {
        let mut case = open();
        acts(&mut case, "Anna", &Act::Take, 0);
        acts(&mut case, "Anna", &Act::CalledBack, 10);
        assert_eq!(watch(&mut case, 11, 1460), [(730, "unclosed Anna".to_owned()), (1450, "unclosed Anna".to_owned())]);
        acts(&mut case, "Anna", &Act::Done, 1461);
        assert_eq!(case.due_at, None);
        assert_eq!(watch(&mut case, 1461, 3000), []);
    }

    #[test]
    fn a_clock_that_is_set_back_puts_nothing_off() {
        let mut case = open();
        watch(&mut case, 120, 120);
        case.set_back(TimeDelta::minutes(120), at(1), &Patience::default());
        let rings: Vec<i64> = watch(&mut case, 1, 12).into_iter().map(|(minute, _)| minute).collect();
        assert_eq!(rings, [1, 11]);
        acts(&mut case, "Anna", &Act::Take, 126);
        case.set_back(TimeDelta::minutes(120), at(7), &Patience::default());
        assert_eq!(watch(&mut case, 7, 60)[0], (36, "remind Anna".to_owned()));
    }

    #[test]
    fn who_takes_what_was_given_back_after_a_call_back_has_to_call_back_himself() {
        let mut case = open();
        acts(&mut case, "Anna", &Act::Take, 0);
        acts(&mut case, "Anna", &Act::CalledBack, 5);
        acts(&mut case, "Anna", &Act::GiveBack, 6);
        acts(&mut case, "Bernd", &Act::Take, 7);
        acts(&mut case, "Bernd", &Act::Eta(15), 8);
        assert_eq!(watch(&mut case, 8, 30), [(23, "remind Bernd".to_owned())]);
    }

    #[test]
    fn whoever_calls_again_after_the_call_back_is_not_forgotten() {
        let mut case = open();
        watch(&mut case, 0, 0);
        acts(&mut case, "Anna", &Act::Take, 0);
        acts(&mut case, "Anna", &Act::CalledBack, 5);
        case.called_again(at(100), &Patience::default());
        let seen = watch(&mut case, 100, 141);
        let expected = [(130, "remind Anna"), (140, "resumed from Anna"), (140, "ring everyone")];
        assert_eq!(seen, expected.map(|(minute, word)| (minute, word.to_owned())));
    }

    #[test]
    fn an_outage_over_both_times_still_reminds_first() {
        let mut case = open();
        acts(&mut case, "Anna", &Act::Take, 0);
        assert_eq!(words(&case.wake(at(600), &policy(), &Patience::default())), ["remind Anna"]);
        assert_eq!(case.due_at, Some(at(610)));
    }
}

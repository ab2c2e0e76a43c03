//! What is deleted when. A clock starts when the case is closed, for a report without a case when it was stored.
//!
//! Nothing goes while somebody may still need it: before the verdict, while the case or a charge is open, while a released
//! charge may have to be proved, or while somebody holds the report.

use crate::domain::assessment::{Verdict, words};
use chrono::{DateTime, TimeDelta, Utc};

words! {
    /// What is deleted together.
    Class {
        /// The recording, and what technicians spoke about it.
        Sound = "sound",
        /// The words: transcript, fields, quotes, the mail, notes, what notices said.
        Text = "text",
        /// All of the displayed number but its last three digits, and the displayed name.
        Number = "number",
        /// Those three digits, the mailbox, the message's identity at its source. Times and verdict are left.
        Metadata = "metadata",
        /// What proves a charge.
        Proof = "proof",
    }
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sound, Self::Text, Self::Number, Self::Metadata, Self::Proof];
}

words! {
    /// Why something is deleted.
    Why {
        /// Its period is over.
        Period = "period",
        /// Somebody asked for it.
        Request = "request",
        /// It had been deleted, and a backup brought it back.
        Restored = "restored",
    }
}

/// How long each class is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// The sound.
    pub sound: TimeDelta,
    /// The words.
    pub text: TimeDelta,
    /// The number and the name.
    pub number: TimeDelta,
    /// What else is known of the call.
    pub metadata: TimeDelta,
    /// A charge's proof, from the day on which it was released or cancelled.
    pub proof: TimeDelta,
    /// Sound, words and number of a report that was ignored, and of a drill.
    pub ignored: TimeDelta,
}

/// How far a charge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChargeAge {
    /// Nobody has decided.
    Proposed,
    /// It was released: it may have to be proved. `None`: a moment ago.
    Released(Option<DateTime<Utc>>),
    /// It was cancelled: there is nothing to prove.
    Cancelled(Option<DateTime<Utc>>),
}

/// How old a report is, and what keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Age {
    /// When it was stored.
    pub stored_at: DateTime<Utc>,
    /// Whether every stage is done with it.
    pub judged: bool,
    /// Ignored, or a drill.
    pub ignored: bool,
    /// Its case: when it was closed, `Some(None)` while it is open.
    pub case: Option<Option<DateTime<Utc>>>,
    /// The charges of its case, and those that it proves: each keeps every message of the case.
    pub charges: Vec<ChargeAge>,
    /// The charges that it proves itself.
    pub proves: Vec<ChargeAge>,
    /// Until when somebody holds it.
    pub held_until: Option<DateTime<Utc>>,
    /// What was deleted already.
    pub deleted: Vec<Class>,
}

/// Why nothing of a report may be deleted now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It has no verdict yet.
    Unjudged,
    /// Its case is open.
    OpenCase,
    /// A charge waits for a decision.
    OpenCharge,
    /// A released charge may have to be proved until then.
    Proof(DateTime<Utc>),
    /// Somebody holds it until then.
    Held(DateTime<Utc>),
}

impl Age {
    /// What keeps it, the strongest first.
    #[must_use]
    pub fn kept(&self, periods: &Periods, now: DateTime<Utc>) -> Option<Kept> {
        if let Some(until) = self.held_until.filter(|until| *until > now) {
            return Some(Kept::Held(until));
        }
        if self.charges.contains(&ChargeAge::Proposed) {
            return Some(Kept::OpenCharge);
        }
        if self.case == Some(None) {
            return Some(Kept::OpenCase);
        }
        if !self.judged {
            return Some(Kept::Unjudged);
        }
        let proves = self.charges.iter().filter_map(|charge| match charge {
            ChargeAge::Released(at) => Some(at.unwrap_or(now) + periods.proof),
            ChargeAge::Proposed | ChargeAge::Cancelled(_) => None,
        });
        proves.max().filter(|until| *until > now).map(Kept::Proof)
    }

    /// When a class is due, if nothing keeps the report meanwhile; `None` = there is nothing of it, or it was deleted.
    #[must_use]
    pub fn due_at(&self, class: Class, periods: &Periods) -> Option<DateTime<Utc>> {
        if self.deleted.contains(&class) {
            return None;
        }
        let start = self.case.flatten().unwrap_or(self.stored_at);
        let early = self.ignored && self.case.is_none();
        let of = |usual: TimeDelta| start + if early { usual.min(periods.ignored) } else { usual };
        match class {
            Class::Sound => Some(of(periods.sound)),
            Class::Text => Some(of(periods.text)),
            Class::Number => Some(of(periods.number)),
            Class::Metadata => Some(start + periods.metadata),
            Class::Proof => {
                let decided = self.proves.iter().map(|charge| match charge {
                    ChargeAge::Proposed => None,
                    ChargeAge::Released(at) | ChargeAge::Cancelled(at) => *at,
                });
                // the last decision counts; while one is missing there is none
                let last = decided.reduce(|one, other| Some(one?.max(other?))).flatten();
                last.map(|at| at + periods.proof)
            }
        }
    }

    /// What is to be deleted now.
    #[must_use]
    pub fn due(&self, periods: &Periods, now: DateTime<Utc>) -> Vec<Class> {
        if self.kept(periods, now).is_some() {
            return Vec::new();
        }
        Class::ALL.into_iter().filter(|class| self.due_at(*class, periods).is_some_and(|at| at <= now)).collect()
    }
}

/// What is left of a displayed number: "…017". Too short a one leaves nothing.
#[must_use]
pub fn shortened(number: &str) -> Option<String> {
    let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
    (digits.len() > 5)
        .then(|| digits[digits.len() - 3..].iter().fold("…".to_owned(), |kept, digit| kept + &digit.to_string()))
}

/// Whether a report whose verdict is this one goes early.
#[must_use]
pub fn goes_early(verdict: Option<Verdict>, drill: bool) -> bool {
    drill || verdict == Some(Verdict::Ignored)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(days: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_795_000_000, 0).unwrap() + TimeDelta::days(days)
    }

    fn periods() -> Periods {
        let days = TimeDelta::days;
        Periods {
            sound: days(30),
            text: days(40),
            number: days(90),
            metadata: days(365),
            proof: days(200),
            ignored: days(7),
        }
    }

    fn age() -> Age {
        Age {
            stored_at: day(0),
            judged: true,
            ignored: false,
            case: Some(Some(day(10))),
            charges: Vec::new(),
            proves: Vec::new(),
            held_until: None,
            deleted: Vec::new(),
        }
    }

    #[test]
    fn each_class_has_its_own_clock_from_the_close_of_the_case() {
        let (age, periods) = (age(), periods());
        assert_eq!(age.due(&periods, day(39)), []);
        assert_eq!(age.due(&periods, day(40)), [Class::Sound]);
        assert_eq!(age.due(&periods, day(50)), [Class::Sound, Class::Text]);
        assert_eq!(age.due(&periods, day(100)), [Class::Sound, Class::Text, Class::Number]);
        assert_eq!(age.due(&periods, day(375)), [Class::Sound, Class::Text, Class::Number, Class::Metadata]);
        let rest = Age { deleted: vec![Class::Sound, Class::Text], ..age };
        assert_eq!(rest.due(&periods, day(100)), [Class::Number]);
    }

    #[test]
    fn without_a_case_the_clock_starts_when_it_was_stored_and_what_was_ignored_goes_early() {
        let (alone, periods) = (Age { case: None, ..age() }, periods());
        assert_eq!(alone.due(&periods, day(30)), [Class::Sound]);
        let ignored = Age { ignored: true, ..alone };
        assert_eq!(ignored.due(&periods, day(6)), []);
        assert_eq!(ignored.due(&periods, day(7)), [Class::Sound, Class::Text, Class::Number]);
    }

    #[test]
    fn nothing_goes_while_somebody_may_need_it() {
        let (periods, late) = (periods(), day(5000));
        for (kept, age) in [
            (Kept::Unjudged, Age { judged: false, ..age() }),
            (Kept::OpenCase, Age { case: Some(None), ..age() }),
            (Kept::OpenCharge, Age { charges: vec![ChargeAge::Proposed], ..age() }),
            (Kept::Held(day(6000)), Age { held_until: Some(day(6000)), ..age() }),
        ] {
            assert_eq!(age.kept(&periods, late), Some(kept));
            assert_eq!(age.due(&periods, late), []);
        }
    }

    #[test]
    fn what_proves_a_released_charge_stays_until_its_period_is_over() {
        let periods = periods();
        let charges = vec![ChargeAge::Released(Some(day(100)))];
        let released = Age { charges: charges.clone(), proves: charges, ..age() };
        assert_eq!(released.kept(&periods, day(299)), Some(Kept::Proof(day(300))));
        assert_eq!(released.due(&periods, day(299)), []);
        assert_eq!(released.due(&periods, day(300)), [Class::Sound, Class::Text, Class::Number, Class::Proof]);
        let other = Age { proves: Vec::new(), ..released };
        assert_eq!(other.due(&periods, day(299)), [], "nor does another message of the case");
        assert_eq!(other.due(&periods, day(300)), [Class::Sound, Class::Text, Class::Number]);
        let cancelled = Age { charges: vec![ChargeAge::Cancelled(Some(day(20)))], ..age() };
        assert_eq!(cancelled.due(&periods, day(40)), [Class::Sound]);
        let unseen = Age { charges: vec![ChargeAge::Released(None)], ..age() };
        assert!(unseen.kept(&periods, day(5000)).is_some());
    }

    #[test]
    fn of_a_number_three_digits_are_left() {
        assert_eq!(shortened("+49 9721 555017").as_deref(), Some("…017"));
        assert_eq!(shortened("33"), None);
        assert_eq!(shortened("anonymous"), None);
    }
}

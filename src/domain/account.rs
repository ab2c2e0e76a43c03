//! Who may do what at the page. Pure; denied by default.

use crate::domain::assessment::words;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt;
use uuid::Uuid;

/// Identity of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(pub Uuid);

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

words! {
    /// What somebody is at the page.
    Role {
        /// Sets up people and settings, and all that the others may.
        Admin = "admin",
        /// Reviews what came in and releases charges.
        Reviewer = "reviewer",
        /// Sees reports and cases, and works on cases.
        Technician = "technician",
    }
}

words! {
    /// What can be allowed. Each route names one.
    Right {
        /// See and hear reports and cases.
        Read = "read",
        /// Take, hand over, note, close: what the buttons do.
        Act = "act",
        /// Correct words, fields and verdicts; keep test cases and vocabulary.
        Correct = "correct",
        /// See, release and cancel charges.
        Charge = "charge",
        /// See who is on duty when.
        Roster = "roster",
        /// Change who is on duty.
        Plan = "plan",
        /// See figures over time.
        Figures = "figures",
        /// See the rules and try texts on them.
        Rules = "rules",
        /// Change the rules.
        Legislate = "legislate",
        /// See how the service is.
        State = "state",
        /// One's own account: password, factors, sessions.
        Own = "own",
        /// Everybody's accounts and sessions.
        Accounts = "accounts",
        /// Hand out and erase what is known of a caller; holds and clocks.
        Privacy = "privacy",
    }
}

impl Role {
    /// Whether somebody of this role may do that.
    #[must_use]
    pub fn may(self, right: Right) -> bool {
        let of_a_technician = matches!(right, Right::Read | Right::Act | Right::Roster | Right::State | Right::Own);
        let of_a_reviewer =
            matches!(right, Right::Correct | Right::Charge | Right::Figures | Right::Rules | Right::Plan);
        match self {
            Self::Technician => of_a_technician,
            Self::Reviewer => of_a_technician || of_a_reviewer,
            Self::Admin => {
                of_a_technician || of_a_reviewer || matches!(right, Right::Legislate | Right::Accounts | Right::Privacy)
            }
        }
    }
}

/// Somebody who may enter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its identity.
    pub id: AccountId,
    /// As typed at the log-in.
    pub name: String,
    /// What he is.
    pub role: Role,
    /// Who of the settings' technicians this is.
    pub technician: Option<String>,
    /// Whether a password is set.
    pub has_password: bool,
    /// Whether time codes are set up.
    pub has_totp: bool,
    /// Since when it may do nothing.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When somebody was last inside by it, to the minute.
    pub seen_at: Option<DateTime<Utc>>,
}

/// Characters of a name, at most.
const LONGEST_NAME: usize = 60;

impl Account {
    /// A new account; its owner sets the password himself.
    #[must_use]
    pub fn new(name: &str, role: Role, technician: Option<String>, now: DateTime<Utc>) -> Self {
        Self {
            id: AccountId(Uuid::now_v7()),
            name: name.to_owned(),
            role,
            technician,
            has_password: false,
            has_totp: false,
            disabled_at: None,
            created_at: now,
            seen_at: None,
        }
    }

    /// Whether somebody can be called so: 1 to 60 characters, none that steers, no colon (programs for time codes part the
    /// issuer from the name there), no space around it.
    #[must_use]
    pub fn can_be_called(name: &str) -> bool {
        let length = name.chars().count();
        (1..=LONGEST_NAME).contains(&length)
            && name.trim() == name
            && !name.contains(|one: char| one.is_control() || one == ':')
    }

    /// Under which name he acts: the technician's, if he is one.
    #[must_use]
    pub fn acts_as(&self) -> &str {
        self.technician.as_deref().unwrap_or(&self.name)
    }

    /// Whether a second factor is set up: time codes.
    #[must_use]
    pub fn has_second(&self) -> bool {
        self.has_totp
    }
}

words! {
    /// How far a session is.
    SessionStage {
        /// The password was right, the second factor is still asked for.
        Second = "second",
        /// A second factor has to be set up first.
        Enrol = "enrol",
        /// Inside.
        Full = "full",
    }
}

/// A browser that somebody logged in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// For lists; opens nothing.
    pub id: Uuid,
    /// Whose it is.
    pub account: AccountId,
    /// How far it is.
    pub stage: SessionStage,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was used last, to the minute.
    pub seen_at: DateTime<Utc>,
    /// When its owner last proved who he is.
    pub proved_at: DateTime<Utc>,
    /// What the browser calls itself.
    pub browser: String,
    /// From where it began.
    pub address: String,
}

/// How long sessions live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifetimes {
    /// Unused for so long, it is over.
    pub idle: TimeDelta,
    /// However much it is used, it is over then.
    pub longest: TimeDelta,
    /// A half session (a factor is missing) is over then.
    pub half: TimeDelta,
    /// Weighty acts ask anew who it is after so long.
    pub fresh: TimeDelta,
}

impl Session {
    /// Whether it is still good at `now`.
    #[must_use]
    pub fn lives(&self, lifetimes: &Lifetimes, now: DateTime<Utc>) -> bool {
        let longest = if self.stage == SessionStage::Full { lifetimes.longest } else { lifetimes.half };
        now < self.created_at + longest && now < self.seen_at + lifetimes.idle
    }

    /// Whether its owner proved lately who he is.
    #[must_use]
    pub fn is_fresh(&self, lifetimes: &Lifetimes, now: DateTime<Utc>) -> bool {
        now < self.proved_at + lifetimes.fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_weighs_more_is_for_fewer() {
        for right in [Right::Read, Right::Act, Right::Roster, Right::State, Right::Own] {
            assert!(
                [Role::Technician, Role::Reviewer, Role::Admin].into_iter().all(|role| role.may(right)),
                "{right:?}"
            );
        }
        for right in [Right::Correct, Right::Charge, Right::Figures, Right::Rules, Right::Plan] {
            assert!(!Role::Technician.may(right), "{right:?}");
            assert!(Role::Reviewer.may(right) && Role::Admin.may(right), "{right:?}");
        }
        for right in [Right::Legislate, Right::Accounts, Right::Privacy] {
            assert!(!Role::Technician.may(right) && !Role::Reviewer.may(right), "{right:?}");
            assert!(Role::Admin.may(right), "{right:?}");
        }
    }

    #[test]
    fn a_name_is_short_and_plain() {
        for fits in ["Petra", "Jörg Müller-Lüdenscheidt", "p.huber"] {
            assert!(Account::can_be_called(fits), "{fits}");
        }
        for odd in ["", " Petra", "Petra\n", "a:b", &"x".repeat(61)] {
            assert!(!Account::can_be_called(odd), "{odd:?}");
        }
    }

    #[test]
    fn a_session_ends_by_idleness_and_by_age() {
        let minutes = TimeDelta::minutes;
        let lifetimes = Lifetimes { idle: minutes(30), longest: minutes(720), half: minutes(10), fresh: minutes(5) };
        let begun = DateTime::UNIX_EPOCH;
        let session = |stage, seen| Session {
            id: Uuid::nil(),
            account: AccountId(Uuid::nil()),
            stage,
            created_at: begun,
            seen_at: begun + minutes(seen),
            proved_at: begun,
            browser: String::new(),
            address: String::new(),
        };
        assert!(session(SessionStage::Full, 0).lives(&lifetimes, begun + minutes(29)));
        assert!(!session(SessionStage::Full, 0).lives(&lifetimes, begun + minutes(30)));
        assert!(session(SessionStage::Full, 719).lives(&lifetimes, begun + minutes(719)));
        assert!(!session(SessionStage::Full, 719).lives(&lifetimes, begun + minutes(720)));
        assert!(!session(SessionStage::Second, 9).lives(&lifetimes, begun + minutes(10)));
        assert!(session(SessionStage::Full, 4).is_fresh(&lifetimes, begun + minutes(4)));
        assert!(!session(SessionStage::Full, 5).is_fresh(&lifetimes, begun + minutes(5)));
    }
}

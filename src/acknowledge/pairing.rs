//! A technician's phone is paired by a one-time code that the admin gave him. A code is never guessed: it is long, its tries
//! are counted, and what was wrong with one is not said.

use super::Actor;
use super::telegram::{Listener, OFFSET, Person};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::roster::Duty;
use crate::store::notices::Plan;
use crate::store::phones::{self, Phone};
use crate::store::{StoreError, Tx, events, marks, notices};
use crate::wording::commands as wording;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// So often in an hour somebody may try a code, and is answered who is no technician.
const OFTEN: usize = 5;
const WITHIN: TimeDelta = TimeDelta::hours(1);
/// So many people are kept in mind; the bot's name is no secret.
const PEOPLE: usize = 10_000;
/// The recipient of what is said to somebody we do not know.
const GUEST: &str = "guest";

/// How often people we do not know were dealt with. Kept in memory: a restart gives five more tries.
#[derive(Debug, Default)]
pub(super) struct Guests {
    codes: Mutex<Counted>,
    answers: Mutex<Counted>,
}

type Counted = HashMap<i64, Vec<DateTime<Utc>>>;

impl Guests {
    /// Whether this user may try a code now; it counts as tried.
    fn may_try(&self, user: i64, now: DateTime<Utc>) -> bool {
        counted(&self.codes, user, now)
    }

    /// Whether this user is answered now; it counts as answered.
    pub(super) fn may_be_answered(&self, user: i64, now: DateTime<Utc>) -> bool {
        counted(&self.answers, user, now)
    }
}

fn counted(counts: &Mutex<Counted>, user: i64, now: DateTime<Utc>) -> bool {
    let mut counts = counts.lock().unwrap_or_else(PoisonError::into_inner);
    if counts.len() >= PEOPLE {
        counts.retain(|_, times| times.iter().any(|at| *at > now - WITHIN));
    }
    if counts.len() >= PEOPLE && !counts.contains_key(&user) {
        return false;
    }
    let times = counts.entry(user).or_default();
    times.retain(|at| *at > now - WITHIN);
    let may = times.len() < OFTEN;
    if may {
        times.push(now);
    }
    may
}

/// The code behind "/start", as it was made: capitals and digits only.
pub(super) fn code_in(text: &str) -> Option<String> {
    let (_, code) = text.trim().split_once(char::is_whitespace)?;
    Some(plain(code)).filter(|code| !code.is_empty())
}

fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_uppercase()).take(64).collect()
}

impl Listener {
    /// Somebody sends a code, in private.
    pub(super) async fn pair(&self, guests: &Guests, next: i64, by: Person, code: &str) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        if !guests.may_try(by.user, now) {
            let said = guests.may_be_answered(by.user, now).then(wording::too_many_codes);
            return self.say_to_guest(next, by, said).await;
        }
        let mut reader = self.desk.store.read().await?;
        let before = self.desk.roster.at(&mut reader, now).await?;
        drop(reader);
        let owner = before.technician_of(by.user).map(|one| one.name.clone());
        let mut tx = self.desk.store.begin().await?;
        let invited = phones::use_invite(&mut tx, code, now).await?;
        match (invited.filter(|name| before.people().iter().any(|one| one.name == *name)), owner) {
            (Some(name), Some(other)) if name != other => {
                // what was used up is not kept: the code goes on being valid
                drop(tx);
                self.say_to_guest(next, by, Some(&wording::phone_of_another(&other))).await
            }
            (Some(name), _) => {
                self.paired(&mut tx, &before, &name, by).await?;
                marks::put(&mut tx, OFFSET, next).await?;
                tx.commit().await?;
                tracing::info!(stage = "acknowledge", "a phone was paired");
                self.desk.ring();
                Ok(())
            }
            (None, _) => {
                // a code of somebody who is no technician any more stays used up
                tx.commit().await?;
                self.say_to_guest(next, by, Some(wording::no_invitation())).await
            }
        }
    }

    async fn paired(&self, tx: &mut Tx, before: &Duty, name: &str, by: Person) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        let phone = Phone { technician: name.to_owned(), chat: by.chat, user: by.user, paired_at: now };
        phones::pair(tx, &phone).await?;
        let event = Event::new(now, EventKind::Paired, format!("{name}: a phone was paired"));
        events::append(tx, &event.by(name)).await?;
        let actor = Actor { name: name.to_owned(), chat: by.chat };
        self.desk.say_back(tx, &actor, wording::welcome(name)).await?;
        let old = before.named(name).and_then(|one| one.chat).filter(|chat| *chat != by.chat);
        if let Some(chat) = old {
            self.desk.say_back(tx, &Actor { chat, ..actor }, wording::no_longer_yours(name)).await?;
        }
        self.desk.tell_office(tx, &wording::paired(name)).await
    }

    /// A code that was sent in a group is known to others: it is used up, whatever it was.
    pub(super) async fn shown_in_group(&self, tx: &mut Tx, code: &str) -> Result<(), StoreError> {
        phones::use_invite(tx, code, self.desk.clock.now()).await.map(drop)
    }

    /// Somebody who is no technician wrote something: told how to become one, some times.
    pub(super) async fn guest(&self, guests: &Guests, next: i64, by: Person) -> Result<(), StoreError> {
        let answered = by.is_private() && guests.may_be_answered(by.user, self.desk.clock.now());
        if answered {
            // no more often than it is answered: anybody may write to a bot
            tracing::warn!(stage = "acknowledge", "somebody who is no technician wrote to the bot");
        }
        self.say_to_guest(next, by, answered.then(wording::guest)).await
    }

    /// Says something, if at all, and confirms the update.
    pub(super) async fn say_to_guest(&self, next: i64, by: Person, said: Option<&str>) -> Result<(), StoreError> {
        let mut tx = self.desk.store.begin().await?;
        if let Some(said) = said {
            let plan = Plan { body: Some(said.to_owned()), ..Plan::new(NoticeKind::Message, GUEST, by.chat) };
            notices::plan(&mut tx, &plan, self.desk.clock.now()).await?;
        }
        marks::put(&mut tx, OFFSET, next).await?;
        tx.commit().await?;
        self.desk.ring();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        for text in ["/start ABCD-EFGH-2345", "/start@bot  abcd efgh 2345 ", "/start abcdefgh2345"] {
            assert_eq!(code_in(text).as_deref(), Some("ABCDEFGH2345"), "{text}");
        }
        assert_eq!(code_in("/start"), None);
        assert_eq!(code_in("/start --"), None);
    }

    #[test]
    fn a_guest_has_five_tries_an_hour() {
        let guests = Guests::default();
        let now: DateTime<Utc> = "2026-11-21T21:14:00Z".parse().unwrap();
        let tries: Vec<bool> = (0..6).map(|_| guests.may_try(7, now)).collect();
        assert_eq!(tries, [true, true, true, true, true, false]);
        assert!(guests.may_try(8, now) && guests.may_be_answered(7, now));
        assert!(!guests.may_try(7, now + TimeDelta::minutes(59)));
        assert!(guests.may_try(7, now + TimeDelta::minutes(61)));
    }
}

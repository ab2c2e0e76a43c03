//! Who is on duty, and how each is reached: the written plan, what was changed since, the phones that were paired.
//!
//! Promise: whoever is asked for, somebody is named. Where the plan has nobody, the written last resort is; where the
//! words reach nobody, everybody.

pub mod change;
pub mod feed;
pub mod ical;

use crate::config::Settings;
use crate::domain::notice::Recipient;
use crate::domain::roster::Plan;
use crate::store::phones::{self, Phone};
use crate::store::{Reader, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use feed::{Calendars, Complaint};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// Changes that ended longer ago say nothing of now.
const BACK: TimeDelta = TimeDelta::days(2);

/// The roster. Clones share what was read last.
#[derive(Debug, Clone)]
pub struct Roster {
    settings: Arc<Settings>,
    calendars: Calendars,
    read_last: Arc<Mutex<Option<Read>>>,
}

#[derive(Debug, Clone)]
struct Read {
    plan: Plan,
    phones: Vec<Phone>,
}

/// Who is on duty at one instant, and the ways to everybody.
#[derive(Debug, Clone, Default)]
pub struct Duty {
    order: Vec<String>,
    last_resort: Vec<String>,
    people: Vec<Recipient>,
    users: Vec<(i64, String)>,
    office: Option<Recipient>,
}

impl Roster {
    /// By these settings; nothing is read yet.
    #[must_use]
    pub fn new(settings: Arc<Settings>) -> Self {
        Self { settings, calendars: Calendars::default(), read_last: Arc::default() }
    }

    /// Who is on duty at `now`.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn at(&self, reader: &mut Reader, now: DateTime<Utc>) -> Result<Duty, StoreError> {
        let phones = phones::all(reader).await?;
        let plan = self.plan(reader, now).await?;
        let read = Read { plan, phones };
        let duty = Duty::of(&self.settings, &read, now);
        *self.read_last.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(duty)
    }

    /// The whole plan, right from `now` on.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn plan(&self, reader: &mut Reader, now: DateTime<Utc>) -> Result<Plan, StoreError> {
        self.calendars.plan(&self.settings, reader, now - BACK, now).await
    }

    /// As `plan`, right from `from` on, for whoever looks back.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn plan_from(
        &self,
        reader: &mut Reader,
        from: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Plan, StoreError> {
        self.calendars.plan(&self.settings, reader, from.min(now - BACK), now).await
    }

    /// What should be mended at the calendars, in English.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn complaints(&self, reader: &mut Reader, now: DateTime<Utc>) -> Result<Vec<Complaint>, StoreError> {
        self.calendars.complaints(&self.settings, reader, now).await
    }

    /// The plan as it was read last.
    #[must_use]
    pub fn known_plan(&self) -> Plan {
        let known = self.read_last.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().map_or_else(|| self.settings.plan(&[], Vec::new()), |read| read.plan.clone())
    }

    /// As `at`, by what was read last: for whoever holds a transaction, and for the siren when there is no store.
    #[must_use]
    pub fn last_known(&self, now: DateTime<Utc>) -> Duty {
        let known = self.read_last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(read) => Duty::of(&self.settings, read, now),
            None => Duty::by(&self.settings, &self.settings.plan(&[], Vec::new()), &[], now),
        }
    }
}

impl Duty {
    fn of(settings: &Settings, read: &Read, now: DateTime<Utc>) -> Self {
        Self::by(settings, &read.plan, &read.phones, now)
    }

    /// Who is on duty at `now` by this plan, and reached by these phones.
    #[must_use]
    pub fn by(settings: &Settings, plan: &Plan, phones: &[Phone], now: DateTime<Utc>) -> Self {
        let order = plan.at(now).order;
        let mut duty = Self { order, last_resort: plan.last_resort.clone(), ..Self::default() };
        for technician in &settings.technicians {
            let paired = phones.iter().find(|phone| phone.technician == technician.name);
            let chat = paired.map(|phone| phone.chat).or(technician.telegram_chat);
            let user = paired.map(|phone| phone.user).or(technician.telegram_user).or(chat);
            duty.users.extend(user.map(|user| (user, technician.name.clone())));
            let (name, channels) = (technician.name.clone(), technician.channels.clone());
            duty.people.push(Recipient { name, chat, channels });
        }
        duty.office = settings.office.as_ref().map(|office| Recipient {
            name: "office".into(),
            chat: Some(office.telegram_chat),
            channels: office.channels.clone(),
        });
        duty
    }

    /// The technicians in the order in which they are on duty; empty in a gap of the plan.
    #[must_use]
    pub fn order(&self) -> &[String] {
        &self.order
    }

    /// Everybody who can be on duty.
    #[must_use]
    pub fn people(&self) -> &[Recipient] {
        &self.people
    }

    /// The office, if there is one.
    #[must_use]
    pub fn office(&self) -> Option<&Recipient> {
        self.office.as_ref()
    }

    /// A technician (or "office") by name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Recipient> {
        self.people.iter().chain(&self.office).find(|one| one.name == name)
    }

    /// The technician who is this Telegram user.
    #[must_use]
    pub fn technician_of(&self, user: i64) -> Option<&Recipient> {
        let (_, name) = self.users.iter().find(|(number, _)| *number == user)?;
        self.named(name)
    }

    /// Whom a policy's words mean, each once. Where they reach nobody, the last resort; where that reaches nobody,
    /// everybody.
    #[must_use]
    pub fn recipients<S: AsRef<str>>(&self, words: &[S]) -> Vec<Recipient> {
        let found = self.behind(words);
        if !found.is_empty() {
            return found;
        }
        let found = self.behind(&self.last_resort);
        if found.is_empty() { self.behind(&["everyone"]) } else { found }
    }

    fn behind<S: AsRef<str>>(&self, words: &[S]) -> Vec<Recipient> {
        let mut seen = HashSet::new();
        let all = words.iter().flat_map(|word| self.meant_by(word.as_ref()));
        let reachable = all.filter(|one| one.chat.is_some() || !one.channels.is_empty());
        reachable.filter(|one| seen.insert(one.name.clone())).collect()
    }

    fn meant_by(&self, word: &str) -> Vec<Recipient> {
        let at = |place: usize| self.order.get(place).and_then(|name| self.named(name)).cloned().into_iter().collect();
        match word {
            "duty" => at(0),
            "backup" => at(1),
            "everyone" => self.people.clone(),
            "office" => self.office.clone().map_or_else(|| at(0), |office| vec![office]),
            "last_resort" => {
                let words = self.last_resort.iter().filter(|word| *word != "last_resort");
                words.flat_map(|word| self.meant_by(word)).collect()
            }
            name => self.named(name).cloned().into_iter().collect(),
        }
    }
}

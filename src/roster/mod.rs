//! Who is on duty, and how each is reached: the written plan, what was changed since, the phones that were paired.
//!
//! Promise: whoever is asked for, somebody is named. Where the plan has nobody, the written last resort is; where the
//! words reach nobody, everybody.

use crate::config::Settings;
use crate::domain::notice::Recipient;
use crate::store::{Reader, StoreError, phones};
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The roster. Clones share what was read last.
#[derive(Debug, Clone)]
pub struct Roster {
    settings: Arc<Settings>,
    read_last: Arc<Mutex<Vec<phones::Phone>>>,
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
        Self { settings, read_last: Arc::default() }
    }

    /// Who is on duty at `now`.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn at(&self, reader: &mut Reader, now: DateTime<Utc>) -> Result<Duty, StoreError> {
        let phones = phones::all(reader).await?;
        *self.read_last.lock().unwrap_or_else(PoisonError::into_inner) = phones;
        Ok(self.last_known(now))
    }

    /// As `at`, by what was read last: for the siren, when there is no store.
    #[must_use]
    pub fn last_known(&self, _now: DateTime<Utc>) -> Duty {
        let phones = self.read_last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let settings = &self.settings;
        let order = if settings.duty.order.is_empty() {
            settings.technicians.iter().map(|one| one.name.clone()).collect()
        } else {
            settings.duty.order.clone()
        };
        Duty { order, last_resort: vec!["everyone".into()], ..Duty::of(settings, &phones) }
    }
}

impl Duty {
    fn of(settings: &Settings, phones: &[phones::Phone]) -> Self {
        let mut duty = Self::default();
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

//! Calendars with the duty: fetched now and then, kept in the store, read into entries of the roster.
//!
//! Promise: the last good calendar stays valid when a fetch fails, the answer is none, or it is cut off. What can go wrong is
//! told by [`Calendars::complaints`]. An address may be a secret: no error and no log names more of it than its host.

use crate::config::{FeedRow, Settings};
use crate::domain::roster::{Entry, Plan};
use crate::roster::ical::{self, Calendar, Person, Reading};
use crate::runtime::clock::Clock;
use crate::runtime::outgoing::{Limits, Outgoing};
use crate::runtime::worker::{Round, Step};
use crate::store::roster::{self, Feed};
use crate::store::{Reader, Store, StoreError};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret as _;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A calendar older than this is complained of.
const STALE: TimeDelta = TimeDelta::hours(24);
/// A calendar is read again after so long even if it is the same: what is in reach of now moves on.
const READ_AGAIN: TimeDelta = TimeDelta::hours(24);

/// Fetches the calendars that are due.
pub struct FeedStep {
    store: Store,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    outgoing: Outgoing,
}

impl FeedStep {
    /// Nothing is fetched yet.
    ///
    /// # Errors
    /// Where HTTP cannot be used, or a secret address cannot be read.
    pub fn new(store: Store, settings: Arc<Settings>, clock: Arc<dyn Clock>) -> Result<Self, String> {
        for feed in &settings.roster.feeds {
            address(feed).map_err(|error| format!("could not read roster.feeds.url of {:?}: {error}", feed.name))?;
        }
        let limits = Limits {
            connect: Duration::from_secs(10),
            total: Duration::from_mins(1),
            answer: ical::MAX_BYTES,
            redirects: 3,
        };
        Ok(Self { outgoing: Outgoing::new(limits)?, store, settings, clock })
    }

    async fn look(&self, feed: &FeedRow, before: Option<&Feed>) -> Result<(), StoreError> {
        let found = match self.fetch(feed).await {
            Ok(bytes) => self.readable(bytes).await,
            Err(error) => Err(error),
        };
        let old_error = before.and_then(|before| before.error.as_deref());
        match &found {
            Err(error) if old_error != Some(error) => {
                tracing::warn!(feed = %feed.name, %error, "the duty calendar could not be read; the last good one stays valid");
            }
            Ok(_) if old_error.is_some() => tracing::info!(feed = %feed.name, "the duty calendar can be read again"),
            _ => {}
        }
        let mut tx = self.store.begin().await?;
        let body = found.as_deref().map_err(String::as_str);
        roster::looked(&mut tx, &feed.name, body, self.clock.now()).await?;
        tx.commit().await
    }

    async fn fetch(&self, feed: &FeedRow) -> Result<Vec<u8>, String> {
        if let Some(path) = &feed.path {
            return file(path).await;
        }
        let url = address(feed)?.unwrap_or_default();
        Ok(self.outgoing.get(&url).await.map_err(|error| error.to_string())?.body)
    }

    /// The text, if it is a whole calendar.
    async fn readable(&self, bytes: Vec<u8>) -> Result<String, String> {
        let text = String::from_utf8_lossy(&bytes).replace('\0', "");
        read(text.clone(), self.settings.clone(), self.clock.now()).await.map(|_| text)
    }
}

#[async_trait]
impl Step for FeedStep {
    fn name(&self) -> String {
        "roster".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let known = roster::feeds(&mut *self.store.read().await?).await?;
        let now = self.clock.now();
        for feed in &self.settings.roster.feeds {
            let before = known.iter().find(|known| known.name == feed.name);
            if feed.is_due(before.map(|before| before.tried_at), now) {
                self.look(feed, before).await?;
                return Ok(Round::Worked);
            }
        }
        Ok(Round::Idle)
    }
}

/// The address of a feed that has one, without the scheme that calendar programs invented.
fn address(feed: &FeedRow) -> Result<Option<String>, String> {
    let Some(secret) = &feed.url else { return Ok(None) };
    let url = secret.reveal()?;
    let url = url.expose_secret();
    Ok(Some(url.strip_prefix("webcal://").map_or_else(|| url.to_owned(), |rest| format!("https://{rest}"))))
}

async fn file(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |error: std::io::Error| format!("could not read {}: {error}", path.display());
    let length = tokio::fs::metadata(path).await.map_err(wrong)?.len();
    if length > u64::try_from(ical::MAX_BYTES).unwrap_or(u64::MAX) {
        return Err(ical::IcalError::TooLarge.to_string());
    }
    tokio::fs::read(path).await.map_err(wrong)
}

/// Reads a calendar beside the other work.
async fn read(text: String, settings: Arc<Settings>, now: DateTime<Utc>) -> Result<Calendar, String> {
    let reading = move || {
        let people = people(&settings);
        let zone = settings.business_hours().zone;
        ical::read(&text, &Reading { people: &people, zone, now }).map_err(|error| error.to_string())
    };
    tokio::task::spawn_blocking(reading).await.map_err(|_| "reading the calendar failed".to_owned())?
}

/// Whom a calendar may name.
#[must_use]
pub fn people(settings: &Settings) -> Vec<Person> {
    let person = |one: &crate::config::Technician| Person { name: one.name.clone(), words: one.calendar.clone() };
    settings.technicians.iter().map(person).collect()
}

/// What should be mended at a calendar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Complaint {
    /// It was never read.
    #[error("the duty calendar {feed:?} was never read: {error}")]
    Never {
        /// Which.
        feed: String,
        /// Why.
        error: String,
    },
    /// It has not been read for a day.
    #[error("the duty calendar {feed:?} was last read at {since}, older duties are used: {error}")]
    Stale {
        /// Which.
        feed: String,
        /// When it was read.
        since: DateTime<Utc>,
        /// Why not since; empty = nothing tried.
        error: String,
    },
    /// No event in reach names a technician.
    #[error(
        "the duty calendar {feed:?} names no technician in any of its events; write names as in [[technicians]], or technicians.calendar"
    )]
    NamesNobody {
        /// Which.
        feed: String,
    },
    /// It has more events than are read.
    #[error("the duty calendar {feed:?} has more events than are read; make a calendar of its own for the duty")]
    Cut {
        /// Which.
        feed: String,
    },
}

/// A calendar that was read, until another is fetched.
#[derive(Debug)]
struct Kept {
    fetched_at: Option<DateTime<Utc>>,
    read_at: DateTime<Utc>,
    calendar: Arc<Calendar>,
}

/// The calendars of the store, read once each.
#[derive(Debug, Clone, Default)]
pub struct Calendars(Arc<Mutex<HashMap<String, Kept>>>);

impl Calendars {
    /// The plan: settings, changes that count, calendars. It is whole from `after` on.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn plan(
        &self,
        settings: &Arc<Settings>,
        reader: &mut Reader,
        after: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Plan, StoreError> {
        let changes = roster::active(reader, after).await?;
        let calendars = self.of_settings(settings, reader, now).await?;
        let entries: Vec<Entry> = calendars.iter().flat_map(|(_, calendar)| calendar.entries.iter().cloned()).collect();
        Ok(settings.plan(&changes, entries))
    }

    /// What should be mended, in the order of the settings.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn complaints(
        &self,
        settings: &Arc<Settings>,
        reader: &mut Reader,
        now: DateTime<Utc>,
    ) -> Result<Vec<Complaint>, StoreError> {
        let mut complaints = Vec::new();
        let known = roster::feeds(reader).await?;
        let calendars = self.of_settings(settings, reader, now).await?;
        for row in &settings.roster.feeds {
            let feed = row.name.clone();
            // not tried yet: the service has only just begun
            let Some(state) = known.iter().find(|known| known.name == feed) else { continue };
            let error = state.error.clone().unwrap_or_default();
            match state.fetched_at {
                None => complaints.push(Complaint::Never { feed: feed.clone(), error }),
                Some(since) if now - since >= STALE => {
                    complaints.push(Complaint::Stale { feed: feed.clone(), since, error });
                }
                Some(_) => {}
            }
            let Some((_, calendar)) = calendars.iter().find(|(name, _)| *name == feed) else { continue };
            if calendar.is_cut {
                complaints.push(Complaint::Cut { feed: feed.clone() });
            }
            if calendar.entries.is_empty() {
                complaints.push(Complaint::NamesNobody { feed });
            }
        }
        Ok(complaints)
    }

    /// The calendars of the settings that were ever fetched, by name, in the order of the settings.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn of_settings(
        &self,
        settings: &Arc<Settings>,
        reader: &mut Reader,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, Arc<Calendar>)>, StoreError> {
        let mut calendars = Vec::new();
        if settings.roster.feeds.is_empty() {
            return Ok(calendars);
        }
        let known = roster::feeds(reader).await?;
        for row in &settings.roster.feeds {
            let Some(state) = known.iter().find(|known| known.name == row.name && known.fetched_at.is_some()) else {
                continue;
            };
            if let Some(calendar) = self.kept(state, now) {
                calendars.push((row.name.clone(), calendar));
                continue;
            }
            let body = roster::body(reader, &row.name).await?.unwrap_or_default();
            // it was whole when it was stored
            let calendar = Arc::new(read(body, settings.clone(), now).await.unwrap_or_default());
            let kept = Kept { fetched_at: state.fetched_at, read_at: now, calendar: calendar.clone() };
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(row.name.clone(), kept);
            calendars.push((row.name.clone(), calendar));
        }
        Ok(calendars)
    }

    fn kept(&self, state: &Feed, now: DateTime<Utc>) -> Option<Arc<Calendar>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(&state.name)?;
        let is_same = kept.fetched_at == state.fetched_at && (now - kept.read_at).abs() < READ_AGAIN;
        is_same.then(|| kept.calendar.clone())
    }
}

//! A report arrives: take → store → only then tell the source.
//!
//! Promise: what a source was told is safe *is* safe: sound on disk (file and folder synced), row committed. The same
//! arrival twice changes nothing. What cannot be taken stays on record and wakes a human; when not even that can be
//! written, the siren sounds. One source's failure never stops another: each has a loop of its own, and no call into a
//! source lasts for ever.

pub mod asterisk;
mod desk;
pub mod digest;
mod files;
pub mod folder;
pub mod freeswitch;
pub mod fritzbox;
mod health;
pub mod http;
pub mod imap;
pub mod mail;
mod memory;
pub mod placetel;
pub mod push;
mod shown;
mod since;
pub mod sipgate;
pub mod source;
mod watch;

pub use desk::{Accepted, Desk};
pub use memory::Memory;

use crate::domain::report::Arrival;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::siren::{Cry, Siren};
use crate::runtime::status::{State, Status};
use crate::store::{StoreError, reports};
use chrono::{DateTime, Utc};
use health::Health;
use source::{Found, Source, SourceError};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// No call into a source lasts longer, whatever the other side does.
const PATIENCE: Duration = Duration::from_mins(5);

/// So many messages of one look are taken at full speed.
const BURST: usize = 10;
/// Behind a burst a source rests so many times as long as its last message took: the store is the others', too.
const REST: u32 = 2;

/// One source's loop.
pub struct Intake {
    desk: Desk,
    source: Box<dyn Source>,
    siren: Siren,
    told: HashSet<String>,
    health: Health,
    busy_since: Option<DateTime<Utc>>,
}

/// What one look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Reports stored that were new.
    pub stored: usize,
    /// Something was busy or could not be stored: look again soon.
    pub again: bool,
    /// The mailbox could not be reached: leave it alone for so long.
    pub pause: Option<Duration>,
}

impl Intake {
    /// A loop over one source.
    #[must_use]
    pub fn new(desk: Desk, source: Box<dyn Source>, siren: Siren) -> Self {
        let health = Health::new(desk.clone(), source.name().to_owned(), source.longest_pause());
        Self { desk, source, siren, told: HashSet::new(), health, busy_since: None }
    }

    /// Looks whenever something may have changed, until the service stops.
    pub async fn run(mut self, status: Status, lifecycle: Lifecycle) {
        let name = format!("intake.{}", self.source.name());
        let mut failures = 0u32;
        while !lifecycle.is_stopping() {
            let look = self.look().await;
            let now = self.desk.clock.now();
            match (&look, self.health.why()) {
                (Ok(_), None) => status.say(&name, State::Idle, "", now),
                (Ok(_), Some(why)) => status.say(&name, State::Failing, why, now),
                (Err(error), _) => {
                    tracing::error!(source = %self.source.name(), %error, "could not take in; trying again");
                    status.say(&name, State::Failing, error.to_string(), now);
                }
            }
            let wait = match look {
                Ok(Look { pause: Some(pause), .. }) => pause,
                Ok(Look { again: true, .. }) => self.source.retry_after(),
                Ok(_) => {
                    failures = 0;
                    lifecycle.unless_stopped(self.source.changed()).await;
                    continue;
                }
                Err(_) => {
                    failures = failures.saturating_add(1);
                    Duration::from_millis(250).saturating_mul(1 << failures.min(6)).min(Duration::from_secs(10))
                }
            };
            lifecycle.unless_stopped(tokio::time::sleep(wait)).await;
        }
    }

    /// Looks once: takes, stores and confirms everything that is there.
    ///
    /// # Errors
    /// Where the store refused; nothing that was not stored was confirmed.
    pub async fn look(&mut self) -> Result<Look, StoreError> {
        let listing = match patiently(self.source.list()).await {
            Ok(listing) => listing,
            Err(SourceError::Busy(_)) if !self.is_busy_for_long() => {
                return Ok(Look { again: true, ..Look::default() });
            }
            Err(error) => return Ok(self.unreachable(&error).await),
        };
        self.busy_since = None;
        // Whether that can be written down must not keep a message waiting: what cannot be stored cries by itself.
        let noted = self.health.reached(listing.troubles).await;
        let mut look = Look::default();
        let here: HashSet<String> = listing.found.iter().map(|found| found.key.clone()).collect();
        self.told.retain(|key| here.contains(key));
        let mut refused = None;
        for found in listing.found {
            let began = Instant::now();
            let before = look.stored;
            // One message that cannot be stored must not keep the others waiting.
            if !self.told.contains(&found.key)
                && let Err(error) = self.one(&found, &mut look).await
            {
                tracing::warn!(source = %self.source.name(), %error, "a message could not be stored");
                refused = Some(error);
            }
            if look.stored > before.max(BURST) {
                tokio::time::sleep(began.elapsed() * REST).await;
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        noted?;
        if look.stored > 0 {
            self.health.arrived().await?;
        }
        Ok(look)
    }

    /// A mailbox that is busy without end is as good as unreachable.
    fn is_busy_for_long(&mut self) -> bool {
        let now = self.desk.clock.now();
        now - *self.busy_since.get_or_insert(now) >= self.desk.settings.intake.unreachable_after()
    }

    /// The pause holds whatever the store says: a refused login must not be tried every few seconds.
    async fn unreachable(&mut self, error: &SourceError) -> Look {
        let (pause, noted) = self.health.failed(error, self.busy_since).await;
        if let Err(error) = noted {
            tracing::error!(source = %self.source.name(), %error, "could not write down that a mailbox is away");
            self.cry("unreachable", &error);
        }
        Look { pause: Some(pause), ..Look::default() }
    }

    /// By the way that needs no store.
    fn cry(&self, key: &str, why: &StoreError) {
        let source = self.source.name().to_owned();
        self.siren.sound(Cry { key: format!("{source}/{key}"), source, why: why.to_string() });
    }

    async fn one(&mut self, found: &Found, look: &mut Look) -> Result<(), StoreError> {
        let known = match known(&self.desk, self.source.name().to_owned(), &found.key).await {
            Ok(known) => known,
            Err(error) => {
                self.cry(&found.key, &error);
                return Err(error);
            }
        };
        if known == Some(true) {
            self.told.insert(found.key.clone());
            return Ok(());
        }
        if known.is_none() {
            match patiently(self.source.take(found)).await {
                Ok(arrival) => look.stored += usize::from(self.store(arrival).await?),
                Err(SourceError::Gone(what)) => {
                    tracing::warn!(source = %self.source.name(), %what, "a message went before it could be taken");
                    return Ok(());
                }
                Err(error) => {
                    tracing::debug!(source = %self.source.name(), %error, "a message could not be taken yet");
                    look.again = true;
                    return Ok(());
                }
            }
        }
        self.confirm(found, look).await
    }

    async fn store(&mut self, arrival: Arrival) -> Result<bool, StoreError> {
        let key = arrival.caller.number.clone().unwrap_or_else(|| "-".to_owned());
        match self.desk.accept(arrival).await {
            Ok(accepted) => Ok(accepted.new),
            Err(error) => {
                // The voice stays at the source; a human hears of it by the way that needs no store.
                self.cry(&key, &error);
                Err(error)
            }
        }
    }

    async fn confirm(&mut self, found: &Found, look: &mut Look) -> Result<(), StoreError> {
        if let Err(error) = patiently(self.source.confirm(found)).await {
            tracing::warn!(source = %self.source.name(), %error, "a stored message could not be confirmed; trying again");
            look.again |= matches!(error, SourceError::Busy(_));
            return Ok(());
        }
        let mut tx = self.desk.store.begin().await?;
        reports::confirmed(&mut tx, self.source.name(), &found.key, self.desk.clock.now()).await?;
        tx.commit().await?;
        self.told.insert(found.key.clone());
        Ok(())
    }
}

async fn known(desk: &Desk, source: String, key: &str) -> Result<Option<bool>, StoreError> {
    let mut reader = desk.store.read().await?;
    reports::known(&mut reader, &source, key).await
}

/// The answer of a source, or that it hangs.
async fn patiently<T>(asked: impl Future<Output = Result<T, SourceError>>) -> Result<T, SourceError> {
    let hangs = || SourceError::Unreachable(format!("no answer within {} s", PATIENCE.as_secs()));
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| Err(hangs()))
}

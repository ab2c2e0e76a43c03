//! What every peer has, whatever it speaks: a name, a number of places, its health, and one way to the desk.

use super::answer::Problem;
use super::{Inner, PushSettings, TwilioSettings};
use crate::domain::report::{Arrival, Caller, Content, Sound};
use crate::intake::health::Health;
use crate::intake::source::SourceError;
use crate::intake::{Accepted, Desk};
use crate::runtime::siren::Cry;
use crate::runtime::status::State;
use crate::store::{StoreError, reports};
use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

pub(super) struct Peer {
    pub(super) name: String,
    mailbox: Option<String>,
    longest_s: Option<u32>,
    places: Semaphore,
    health: Mutex<Health>,
}

/// What is known of a call.
pub(super) struct Call {
    pub(super) caller: Caller,
    pub(super) called: Option<String>,
    pub(super) called_at: Option<DateTime<Utc>>,
}

impl Peer {
    pub(super) fn pushing(row: &PushSettings, desk: &Desk, at_once: usize) -> Self {
        Self::new(&row.name, row.mailbox.clone(), row.longest_s, desk, at_once)
    }

    pub(super) fn calling(row: &TwilioSettings, desk: &Desk, at_once: usize) -> Self {
        Self::new(&row.name, row.mailbox.clone(), row.longest_s, desk, at_once)
    }

    fn new(name: &str, mailbox: Option<String>, longest_s: Option<u32>, desk: &Desk, at_once: usize) -> Self {
        let health = Mutex::new(Health::new(desk.clone(), name.to_owned(), Duration::from_mins(5)));
        Self { name: name.to_owned(), mailbox, longest_s, places: Semaphore::new(at_once), health }
    }

    /// A place for one more message.
    pub(super) fn place(&self) -> Result<SemaphorePermit<'_>, Problem> {
        self.places.try_acquire().map_err(|_| Problem::too_many())
    }

    pub(super) fn arrival(&self, key: String, call: &Call, sound: Sound) -> Arrival {
        Arrival {
            source: self.name.clone(),
            key,
            mailbox: call.called.clone().or_else(|| self.mailbox.clone()),
            caller: call.caller.clone(),
            called_at: call.called_at,
            content: Content::Voicemail(sound),
            twin: None,
            longest_s: self.longest_s,
        }
    }

    /// Stores an arrival. Where that is not possible a human hears of it by the way that needs no store.
    pub(super) async fn accept(&self, inner: &Inner, arrival: Arrival) -> Result<Accepted, StoreError> {
        let (key, caller) = (arrival.key.clone(), arrival.caller.number.clone());
        let accepted = inner.desk.accept(arrival).await;
        match &accepted {
            Ok(accepted) => self.safe(inner, &key, accepted.new).await,
            Err(error) => self.cry(inner, caller.as_deref(), &error.to_string()),
        }
        accepted
    }

    pub(super) fn cry(&self, inner: &Inner, caller: Option<&str>, why: &str) {
        inner.say(State::Failing, why);
        let key = format!("{}/{}", self.name, caller.unwrap_or("-"));
        inner.siren.sound(Cry { key, source: self.name.clone(), why: why.to_owned() });
    }

    /// Notes that the peer is told now. The message is safe already: what fails here is only logged.
    async fn safe(&self, inner: &Inner, key: &str, new: bool) {
        inner.say(State::Idle, "");
        let noted = async {
            let mut tx = inner.desk.store.begin().await?;
            reports::confirmed(&mut tx, &self.name, key, inner.desk.clock.now()).await?;
            tx.commit().await?;
            if new { self.health.lock().await.arrived().await } else { Ok(()) }
        };
        self.logged(noted.await);
    }

    /// The peer could come in now, nothing is wrong with it.
    pub(super) async fn reached(&self) {
        self.logged(self.health.lock().await.reached(Vec::new()).await);
    }

    /// The peer cannot come in, or its recordings cannot be fetched; the pause until the next try.
    pub(super) async fn failed(&self, error: &SourceError) -> Duration {
        let (pause, noted) = self.health.lock().await.failed(error, None).await;
        self.logged(noted);
        pause
    }

    fn logged(&self, written: Result<(), StoreError>) {
        if let Err(error) = written {
            tracing::warn!(source = %self.name, %error, "could not write down how a peer is");
        }
    }
}

//! What each worker says of itself, written to the store every few seconds for `nachtwache health`.

use crate::domain::assessment::words;
use crate::runtime::clock::Clock;
use crate::runtime::lifecycle::Lifecycle;
use crate::store::workers::Beat;
use crate::store::{Store, StoreError, workers};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often the words are written down.
pub const EVERY: Duration = Duration::from_secs(10);

words! {
    /// How a worker is.
    State {
        /// Waits for work.
        Idle = "idle",
        /// Works.
        Running = "running",
        /// Its last round failed.
        Failing = "failing",
    }
}

/// The board on which workers write.
#[derive(Debug, Clone, Default)]
pub struct Status(Arc<Mutex<BTreeMap<String, Entry>>>);

/// A worker's last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// How it is.
    pub state: State,
    /// The reason, if it fails.
    pub detail: String,
    /// When it said so.
    pub at: DateTime<Utc>,
    /// Since when no round of it went well; none = the last one did.
    pub failing_since: Option<DateTime<Utc>>,
}

impl Status {
    /// A worker's word, with the time it said so: a worker that hangs stops saying anything.
    pub fn say(&self, worker: &str, state: State, detail: impl Into<String>, now: DateTime<Utc>) {
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earlier = board.get(worker).and_then(|entry| entry.failing_since);
        let failing_since = match state {
            State::Idle => None,
            // a new try does not mean that it goes well
            State::Running => earlier,
            State::Failing => earlier.or(Some(now)),
        };
        board.insert(worker.to_owned(), Entry { state, detail: detail.into(), at: now, failing_since });
    }

    /// Everybody's last word, by the worker's name.
    #[must_use]
    pub fn board(&self) -> BTreeMap<String, Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Writes the board down until the service stops.
    pub async fn keep(self, store: Store, clock: Arc<dyn Clock>, lifecycle: Lifecycle) {
        while !lifecycle.is_stopping() {
            if let Err(error) = self.write(&store, clock.now()).await {
                tracing::warn!(%error, "could not write the workers' status");
            }
            lifecycle.unless_stopped(tokio::time::sleep(EVERY)).await;
        }
    }

    async fn write(&self, store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.say("status", State::Idle, "", now);
        let mut tx = store.begin().await?;
        for (name, entry) in self.board() {
            let beat = Beat { name, state: entry.state.as_str().to_owned(), detail: entry.detail, at: entry.at };
            workers::beat(&mut tx, &beat).await?;
        }
        tx.commit().await
    }
}

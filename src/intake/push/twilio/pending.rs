//! What webhooks told of and is not stored yet, in the store: it outlives a restart.

use crate::intake::Memory;
use crate::intake::source::SourceError;
use crate::store::{Store, StoreError, reports};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::{Mutex as Latch, PoisonError};
use tokio::sync::Mutex;

const NAME: &str = "twilio.pending";

/// What a webhook told of a recording.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Told {
    /// The recording's identity.
    pub(super) sid: String,
    /// Where it is to be had.
    pub(super) url: String,
    /// The provider itself could not record.
    pub(super) failed: bool,
    pub(super) from: Option<String>,
    pub(super) to: Option<String>,
    /// When the caller began to speak, as far as that can be known.
    pub(super) called_at: DateTime<Utc>,
    /// When it was told first.
    pub(super) seen_at: DateTime<Utc>,
}

pub(super) struct Pending {
    store: Store,
    source: String,
    memory: Memory,
    /// One change at a time.
    changing: Mutex<()>,
    fetching: Latch<HashSet<String>>,
}

/// A recording is being fetched; nobody else does until this is dropped.
pub(super) struct Fetching<'a> {
    all: &'a Latch<HashSet<String>>,
    sid: String,
}

impl Drop for Fetching<'_> {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.sid);
    }
}

impl Pending {
    pub(super) fn new(store: Store, source: String) -> Self {
        let memory = Memory::new(store.clone(), source.clone());
        Self { store, source, memory, changing: Mutex::new(()), fetching: Latch::default() }
    }

    /// The right to fetch a recording; `None` while somebody else does.
    pub(super) fn fetching(&self, sid: &str) -> Option<Fetching<'_>> {
        let mut all = self.fetching.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(sid.to_owned()).then(|| Fetching { all: &self.fetching, sid: sid.to_owned() })
    }

    pub(super) async fn is_stored(&self, sid: &str) -> Result<bool, StoreError> {
        Ok(reports::known(&mut *self.store.read().await?, &self.source, sid).await?.is_some())
    }

    /// Notes what was told; gives what was told of this recording first.
    pub(super) async fn note(&self, told: &Told) -> Result<Told, SourceError> {
        let _changing = self.changing.lock().await;
        let mut all = self.all().await?;
        if let Some(first) = all.iter().find(|first| first.sid == told.sid) {
            return Ok(first.clone());
        }
        all.push(told.clone());
        self.keep(&all).await?;
        Ok(told.clone())
    }

    pub(super) async fn forget(&self, sid: &str) -> Result<(), SourceError> {
        let _changing = self.changing.lock().await;
        let mut all = self.all().await?;
        all.retain(|told| told.sid != sid);
        self.keep(&all).await
    }

    pub(super) async fn all(&self) -> Result<Vec<Told>, SourceError> {
        let Some(text) = self.memory.recall(NAME).await? else { return Ok(Vec::new()) };
        serde_json::from_str(&text).map_err(|_| SourceError::Busy(format!("memory.value of {NAME} cannot be read")))
    }

    async fn keep(&self, all: &[Told]) -> Result<(), SourceError> {
        let text = serde_json::to_string(all).map_err(|error| SourceError::Busy(error.to_string()))?;
        self.memory.keep(NAME, &text).await
    }
}

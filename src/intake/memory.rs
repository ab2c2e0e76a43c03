//! What a source remembers over restarts, in the store.

use crate::intake::source::SourceError;
use crate::store::{Store, StoreError, memory, reports};

/// One source's memory: short texts by name.
#[derive(Debug, Clone)]
pub struct Memory {
    store: Store,
    source: String,
}

impl Memory {
    /// The memory of the source with this name.
    #[must_use]
    pub fn new(store: Store, source: String) -> Self {
        Self { store, source }
    }

    /// A remembered text.
    ///
    /// # Errors
    /// `Busy` where the store cannot be read now.
    pub async fn recall(&self, name: &str) -> Result<Option<String>, SourceError> {
        let found = async { memory::find(&mut *self.store.read().await?, &self.source, name).await };
        found.await.map_err(|error| busy(&error))
    }

    /// What the store knows of a message: `None` = nothing, else whether it is confirmed. For sources to which reading a
    /// message anew is dear.
    ///
    /// # Errors
    /// `Busy` where the store cannot be read now.
    pub async fn known(&self, key: &str) -> Result<Option<bool>, SourceError> {
        let found = async { reports::known(&mut *self.store.read().await?, &self.source, key).await };
        found.await.map_err(|error| busy(&error))
    }

    /// Remembers a text.
    ///
    /// # Errors
    /// `Busy` where the store cannot be written now.
    pub async fn keep(&self, name: &str, value: &str) -> Result<(), SourceError> {
        let kept = async {
            let mut tx = self.store.begin().await?;
            memory::put(&mut tx, &self.source, name, value).await?;
            tx.commit().await
        };
        kept.await.map_err(|error| busy(&error))
    }
}

fn busy(error: &StoreError) -> SourceError {
    SourceError::Busy(format!("the store: {error}"))
}

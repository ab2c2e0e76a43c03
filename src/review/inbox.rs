//! Catches the list of what came in up: reports from before there was a list, and what it refused.
//!
//! Promise: nobody waits for it, neither the start nor an alarm. What cannot be caught up stays due and holds up nothing else.

use crate::runtime::worker::{Round, Step};
use crate::store::{Store, StoreError, inbox};
use async_trait::async_trait;
use std::collections::{HashSet, VecDeque};

/// The worker's step.
pub struct InboxStep {
    store: Store,
    due: VecDeque<String>,
    /// The last one that was tried; `None` = begin with the newest.
    behind: Option<String>,
    /// What was told of already.
    told: HashSet<String>,
}

impl InboxStep {
    /// A step that begins with the newest report.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store, due: VecDeque::new(), behind: None, told: HashSet::new() }
    }
}

#[async_trait]
impl Step for InboxStep {
    fn name(&self) -> String {
        "review.inbox".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        if self.due.is_empty() {
            self.due = inbox::due(&mut *self.store.read().await?, self.behind.as_deref()).await?.into();
        }
        let Some(report) = self.due.pop_front() else {
            self.behind = None;
            return Ok(Round::Idle);
        };
        self.behind = Some(report.clone());
        match inbox::catch_up(&self.store, &report).await {
            Ok(()) => {
                self.told.remove(&report);
                Ok(Round::Worked)
            }
            // a rest behind each: where nothing can be caught up, it is not tried without end
            Err(error) => {
                if self.told.insert(report.clone()) {
                    tracing::error!(report.id = %report, %error, "a report could not be put into the list; it stays due");
                }
                Ok(Round::Idle)
            }
        }
    }
}

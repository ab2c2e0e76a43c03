//! The auditor: while a case is open something is due (invariant I2). Looks every minute and mends what it finds.

use crate::domain::event::{Event, EventKind};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Store, StoreError, cases, events};
use async_trait::async_trait;
use std::sync::Arc;

/// The auditor's step.
pub struct AuditStep {
    /// What is audited.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when something was mended.
    pub bells: Bells,
}

#[async_trait]
impl Step for AuditStep {
    fn name(&self) -> String {
        "escalate.audit".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let forgotten = cases::mend_forgotten(&mut tx, now).await?;
        for case in &forgotten {
            events::append(&mut tx, &Event::new(now, EventKind::Mended, "open, but nothing was due").case(*case))
                .await?;
        }
        tx.commit().await?;
        if !forgotten.is_empty() {
            tracing::error!(cases = forgotten.len(), "open cases had nothing due: put back to work");
            self.bells.escalate.ring();
        }
        Ok(Round::Idle)
    }
}

//! The auditor: while a case is open something is due (invariant I2). Looks every minute and mends what it finds. A clock
//! that was set back would put everything off that was planned by it: what waits is then looked at now.

use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Store, StoreError, Tx, cases, clock, events};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// Clocks are set by less than this all the time.
const JUMP: TimeDelta = TimeDelta::minutes(1);

/// The auditor's step.
pub struct AuditStep {
    /// What is audited.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
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
        self.look_at_the_clock(&mut tx, now).await?;
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

impl AuditStep {
    async fn look_at_the_clock(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
        let seen = clock::look(tx, now).await?;
        let Some(by) = seen.map(|seen| seen - now).filter(|by| *by >= JUMP) else { return Ok(()) };
        clock::set_back(tx, by, now, &self.settings.escalation.patience()).await?;
        let detail = format!("the clock was set back by {} s", by.num_seconds());
        events::append(tx, &Event::new(now, EventKind::Mended, detail)).await?;
        tracing::error!(seconds = by.num_seconds(), "the clock was set back: everything that waits is looked at now");
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(())
    }
}

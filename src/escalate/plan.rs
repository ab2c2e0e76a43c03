//! Who is told now, and when something is due again.

use crate::config::{Recipient, Settings};
use crate::domain::assessment::Verdict;
use crate::domain::case::Case;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::report::{Medium, ReportId};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Claim, Lease, Store, StoreError, Tx, cases, events, joins, notices, reports};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);

/// The planner's step.
pub struct PlanStep {
    /// Where cases wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when notices are planned.
    pub bells: Bells,
}

#[async_trait]
impl Step for PlanStep {
    fn name(&self) -> String {
        "escalate.plan".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        if self.open_unheard().await? {
            return Ok(Round::Worked);
        }
        let Some((case, lease)) = self.claim().await? else { return Ok(Round::Idle) };
        self.ring(&case, &lease).await?;
        Ok(Round::Worked)
    }
}

impl PlanStep {
    /// Claims one open case whose ring is due.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn claim(&self) -> Result<Option<(Case, Lease)>, StoreError> {
        let mut tx = self.store.begin().await?;
        let claimed = cases::claim(&mut tx, Claim { now: self.clock.now(), lease: LEASE }).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// A report without a verdict in time opens its case *unheard*: a human listens instead of the transcriber.
    async fn open_unheard(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let Some(report) = reports::take_unheard(&mut tx, now).await? else { return Ok(false) };
        let case = cases::open(&mut tx, report.id, Verdict::Unclear, true, now).await?;
        notices::adopt(&mut tx, report.id, case.id).await?;
        notices::refresh(&mut tx, report.id, now).await?;
        events::append(&mut tx, &Event::new(now, EventKind::Opened, "unheard").report(report.id).case(case.id)).await?;
        tx.commit().await?;
        tracing::warn!(report.id = %report.id, case.id = %case.id, stage = "escalate", "no verdict in time: escalating unheard");
        Ok(true)
    }

    /// One ring: notices for everybody who is due, and when to look again.
    async fn ring(&self, case: &Case, lease: &Lease) -> Result<(), StoreError> {
        let now = self.clock.now();
        let outside = !self.settings.business_hours().is_open(now);
        let ring = self.settings.policy(case.policy_verdict(), outside).ring(case.progress, now);
        let mut reader = self.store.read().await?;
        let report = reports::find(&mut reader, case.report).await?;
        drop(reader);
        let told = self.reachable(&ring.tell);
        let mut tx = self.store.begin().await?;
        let mut spoken = joins::within(&mut tx, case.id).await?;
        if report.medium == Medium::Voicemail {
            spoken.insert(0, report.id);
        }
        for recipient in &told {
            self.plan_for(&mut tx, case, &spoken, recipient, ring.progress.rings, now).await?;
        }
        cases::rung(&mut tx, case.id, lease, ring.progress, ring.next_at).await?;
        let names: Vec<&str> = told.iter().map(|recipient| recipient.name.as_str()).collect();
        let detail = format!("ring {}: {}", ring.progress.rings, names.join(", "));
        events::append(&mut tx, &Event::new(now, EventKind::Rang, detail).report(case.report).case(case.id)).await?;
        tx.commit().await?;
        tracing::info!(case.id = %case.id, ring = ring.progress.rings, people = told.len(), stage = "escalate", "rang");
        self.bells.send.ring();
        Ok(())
    }

    /// The people behind the policy's words, each once; where the words reach nobody, everybody.
    fn reachable(&self, words: &[String]) -> Vec<Recipient> {
        let mut seen = HashSet::new();
        let mut told: Vec<Recipient> = words.iter().flat_map(|word| self.settings.recipients(word)).collect();
        if told.is_empty() {
            told = self.settings.recipients("everyone");
        }
        told.retain(|recipient| seen.insert(recipient.chat));
        told
    }

    async fn plan_for(
        &self,
        tx: &mut Tx,
        case: &Case,
        spoken: &[ReportId],
        recipient: &Recipient,
        ring: u32,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let alert = notices::Plan {
            report: Some(case.report),
            case: Some(case.id),
            kind: NoticeKind::Alert,
            recipient: recipient.name.clone(),
            chat: recipient.chat,
            loud: true,
            ring,
            body: None,
        };
        // An older ring that never got out says nothing that this one does not.
        notices::supersede(tx, case.id, recipient.chat).await?;
        notices::plan(tx, &alert, now).await?;
        for report in spoken {
            if !notices::has_voice(tx, *report, recipient.chat).await? {
                let (kind, report) = (NoticeKind::Voice, Some(*report));
                notices::plan(tx, &notices::Plan { kind, report, loud: false, ring: 0, ..alert.clone() }, now).await?;
            }
        }
        Ok(())
    }
}

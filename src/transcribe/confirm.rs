//! The second hearing: a larger model hears what the small one heard already, in a process of its own.
//!
//! Promise: first verdicts go before second hearings; what goes wrong here leaves the first verdict as it is, with an event;
//! the try is counted before it is made.

use super::child::{Child, ChildError, DECODE_WITHIN};
use super::{BESIDE_THE_WORK, expected, job, sound};
use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::hearing::HearingStage;
use crate::domain::report::{Recording, Report};
use crate::domain::transcript::Transcript;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Claim, Lease, Store, StoreError, events, hearings, reports};
use async_trait::async_trait;
use chrono::TimeDelta;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The step of the larger model.
pub struct ConfirmStep {
    /// Where reports wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The larger model.
    pub model: PathBuf,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The process that listens.
    pub child: Child,
}

#[async_trait]
impl Step for ConfirmStep {
    fn name(&self) -> String {
        "transcribe.confirm".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let Some((report, lease)) = self.claim().await? else { return Ok(Round::Idle) };
        let started = Instant::now();
        match &report.recording {
            // its period was over before its turn came
            None => self.end(&report, &lease, HearingStage::Done, "the recording is gone").await?,
            Some(recording) => match self.listen(recording).await {
                Ok(transcript) => self.heard(&report, &lease, &transcript, started.elapsed()).await?,
                Err(error) => self.failed(&report, &lease, &error).await?,
            },
        }
        Ok(Round::Worked)
    }

    async fn idle(&mut self) {
        self.child.rest().await;
    }
}

impl ConfirmStep {
    /// Claims one report that waits for its second hearing, unless one waits for its first.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn claim(&self) -> Result<Option<(Report, Lease)>, StoreError> {
        let longest = self.settings.transcribe.limit(sound::Limits::default().max_seconds * 1000);
        let claim = Claim { now: self.clock.now(), lease: longest + BESIDE_THE_WORK };
        let mut tx = self.store.begin().await?;
        let claimed = match hearings::claim(&mut tx, HearingStage::Listen, claim).await? {
            Some((id, lease)) => Some((reports::find(tx.reading(), id).await?, lease)),
            None => None,
        };
        tx.commit().await?;
        Ok(claimed)
    }

    async fn listen(&mut self, recording: &Recording) -> Result<Transcript, ChildError> {
        let path = self.store.sound_folder().join(&recording.file);
        let mut job = job(&self.settings, &path, &recording.name);
        job.model.clone_from(&self.model);
        // a first hearing that comes meanwhile has the other cores
        (job.states, job.threads) = (1, 1);
        job.prompt = expected(&self.store, &self.settings, "confirm").await;
        let limit = |sound_ms| self.settings.transcribe.limit(sound_ms);
        self.child.transcribe(&job, (DECODE_WITHIN, limit), |_| ()).await
    }

    /// What was heard is stored and waits to be judged; what cannot be believed is stored only.
    async fn heard(
        &self,
        report: &Report,
        lease: &Lease,
        transcript: &Transcript,
        took: Duration,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        hearings::heard(&mut tx, report.id, lease, transcript, took, now).await?;
        if let Some(doubt) = transcript.doubt {
            let detail = format!("not believed: {doubt:?}");
            events::append(&mut tx, &Event::new(now, EventKind::HeardAgain, detail).report(report.id)).await?;
        }
        tx.commit().await?;
        let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(report.id = %report.id, duration_ms, stage = "confirm", "a report was heard a second time");
        Ok(())
    }

    async fn failed(&self, report: &Report, lease: &Lease, error: &ChildError) -> Result<(), StoreError> {
        tracing::warn!(report.id = %report.id, attempt = lease.attempt, %error, stage = "confirm", "a second hearing failed");
        let waits = &self.settings.transcribe.retry_after_s;
        let next = usize::try_from(lease.attempt).ok().and_then(|attempt| waits.get(attempt - 1));
        let Some(wait) = next.filter(|_| error.may_be_tried_again()) else {
            return self.end(report, lease, HearingStage::GivenUp, &format!("given up: {error}")).await;
        };
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let due_at = now + TimeDelta::seconds(i64::try_from(*wait).unwrap_or(5));
        hearings::again(&mut tx, report.id, lease, due_at).await?;
        let detail = format!("second hearing, try {}: {error}", lease.attempt);
        events::append(&mut tx, &Event::new(now, EventKind::Failed, detail).report(report.id)).await?;
        tx.commit().await
    }

    async fn end(&self, report: &Report, lease: &Lease, stage: HearingStage, why: &str) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        hearings::end(&mut tx, report.id, lease, stage).await?;
        let event = Event::new(self.clock.now(), EventKind::HeardAgain, why).report(report.id);
        events::append(&mut tx, &event).await?;
        tx.commit().await
    }
}

//! A queue for the transcriber that grows says so: the office is told once, and once when it is over.
//!
//! Promise: told once, whatever restarts in between. Nobody waits for it: a report without a verdict becomes loud by itself.

use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::Stage;
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Store, StoreError, events, marks, people, reports};
use crate::wording;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// The mark of when the office was told, in milliseconds; 0 = it need not be.
const TOLD: &str = "queue.told";

/// Looks whether reports wait too long for their transcripts.
pub struct QueueStep {
    /// Where they wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is told.
    pub roster: Roster,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when somebody is told.
    pub bells: Bells,
}

#[async_trait]
impl Step for QueueStep {
    fn name(&self) -> String {
        "escalate.queue".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let (waiting, oldest) = reports::waiting(&mut reader, Stage::Transcribe).await?;
        let told = marks::find(&mut reader, TOLD).await?.filter(|at| *at != 0);
        self.roster.at(&mut reader, now).await?;
        drop(reader);
        let watch = &self.settings.watch;
        match told.and_then(DateTime::from_timestamp_millis) {
            None if watch.is_behind(waiting, oldest, now) => {
                let since = now - oldest.unwrap_or(now);
                tracing::warn!(
                    waiting,
                    oldest_s = since.num_seconds(),
                    stage = "transcribe",
                    "a queue grows: the transcriber is behind"
                );
                self.tell(&wording::watch::queue_grows(waiting, since), Some(waiting), now).await?;
            }
            Some(at) if watch.has_caught_up(waiting, oldest, now) => {
                tracing::info!(waiting, stage = "transcribe", "the transcriber has caught up");
                self.tell(&wording::watch::queue_over((now - at).max(TimeDelta::zero())), None, now).await?;
            }
            _ => {}
        }
        Ok(Round::Idle)
    }
}

impl QueueStep {
    /// `behind`: how many wait; `None` = it is over.
    async fn tell(&self, words: &str, behind: Option<i64>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let told = self.roster.last_known(now).recipients(&["office"]);
        let names: Vec<&str> = told.iter().map(|one| one.name.as_str()).collect();
        let what = behind.map_or_else(|| "caught up".to_owned(), |waiting| format!("{waiting} reports wait"));
        let mut tx = self.store.begin().await?;
        marks::put(&mut tx, TOLD, behind.map_or(0, |_| now.timestamp_millis())).await?;
        for one in &told {
            people::text(&mut tx, one, words, behind.is_some(), now).await?;
        }
        let detail = format!("transcribe: {what}: told {}", names.join(", "));
        events::append(&mut tx, &Event::new(now, EventKind::Queue, detail)).await?;
        tx.commit().await?;
        self.bells.send.ring();
        Ok(())
    }
}

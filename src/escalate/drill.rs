//! The daily proof that a message travels from a source to a phone; where it does not, people are told.
//!
//! Promise: each drill either stands in the chat in time, or the technician on duty and the office are told by all their
//! ways how far it came. The table `drills` is the truth: a restart in between changes nothing.

use crate::config::Settings;
use crate::domain::drill::Reached;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::report::ReportId;
use crate::domain::roster::{instant, local};
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::drill::{folder, lay};
use crate::runtime::worker::{Round, Step};
use crate::store::drills::{self, Drill};
use crate::store::notices::Plan;
use crate::store::{Store, StoreError, events, notices, people};
use crate::wording;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// A drill that has not arrived is looked after for so long.
const BACK: TimeDelta = TimeDelta::hours(24);

/// The step that begins drills and looks after them.
pub struct DrillStep {
    /// The store.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is on duty.
    pub roster: Roster,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when a notice is planned.
    pub bells: Bells,
}

#[async_trait]
impl Step for DrillStep {
    fn name(&self) -> String {
        "escalate.drill".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        if self.is_due(now).await? {
            self.begin(now).await?;
        }
        let mut reader = self.store.read().await?;
        let under_way = drills::on_the_way(&mut reader, now - BACK).await?;
        drop(reader);
        for drill in under_way {
            self.look_after(&drill, now).await?;
        }
        Ok(Round::Idle)
    }
}

impl DrillStep {
    /// Whether today's time has come and nobody has begun a drill since.
    async fn is_due(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let zone = self.settings.business_hours().zone;
        let at = instant(zone, local(zone, now).date().and_time(self.settings.drill.time()));
        let mut reader = self.store.read().await?;
        Ok(now >= at && drills::newest(&mut reader).await?.is_none_or(|newest| newest < at || newest > now))
    }

    async fn begin(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        let id = drills::begin(&mut tx, now, now + self.settings.drill.within()).await?;
        tx.commit().await?;
        if let Err(error) = lay(&folder(&self.settings.store.folder), &id).await {
            // people are told when it does not arrive
            tracing::error!(%error, stage = "escalate", "could not lay the recording of a drill down");
        }
        Ok(())
    }

    async fn look_after(&self, drill: &Drill, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut reader = self.store.read().await?;
        let (reached, report) = drills::reached(&mut reader, drill).await?;
        let notice = match report {
            Some(report) => drills::notice(&mut reader, report).await?,
            None => None,
        };
        drop(reader);
        match (report, notice) {
            (Some(report), Some(Some(at))) => return self.arrived(drill, report, at, now).await,
            (Some(report), None) if reached == Reached::Assessed => self.show(drill, report, now).await?,
            _ => {}
        }
        // what the recogniser gave up does not come any more
        let over = now >= drill.until_at || reached == Reached::NotTranscribed;
        if over && drill.failed_at.is_none() { self.fail(drill, reached, now).await } else { Ok(()) }
    }

    /// Assessed: one silent line in the chat.
    async fn show(&self, drill: &Drill, report: ReportId, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut reader = self.store.read().await?;
        let duty = self.roster.at(&mut reader, now).await?;
        drop(reader);
        let told = duty.recipients(&[self.settings.drill.tell.as_str()]);
        let by_phone = told.into_iter().chain(duty.recipients(&["duty"])).find_map(|one| Some((one.name, one.chat?)));
        // without a chat it cannot arrive, and people are told by their other ways
        let Some((name, chat)) = by_phone else { return Ok(()) };
        let body = Some(wording::watch::drill_arrived((now - drill.begun_at).num_seconds()));
        let mut tx = self.store.begin().await?;
        drills::became(&mut tx, &drill.id, report).await?;
        let plan = Plan { report: Some(report), body, ..Plan::new(NoticeKind::Drill, &name, chat) };
        notices::plan(&mut tx, &plan, now).await?;
        tx.commit().await?;
        self.bells.send.ring();
        Ok(())
    }

    async fn arrived(
        &self,
        drill: &Drill,
        report: ReportId,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        drills::arrived(&mut tx, &drill.id, at).await?;
        drills::take_off_earlier(&mut tx, report, now).await?;
        tx.commit().await?;
        self.bells.send.ring();
        let seconds = (at - drill.begun_at).num_seconds();
        tracing::info!(seconds, stage = "escalate", "a drill arrived");
        Ok(())
    }

    /// The technician on duty and the office are told by all their ways, loudly.
    async fn fail(&self, drill: &Drill, reached: Reached, now: DateTime<Utc>) -> Result<(), StoreError> {
        tracing::error!(reached = reached.as_str(), stage = "escalate", "a drill did not arrive");
        let mut reader = self.store.read().await?;
        let told = self.roster.at(&mut reader, now).await?.recipients(&["duty", "office"]);
        drop(reader);
        let minutes = (now - drill.begun_at).num_minutes();
        let body = Some(wording::watch::drill_failed(reached, minutes));
        let plan = Plan { loud: true, body, ..Plan::new(NoticeKind::Message, "", 0) };
        let mut tx = self.store.begin().await?;
        for one in &told {
            people::by_all(&mut tx, one, &plan, now).await?;
        }
        drills::failed(&mut tx, &drill.id, reached, now).await?;
        events::append(&mut tx, &Event::new(now, EventKind::Undelivered, format!("a drill: {}", reached.as_str())))
            .await?;
        tx.commit().await?;
        self.bells.send.ring();
        Ok(())
    }
}

//! The ways to people are supervised (EN 50136 DP4): Telegram at 90 s, by its long poll; the other ways every quarter of an
//! hour, and every minute while Telegram is down. A way that is down is told of by the other, and so is its return.

use super::channels::Channels;
use super::ways::Ways;
use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{NoticeKind, Recipient};
use crate::roster::{Duty, Roster};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::notices::Plan;
use crate::store::paths::{Path, TELEGRAM};
use crate::store::{Store, StoreError, Tx, cases, events, notices, paths, reactions};
use crate::wording;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;

/// The other ways while Telegram works; the rule asks for 5 h.
const PROBE_EVERY: TimeDelta = TimeDelta::minutes(15);
/// The other ways while it does not; the rule asks for 90 s.
const PROBE_WHEN_DOWN: TimeDelta = TimeDelta::seconds(60);
/// Another way counts as down when it failed for so long.
const CHANNEL_DOWN_AFTER: TimeDelta = TimeDelta::seconds(90);

/// Decides which way counts as down, and tells.
pub struct PathStep {
    /// Where the tries stand.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is told.
    pub roster: Roster,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when people are told.
    pub bells: Bells,
    /// When this service began to try: what happened before is no failure of a way.
    pub begun_at: DateTime<Utc>,
}

#[async_trait]
impl Step for PathStep {
    fn name(&self) -> String {
        "escalate.paths".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let all = paths::all(&mut reader).await?;
        let duty = self.roster.at(&mut reader, now).await?;
        drop(reader);
        for path in all {
            let (down, over) = (self.is_down(&path, now), path.down_at.is_some());
            if down != over {
                self.turn(&path, down, &duty, now).await?;
            }
        }
        Ok(Round::Idle)
    }
}

impl PathStep {
    fn is_down(&self, path: &Path, now: DateTime<Utc>) -> bool {
        if path.name != TELEGRAM {
            return path.failing_since.is_some_and(|since| now - since >= CHANNEL_DOWN_AFTER);
        }
        if let Some(down_at) = path.down_at {
            // a start of ours brings nothing back
            return path.ok_at.is_none_or(|ok_at| ok_at < down_at);
        }
        let limit = TimeDelta::seconds(i64::try_from(self.settings.telegram.down_after_s).unwrap_or(90));
        let ok_at = path.ok_at.unwrap_or(self.begun_at).max(self.begun_at);
        now - ok_at >= limit
    }

    /// A way went down or came back.
    async fn turn(&self, path: &Path, down: bool, duty: &Duty, now: DateTime<Utc>) -> Result<(), StoreError> {
        let name = path.name.as_str();
        let mut tx = self.store.begin().await?;
        paths::set_down(&mut tx, name, down.then_some(now)).await?;
        let zone = self.settings.business_hours().zone;
        let since = path.failing_since.or(path.ok_at).unwrap_or(now);
        if name == TELEGRAM {
            let body = if down {
                wording::telegram_down(since, zone)
            } else {
                wording::telegram_back(path.down_at.unwrap_or(now), now, zone)
            };
            if down {
                reactions::second_now(&mut tx, now).await?;
                cases::ring_open(&mut tx, now).await?;
            }
            self.tell_all(&mut tx, &duty.recipients(&["duty", "office"]), &body, down, now).await?;
        } else if self.settings.channels.iter().any(|row| row.name() == name) {
            let body =
                if down { wording::channel_down(name, since, zone) } else { wording::channel_back(name, zone, now) };
            self.tell_owners(&mut tx, duty, name, &body, down, now).await?;
        }
        let detail = format!("{name} is {}", if down { "down" } else { "up again" });
        events::append(&mut tx, &Event::new(now, EventKind::Path, detail)).await?;
        tx.commit().await?;
        if down {
            tracing::error!(path = name, error = path.error.as_deref().unwrap_or(""), "a way to people is down");
        } else {
            tracing::info!(path = name, "a way to people works again");
        }
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(())
    }

    /// By Telegram where that works; by every other way in any case.
    async fn tell_all(
        &self,
        tx: &mut Tx,
        told: &[Recipient],
        body: &str,
        down: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        for recipient in told {
            let plan =
                Plan { loud: down, body: Some(body.to_owned()), ..Plan::new(NoticeKind::Message, &recipient.name, 0) };
            for channel in &recipient.channels {
                Ways::by_channel(tx, &plan, channel, now).await?;
            }
            if let (Some(chat), false) = (recipient.chat, down) {
                notices::plan(tx, &Plan { chat, loud: false, ..plan }, now).await?;
            }
        }
        Ok(())
    }

    /// The people whose way it is, and the office, by Telegram.
    async fn tell_owners(
        &self,
        tx: &mut Tx,
        duty: &Duty,
        name: &str,
        body: &str,
        down: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let owners = duty.people().iter().chain(duty.office());
        for recipient in owners.filter(|one| one.name == "office" || one.channels.iter().any(|own| own == name)) {
            let Some(chat) = recipient.chat else { continue };
            let plan = Plan::new(NoticeKind::Message, &recipient.name, chat);
            notices::plan(tx, &Plan { loud: down, body: Some(body.to_owned()), ..plan }, now).await?;
        }
        Ok(())
    }
}

/// Tries the other ways without telling anybody.
pub struct ProbeStep {
    /// Where the tries stand.
    pub store: Store,
    /// The other ways.
    pub channels: Arc<Channels>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl Step for ProbeStep {
    fn name(&self) -> String {
        "escalate.probe".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let all = paths::all(&mut reader).await?;
        drop(reader);
        let known = |name: &str| all.iter().find(|path| path.name == name);
        let urgent = known(TELEGRAM).is_some_and(|path| path.down_at.is_some());
        let due = |name: &str| {
            let failing = known(name).is_some_and(|path| path.failing_since.is_some());
            let every = if urgent || failing { PROBE_WHEN_DOWN } else { PROBE_EVERY };
            known(name).and_then(|path| path.checked_at).is_none_or(|at| now - at >= every || at > now)
        };
        let Some(name) = self.channels.names().find(|name| due(name)).map(str::to_owned) else {
            return Ok(Round::Idle);
        };
        let error = self.channels.probe(&name).await.err();
        let mut tx = self.store.begin().await?;
        paths::probed(&mut tx, &name, error.as_deref(), self.clock.now()).await?;
        tx.commit().await?;
        Ok(Round::Worked)
    }
}

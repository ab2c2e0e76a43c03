//! "Are you ready?" before a hand-over; whoever does not tap is told of to those who can ask him.
//!
//! Promise: asked once, once more loudly, and told once, whatever restarts or changes of the roster come in between. The
//! table `ready` is the truth.

use super::notifier::{Button, Face};
use super::ways::Ways;
use crate::config::Settings;
use crate::domain::notice::{Notice, NoticeKind};
use crate::domain::roster::{Plan as Shifts, local};
use crate::roster::{Duty, Roster};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::notices::Plan;
use crate::store::ready::{self, Asked};
use crate::store::{Store, StoreError, notices, paths};
use crate::wording;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use chrono_tz::Tz;
use std::sync::Arc;

/// So long before the hand-over he is asked again, loudly; but not so soon after the first question.
const AGAIN: TimeDelta = TimeDelta::minutes(15);
const NOT_BEFORE: TimeDelta = TimeDelta::minutes(5);
/// A hand-over longer ago is no news.
const BACK: TimeDelta = TimeDelta::hours(2);
/// What stands before the instant in the body of the second question.
const SECOND: &str = "again:";

/// The step that asks.
pub struct ReadyStep {
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

/// What is known at one look.
struct Known {
    shifts: Shifts,
    duty: Duty,
    /// Telegram is down.
    down: bool,
    now: DateTime<Utc>,
}

#[async_trait]
impl Step for ReadyStep {
    fn name(&self) -> String {
        "escalate.ready".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let shifts = self.roster.plan(&mut reader, now).await?;
        let duty = self.roster.at(&mut reader, now).await?;
        let down = paths::telegram_is_down(&mut reader).await?;
        let open = ready::open(&mut reader, now - BACK).await?;
        drop(reader);
        let known = Known { shifts, duty, down, now };
        for asked in &open {
            self.look_after(asked, &known).await?;
        }
        self.ask(&known).await?;
        Ok(Round::Idle)
    }
}

impl ReadyStep {
    /// Whoever takes over soon is asked.
    async fn ask(&self, known: &Known) -> Result<(), StoreError> {
        let now = known.now;
        let until = now + TimeDelta::minutes(i64::from(self.settings.roster.ready_before_min));
        let shifts = known.shifts.shifts(now, until + TimeDelta::milliseconds(1));
        for pair in shifts.windows(2).filter(|pair| pair[0].duty() != pair[1].duty()) {
            let Some(recipient) = pair[1].duty().and_then(|who| known.duty.named(who)) else { continue };
            // who has no chat cannot tap
            let Some(chat) = recipient.chat else { continue };
            let mut tx = self.store.begin().await?;
            if ready::ask(&mut tx, &recipient.name, pair[1].from, now).await? {
                let loud = !is_night(now, self.settings.business_hours().zone);
                let body = Some(pair[1].from.timestamp_millis().to_string());
                let plan = Plan { loud, body, ..Plan::new(NoticeKind::Ready, &recipient.name, chat) };
                notices::plan(&mut tx, &plan, now).await?;
                tx.commit().await?;
                self.bells.send.ring();
            }
        }
        Ok(())
    }

    async fn look_after(&self, asked: &Asked, known: &Known) -> Result<(), StoreError> {
        let now = known.now;
        let his = known.shifts.at(asked.shift_at).order.first() == Some(&asked.technician);
        let mut tx = self.store.begin().await?;
        if !his {
            ready::take_off(&mut tx, asked, now).await?;
        } else if now >= asked.shift_at {
            self.tell_others(&mut tx, asked, known).await?;
        } else if asked.reminded_at.is_none() && now >= asked.shift_at - AGAIN && now >= asked.asked_at + NOT_BEFORE {
            let Some(recipient) = known.duty.named(&asked.technician) else { return Ok(()) };
            let body = Some(format!("{SECOND}{}", asked.shift_at.timestamp_millis()));
            let plan = Plan { loud: true, body, ..Plan::new(NoticeKind::Ready, &asked.technician, 0) };
            Ways::aloud(&mut tx, recipient, &plan, known.down, now).await?;
            ready::reminded(&mut tx, asked, now).await?;
        } else {
            return Ok(());
        }
        tx.commit().await?;
        self.bells.send.ring();
        Ok(())
    }

    /// The office, and the one whose shift ends.
    async fn tell_others(&self, tx: &mut crate::store::Tx, asked: &Asked, known: &Known) -> Result<(), StoreError> {
        let before = known.shifts.at(asked.shift_at - TimeDelta::milliseconds(1)).order;
        let before = before.first().filter(|who| **who != asked.technician).and_then(|who| known.duty.named(who));
        let told: Vec<_> = known.duty.office().into_iter().chain(before).collect();
        let zone = self.settings.business_hours().zone;
        let body = Some(wording::watch::not_ready(&asked.technician, asked.shift_at, zone));
        let plan = Plan { loud: true, body, ..Plan::new(NoticeKind::Message, "", 0) };
        for one in &told {
            Ways::aloud(tx, one, &plan, known.down, known.now).await?;
        }
        let names: Vec<String> = told.iter().map(|one| one.name.clone()).collect();
        tracing::warn!(told = names.len(), stage = "escalate", "whoever takes over has not said that he is ready");
        ready::told(tx, asked, &names, known.now).await
    }
}

/// When the shift begins that a question is about, and whether it is the second question.
pub(super) fn about(notice: &Notice) -> Option<(DateTime<Utc>, bool)> {
    let body = notice.body.as_deref()?;
    let (at, again) = body.strip_prefix(SECOND).map_or((body, false), |at| (at, true));
    Some((DateTime::from_timestamp_millis(at.parse().ok()?)?, again))
}

/// How a question looks now; none = it is taken off.
pub(super) fn face(notice: &Notice, asked: Option<&Asked>, zone: Tz) -> Option<Face> {
    let (begins, again) = about(notice)?;
    let asked = asked?;
    if asked.reminded_at.is_some() && !again {
        return None;
    }
    if asked.ready_at.is_some() {
        let shown = notice.message.is_some() || notice.channel.is_some();
        return shown.then(|| Face { text: wording::watch::ready_said(begins, zone), ..Face::default() });
    }
    let data = format!("ready:{}", begins.timestamp_millis());
    let button = Button { label: wording::watch::ready_button().into(), data };
    let text = wording::watch::ready(begins, again, zone);
    Some(Face { text, buttons: vec![vec![button]], attachment: None })
}

/// 23:00 to 06:00.
fn is_night(now: DateTime<Utc>, zone: Tz) -> bool {
    let hour = local(zone, now).hour();
    !(6..23).contains(&hour)
}

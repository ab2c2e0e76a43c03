//! The list at each opening: what came in since the last one, what was done, what must be done now.
//!
//! Promise: once per opening, over restarts; after an outage over the opening as soon as the service is back on that day.
//! An empty list is a list too. A mail that provably did not go out is tried again until the day ends.

use super::smtp::{Mail, MailError, Mailer};
use crate::config::{Settings, View};
use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::case::{Case, CaseState, Outcome, Reason};
use crate::domain::hours::BusinessHours;
use crate::domain::notice::NoticeKind;
use crate::domain::phone;
use crate::domain::report::Report;
use crate::domain::roster::{instant, local};
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::charges::{self, Basis};
use crate::store::notices::Plan;
use crate::store::{
    Reader, Store, StoreError, Tx, assessments, cases, joins, marks, notices, paths, reports, troubles,
};
use crate::wording::{
    self,
    morning::{Agreed, Morning, Release, Told, Waiting},
};
use async_trait::async_trait;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use std::collections::HashMap;
use std::sync::Arc;

/// When the last list was made, and since when it told.
const MADE: &str = "morning.made";
const SINCE: &str = "morning.since";
/// The first list ever tells of so long.
const FIRST: TimeDelta = TimeDelta::hours(24);
/// Gaps of the roster are told so far ahead.
const AHEAD: TimeDelta = TimeDelta::days(7);
/// Between two tries of a mail.
const AGAIN: TimeDelta = TimeDelta::minutes(5);

/// The step that makes the list.
pub struct MorningStep {
    store: Store,
    settings: Arc<Settings>,
    roster: Roster,
    clock: Arc<dyn Clock>,
    bells: Bells,
    mailer: Option<Mailer>,
    mail_again_at: Option<DateTime<Utc>>,
}

#[async_trait]
impl Step for MorningStep {
    fn name(&self) -> String {
        "escalate.morning".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        let Some(opening) = opening(&self.settings.business_hours(), now).filter(|at| *at <= now) else {
            return Ok(Round::Idle);
        };
        let mut reader = self.store.read().await?;
        let made = instant_of(marks::find(&mut reader, MADE).await?);
        drop(reader);
        // a time to come was written by a clock that was wrong
        let made = made.filter(|made| *made <= now);
        if made.is_none_or(|made| made < opening) {
            self.make(made.unwrap_or(now - FIRST), now).await?;
        }
        self.mail(opening, now).await?;
        Ok(Round::Idle)
    }
}

impl MorningStep {
    /// By the settings; nothing is made or sent yet.
    ///
    /// # Errors
    /// Where the mail server's settings cannot be used; the text names the key.
    pub fn new(
        store: Store,
        settings: Arc<Settings>,
        roster: Roster,
        clock: Arc<dyn Clock>,
        bells: Bells,
    ) -> Result<Self, String> {
        let smtp = settings.smtp.as_ref().filter(|_| !settings.morning.mail_to.is_empty());
        let mailer = smtp.map(Mailer::new).transpose()?;
        Ok(Self { store, settings, roster, clock, bells, mailer, mail_again_at: None })
    }

    /// The list into the office's chat; whoever has no office gets it on duty.
    async fn make(&self, since: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let mut reader = self.store.read().await?;
        let morning = self.collect(&mut reader, since, now).await?;
        let duty = self.roster.at(&mut reader, now).await?;
        drop(reader);
        let text = wording::morning::list(&morning, self.settings.business_hours().zone);
        let mut tx = self.store.begin().await?;
        // by no other way: it holds names, and can wait until Telegram is back
        for (name, chat) in duty.recipients(&["office"]).iter().filter_map(|one| Some((&one.name, one.chat?))) {
            let plan = Plan { body: Some(text.clone()), ..Plan::new(NoticeKind::Message, name, chat) };
            notices::plan(&mut tx, &plan, now).await?;
        }
        remember(&mut tx, SINCE, since).await?;
        remember(&mut tx, MADE, now).await?;
        tx.commit().await?;
        self.bells.send.ring();
        tracing::info!(messages = morning.came.len(), stage = "escalate", "the list of the morning is made");
        Ok(())
    }

    /// The same list by mail, once to each address.
    async fn mail(&mut self, opening: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let Some(mailer) = self.mailer.clone().filter(|_| self.mail_again_at.is_none_or(|at| at <= now)) else {
            return Ok(());
        };
        for to in &self.settings.morning.mail_to {
            let mark = format!("morning.mailed.{to}");
            let mut reader = self.store.read().await?;
            if instant_of(marks::find(&mut reader, &mark).await?).is_some_and(|at| at >= opening) {
                continue;
            }
            let made = instant_of(marks::find(&mut reader, MADE).await?).unwrap_or(now);
            let since = instant_of(marks::find(&mut reader, SINCE).await?).unwrap_or(now - FIRST);
            let morning = self.collect(&mut reader, since, made).await?;
            drop(reader);
            let zone = self.settings.business_hours().zone;
            let (subject, text) = (wording::morning::subject(&morning, zone), wording::morning::list(&morning, zone));
            let headers = &[("Auto-Submitted", "auto-generated")];
            let sent = mailer.send(&Mail { to, subject: &subject, text: &text, headers, bounces: true }).await;
            if let Err(error) = &sent {
                tracing::warn!(%error, stage = "escalate", "the list of the morning did not go out by mail");
            }
            if let Err(MailError::NotDelivered(_)) = sent {
                self.mail_again_at = Some(now + AGAIN);
                return Ok(());
            }
            let mut tx = self.store.begin().await?;
            remember(&mut tx, &mark, now).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Everything that the list tells.
    async fn collect(
        &self,
        reader: &mut Reader,
        since: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Morning, StoreError> {
        let mut morning = Morning { at: now, since, ..Morning::default() };
        let mut joined: HashMap<_, usize> = HashMap::new();
        let lively = cases::lively(reader, since).await?;
        for case in &lively {
            let later = joins::of_case(reader, case.id).await?;
            joined.insert(case.id, later.len());
            let report = reports::find(reader, case.report).await?;
            let who = self.who(&report, assessments::find(reader, report.id).await?.as_ref());
            if case.called_back_at.is_none() && can_wait(case) {
                morning.waiting.push(Waiting { at: report.called_at, case: Some(case.id), who: who.clone() });
            }
            morning.cases.push(Told { case: case.clone(), at: report.called_at, who, later: later.len() });
        }
        for report in reports::stored_between(reader, since, now).await? {
            let found = assessments::find(reader, report.id).await?;
            let verdict = found.as_ref().map(|found| found.verdict);
            morning.came.push(verdict);
            let alone =
                cases::of_report(reader, report.id).await?.is_none() && !joins::is_joined(reader, report.id).await?;
            if verdict == Some(Verdict::NotEmergency) && alone {
                let who = self.who(&report, found.as_ref());
                morning.waiting.push(Waiting { at: report.called_at, case: None, who });
            }
        }
        morning.waiting.sort_by_key(|one| one.at);
        for charge in charges::waiting(reader).await? {
            let agreed = match charge.basis {
                Basis::Spoken => Agreed::Said,
                Basis::Phone => Agreed::Phone,
                Basis::Heard => Agreed::Heard,
            };
            morning.charges.push(Release { case: charge.case, net: charge.net, agreed });
        }
        self.around(reader, &mut morning).await?;
        Ok(morning)
    }

    /// Mailboxes, ways, and the coming week of the roster.
    async fn around(&self, reader: &mut Reader, morning: &mut Morning) -> Result<(), StoreError> {
        let now = morning.at;
        let is_source = |name: &str| self.settings.sources.iter().any(|row| row.name() == name);
        let standing = troubles::standing(reader).await?.into_iter().filter(|one| is_source(&one.source));
        morning.mailboxes = standing.map(|one| (one.source, one.what)).collect();
        let is_way =
            |name: &str| name == paths::TELEGRAM || self.settings.channels.iter().any(|channel| channel.name() == name);
        let ways = paths::all(reader).await?.into_iter().filter(|path| is_way(&path.name));
        morning.ways =
            ways.filter(|path| path.down_at.or(path.failing_since).is_some()).map(|path| path.name).collect();
        let plan = self.roster.plan(reader, now).await?;
        morning.gaps = plan.gaps(now, now + AHEAD).into_iter().map(|gap| (gap.from, gap.until)).collect();
        let complaints = self.roster.complaints(reader, now).await?;
        morning.calendars = complaints.iter().map(ToString::to_string).collect();
        Ok(())
    }

    /// Company or person, and the number to call; none where Telegram is to see nothing of the caller.
    fn who(&self, report: &Report, found: Option<&Assessment>) -> Option<String> {
        if self.settings.telegram.view == View::Minimal {
            return None;
        }
        let fields = found.map(|found| found.fields.clone()).unwrap_or_default();
        let displayed = report.caller.number.as_deref().map(|text| phone::e164(text).unwrap_or(text.to_owned()));
        let name = fields.company.or(fields.contact).or_else(|| report.caller.name.clone());
        let number = fields.callback.or(displayed);
        wording::morning::who(name.as_deref(), number.as_deref())
    }
}

/// When the office opens on the day of `now`; none on a day off.
#[must_use]
pub fn opening(hours: &BusinessHours, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let day = local(hours.zone, now).date();
    let first = hours.days[day.weekday().num_days_from_monday() as usize].iter().map(|(from, _)| *from).min()?;
    (!hours.is_holiday(day)).then(|| instant(hours.zone, day.and_time(first)))
}

/// Closed as something that can wait: the customer still wants to be called.
fn can_wait(case: &Case) -> bool {
    case.state == CaseState::Closed && (case.outcome == Some(Outcome::Harmless) || case.reason == Some(Reason::CanWait))
}

fn instant_of(mark: Option<i64>) -> Option<DateTime<Utc>> {
    mark.and_then(DateTime::from_timestamp_millis)
}

async fn remember(tx: &mut Tx, name: &str, at: DateTime<Utc>) -> Result<(), StoreError> {
    marks::put(tx, name, at.timestamp_millis()).await
}

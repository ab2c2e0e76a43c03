//! What falls due with a case becomes notices, in one transaction with the case as it is then.

use super::ways::Ways;
use crate::config::Settings;
use crate::domain::assessment::Verdict;
use crate::domain::case::Case;
use crate::domain::event::{Event, EventKind};
use crate::domain::life::Due;
use crate::domain::notice::{NoticeKind, Recipient};
use crate::domain::report::{Medium, Report, ReportId};
use crate::roster::{Duty, Roster};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::notices::Plan;
use crate::store::{
    Claim, Lease, Store, StoreError, Tx, bundles, cases, events, joins, notices, paths, reactions, reports,
};
use crate::wording;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_secs(30);
/// So many late cases are woken in one go.
const TOGETHER: usize = 50;

/// The planner's step.
pub struct PlanStep {
    /// Where cases wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is on duty.
    pub roster: Roster,
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
        if self.open_unheard().await? || self.unanswered().await? {
            return Ok(Round::Worked);
        }
        let due = self.claim_due().await?;
        if due.is_empty() {
            return Ok(Round::Idle);
        }
        let several = due.len() > 1;
        match self.wake(due.clone()).await {
            // somebody did something with one of them meanwhile, or one is broken: it must not keep the others
            Err(error) if several => {
                tracing::warn!(%error, stage = "escalate", "late cases could not be woken together: one by one");
                for one in due {
                    match self.wake(vec![one]).await {
                        Err(StoreError::LeaseLost(_)) | Ok(()) => {}
                        Err(error) => tracing::error!(%error, stage = "escalate", "a late case could not be woken"),
                    }
                }
            }
            result => result?,
        }
        Ok(Round::Worked)
    }
}

/// One case that is due, and what is known around it.
struct Around<'a> {
    report: Report,
    case: Case,
    duty: &'a Duty,
    ways: Ways,
    now: DateTime<Utc>,
}

impl PlanStep {
    /// Claims one case with which something is due.
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
        // after an outage it is late, not new
        let wait = TimeDelta::seconds(i64::try_from(self.settings.escalation.unheard_after_s).unwrap_or(90));
        cases::due(&mut tx, case.id, now.min(report.stored_at + wait)).await?;
        notices::adopt(&mut tx, report.id, case.id).await?;
        notices::refresh(&mut tx, report.id, now).await?;
        events::append(&mut tx, &Event::new(now, EventKind::Opened, "unheard").report(report.id).case(case.id)).await?;
        tx.commit().await?;
        tracing::warn!(report.id = %report.id, case.id = %case.id, stage = "escalate", "no verdict in time: escalating unheard");
        Ok(true)
    }

    /// A notice that nobody answered in time goes its recipient's other ways.
    async fn unanswered(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        if !reactions::is_unanswered(&mut reader, now).await? {
            return Ok(false);
        }
        let duty = self.roster.at(&mut reader, now).await?;
        drop(reader);
        let mut tx = self.store.begin().await?;
        let Some(notice) = reactions::take_unanswered(&mut tx, now).await? else { return Ok(false) };
        let plan = Plan {
            report: notice.report,
            case: notice.case,
            loud: true,
            ring: notice.ring,
            body: notice.body.clone(),
            wanted_at: Some(notice.wanted_at),
            ..Plan::new(notice.kind, &notice.recipient, notice.chat)
        };
        let channels = duty.named(&notice.recipient).map(|one| one.channels.clone()).unwrap_or_default();
        for channel in &channels {
            Ways::by_channel(&mut tx, &plan, channel, now).await?;
        }
        let detail = format!("{}: by {}", notice.recipient, channels.join(", "));
        let mut event = Event::new(now, EventKind::OtherWay, detail);
        (event.report, event.case) = (notice.report, notice.case);
        events::append(&mut tx, &event).await?;
        tx.commit().await?;
        tracing::info!(notice.id = %notice.id, ways = channels.len(), stage = "escalate", "not answered: going other ways");
        self.bells.send.ring();
        Ok(true)
    }

    /// One case that is due. After an outage all that are late at once: their alerts become one list a person, so they must
    /// not come one after the other.
    async fn claim_due(&self) -> Result<Vec<(Case, Lease)>, StoreError> {
        let Some(first) = self.claim().await? else { return Ok(Vec::new()) };
        let late_after = TimeDelta::minutes(i64::from(self.settings.escalation.late_after_min));
        let is_late = |case: &Case| case.due_at.is_some_and(|at| at <= self.clock.now() - late_after);
        let mut due = vec![first];
        while due.last().is_some_and(|(case, _)| is_late(case))
            && due.len() < TOGETHER
            && let Some(next) = self.claim().await?
        {
            due.push(next);
        }
        Ok(due)
    }

    /// Everything that is due with these cases, and when something is due with them again.
    async fn wake(&self, due: Vec<(Case, Lease)>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let duty = self.roster.at(&mut reader, now).await?;
        let down = paths::telegram_is_down(&mut reader).await?;
        let mut woken = Vec::new();
        for (mut case, lease) in due {
            let report = reports::find(&mut reader, case.report).await?;
            let policy = self.settings.policy(case.policy_verdict(), report.mailbox.as_deref(), now);
            let before = case.clone();
            if case.taken_by.as_deref().is_some_and(|taker| duty.named(taker).is_none()) {
                case.abandoned(now, &policy);
            }
            let found = case.wake(now, &policy, &self.settings.escalation.patience());
            let ways = Ways { down, second_after: policy.second_after, wanted_at: before.due_at };
            woken.push((Around { report, case, duty: &duty, ways, now }, before, found, lease));
        }
        drop(reader);
        let mut tx = self.store.begin().await?;
        for (around, before, found, lease) in &woken {
            for one in found {
                self.one(&mut tx, around, one).await?;
            }
            let case = &around.case;
            cases::woken(&mut tx, case, lease).await?;
            if case.state != before.state || case.offer != before.offer {
                notices::refresh_case(&mut tx, case.id, now).await?;
                bundles::refresh(&mut tx, case.id, now).await?;
            }
        }
        tx.commit().await?;
        self.bells.send.ring();
        Ok(())
    }

    async fn one(&self, tx: &mut Tx, around: &Around<'_>, due: &Due) -> Result<(), StoreError> {
        let (case, now) = (&around.case, around.now);
        let about = |kind, who: &str| Plan {
            report: Some(around.report.id),
            case: Some(case.id),
            loud: true,
            ring: case.progress.rings,
            ..Plan::new(kind, who, 0)
        };
        let (kind, detail) = match due {
            Due::Ring(ring) => {
                let told = around.duty.recipients(&ring.tell);
                let alert = Plan { loud: ring.loud, ..about(NoticeKind::Alert, "") };
                ring_people(tx, around, &told, &alert).await?;
                let names: Vec<&str> = told.iter().map(|recipient| recipient.name.as_str()).collect();
                tracing::info!(case.id = %case.id, ring = case.progress.rings, people = told.len(), stage = "escalate", "rang");
                (EventKind::Rang, format!("ring {}: {}", case.progress.rings, names.join(", ")))
            }
            Due::Remind(who) => {
                around.tell(tx, who, about(NoticeKind::Remind, who)).await?;
                (EventKind::Reminded, who.clone())
            }
            Due::Unclosed(who) => {
                let body = Some("unclosed".to_owned());
                around.tell(tx, who, Plan { loud: false, body, ..about(NoticeKind::Remind, who) }).await?;
                (EventKind::Reminded, format!("{who}: not closed"))
            }
            Due::Lapsed { to, keeper } => {
                let body = Some(wording::lapsed(case.id, to));
                around.tell(tx, keeper, Plan { report: None, body, ..about(NoticeKind::Message, keeper) }).await?;
                (EventKind::Lapsed, format!("{to} did not accept, {keeper} keeps it"))
            }
            Due::Resumed(who) => (EventKind::Resumed, format!("{who} did not call back in time")),
        };
        events::append(tx, &Event::new(now, kind, detail).report(case.report).case(case.id)).await
    }
}

impl Around<'_> {
    async fn tell(&self, tx: &mut Tx, who: &str, plan: Plan) -> Result<(), StoreError> {
        let Some(recipient) = self.duty.named(who) else { return Ok(()) };
        self.ways.tell(tx, recipient, &plan, self.now).await
    }
}

/// The alert for each, and the recordings that he has not yet.
async fn ring_people(tx: &mut Tx, around: &Around<'_>, told: &[Recipient], alert: &Plan) -> Result<(), StoreError> {
    let mut spoken: Vec<ReportId> = joins::within(tx, around.case.id).await?;
    if around.report.medium == Medium::Voicemail {
        spoken.insert(0, around.report.id);
    }
    for recipient in told {
        around.ways.tell(tx, recipient, alert, around.now).await?;
        let Some(chat) = recipient.chat else { continue };
        for report in &spoken {
            if !notices::has_voice(tx, *report, chat).await? {
                let voice = Plan {
                    report: Some(*report),
                    case: alert.case,
                    ..Plan::new(NoticeKind::Voice, &recipient.name, chat)
                };
                notices::plan(tx, &Plan { wanted_at: around.ways.wanted_at, ..voice }, around.now).await?;
            }
        }
    }
    Ok(())
}

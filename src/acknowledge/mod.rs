//! Somebody answers: one operation whatever the door. It writes, it never sends.
//!
//! Promise: the first one wins (the case's row is locked while it is decided); what a door shows as done is committed.

mod answers;
pub mod telegram;

use crate::config::Settings;
use crate::domain::assessment::Verdict;
use crate::domain::case::{Act, Case, CaseId, CaseState, Outcome, Refusal};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::store::{Store, StoreError, Tx, cases, charges, events, joins, notices};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// Who acts, and through which chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The technician's name.
    pub name: String,
    /// The chat he answers in; a transcript goes there.
    pub chat: i64,
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is done, and committed.
    Done,
    /// It changed nothing.
    Refused(Refusal),
    /// There is no such case.
    Unknown,
}

/// Where people's answers are written.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The store.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when something changed.
    pub bells: Bells,
}

impl Desk {
    /// Does `act` with a case.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub async fn act(&self, actor: &Actor, act: Act, id: CaseId) -> Result<Answer, StoreError> {
        let mut tx = self.store.begin().await?;
        let answer = self.act_within(&mut tx, actor, act, id).await?;
        tx.commit().await?;
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(answer)
    }

    /// As `act`, within the caller's transaction.
    ///
    /// # Errors
    /// As `act`.
    pub async fn act_within(&self, tx: &mut Tx, actor: &Actor, act: Act, id: CaseId) -> Result<Answer, StoreError> {
        let now = self.clock.now();
        let Some(mut case) = cases::lock(tx, id).await? else { return Ok(Answer::Unknown) };
        if let Err(refusal) = case.allows(act, &actor.name) {
            return Ok(Answer::Refused(refusal));
        }
        if act == Act::Split {
            if !self.split(tx, &case, actor, now).await? {
                return Ok(Answer::Refused(Refusal::Already));
            }
            notices::refresh_case(tx, case.id, now).await?;
        } else if act == Act::Transcript {
            self.send_transcript(tx, &case, actor, now).await?;
        } else {
            let due_at = self.change(&mut case, act, actor, now);
            cases::put(tx, &case, due_at).await?;
            notices::refresh_case(tx, case.id, now).await?;
        }
        let kind = if case.state == CaseState::Closed { EventKind::Closed } else { EventKind::Acted };
        let event = Event::new(now, kind, act.as_str()).report(case.report).case(id).by(&actor.name);
        events::append(tx, &event).await?;
        tracing::info!(case.id = %id, act = act.as_str(), stage = "acknowledge", "a technician answered");
        Ok(Answer::Done)
    }

    /// The case after the act, and when its next ring is due: some time exactly while it is open.
    fn change(&self, case: &mut Case, act: Act, actor: &Actor, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match act {
            Act::Take => {
                case.state = CaseState::Taken;
                case.taken_by = Some(actor.name.clone());
                case.taken_at = Some(now);
            }
            Act::CalledBack => case.called_back_at = Some(now),
            Act::Done | Act::NoEmergency => {
                case.state = CaseState::Closed;
                case.closed_by = Some(actor.name.clone());
                case.closed_at = Some(now);
                case.outcome = Some(if act == Act::Done { Outcome::Done } else { Outcome::NoEmergency });
            }
            Act::GiveBack | Act::Pass => {
                let outside = !self.settings.business_hours().is_open(now);
                let policy = self.settings.policy(case.policy_verdict(), outside);
                case.progress = policy.passed_on(case.progress, now);
                case.state = CaseState::Open;
                case.taken_by = None;
                case.taken_at = None;
            }
            Act::Transcript | Act::Split => {}
        }
        (case.state == CaseState::Open).then_some(now)
    }

    /// The newest report that joined becomes a case of its own and rings; what it said counts there and no longer here.
    /// `false`: none had joined.
    async fn split(&self, tx: &mut Tx, case: &Case, actor: &Actor, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let Some(report) = joins::newest(tx, case.id).await? else { return Ok(false) };
        joins::remove(tx, report).await?;
        let left = joins::loudest(tx, case.id).await?;
        cases::set_verdict(tx, case.id, left.unwrap_or(Verdict::Unclear)).await?;
        // Taken off by a person, it wakes people whatever the rules said of it.
        let (report, found, mail) = joins::spoken(tx, report).await?;
        let verdict = found.as_ref().map(|found| found.verdict).filter(|verdict| verdict.wakes());
        let own = cases::open(tx, report.id, verdict.unwrap_or(Verdict::Unclear), false, now).await?;
        notices::reassign(tx, report.id, own.id).await?;
        charges::move_to(tx, report.id, own.id).await?;
        if let Some(found) = &found {
            charges::propose_by(tx, own.id, &report, found, mail.as_deref(), now).await?;
        }
        notices::refresh(tx, report.id, now).await?;
        let event = Event::new(now, EventKind::Split, format!("off case {}", case.id)).report(report.id).case(own.id);
        events::append(tx, &event.by(&actor.name)).await?;
        Ok(true)
    }

    /// The words of every message of the case, one notice each.
    async fn send_transcript(
        &self,
        tx: &mut Tx,
        case: &Case,
        actor: &Actor,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let later = joins::within(tx, case.id).await?;
        for report in std::iter::once(case.report).chain(later) {
            let plan = notices::Plan {
                report: Some(report),
                case: Some(case.id),
                kind: NoticeKind::Transcript,
                recipient: actor.name.clone(),
                chat: actor.chat,
                loud: false,
                ring: 0,
                body: None,
            };
            notices::plan(tx, &plan, now).await?;
        }
        Ok(())
    }
}

//! Somebody answers: one operation whatever the door. It writes, it never sends.
//!
//! Promise: the first one wins (the case's row is locked while it is decided); what a door shows as done is committed.

mod answers;
pub mod commands;
mod heard;
pub mod notes;
mod pairing;
pub mod press;
mod ready;
pub mod telegram;
mod words;

pub use words::minutes_until;

use crate::config::Settings;
use crate::domain::act::{Act, Refusal};
use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseId, CaseState, PhoneConsent};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::store::notices::Plan;
use crate::store::{
    Store, StoreError, Tx, bundles, cases, charges, consents, events, joins, notices, reactions, reports,
};
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

/// Who acts at the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageActor {
    /// The technician's name, or the account's.
    pub name: String,
    /// Whether he may do what the one who took a case may do (not: take it from him).
    pub stands_in: bool,
}

/// Whoever acts, by whichever door.
struct Hand<'a> {
    name: &'a str,
    /// The chat he answers in; none at the page.
    chat: Option<i64>,
    stands_in: bool,
}

impl<'a> Hand<'a> {
    fn of(actor: &'a Actor) -> Self {
        Self { name: &actor.name, chat: Some(actor.chat), stands_in: false }
    }

    /// As whom he is judged: whoever may stand in for the taker, as the taker.
    fn judged_as<'c>(&'c self, case: &'c Case, act: &Act) -> &'c str {
        let taker = case.taken_by.as_deref().filter(|_| self.stands_in && !matches!(act, Act::Take | Act::Accept));
        taker.unwrap_or(self.name)
    }

    /// The office also notes what the customer said on the phone when the case is closed: it changes nothing of the case.
    fn may(&self, act: &Act, case: &Case, now: DateTime<Utc>) -> Result<(), Refusal> {
        let afterwards = self.stands_in && case.state == CaseState::Closed && matches!(act, Act::Consent(_));
        if afterwards { Ok(()) } else { case.allows(act, self.judged_as(case, act), now) }
    }
}

impl PageActor {
    /// Whether he may do `act` with a case now.
    ///
    /// # Errors
    /// Why not.
    pub fn may(&self, act: &Act, case: &Case, now: DateTime<Utc>) -> Result<(), Refusal> {
        Hand { name: &self.name, chat: None, stands_in: self.stands_in }.may(act, case, now)
    }
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
    /// Who is on duty.
    pub roster: Roster,
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
    pub async fn act(&self, actor: &Actor, act: &Act, id: CaseId) -> Result<Answer, StoreError> {
        let mut tx = self.store.begin().await?;
        let answer = self.act_within(&mut tx, actor, act, id).await?;
        tx.commit().await?;
        self.ring();
        Ok(answer)
    }

    /// Does `act` with a case at the page.
    ///
    /// # Errors
    /// As `act`.
    pub async fn act_at_page(&self, actor: &PageActor, act: &Act, id: CaseId) -> Result<Answer, StoreError> {
        let hand = Hand { name: &actor.name, chat: None, stands_in: actor.stands_in };
        let mut tx = self.store.begin().await?;
        let answer = self.decide(&mut tx, &hand, act, id).await?;
        tx.commit().await?;
        self.ring();
        Ok(answer)
    }

    /// Something changed: planner and senders look at once.
    pub fn ring(&self) {
        self.bells.escalate.ring();
        self.bells.send.ring();
    }

    /// As `act`, within the caller's transaction.
    ///
    /// # Errors
    /// As `act`.
    pub async fn act_within(&self, tx: &mut Tx, actor: &Actor, act: &Act, id: CaseId) -> Result<Answer, StoreError> {
        self.decide(tx, &Hand::of(actor), act, id).await
    }

    async fn decide(&self, tx: &mut Tx, actor: &Hand<'_>, act: &Act, id: CaseId) -> Result<Answer, StoreError> {
        let now = self.clock.now();
        if matches!(act, Act::Split(_))
            && let Some(report) = joins::newest(tx, id).await?
        {
            // first the report, then its case, as a correction does: else each of the two waits for the other
            reports::lock(tx, report).await?;
        }
        let Some(mut case) = cases::lock(tx, id).await? else { return Ok(Answer::Unknown) };
        if let Err(refusal) = actor.may(act, &case, now) {
            return Ok(Answer::Refused(refusal));
        }
        let was = case.state;
        self.quiet_other_ways(tx, &case, act, actor).await?;
        if let Err(refusal) = self.beside(tx, &case, act, actor, now).await? {
            return Ok(Answer::Refused(refusal));
        }
        if matches!(act, Act::Split(_)) {
            // what was taken off no longer counts in it
            case = cases::lock(tx, id).await?.unwrap_or(case);
        }
        if !act.only_shows() {
            let line = reports::line(tx, case.report).await?;
            let policy = self.settings.policy(case.policy_verdict(), line.as_deref(), now);
            case.act(act, actor.name, now, &policy, &self.settings.escalation.patience());
            cases::put(tx, &case).await?;
            reactions::close_menus(tx, id).await?;
            notices::refresh_case(tx, id, now).await?;
            bundles::refresh(tx, id, now).await?;
        }
        let kind = if case.state == CaseState::Closed && was != CaseState::Closed {
            EventKind::Closed
        } else {
            EventKind::Acted
        };
        let detail = act.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        let event = Event::new(now, kind, format!("{}{detail}", act.as_str())).report(case.report).case(id);
        events::append(tx, &event.by(actor.name)).await?;
        tracing::info!(case.id = %id, act = act.as_str(), stage = "acknowledge", "a technician answered");
        Ok(Answer::Done)
    }

    /// Who answers is not told by his other ways; nobody is, once the case is somebody's, goes on elsewhere or is over.
    async fn quiet_other_ways(&self, tx: &mut Tx, case: &Case, act: &Act, actor: &Hand<'_>) -> Result<(), StoreError> {
        match act {
            Act::HandOver(_) | Act::Decline | Act::Consent(_) => reactions::answered_by(tx, case.id, actor.name).await,
            Act::Transcript | Act::Show | Act::Split(_) => Ok(()),
            _ => reactions::answered(tx, case.id).await,
        }
    }

    /// What an act does beside changing the case.
    async fn beside(
        &self,
        tx: &mut Tx,
        case: &Case,
        act: &Act,
        actor: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        match act {
            Act::Split(shown) => {
                let joined = joins::within(tx, case.id).await?.len();
                if usize::try_from(*shown) != Ok(joined) || !Box::pin(self.split(tx, case, actor, now)).await? {
                    return Ok(Err(Refusal::Already));
                }
            }
            Act::Transcript => self.send_transcript(tx, case, actor, now).await?,
            Act::Show | Act::Accept => self.show(tx, case, actor, now).await?,
            Act::Consent(given) => self.consent(tx, case, *given, actor, now).await?,
            Act::HandOver(to) => return self.offer(tx, case, to, now).await,
            _ => {}
        }
        Ok(Ok(()))
    }

    /// The colleague is asked, loudly.
    async fn offer(
        &self,
        tx: &mut Tx,
        case: &Case,
        to: &str,
        now: DateTime<Utc>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let duty = self.roster.last_known(now);
        let Some(colleague) = duty.named(to).filter(|_| to != "office") else { return Ok(Err(Refusal::NobodyElse)) };
        let Some(chat) = colleague.chat else { return Ok(Err(Refusal::NobodyElse)) };
        // somebody else was asked before him: that one is told that it is over by the case as it is then
        let second_at = (!colleague.channels.is_empty()).then_some(now);
        let plan = Plan {
            report: Some(case.report),
            case: Some(case.id),
            loud: true,
            second_at,
            ..Plan::new(NoticeKind::Offer, to, chat)
        };
        notices::plan(tx, &plan, now).await?;
        Ok(Ok(()))
    }

    /// The alert itself and the recordings, silently, where the actor's phone has them not yet.
    async fn show(&self, tx: &mut Tx, case: &Case, actor: &Hand<'_>, now: DateTime<Utc>) -> Result<(), StoreError> {
        let Some(chat) = actor.chat else { return Ok(()) };
        let alert =
            Plan { report: Some(case.report), case: Some(case.id), ..Plan::new(NoticeKind::Alert, actor.name, chat) };
        notices::plan(tx, &alert, now).await?;
        let mut spoken = vec![case.report];
        spoken.extend(joins::within(tx, case.id).await?);
        for report in spoken {
            if !notices::has_voice(tx, report, chat).await? {
                notices::plan(tx, &Plan { kind: NoticeKind::Voice, report: Some(report), ..alert.clone() }, now)
                    .await?;
            }
        }
        Ok(())
    }

    /// What the customer said on the phone, on record beside the spoken proof. Agreed, a charge may be proposed on it where
    /// none is; refused, one that stood on the phone alone is withdrawn as long as nobody released it. Any other one stands,
    /// and the office sees that the customer refused.
    async fn consent(
        &self,
        tx: &mut Tx,
        case: &Case,
        given: bool,
        actor: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let consent = PhoneConsent { given, actor: actor.name.to_owned(), at: now };
        consents::add(tx, case.id, &consent).await?;
        if !given {
            return charges::withdraw_by_phone(tx, case.id, now).await;
        }
        self.propose_by_phone(tx, case, &consent, now).await
    }

    async fn propose_by_phone(
        &self,
        tx: &mut Tx,
        case: &Case,
        consent: &PhoneConsent,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let called_at = reports::called_at(tx, case.report).await?;
        let outside = !self.settings.business_hours().is_open(called_at);
        charges::propose_by_phone(tx, case, consent, self.settings.terms.tariff(outside), now).await
    }

    /// The newest report that joined becomes a case of its own and rings; what it said counts there and no longer here.
    /// A charge that was released stays here, and the office sees that its report left. `false`: none had joined.
    async fn split(&self, tx: &mut Tx, case: &Case, actor: &Hand<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let Some(report) = joins::newest(tx, case.id).await? else { return Ok(false) };
        joins::remove(tx, report).await?;
        let left = joins::loudest(tx, case.id).await?;
        cases::set_verdict(tx, case.id, left.unwrap_or(Verdict::Unclear)).await?;
        // Taken off by a person, it wakes people whatever the rules said of it.
        let (report, found, mail) = joins::spoken(tx, report).await?;
        let verdict = found.as_ref().map(|found| found.verdict).filter(|verdict| verdict.wakes());
        let own = cases::open(tx, report.id, verdict.unwrap_or(Verdict::Unclear), false, now).await?;
        notices::reassign(tx, report.id, own.id).await?;
        charges::move_to(tx, report.id, own.id, now).await?;
        if let Some(consent) = consents::newest(tx.reading(), case.id).await?.filter(|consent| consent.given) {
            // what stood on the words that leave stands on the phone again
            self.propose_by_phone(tx, case, &consent, now).await?;
        }
        if let Some(found) = &found {
            charges::propose_by(tx, own.id, &report, found, mail.as_deref(), now).await?;
        }
        notices::refresh(tx, report.id, now).await?;
        let event = Event::new(now, EventKind::Split, format!("off case {}", case.id)).report(report.id).case(own.id);
        events::append(tx, &event.by(actor.name)).await?;
        Ok(true)
    }

    /// The words of every message of the case, one notice each.
    async fn send_transcript(
        &self,
        tx: &mut Tx,
        case: &Case,
        actor: &Hand<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        // at the page the words stand beside
        let Some(chat) = actor.chat else { return Ok(()) };
        let later = joins::within(tx, case.id).await?;
        for report in std::iter::once(case.report).chain(later) {
            let plan = Plan::new(NoticeKind::Transcript, actor.name, chat);
            notices::plan(tx, &Plan { report: Some(report), case: Some(case.id), ..plan }, now).await?;
        }
        Ok(())
    }
}

//! What a larger model heard is judged beside the first hearing.
//!
//! Promise: it may make an alarm louder, never quieter; a consent that it did not hear is no longer proven; what a person
//! corrected stays, and a case that a person closed stays as it is. One transaction.

use super::rules::{Names, Rules};
use super::{Anew, Judge, LEASE, Said, customers};
use crate::config::Settings;
use crate::domain::assessment::{Assessment, Consent, Verdict};
use crate::domain::case::{Case, CaseState, Outcome};
use crate::domain::charge::Objection;
use crate::domain::correction::Standing;
use crate::domain::event::{Event, EventKind};
use crate::domain::hearing::{HearingStage, Twice};
use crate::domain::report::Report;
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{
    Claim, Lease, Reader, Store, StoreError, Tx, assessments, cases, charges, corrections, events, hearings, joins,
    mails, reports, transcripts,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The step that judges second hearings.
pub struct ConfirmStep {
    /// Where they wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is on duty.
    pub roster: Roster,
    /// The rules.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when a case got louder, or shows more.
    pub bells: Bells,
}

/// A second hearing, judged.
struct Judged {
    /// What the report says by both.
    found: Assessment,
    /// What the second one says by itself.
    alone: Verdict,
    second_counts: bool,
    /// So many corrections were known.
    corrections: usize,
}

#[async_trait]
impl Step for ConfirmStep {
    fn name(&self) -> String {
        "assess.confirm".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let Some((report, lease)) = self.claim().await? else { return Ok(Round::Idle) };
        let mut reader = self.store.read().await?;
        self.roster.at(&mut reader, self.clock.now()).await?;
        let judged = self.judge(&mut reader, &report).await?;
        drop(reader);
        let Some(judged) = judged else {
            // its words were deleted meanwhile
            let mut tx = self.store.begin().await?;
            hearings::end(&mut tx, report.id, &lease, HearingStage::Done).await?;
            tx.commit().await?;
            return Ok(Round::Worked);
        };
        self.commit(&report, &lease, judged).await?;
        Ok(Round::Worked)
    }
}

impl ConfirmStep {
    /// Claims one that was heard.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn claim(&self) -> Result<Option<(Report, Lease)>, StoreError> {
        let mut tx = self.store.begin().await?;
        let claim = Claim { now: self.clock.now(), lease: LEASE };
        let claimed = match hearings::claim(&mut tx, HearingStage::Judge, claim).await? {
            Some((id, lease)) => Some((reports::find(tx.reading(), id).await?, lease)),
            None => None,
        };
        tx.commit().await?;
        Ok(claimed)
    }

    async fn judge(&self, reader: &mut Reader, report: &Report) -> Result<Option<Judged>, StoreError> {
        let first = transcripts::first(reader, report.id).await?;
        let second = hearings::find(reader, report.id).await?;
        let (Some((first, _)), Some(hearing)) = (first, second) else { return Ok(None) };
        let names: Names = customers(reader).await;
        let judge = Judge { rules: &self.rules, settings: &self.settings, names: &names };
        let made = corrections::of_report(reader, report.id).await?;
        let standing = Standing::of(&made);
        let mut twice = Twice { first, second: hearing.transcript, second_counts: false };
        let alone = judge.second(report, &twice).verdict;
        // a text that a person typed stays on the words that he saw
        twice.second_counts =
            standing.text().is_none() && alone.rank() >= judge.spoken(report, &twice.first).verdict.rank();
        let second_counts = twice.second_counts;
        let mail = mails::find(reader, report.id).await?.map(|(mail, _)| mail);
        let found = judge.anew(report, &Said::Twice(Box::new(twice), mail), &standing);
        Ok(Some(Judged { found, alone, second_counts, corrections: made.len() }))
    }

    async fn commit(&self, report: &Report, lease: &Lease, judged: Judged) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let locked = reports::lock(&mut tx, report.id).await?.is_some();
        let made = corrections::of_report(tx.reading(), report.id).await?.len();
        let was = assessments::find(tx.reading(), report.id).await?;
        let Some(was) = was.filter(|_| locked && made == judged.corrections) else {
            // a person was quicker: it is judged once more, by what he says
            hearings::again(&mut tx, report.id, lease, now).await?;
            return tx.commit().await;
        };
        let case = case_of(&mut tx, report).await?;
        let ended = case.as_ref().filter(|case| is_ended_by_a_person(case));
        let counts = judged.second_counts && ended.is_none();
        hearings::judged(&mut tx, report.id, lease, judged.alone, counts).await?;
        let detail = match ended {
            Some(case) => {
                self.object(&mut tx, case, &was, &judged.found, now).await?;
                format!("{}, closed", judged.alone.as_str())
            }
            None => self.settle(&mut tx, report, &was, judged, now).await?,
        };
        let event = Event::new(now, EventKind::HeardAgain, detail.clone()).report(report.id);
        events::append(&mut tx, &Event { case: case.map(|case| case.id), ..event }).await?;
        tx.commit().await?;
        tracing::info!(report.id = %report.id, verdict = detail, stage = "confirm", "a second hearing was judged");
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(())
    }

    /// The report says what both hearings say; its case follows. What it came to, in a few words.
    async fn settle(
        &self,
        tx: &mut Tx,
        report: &Report,
        was: &Assessment,
        judged: Judged,
        now: DateTime<Utc>,
    ) -> Result<String, StoreError> {
        let mut found = judged.found;
        if found.verdict.rank() < was.verdict.rank() {
            // whatever the rules say by now: only a person makes an alarm quieter
            found.verdict = was.verdict;
        }
        let anew = Anew { rules: &self.rules, settings: &self.settings, roster: &self.roster, now };
        anew.heard_again(tx, report, &found).await?;
        let alone = judged.alone.as_str();
        Ok(if found.verdict == was.verdict {
            format!("{alone}, stays {}", was.verdict.as_str())
        } else {
            format!("{alone}, {} -> {}", was.verdict.as_str(), found.verdict.as_str())
        })
    }

    /// The case is over, its charge may not be: a person must look at a consent that was not heard again.
    async fn object(
        &self,
        tx: &mut Tx,
        case: &Case,
        was: &Assessment,
        found: &Assessment,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if was.consent == Consent::Full && found.consent != Consent::Full {
            charges::object(tx, case.id, Objection::Judged, charges::NOT_HEARD_AGAIN, now).await?;
        }
        Ok(())
    }
}

/// The case that the report opened or joined, locked.
async fn case_of(tx: &mut Tx, report: &Report) -> Result<Option<Case>, StoreError> {
    if let Some(own) = cases::lock_of_report(tx, report.id).await? {
        return Ok(Some(own));
    }
    match joins::case_of(tx.reading(), report.id).await? {
        Some(joined) => cases::lock(tx, joined).await,
        None => Ok(None),
    }
}

/// What only the written policy ended may be opened again.
fn is_ended_by_a_person(case: &Case) -> bool {
    case.state == CaseState::Closed && case.outcome != Some(Outcome::Harmless)
}

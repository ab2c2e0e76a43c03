//! What a verdict does to the cases: it opens one, joins one, raises one, and may let a charge be proposed.

use super::join::{self, Spoke};
use super::said::Said;
use crate::config::Settings;
use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseId, CaseState, Outcome};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::report::{Medium, Report};
use crate::roster::Roster;
use crate::store::joins::{self, Why};
use crate::store::{StoreError, Tx, bundles, cases, charges, consents, events, notices, receipts, reports};
use chrono::{DateTime, Utc};

/// Why a report that was judged is judged once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    /// A person corrected it.
    Corrected,
    /// A larger model heard it.
    HeardAgain,
}

/// Writes what follows from a verdict, within the transaction that writes the verdict.
pub(super) struct Casework<'a> {
    /// The settings.
    pub(super) settings: &'a Settings,
    /// Who is on duty, as last looked at.
    pub(super) roster: &'a Roster,
    /// Now.
    pub(super) now: DateTime<Utc>,
}

impl Casework<'_> {
    /// A report has its first verdict: case, charge, receipt, and the notices that show it.
    pub(super) async fn judged(
        &self,
        tx: &mut Tx,
        spoke: &Spoke<'_>,
        joins: Option<(CaseId, Why)>,
    ) -> Result<Option<Case>, StoreError> {
        let case = self.with_charge(tx, spoke, joins).await?;
        if case.is_some() {
            self.plan_receipt(tx, spoke).await?;
        }
        notices::refresh(tx, spoke.report.id, self.now).await?;
        Ok(case)
    }

    async fn with_charge(
        &self,
        tx: &mut Tx,
        spoke: &Spoke<'_>,
        joins: Option<(CaseId, Why)>,
    ) -> Result<Option<Case>, StoreError> {
        let case = self.case_of(tx, spoke, joins).await?;
        if let Some(case) = &case {
            self.propose_charge(tx, spoke, case).await?;
        }
        Ok(case)
    }

    /// A report was judged once more: its case says what is loudest in it now, and its charge is what is proven now.
    pub(super) async fn later(
        &self,
        tx: &mut Tx,
        spoke: &Spoke<'_>,
        joins: Option<(CaseId, Why)>,
        later: Later,
    ) -> Result<Option<Case>, StoreError> {
        let report = spoke.report.id;
        let case = match cases::lock_of_report(tx, report).await? {
            Some(own) => Some(own),
            None => match joins::case_of(tx.reading(), report).await? {
                Some(joined) => cases::lock(tx, joined).await?,
                None => None,
            },
        };
        let Some(case) = case else {
            // who wrote hours ago is not answered now
            let case = self.with_charge(tx, spoke, joins).await?;
            notices::refresh(tx, report, self.now).await?;
            return Ok(case);
        };
        let case = self.changed(tx, spoke, case, later).await?;
        self.settle_charge(tx, spoke, &case, later).await?;
        notices::refresh_case(tx, case.id, self.now).await?;
        notices::refresh(tx, case.report, self.now).await?;
        bundles::refresh(tx, case.id, self.now).await?;
        Ok(Some(case))
    }

    /// Louder: people are woken anew, also where the written policy had ended it. Quieter: it goes on until a person ends it.
    /// Whoever has it is told of what a person found; what a machine heard once more he reads on the alert.
    async fn changed(&self, tx: &mut Tx, spoke: &Spoke<'_>, mut case: Case, later: Later) -> Result<Case, StoreError> {
        let verdict = joins::loudest(tx, case.id).await?.unwrap_or(spoke.found.verdict);
        if later == Later::HeardAgain && verdict.rank() <= case.verdict.rank() {
            return Ok(case);
        }
        if verdict.rank() <= case.verdict.rank() {
            cases::set_verdict(tx, case.id, verdict).await?;
            case.verdict = verdict;
            return Ok(case);
        }
        case.verdict = verdict;
        case.unheard = false;
        if verdict.wakes() && case.outcome == Some(Outcome::Harmless) {
            case.reopen(self.now);
            let event = Event::new(self.now, EventKind::Opened, verdict.as_str()).report(case.report).case(case.id);
            events::append(tx, &event).await?;
        }
        case.ring_now(self.now);
        cases::put(tx, &case).await?;
        if case.state == CaseState::Taken && later == Later::Corrected {
            self.tell_who_knows(tx, spoke.report, &case, true).await?;
        }
        Ok(case)
    }

    /// What this report no longer proves is withdrawn before anybody released it; then stands what it proves now, or
    /// another report of the case, or what was said on the phone.
    async fn settle_charge(&self, tx: &mut Tx, spoke: &Spoke<'_>, case: &Case, later: Later) -> Result<(), StoreError> {
        let why = match later {
            Later::Corrected => charges::NOT_AFTER_CORRECTION,
            Later::HeardAgain => charges::NOT_HEARD_AGAIN,
        };
        let withdrawn = charges::withdraw_unproven(tx, case.id, spoke.report.id, spoke.found, why, self.now).await?;
        self.propose_charge(tx, spoke, case).await?;
        if !withdrawn {
            return Ok(());
        }
        let mut others = vec![case.report];
        others.extend(joins::of_case(tx.reading(), case.id).await?.into_iter().map(|(id, _)| id));
        for id in others.into_iter().filter(|id| *id != spoke.report.id) {
            let (report, found, mail) = joins::spoken(tx, id).await?;
            if let Some(found) = found {
                charges::propose_by(tx, case.id, &report, &found, mail.as_deref(), self.now).await?;
            }
        }
        if let Some(consent) = consents::newest(tx.reading(), case.id).await?.filter(|consent| consent.given) {
            let called_at = reports::called_at(tx, case.report).await?;
            let tariff = self.settings.terms.tariff(!self.settings.business_hours().is_open(called_at));
            charges::propose_by_phone(tx, case, &consent, tariff, self.now).await?;
        }
        Ok(())
    }

    async fn case_of(
        &self,
        tx: &mut Tx,
        spoke: &Spoke<'_>,
        joins: Option<(CaseId, Why)>,
    ) -> Result<Option<Case>, StoreError> {
        let (report, verdict) = (spoke.report, spoke.found.verdict);
        if report.is_drill() {
            return Ok(None);
        }
        if let Some(case) = cases::lock_of_report(tx, report.id).await? {
            return self.unheard_case(tx, case, verdict).await.map(Some);
        }
        if let Some((id, why)) = joins
            && let Some(case) = cases::lock(tx, id).await?.filter(join::is_joinable)
        {
            return self.join(tx, report, verdict, case, why).await.map(Some);
        }
        if !verdict.wakes() {
            return Ok(None);
        }
        let case = cases::open(tx, report.id, verdict, false, self.now).await?;
        notices::adopt(tx, report.id, case.id).await?;
        events::append(tx, &Event::new(self.now, EventKind::Opened, verdict.as_str()).report(report.id).case(case.id))
            .await?;
        Ok(Some(case))
    }

    /// The report belongs to an open case: nobody is woken again, unless it says more than the case did.
    async fn join(
        &self,
        tx: &mut Tx,
        report: &Report,
        verdict: Verdict,
        mut case: Case,
        why: Why,
    ) -> Result<Case, StoreError> {
        joins::add(tx, report.id, case.id, why, self.now).await?;
        notices::adopt(tx, report.id, case.id).await?;
        let event = Event::new(self.now, EventKind::Joined, why.as_str()).report(report.id).case(case.id);
        events::append(tx, &event).await?;
        let raised = verdict.rank() > case.verdict.rank();
        if raised {
            case.verdict = verdict;
            case.unheard = false;
            case.ring_now(self.now);
            cases::put(tx, &case).await?;
        }
        if why == Why::SameTrouble {
            // whoever has it must hear that it is more than he thought, or that the caller calls again after his call-back
            let again = case.called_back_at.is_some();
            let loud = (raised || again) && case.taken_by.is_some();
            self.tell_who_knows(tx, report, &case, loud).await?;
            if again {
                case.called_again(self.now, &self.settings.escalation.patience());
                cases::put(tx, &case).await?;
            }
        }
        notices::refresh(tx, case.report, self.now).await?;
        Ok(case)
    }

    /// Whoever has the case, or was told of it, gets the later message itself: the alert only says that there is one.
    async fn tell_who_knows(&self, tx: &mut Tx, report: &Report, case: &Case, loud: bool) -> Result<(), StoreError> {
        let people = match &case.taken_by {
            Some(taker) => vec![taker.clone()],
            None => notices::told(tx, case.id).await?,
        };
        let kind = if report.medium == Medium::Voicemail { NoticeKind::Voice } else { NoticeKind::Transcript };
        let duty = self.roster.last_known(self.now);
        for (name, chat) in people.iter().filter_map(|name| Some((name, duty.named(name)?.chat?))) {
            if !loud && kind == NoticeKind::Voice && notices::has_voice(tx, report.id, chat).await? {
                continue;
            }
            let (report, case) = (Some(report.id), Some(case.id));
            let plan = notices::Plan { report, case, loud, ..notices::Plan::new(kind, name, chat) };
            notices::plan(tx, &plan, self.now).await?;
        }
        Ok(())
    }

    /// A case that was opened unheard gets its verdict: rung anew where it says more, ended by the written policy where
    /// it is harmless and nobody has it yet.
    async fn unheard_case(&self, tx: &mut Tx, mut case: Case, verdict: Verdict) -> Result<Case, StoreError> {
        case.unheard = false;
        case.verdict = verdict;
        let open = case.state == CaseState::Open;
        if open && !verdict.wakes() && self.settings.escalation.close_harmless {
            case.end_harmless(self.now);
            cases::put(tx, &case).await?;
            events::append(tx, &Event::new(self.now, EventKind::Closed, "harmless").case(case.id)).await?;
            return Ok(case);
        }
        case.ring_now(self.now);
        cases::put(tx, &case).await?;
        Ok(case)
    }

    /// A person who wrote is answered, where the firm wants that: never a machine, once a day.
    async fn plan_receipt(&self, tx: &mut Tx, spoke: &Spoke<'_>) -> Result<(), StoreError> {
        let Said::Written(mail, _) = spoke.said else { return Ok(()) };
        let wanted = self.settings.receipt.enabled && !mail.automatic && spoke.found.verdict.wakes();
        let (true, Some(address)) = (wanted, mail.reply_to.as_ref().or(mail.sender.as_ref())) else { return Ok(()) };
        let from = self.settings.smtp.as_ref().map(|smtp| smtp.from.to_lowercase());
        if from.is_some_and(|from| from.contains(&address.to_lowercase())) {
            return Ok(());
        }
        let day = self.now.with_timezone(&self.settings.business_hours().zone).date_naive();
        receipts::plan(tx, spoke.report.id, &address.to_lowercase(), day, self.now).await.map(drop)
    }

    async fn propose_charge(&self, tx: &mut Tx, spoke: &Spoke<'_>, case: &Case) -> Result<(), StoreError> {
        let mail = if let Said::Written(_, sha256) = spoke.said { Some(sha256.as_str()) } else { None };
        charges::propose_by(tx, case.id, spoke.report, spoke.found, mail, self.now).await
    }
}

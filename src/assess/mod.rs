//! Text becomes a verdict, and a verdict that wakes people becomes a case: in one transaction.
//!
//! Promise: a text that is not believed is not judged (`unclear`, or `ignored` where certainly nobody spoke); a consent
//! counts only where two different decodes agree, the words are probable and lie where somebody speaks. An error here is
//! `unclear`, never silence.

pub mod bench;
pub mod proof;
pub mod replay;
pub mod rules;

use crate::config::Settings;
use crate::domain::assessment::{Assessment, Consent, Declaration, Fields, Verdict};
use crate::domain::case::{Case, CaseState, Outcome};
use crate::domain::event::{Event, EventKind};
use crate::domain::phone;
use crate::domain::report::{Report, Stage};
use crate::domain::tariff::Tariff;
use crate::domain::transcript::Transcript;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{
    Claim, Lease, Store, StoreError, Tx, assessments, cases, charges, events, notices, reports, transcripts,
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use rules::{Message, Rules, RulesError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_mins(1);

/// The assessor's step.
pub struct AssessStep {
    /// Where transcripts wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The rules.
    pub rules: Arc<Rules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when a case is open.
    pub bells: Bells,
}

#[async_trait]
impl Step for AssessStep {
    fn name(&self) -> String {
        "assess".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let Some((report, lease)) = self.claim().await? else { return Ok(Round::Idle) };
        let mut reader = self.store.read().await?;
        let transcript = transcripts::find(&mut reader, report.id).await?;
        drop(reader);
        let assessment =
            assess(&self.rules, &self.settings, &report, transcript.map(|(transcript, _)| transcript).as_ref());
        self.commit(&report, &lease, &assessment).await?;
        Ok(Round::Worked)
    }
}

/// What a report's transcript says, by the settings and the time of the call.
#[must_use]
pub fn assess(rules: &Rules, settings: &Settings, report: &Report, transcript: Option<&Transcript>) -> Assessment {
    let outside = !settings.business_hours().is_open(report.called_at);
    let tariff = settings.terms.tariff(outside);
    let displayed = report.caller.number.as_deref();
    let Some(transcript) = transcript else {
        return unheard(tariff, displayed, Verdict::Unclear, "there is no transcript".into());
    };
    if let Some(doubt) = transcript.doubt {
        let verdict = if doubt.means_nobody_spoke() { Verdict::Ignored } else { Verdict::Unclear };
        let why =
            transcript.remark.as_ref().map_or_else(|| format!("{doubt:?}"), |remark| format!("{doubt:?}: {remark}"));
        return unheard(tariff, displayed, verdict, why);
    }
    let text = transcript.text();
    let terms =
        rules::Terms { fee: settings.terms.fee_cents().unwrap_or_default(), own_numbers: &settings.terms.own_numbers };
    let at = Some(report.called_at.with_timezone(&settings.business_hours().zone).naive_local());
    let judge = |text: &str| {
        rules::judge_by(
            rules,
            &Message { text, subject: None, displayed, at, outside_hours: outside, headers: &[] },
            &terms,
        )
    };
    let second = transcript.second.as_deref().map(judge);
    let judged = proof::Heard { judgement: judge(&text), second, transcript };
    proof::assessment(judged, settings.assess.min_probability, settings.transcribe.second_decode, tariff)
}

/// The rules by the settings: the built-in ones, with the files of `assess.rules` laid over them; `folder` may also be
/// one such file.
///
/// # Errors
/// Where the folder holds no rule file, or a file cannot be read or is none.
pub fn rules_of(folder: Option<&Path>) -> Result<Rules, RulesError> {
    let Some(folder) = folder else { return Rules::with(&[]) };
    let unread = |path: &Path| {
        let path = path.to_owned();
        move |error| RulesError::Read { path, error }
    };
    let mut paths = vec![folder.to_owned()];
    if !folder.is_file() {
        let entries = std::fs::read_dir(folder).map_err(unread(folder))?;
        paths =
            entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(unread(folder))?;
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    }
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        files.push((name, std::fs::read_to_string(&path).map_err(unread(&path))?));
    }
    if files.is_empty() {
        return Err(RulesError::Empty { path: folder.to_owned() });
    }
    files.sort();
    Rules::with(&files)
}

fn unheard(tariff: Tariff, displayed: Option<&str>, verdict: Verdict, why: String) -> Assessment {
    Assessment {
        verdict,
        declaration: Declaration::Absent,
        consent: Consent::Absent,
        consent_doubt: None,
        urgent: false,
        findings: Vec::new(),
        fields: Fields { displayed: displayed.and_then(phone::e164), ..Fields::default() },
        missing: Vec::new(),
        tariff,
        language: "de".into(),
        remark: Some(why),
        rules: "-".into(),
    }
}

impl AssessStep {
    /// Claims one waiting transcript.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn claim(&self) -> Result<Option<(Report, Lease)>, StoreError> {
        let mut tx = self.store.begin().await?;
        let claimed = reports::claim(&mut tx, Stage::Assess, Claim { now: self.clock.now(), lease: LEASE }).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// Verdict, case, charge, events: all or nothing.
    async fn commit(&self, report: &Report, lease: &Lease, assessment: &Assessment) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        assessments::put(&mut tx, report.id, assessment, now).await?;
        reports::advance(&mut tx, report.id, lease, Stage::Done, None).await?;
        reports::heard(&mut tx, report.id).await?;
        let verdict = assessment.verdict.as_str();
        events::append(&mut tx, &Event::new(now, EventKind::Assessed, verdict).report(report.id)).await?;
        let case = self.case_of(&mut tx, report, assessment, now).await?;
        if let Some(case) = case {
            self.propose_charge(&mut tx, report, assessment, &case, now).await?;
        }
        notices::refresh(&mut tx, report.id, now).await?;
        tx.commit().await?;
        tracing::info!(report.id = %report.id, verdict, stage = "assess", "a report has its verdict");
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(())
    }

    async fn case_of(
        &self,
        tx: &mut Tx,
        report: &Report,
        found: &Assessment,
        now: DateTime<Utc>,
    ) -> Result<Option<Case>, StoreError> {
        if let Some(case) = cases::lock_of_report(tx, report.id).await? {
            return self.unheard_case(tx, case, found.verdict, now).await.map(Some);
        }
        if !found.verdict.wakes() {
            return Ok(None);
        }
        let case = cases::open(tx, report.id, found.verdict, false, now).await?;
        notices::adopt(tx, report.id, case.id).await?;
        events::append(tx, &Event::new(now, EventKind::Opened, found.verdict.as_str()).report(report.id).case(case.id))
            .await?;
        Ok(Some(case))
    }

    /// A case that was opened unheard gets its verdict: rung anew where it says more, ended by the written policy where
    /// it is harmless and nobody has it yet.
    async fn unheard_case(
        &self,
        tx: &mut Tx,
        mut case: Case,
        verdict: Verdict,
        now: DateTime<Utc>,
    ) -> Result<Case, StoreError> {
        case.unheard = false;
        case.verdict = verdict;
        let open = case.state == CaseState::Open;
        if open && !verdict.wakes() && self.settings.escalation.close_harmless {
            case.state = CaseState::Closed;
            case.closed_at = Some(now);
            case.outcome = Some(Outcome::Harmless);
            cases::put(tx, &case, None).await?;
            events::append(tx, &Event::new(now, EventKind::Closed, "harmless").case(case.id)).await?;
            return Ok(case);
        }
        cases::put(tx, &case, open.then_some(now)).await?;
        Ok(case)
    }

    async fn propose_charge(
        &self,
        tx: &mut Tx,
        report: &Report,
        found: &Assessment,
        case: &Case,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (Verdict::Confirmed, Tariff::Activation { net, gross, .. }) = (found.verdict, found.tariff) else {
            return Ok(());
        };
        let sha256 = report.recording.as_ref().map(|recording| &recording.sha256);
        let proof = serde_json::json!({ "findings": found.findings, "sound_sha256": sha256, "rules": found.rules });
        let charge = charges::Charge { case: case.id, report: report.id, net, gross, proof: proof.to_string() };
        charges::propose(tx, &charge, now).await?;
        events::append(tx, &Event::new(now, EventKind::Proposed, net.german()).report(report.id).case(case.id)).await
    }
}

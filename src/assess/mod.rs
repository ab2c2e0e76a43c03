//! Text becomes a verdict, and a verdict that wakes people becomes a case: in one transaction.
//!
//! Promise: a text that is not believed is not judged (`unclear`, or `ignored` where certainly nobody spoke); a consent
//! counts only where two different decodes agree, the words are probable and lie where somebody speaks. An error here is
//! `unclear`, never silence.

pub mod bench;
mod casework;
mod join;
pub mod proof;
pub mod replay;
pub mod rules;
mod said;

pub use said::Said;

use crate::config::Settings;
use crate::domain::assessment::{Assessment, Consent, Declaration, Fields, Verdict};
use crate::domain::case::CaseId;
use crate::domain::event::{Event, EventKind};
use crate::domain::phone;
use crate::domain::report::{Mail, Medium, Report, Stage};
use crate::domain::tariff::Tariff;
use crate::domain::transcript::Transcript;
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::joins::Why;
use crate::store::{Claim, Lease, Store, StoreError, assessments, events, reports};
use async_trait::async_trait;
use casework::Casework;
use join::Spoke;
use rules::{Message, Rules, RulesError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_mins(1);
/// The terms: fax and other media do not count.
const FAX: &str = "fax, not accepted";

/// The assessor's step.
pub struct AssessStep {
    /// Where transcripts wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// Who is on duty.
    pub roster: Roster,
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
        let said = Said::of(&report, &mut reader).await?;
        let found = assess(&self.rules, &self.settings, &report, &said);
        let spoke = Spoke { report: &report, said: &said, found: &found };
        let joins = join::case_to_join(&self.settings, &mut reader, &spoke, self.clock.now()).await?;
        self.roster.at(&mut reader, self.clock.now()).await?;
        drop(reader);
        self.commit(&spoke, &lease, joins).await?;
        Ok(Round::Worked)
    }
}

/// What a report says, by the settings and the time of the call.
#[must_use]
pub fn assess(rules: &Rules, settings: &Settings, report: &Report, said: &Said) -> Assessment {
    let outside = !settings.business_hours().is_open(report.called_at);
    let tariff = settings.terms.tariff(outside);
    let displayed = report.caller.number.as_deref();
    let terms =
        rules::Terms { fee: settings.terms.fee_cents().unwrap_or_default(), own_numbers: &settings.terms.own_numbers };
    let at = Some(report.called_at.with_timezone(&settings.business_hours().zone).naive_local());
    let frame = Message { text: "", subject: None, displayed, at, outside_hours: outside, headers: &[] };
    let judge = |message: &Message<'_>| rules::judge_by(rules, message, &terms);
    let spoken = |transcript: &Transcript| {
        if let Some(doubt) = transcript.doubt {
            let verdict = if doubt.means_nobody_spoke() { Verdict::Ignored } else { Verdict::Unclear };
            let remark = transcript.remark.as_ref();
            let why = remark.map_or_else(|| format!("{doubt:?}"), |remark| format!("{doubt:?}: {remark}"));
            return unheard(tariff, displayed, verdict, why);
        }
        let second = transcript.second.as_deref().map(|text| judge(&Message { text, ..frame }));
        let judged =
            proof::Heard { judgement: judge(&Message { text: &transcript.text(), ..frame }), second, transcript };
        proof::assessment(judged, settings.assess.min_probability, settings.transcribe.second_decode, tariff)
    };
    let written = |mail: &Mail| {
        // who writes everything into the subject line has written it
        let text = if mail.text.trim().is_empty() { &mail.subject } else { &mail.text };
        if text.trim().is_empty() && !mail.automatic {
            return unheard(tariff, displayed, Verdict::Unclear, "the mail has no text that can be read".into());
        }
        let message = Message { text, subject: Some(&mail.subject), headers: &mail.headers, ..frame };
        proof::written(judge(&message), tariff)
    };
    match said {
        Said::Nothing => unheard(tariff, displayed, Verdict::Unclear, "there is nothing to judge".into()),
        Said::Spoken(transcript) => spoken(transcript),
        Said::Both(transcript, mail) => proof::louder(spoken(transcript), written(mail)),
        Said::Written(mail, _) => {
            let found = written(mail);
            // what looks like a fax and says that somebody is in need is none that may be passed over
            let passed_over = report.medium == Medium::Fax && !found.verdict.wakes();
            if passed_over { unheard(tariff, displayed, Verdict::Ignored, FAX.into()) } else { found }
        }
    }
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
    async fn commit(&self, spoke: &Spoke<'_>, lease: &Lease, joins: Option<(CaseId, Why)>) -> Result<(), StoreError> {
        let now = self.clock.now();
        let (report, found) = (spoke.report, spoke.found);
        let mut tx = self.store.begin().await?;
        assessments::put(&mut tx, report.id, found, now).await?;
        reports::advance(&mut tx, report.id, lease, Stage::Done, None).await?;
        reports::heard(&mut tx, report.id).await?;
        let verdict = found.verdict.as_str();
        events::append(&mut tx, &Event::new(now, EventKind::Assessed, verdict).report(report.id)).await?;
        Casework { settings: &self.settings, roster: &self.roster, now }.judged(&mut tx, spoke, joins).await?;
        tx.commit().await?;
        tracing::info!(report.id = %report.id, verdict, stage = "assess", "a report has its verdict");
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(())
    }
}

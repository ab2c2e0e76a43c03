//! Text becomes a verdict, and a verdict that wakes people becomes a case: in one transaction.
//!
//! Promise: a text that is not believed is not judged (`unclear`, or `ignored` where certainly nobody spoke); a consent
//! counts only where two different decodes agree, the words are probable and lie where somebody speaks. An error here is
//! `unclear`, never silence.

pub mod bench;
mod casework;
pub mod confirm;
mod join;
pub mod proof;
pub mod replay;
pub mod rules;
mod said;

pub use said::Said;

use crate::config::Settings;
use crate::domain::assessment::{Assessment, Consent, Declaration, Fields, Verdict};
use crate::domain::case::{Case, CaseId};
use crate::domain::correction::{self, Standing, Typed};
use crate::domain::event::{Event, EventKind};
use crate::domain::hearing::Twice;
use crate::domain::phone;
use crate::domain::report::{Mail, Medium, Report, Stage};
use crate::domain::tariff::Tariff;
use crate::domain::transcript::{Doubt, Transcript};
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::joins::Why;
use crate::store::{Claim, Db, Lease, Store, StoreError, Tx, assessments, events, hearings, reports, vocabulary};
use async_trait::async_trait;
use casework::{Casework, Later};
use chrono::{DateTime, Utc};
use join::Spoke;
use rules::{Judgement, Message, Names, Rules, RulesError, Terms};
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
        let names = customers(&mut reader).await;
        let found = Judge { rules: &self.rules, settings: &self.settings, names: &names }.assess(&report, &said);
        let spoke = Spoke { report: &report, said: &said, found: &found };
        let joins = join::case_to_join(&self.settings, &mut reader, &spoke, self.clock.now()).await?;
        self.roster.at(&mut reader, self.clock.now()).await?;
        drop(reader);
        self.commit(&spoke, &lease, joins).await?;
        Ok(Round::Worked)
    }
}

/// By what a report is judged.
#[derive(Clone, Copy)]
pub struct Judge<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// The settings.
    pub settings: &'a Settings,
    /// The customers' names, as the firm writes them.
    pub names: &'a Names,
}

/// What a report says, by the settings and the time of the call, without the firm's list of names.
#[must_use]
pub fn assess(rules: &Rules, settings: &Settings, report: &Report, said: &Said) -> Assessment {
    Judge { rules, settings, names: &Names::default() }.assess(report, said)
}

impl Judge<'_> {
    /// What a report says, by the settings and the time of the call.
    #[must_use]
    pub fn assess(&self, report: &Report, said: &Said) -> Assessment {
        match said {
            Said::Nothing => self.unheard(report, Verdict::Unclear, "there is nothing to judge".into()),
            Said::Spoken(transcript) => self.spoken(report, transcript),
            Said::Both(transcript, mail) => self.beside(report, self.spoken(report, transcript), Some(mail)),
            Said::Twice(twice, mail) => self.beside(report, self.twice(report, twice), mail.as_ref()),
            Said::Written(mail, _) => {
                let found = self.written(report, mail);
                // what looks like a fax and says that somebody is in need is none that may be passed over
                let passed_over = report.medium == Medium::Fax && !found.verdict.wakes();
                if passed_over { self.unheard(report, Verdict::Ignored, FAX.into()) } else { found }
            }
        }
    }

    /// What a report says once people corrected it; `said` is what was heard without them ([`Said::heard`]).
    #[must_use]
    pub fn anew(&self, report: &Report, said: &Said, standing: &Standing) -> Assessment {
        standing.over(match (said, standing.text()) {
            (Said::Spoken(heard), Some(text)) => self.typed(report, heard, &self.spoken(report, heard), text),
            (Said::Both(heard, mail), Some(text)) => {
                self.beside(report, self.typed(report, heard, &self.spoken(report, heard), text), Some(mail))
            }
            (Said::Twice(twice, mail), Some(text)) => {
                let typed = self.typed(report, twice.counting(), &self.twice(report, twice), text);
                self.beside(report, typed, mail.as_ref())
            }
            _ => self.assess(report, said),
        })
    }

    /// What is spoken, with the mail that it came in.
    fn beside(&self, report: &Report, spoken: Assessment, mail: Option<&Mail>) -> Assessment {
        match mail {
            Some(mail) => proof::louder(spoken, self.written(report, mail)),
            None => spoken,
        }
    }

    /// What two models heard.
    fn twice(&self, report: &Report, twice: &Twice) -> Assessment {
        proof::twice(self.spoken(report, &twice.first), self.second(report, twice), twice.second_counts)
    }

    /// What the larger model heard, by itself; a first hearing that agrees with its consent is as good as a second decode.
    fn second(&self, report: &Report, twice: &Twice) -> Assessment {
        if twice.second.doubt.is_some() {
            return self.spoken(report, &twice.second);
        }
        let mut heard = self.heard(report, &twice.second);
        let agrees = |one: &Judgement| one.consent == Consent::Full;
        if !heard.second.as_ref().is_some_and(agrees) && twice.first.doubt.is_none() {
            let first = self.judge(&Message { text: &twice.first.text(), ..self.frame(report) });
            heard.second = Some(first).filter(agrees).or(heard.second);
        }
        proof::assessment(heard, self.strictness(), self.tariff(report))
    }

    fn spoken(&self, report: &Report, transcript: &Transcript) -> Assessment {
        if let Some(doubt) = transcript.doubt {
            let verdict = if doubt.means_nobody_spoke() { Verdict::Ignored } else { Verdict::Unclear };
            let remark = transcript.remark.as_ref();
            let why = remark.map_or_else(|| format!("{doubt:?}"), |remark| format!("{doubt:?}: {remark}"));
            return self.unheard(report, verdict, why);
        }
        proof::assessment(self.heard(report, transcript), self.strictness(), self.tariff(report))
    }

    /// What a person typed over what was `heard` and gave `original` without him.
    fn typed(&self, report: &Report, heard: &Transcript, original: &Assessment, text: &str) -> Assessment {
        let Typed { transcript, typed } = correction::typed(heard, text);
        let alone = proof::Alone { found: original, text: &heard.text() };
        proof::corrected(self.heard(report, &transcript), &typed, &alone, self.strictness(), self.tariff(report))
    }

    fn heard<'t>(&self, report: &Report, transcript: &'t Transcript) -> proof::Heard<'t> {
        let judge = |text: &str| self.judge(&Message { text, ..self.frame(report) });
        let second = transcript.second.as_deref().map(judge);
        proof::Heard { judgement: judge(&transcript.text()), second, transcript }
    }

    fn written(&self, report: &Report, mail: &Mail) -> Assessment {
        // who writes everything into the subject line has written it
        let text = if mail.text.trim().is_empty() { &mail.subject } else { &mail.text };
        if text.trim().is_empty() && !mail.automatic {
            return self.unheard(report, Verdict::Unclear, "the mail has no text that can be read".into());
        }
        let message = Message { text, subject: Some(&mail.subject), headers: &mail.headers, ..self.frame(report) };
        proof::written(self.judge(&message), self.tariff(report))
    }

    fn judge(&self, message: &Message<'_>) -> Judgement {
        let terms = &self.settings.terms;
        let terms = Terms { fee: terms.fee_cents().unwrap_or_default(), own_numbers: &terms.own_numbers };
        rules::judge_knowing(self.rules, message, &terms, self.names)
    }

    /// A message of this caller at this time, without its words.
    fn frame<'r>(&self, report: &'r Report) -> Message<'r> {
        let hours = self.settings.business_hours();
        Message {
            text: "",
            subject: None,
            displayed: report.caller.number.as_deref(),
            at: Some(report.called_at.with_timezone(&hours.zone).naive_local()),
            outside_hours: !hours.is_open(report.called_at),
            headers: &[],
        }
    }

    fn strictness(&self) -> proof::Strictness {
        proof::Strictness {
            min_probability: self.settings.assess.min_probability,
            second_wanted: self.settings.transcribe.second_decode,
        }
    }

    fn tariff(&self, report: &Report) -> Tariff {
        self.settings.terms.tariff(!self.settings.business_hours().is_open(report.called_at))
    }

    fn unheard(&self, report: &Report, verdict: Verdict, why: String) -> Assessment {
        let displayed = report.caller.number.as_deref().and_then(phone::e164);
        Assessment {
            verdict,
            declaration: Declaration::Absent,
            consent: Consent::Absent,
            consent_doubt: None,
            urgent: false,
            findings: Vec::new(),
            fields: Fields { displayed, ..Fields::default() },
            missing: Vec::new(),
            tariff: self.tariff(report),
            language: "de".into(),
            remark: Some(why),
            rules: "-".into(),
        }
    }
}

/// Whether a larger model could hear more: not where certainly nobody spoke, or no model can hear anything.
fn is_worth_a_second_hearing(spoke: &Spoke<'_>) -> bool {
    let (Said::Spoken(heard) | Said::Both(heard, _)) = spoke.said else { return false };
    let hopeless = heard.doubt.is_some_and(|doubt| doubt.means_nobody_spoke() || doubt == Doubt::Undecodable);
    spoke.report.recording.is_some() && !spoke.report.is_drill() && !hopeless
}

/// What is needed to judge a report anew.
pub struct Anew<'a> {
    /// The rules.
    pub rules: &'a Rules,
    /// The settings.
    pub settings: &'a Settings,
    /// Who is on duty, as last looked at.
    pub roster: &'a Roster,
    /// Now.
    pub now: DateTime<Utc>,
}

impl Anew<'_> {
    /// What a report says by what stands now. Only reads: nothing is locked while words are compared.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn judged(&self, db: &mut Db, report: &Report, standing: &Standing) -> Result<Assessment, StoreError> {
        let names = customers(db).await;
        let judge = Judge { rules: self.rules, settings: self.settings, names: &names };
        Ok(judge.anew(report, &Said::heard(report, db).await?, standing))
    }

    /// A report was corrected, and `found` is what it says now: that lies beside the service's own judgement, and does to
    /// its case what a later verdict does. A louder one opens or raises it and wakes people; a quieter one ends nothing.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn corrected(
        &self,
        tx: &mut Tx,
        report: &Report,
        found: &Assessment,
    ) -> Result<Option<Case>, StoreError> {
        self.later(tx, report, found, Later::Corrected).await
    }

    /// A larger model heard the report, and `found` is what it says by both hearings: as for a correction, but whoever has the
    /// case is not rung for it.
    async fn heard_again(&self, tx: &mut Tx, report: &Report, found: &Assessment) -> Result<(), StoreError> {
        self.later(tx, report, found, Later::HeardAgain).await.map(drop)
    }

    async fn later(
        &self,
        tx: &mut Tx,
        report: &Report,
        found: &Assessment,
        later: Later,
    ) -> Result<Option<Case>, StoreError> {
        assessments::correct(tx, report.id, found).await?;
        let said = Said::of(report, tx.reading()).await?;
        let spoke = Spoke { report, said: &said, found };
        let joins = join::case_to_join(self.settings, tx.reading(), &spoke, self.now).await?;
        let work = Casework { settings: self.settings, roster: self.roster, now: self.now };
        work.later(tx, &spoke, joins, later).await
    }
}

/// The customers' names; none where the list cannot be read: no verdict waits for it.
async fn customers(db: &mut Db) -> Names {
    match vocabulary::customers(db).await {
        Ok(list) => Names::of(&list),
        Err(error) => {
            tracing::warn!(%error, stage = "assess", "the list of customers cannot be read: companies stay as heard");
            Names::default()
        }
    }
}

/// The rules by the settings: the built-in ones, with the files of `assess.rules` laid over them; `folder` may also be
/// one such file.
///
/// # Errors
/// As [`rule_files`], or where a file is none.
pub fn rules_of(folder: Option<&Path>) -> Result<Rules, RulesError> {
    let Some(folder) = folder else { return Rules::with(&[]) };
    Rules::with(&rule_files(folder)?)
}

/// The firm's own rule files, name and text, by name; `folder` may also be one such file.
///
/// # Errors
/// Where the folder holds no rule file, or a file cannot be read.
pub fn rule_files(folder: &Path) -> Result<Vec<(String, String)>, RulesError> {
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
    Ok(files)
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
        if self.settings.transcribe.confirm_model.is_some() && is_worth_a_second_hearing(spoke) {
            hearings::plan(&mut tx, report.id, now).await?;
        }
        tx.commit().await?;
        tracing::info!(report.id = %report.id, verdict, stage = "assess", "a report has its verdict");
        self.bells.escalate.ring();
        self.bells.send.ring();
        Ok(())
    }
}

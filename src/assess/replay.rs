//! Stored reports judged anew by changed rules: what would flip, and why. Changes nothing. What people corrected counts as it
//! did: a person wins over the rules.

use super::rules::{Names, Rules};
use super::{Judge, Said};
use crate::config::Settings;
use crate::domain::assessment::{Assessment, Consent, Declaration, Finding, Verdict};
use crate::domain::report::ReportId;
use crate::store::{Store, StoreError, assessments, corrections, reports, vocabulary};
use serde::Serialize;

/// A report that would be judged otherwise.
#[derive(Debug, Serialize)]
pub struct Flip {
    /// The report.
    pub report: ReportId,
    /// Verdict, declaration and consent as stored.
    pub before: (Verdict, Declaration, Consent),
    /// The same by the changed rules.
    pub after: (Verdict, Declaration, Consent),
    /// Findings that only the stored assessment has.
    pub gone: Vec<Finding>,
    /// Findings that only the changed rules give.
    pub new: Vec<Finding>,
}

/// What a replay found.
#[derive(Debug, Default, Serialize)]
pub struct Replay {
    /// Reports that were judged anew.
    pub n: usize,
    /// Those that would be judged otherwise.
    pub flips: Vec<Flip>,
}

const PAGE: i64 = 100;

/// Judges every assessed report of the store anew; `told` hears after each page how many are done.
///
/// # Errors
/// Where the store refused.
pub async fn replay(
    store: &Store,
    settings: &Settings,
    rules: &Rules,
    told: impl Fn(usize),
) -> Result<Replay, StoreError> {
    let mut replay = Replay::default();
    let names = Names::of(&vocabulary::customers(&mut *store.read().await?).await?);
    let judge = Judge { rules, settings, names: &names };
    let mut after = None;
    loop {
        let mut reader = store.read().await?;
        let page = reports::assessed(&mut reader, after, PAGE).await?;
        for report in &page {
            let said = Said::heard(report, &mut reader).await?;
            let Some(before) = assessments::find(&mut reader, report.id).await? else { continue };
            let now = judge.anew(report, &said, &corrections::standing(&mut reader, report.id).await?);
            replay.n += 1;
            replay.flips.extend(flip(report.id, &before, &now));
        }
        let Some(last) = page.last() else { return Ok(replay) };
        after = Some(last.id);
        told(replay.n);
    }
}

fn flip(report: ReportId, before: &Assessment, after: &Assessment) -> Option<Flip> {
    let labels = |one: &Assessment| (one.verdict, one.declaration, one.consent);
    let only = |one: &Assessment, other: &Assessment| {
        let known =
            |finding: &&Finding| !other.findings.iter().any(|f| f.rule == finding.rule && f.quote == finding.quote);
        one.findings.iter().filter(known).cloned().collect::<Vec<_>>()
    };
    (labels(before) != labels(after)).then(|| Flip {
        report,
        before: labels(before),
        after: labels(after),
        gone: only(before, after),
        new: only(after, before),
    })
}

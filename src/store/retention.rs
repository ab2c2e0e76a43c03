//! How old reports are, and the deletion of what is kept long enough; what each class is, `strip` says.
//!
//! Mark, unlink, finish. `begin` strips the rows and writes down which files go, in one transaction; the files are unlinked;
//! `finish` forgets the mark and writes the ledger. Killed in between, the mark brings the rest back.

use super::ledger::{self, Came};
use super::reports::parse_id;
use super::row::Fields;
use super::strip::{files, strip};
use super::{Result, Tx, charge_steps, inbox, ms};
use crate::domain::assessment::Verdict;
use crate::domain::case::{CaseId, CaseState};
use crate::domain::charge::StepKind;
use crate::domain::report::{DRILL, ReportId, Stage};
use crate::domain::retention::{Age, ChargeAge, Class, Why, goes_early};
use crate::domain::tariff::Cents;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::Row as _;
use sqlx::any::AnyRow;

macro_rules! ages {
    ($which:literal) => {
        concat!(
            "SELECT r.id, r.source, r.stage, r.stored_at, r.sound_deleted_at, r.text_deleted_at, r.number_deleted_at,
                 r.metadata_deleted_at, COALESCE(a.corrected_verdict, a.verdict) AS verdict, c.id AS case_id, c.state AS case_state, c.closed_at,
                 ch.state AS charge_state, COALESCE(ch.cancelled_at, ch.released_at) AS decided_at, ch.report_id AS proved_by,
                 (SELECT CASE WHEN COUNT(*) = COUNT(proof_deleted_at) THEN MAX(proof_deleted_at) END
                      FROM charges WHERE report_id = r.id) AS proof_deleted_at,
                 (SELECT MAX(until_at) FROM legal_holds AS h WHERE h.report_id = r.id AND h.ended_at IS NULL) AS held_until
             FROM reports AS r
             LEFT JOIN assessments AS a ON a.report_id = r.id
             LEFT JOIN cases AS c ON c.id = COALESCE((SELECT own.id FROM cases AS own WHERE own.report_id = r.id),
                                                     (SELECT j.case_id FROM joins AS j WHERE j.report_id = r.id))
             LEFT JOIN charges AS ch ON ch.report_id = r.id OR ch.case_id = c.id
             WHERE ",
            $which
        )
    };
}

/// Up to `limit` reports behind `after` of which something is left, in their order, each with its age.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn ages(db: &mut AnyConnection, after: Option<ReportId>, limit: i64) -> Result<Vec<(ReportId, Age)>> {
    let rows = sqlx::query(ages!(
        "r.id IN (SELECT id FROM reports WHERE id > $1 AND (metadata_deleted_at IS NULL
                  OR EXISTS (SELECT 1 FROM charges WHERE report_id = reports.id AND proof_deleted_at IS NULL))
                  ORDER BY id LIMIT $2) ORDER BY r.id"
    ))
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(db)
    .await?;
    folded(&rows)
}

/// How old one report is; `None` where there is none of that id.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn age(db: &mut AnyConnection, report: ReportId) -> Result<Option<Age>> {
    let rows = sqlx::query(ages!("r.id = $1")).bind(report.to_string()).fetch_all(db).await?;
    Ok(folded(&rows)?.into_iter().next().map(|(_, age)| age))
}

/// A report with several charges comes as several rows; a case's charge keeps all its messages, whichever proves it.
fn folded(rows: &[AnyRow]) -> Result<Vec<(ReportId, Age)>> {
    let mut found: Vec<(ReportId, Age)> = Vec::new();
    for row in rows {
        let (id, age) = read(row)?;
        match found.last_mut().filter(|(last, _)| *last == id) {
            Some((_, known)) => {
                known.charges.extend(age.charges);
                known.proves.extend(age.proves);
            }
            None => found.push((id, age)),
        }
    }
    Ok(found)
}

fn read(row: &AnyRow) -> Result<(ReportId, Age)> {
    let fields = Fields::of(row, "reports")?;
    let mut deleted = Vec::new();
    for (class, column) in [
        (Class::Sound, "sound_deleted_at"),
        (Class::Text, "text_deleted_at"),
        (Class::Number, "number_deleted_at"),
        (Class::Metadata, "metadata_deleted_at"),
        (Class::Proof, "proof_deleted_at"),
    ] {
        deleted.extend(fields.maybe_number(column)?.map(|_| class));
    }
    let case = match fields.maybe_word("case_state", CaseState::parse)? {
        None => None,
        Some(CaseState::Closed) => Some(fields.maybe_instant("closed_at")?),
        Some(CaseState::Open | CaseState::Taken) => Some(None),
    };
    let decided = fields.maybe_instant("decided_at")?;
    let charge = fields.maybe_text("charge_state")?.map(|state| match state.as_str() {
        "proposed" => ChargeAge::Proposed,
        "cancelled" => ChargeAge::Cancelled(decided),
        // a word that is not known yet keeps the proof, rather than not
        _ => ChargeAge::Released(decided),
    });
    let id = fields.text("id")?;
    let own = fields.maybe_text("proved_by")?.is_some_and(|by| by == id);
    let drill = fields.text("source")? == DRILL;
    let age = Age {
        stored_at: fields.instant("stored_at")?,
        judged: fields.word("stage", Stage::parse)? == Stage::Done,
        ignored: goes_early(fields.maybe_word("verdict", Verdict::parse)?, drill),
        case,
        charges: charge.into_iter().collect(),
        proves: charge.filter(|_| own).into_iter().collect(),
        held_until: fields.maybe_instant("held_until")?,
        deleted,
    };
    Ok((parse_id("reports", "id", &id)?, age))
}

/// The proposed charges that the report proves are none any longer. Whether there was one.
///
/// # Errors
/// Where the database refused.
pub async fn withdraw_proposed(tx: &mut Tx, report: ReportId, now: DateTime<Utc>) -> Result<bool> {
    let gone =
        sqlx::query("DELETE FROM charges WHERE report_id = $1 AND state = 'proposed' RETURNING case_id, net_cents")
            .bind(report.to_string())
            .fetch_all(tx.db())
            .await?;
    for row in &gone {
        let (case, net) = (CaseId(row.try_get("case_id")?), Cents(row.try_get("net_cents")?));
        charge_steps::step(tx, case, StepKind::Withdrawn, net, None, "erased", now).await?;
    }
    Ok(!gone.is_empty())
}

/// What is being deleted of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Of which report.
    pub report: ReportId,
    /// What, why, who asked for it, and which files of the sound folder go with it.
    pub classes: Vec<(Class, Why, Option<String>, Vec<String>)>,
}

impl Marked {
    /// All files that go.
    pub fn files(&self) -> impl Iterator<Item = &String> {
        self.classes.iter().flat_map(|(.., files)| files)
    }
}

/// Strips the rows of a report and marks its files: from here on it is being deleted.
///
/// # Errors
/// Where the database refused.
pub async fn begin(
    tx: &mut Tx,
    report: ReportId,
    classes: &[Class],
    why: Why,
    actor: Option<&str>,
    now: DateTime<Utc>,
) -> Result<()> {
    for class in classes {
        let files = files(tx, report, *class).await?;
        strip(tx, report, *class, now).await?;
        sqlx::query(
            "INSERT INTO deleting (report_id, class, why, actor, files, marked_at) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (report_id, class) DO NOTHING",
        )
        .bind(report.to_string())
        .bind(class.as_str())
        .bind(why.as_str())
        .bind(actor)
        .bind(serde_json::to_string(&files).expect("texts are always JSON"))
        .bind(ms(now))
        .execute(tx.db())
        .await?;
    }
    // the list and what it finds hold what the rows still hold, and no more
    inbox::forget(tx, report).await?;
    inbox::refresh(tx, report).await
}

/// One report whose files may still lie there, behind `after`; `None` = from the first on.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn marked(db: &mut AnyConnection, after: Option<ReportId>) -> Result<Option<Marked>> {
    let rows = sqlx::query(
        "SELECT report_id AS id, class, why, actor, files FROM deleting
         WHERE report_id = (SELECT MIN(report_id) FROM deleting WHERE report_id > $1) ORDER BY class",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .fetch_all(db)
    .await?;
    let Some(first) = rows.first() else { return Ok(None) };
    let report = parse_id("deleting", "report_id", &Fields::of(first, "deleting")?.text("id")?)?;
    let mut classes = Vec::new();
    for row in &rows {
        let fields = Fields::of(row, "deleting")?;
        classes.push((
            fields.word("class", Class::parse)?,
            fields.word("why", Why::parse)?,
            fields.maybe_text("actor")?,
            fields.json("files")?,
        ));
    }
    Ok(Some(Marked { report, classes }))
}

/// The files are gone: the marks go and the ledger says so. What was finished; nothing where somebody else was quicker.
///
/// # Errors
/// Where the database refused.
pub async fn finish(tx: &mut Tx, marked: &Marked, now: DateTime<Utc>) -> Result<Vec<Class>> {
    let mut rows = Vec::new();
    for (class, why, _, files) in &marked.classes {
        // one by one: another class may have been marked meanwhile, and its files still lie there
        let done = sqlx::query("DELETE FROM deleting WHERE report_id = $1 AND class = $2")
            .bind(marked.report.to_string())
            .bind(class.as_str())
            .execute(tx.db())
            .await?;
        if done.rows_affected() == 1 {
            let came = if *class == Class::Sound && files.is_empty() { Came::Nothing } else { Came::Deleted };
            rows.push((*class, *why, came));
        }
    }
    if !rows.is_empty() {
        ledger::add(tx, marked.report, &rows, now).await?;
    }
    Ok(rows.into_iter().map(|(class, ..)| class).collect())
}

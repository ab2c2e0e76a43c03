//! Later reports that joined a case another report opened.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, assessments, inbox, mails, ms, reports};
use crate::domain::assessment::{Assessment, Verdict, words};
use crate::domain::case::CaseId;
use crate::domain::report::{Report, ReportId};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

words! {
    /// Why a report joined a case.
    Why {
        /// The same message, seen by another way in another form.
        SameMessage = "same_message",
        /// The same caller about the same trouble.
        SameTrouble = "same_trouble",
    }
}

/// The report belongs to this case.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, report: ReportId, case: CaseId, why: Why, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO joins (report_id, case_id, why, joined_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (report_id) DO UPDATE SET case_id = excluded.case_id, why = excluded.why, joined_at = excluded.joined_at",
    )
    .bind(report.to_string())
    .bind(case.0)
    .bind(why.as_str())
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    inbox::refresh(tx, report).await
}

/// The report no longer belongs to the case it joined.
///
/// # Errors
/// Where the database refused.
pub async fn remove(tx: &mut Tx, report: ReportId) -> Result<()> {
    sqlx::query("DELETE FROM joins WHERE report_id = $1").bind(report.to_string()).execute(tx.db()).await?;
    inbox::refresh(tx, report).await
}

/// Whether the report joined a case.
///
/// # Errors
/// Where the database refused.
pub async fn is_joined(db: &mut AnyConnection, report: ReportId) -> Result<bool> {
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM joins WHERE report_id = $1")
        .bind(report.to_string())
        .fetch_one(db)
        .await?;
    Ok(count > 0)
}

/// The report that joined a case last.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn newest(tx: &mut Tx, case: CaseId) -> Result<Option<ReportId>> {
    let all = of_case(tx.db(), case).await?;
    Ok(all.last().map(|(id, _)| *id))
}

/// The loudest verdict of the reports of a case; `None` where none has one yet.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn loudest(tx: &mut Tx, case: CaseId) -> Result<Option<Verdict>> {
    let rows = sqlx::query(
        "SELECT COALESCE(corrected_verdict, verdict) AS verdict FROM assessments
         WHERE report_id IN (SELECT report_id FROM joins WHERE case_id = $1)
             OR report_id IN (SELECT report_id FROM cases WHERE id = $1)",
    )
    .bind(case.0)
    .fetch_all(tx.db())
    .await?;
    let verdict = |row| Fields::named(row, "assessments", case.to_string()).word("verdict", Verdict::parse);
    let verdicts = rows.iter().map(verdict).collect::<Result<Vec<_>>>()?;
    Ok(verdicts.into_iter().max_by_key(|verdict| verdict.rank()))
}

/// A report with what was read in it, and the SHA-256 of its mail.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn spoken(tx: &mut Tx, report: ReportId) -> Result<(Report, Option<Assessment>, Option<String>)> {
    let found = assessments::find(tx.db(), report).await?;
    let mail = mails::find(tx.db(), report).await?.map(|(_, sha256)| sha256);
    Ok((reports::find(tx.db(), report).await?, found, mail))
}

/// The reports that joined a case and are no copies of another, in the order they did.
///
/// # Errors
/// Where the database refused.
pub async fn within(tx: &mut Tx, case: CaseId) -> Result<Vec<ReportId>> {
    let all = of_case(tx.db(), case).await?;
    Ok(all.into_iter().filter(|(_, why)| *why != Why::SameMessage).map(|(id, _)| id).collect())
}

/// The reports that joined a case with why, in the order they did.
///
/// # Errors
/// Where the database refused.
pub async fn of_case(db: &mut AnyConnection, case: CaseId) -> Result<Vec<(ReportId, Why)>> {
    let rows = sqlx::query("SELECT report_id, why FROM joins WHERE case_id = $1 ORDER BY joined_at, report_id")
        .bind(case.0)
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "joins", case.to_string());
            Ok((parse_id("joins", "report_id", &fields.text("report_id")?)?, fields.word("why", Why::parse)?))
        })
        .collect()
}

/// The case a report joined.
///
/// # Errors
/// Where the database refused.
pub async fn case_of(db: &mut AnyConnection, report: ReportId) -> Result<Option<CaseId>> {
    let id: Option<i64> = sqlx::query_scalar("SELECT case_id FROM joins WHERE report_id = $1")
        .bind(report.to_string())
        .fetch_optional(db)
        .await?;
    Ok(id.map(CaseId))
}

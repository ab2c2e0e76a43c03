//! Assessments, one a report; beside it what corrections or a second hearing made of it. The first one is never overwritten by them.

use super::row::Fields;
use super::{Result, Tx, expect_one, inbox, ms};
use crate::domain::assessment::Assessment;
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// Stores (or replaces) a report's assessment.
///
/// # Errors
/// Where the database refused.
pub async fn put(tx: &mut Tx, report: ReportId, assessment: &Assessment, now: DateTime<Utc>) -> Result<()> {
    let body = serde_json::to_string(assessment).expect("an assessment has no map with odd keys");
    sqlx::query(
        "INSERT INTO assessments (report_id, created_at, verdict, body, stored_at)
         VALUES ($1, $2, $3, $4, (SELECT stored_at FROM reports WHERE id = $1 AND source <> 'drill'))
         ON CONFLICT (report_id) DO UPDATE SET created_at = excluded.created_at, verdict = excluded.verdict, body = excluded.body",
    )
    .bind(report.to_string())
    .bind(ms(now))
    .bind(assessment.verdict.as_str())
    .bind(body)
    .execute(tx.db())
    .await?;
    inbox::refresh(tx, report).await
}

/// Stores what corrections or a second hearing made of a report's assessment, beside the service's first one.
///
/// # Errors
/// Where the database refused, or the report has no assessment.
pub async fn correct(tx: &mut Tx, report: ReportId, assessment: &Assessment) -> Result<()> {
    let body = serde_json::to_string(assessment).expect("an assessment has no map with odd keys");
    let done = sqlx::query("UPDATE assessments SET corrected_verdict = $1, corrected_body = $2 WHERE report_id = $3")
        .bind(assessment.verdict.as_str())
        .bind(body)
        .bind(report.to_string())
        .execute(tx.db())
        .await?;
    expect_one(&done, || format!("report {report}"))?;
    inbox::refresh(tx, report).await
}

/// A report's assessment as it counts, after all corrections; `None` where there is none (yet).
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, report: ReportId) -> Result<Option<Assessment>> {
    read(db, "SELECT COALESCE(corrected_body, body) AS body FROM assessments WHERE report_id = $1", report).await
}

/// A report's assessment as the service judged it, before any correction; `None` where there is none (yet).
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn original(db: &mut AnyConnection, report: ReportId) -> Result<Option<Assessment>> {
    read(db, "SELECT body FROM assessments WHERE report_id = $1", report).await
}

async fn read(db: &mut AnyConnection, sql: &'static str, report: ReportId) -> Result<Option<Assessment>> {
    let row = sqlx::query(sql).bind(report.to_string()).fetch_optional(db).await?;
    row.map(|row| Fields::named(&row, "assessments", report.to_string()).json("body")).transpose()
}

//! Assessments, one a report.

use super::row::Fields;
use super::{Result, Tx, ms};
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
    Ok(())
}

/// A report's assessment; `None` where there is none (yet).
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, report: ReportId) -> Result<Option<Assessment>> {
    let row = sqlx::query("SELECT body FROM assessments WHERE report_id = $1")
        .bind(report.to_string())
        .fetch_optional(db)
        .await?;
    row.map(|row| Fields::named(&row, "assessments", report.to_string()).json("body")).transpose()
}

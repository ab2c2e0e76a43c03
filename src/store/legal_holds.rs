//! Reports of which nothing is deleted, because somebody said so, with a reason and an end.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalHold {
    /// Its identity, UUID v7.
    pub id: String,
    /// Of which report.
    pub report: ReportId,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Who said so.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// When it was ended before its time, and by whom.
    pub ended: Option<(DateTime<Utc>, String)>,
}

impl LegalHold {
    /// Whether it holds now.
    #[must_use]
    pub fn holds(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && self.until > now
    }
}

/// Nothing of the report is deleted until `until`.
///
/// # Errors
/// Where the database refused.
pub async fn add(
    tx: &mut Tx,
    report: ReportId,
    reason: &str,
    until: DateTime<Utc>,
    by: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO legal_holds (id, report_id, reason, until_at, made_by, made_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(report.to_string())
    .bind(reason)
    .bind(ms(until))
    .bind(by)
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Those of the report end now. How many there were.
///
/// # Errors
/// Where the database refused.
pub async fn end(tx: &mut Tx, report: ReportId, by: &str, now: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE legal_holds SET ended_at = $1, ended_by = $2 WHERE report_id = $3 AND ended_at IS NULL AND until_at > $1",
    )
    .bind(ms(now))
    .bind(by)
    .bind(report.to_string())
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected())
}

/// All of them, those that hold and those that did, the newest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<LegalHold>> {
    let rows = sqlx::query("SELECT * FROM legal_holds ORDER BY id DESC").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<LegalHold> {
    let fields = Fields::of(row, "legal_holds")?;
    Ok(LegalHold {
        id: fields.text("id")?,
        report: parse_id("legal_holds", "report_id", &fields.text("report_id")?)?,
        reason: fields.text("reason")?,
        until: fields.instant("until_at")?,
        made_by: fields.text("made_by")?,
        made_at: fields.instant("made_at")?,
        ended: fields.maybe_instant("ended_at")?.zip(fields.maybe_text("ended_by")?),
    })
}

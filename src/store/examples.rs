//! Reports that a person kept as examples for the rules: a message with its labels.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::report::ReportId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// One example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its identity, UUID v7.
    pub id: String,
    /// Made of which report; `None` = it was made anonymous.
    pub report: Option<ReportId>,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// By whom.
    pub made_by: String,
    /// Whether names and numbers in it are invented.
    pub anonymised: bool,
    /// `assess::bench::Record` as JSON.
    pub record: String,
}

/// Keeps an example.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, example: &Example) -> Result<()> {
    sqlx::query(
        "INSERT INTO examples (id, report_id, made_at, made_by, anonymised, record) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&example.id)
    .bind(example.report.map(|id| id.to_string()))
    .bind(ms(example.made_at))
    .bind(&example.made_by)
    .bind(i64::from(example.anonymised))
    .bind(&example.record)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The example names nobody any more: this is its record from now on, and nothing leads back to its report.
///
/// # Errors
/// Where the database refused.
pub async fn anonymise(tx: &mut Tx, id: &str, record: &str) -> Result<()> {
    sqlx::query("UPDATE examples SET record = $1, report_id = NULL, anonymised = 1 WHERE id = $2")
        .bind(record)
        .bind(id)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Throws an example away. `false`: there is none.
///
/// # Errors
/// Where the database refused.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM examples WHERE id = $1").bind(id).execute(tx.db()).await?;
    Ok(done.rows_affected() == 1)
}

/// One example.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Example>> {
    let row = sqlx::query("SELECT * FROM examples WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// All examples, the oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Example>> {
    let rows = sqlx::query("SELECT * FROM examples ORDER BY id").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Example> {
    let fields = Fields::of(row, "examples")?;
    let report = fields.maybe_text("report_id")?;
    Ok(Example {
        id: fields.text("id")?,
        report: report.map(|id| parse_id("examples", "report_id", &id)).transpose()?,
        made_at: fields.instant("made_at")?,
        made_by: fields.text("made_by")?,
        anonymised: fields.truth("anonymised")?,
        record: fields.text("record")?,
    })
}

//! What people corrected: append-only. There is no update and no delete here.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::correction::{Correction, Standing, What};
use crate::domain::report::ReportId;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// Adds a correction.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, correction: &Correction) -> Result<()> {
    sqlx::query(
        "INSERT INTO corrections (id, report_id, at, actor, what, before, after, reason)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(correction.report.to_string())
    .bind(ms(correction.at))
    .bind(&correction.actor)
    .bind(correction.what.as_str())
    .bind(&correction.before)
    .bind(&correction.after)
    .bind(&correction.reason)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The corrections of a report in the order made; how many there are is its version.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn of_report(db: &mut AnyConnection, report: ReportId) -> Result<Vec<Correction>> {
    let rows = sqlx::query("SELECT * FROM corrections WHERE report_id = $1 ORDER BY id")
        .bind(report.to_string())
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// What counts after all corrections of a report.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn standing(db: &mut AnyConnection, report: ReportId) -> Result<Standing> {
    Ok(Standing::of(&of_report(db, report).await?))
}

fn read(row: &AnyRow) -> Result<Correction> {
    let fields = Fields::of(row, "corrections")?;
    Ok(Correction {
        report: parse_id("corrections", "report_id", &fields.text("report_id")?)?,
        at: fields.instant("at")?,
        actor: fields.text("actor")?,
        what: fields.word("what", What::parse)?,
        before: fields.maybe_text("before")?,
        after: fields.maybe_text("after")?,
        reason: fields.maybe_text("reason")?,
    })
}

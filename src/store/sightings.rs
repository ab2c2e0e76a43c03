//! One message seen more than once: under another key of its source, or by another source.

use super::reports::parse_id;
use super::{Result, Tx, forgotten, ms};
use crate::domain::report::{Report, ReportId};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::any::AnyRow;

/// Notes that `source` has a known message under `key`.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, source: &str, key: &str, report: ReportId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO sightings (source, source_key, report_id, seen_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (source, source_key) DO NOTHING",
    )
    .bind(source)
    .bind(key)
    .bind(report.to_string())
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Lets nobody else look for a known message until this transaction ends (on SQLite its single writer does that already).
///
/// # Errors
/// Where the database refused.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    // A no-op update is a row lock.
    sqlx::query("UPDATE counters SET value = value WHERE name = 'cases'").execute(tx.db()).await?;
    Ok(())
}

/// The report that this source has under this key.
///
/// # Errors
/// Where the database refused.
pub async fn of_key(tx: &mut Tx, source: &str, key: &str) -> Result<Option<ReportId>> {
    let id: Option<String> = sqlx::query_scalar(
        "SELECT id FROM reports WHERE source = $1 AND source_key IN ($2, $3)
         UNION ALL
         SELECT report_id FROM sightings WHERE source = $1 AND source_key IN ($2, $3)",
    )
    .bind(source)
    .bind(key)
    .bind(forgotten(source, key))
    .fetch_optional(tx.db())
    .await?;
    id.map(|id| parse_id("reports", "id", &id)).transpose()
}

/// The report of this source with the same twin.
///
/// # Errors
/// Where the database refused.
pub async fn of_twin(tx: &mut Tx, source: &str, twin: &str) -> Result<Option<ReportId>> {
    let id: Option<String> =
        sqlx::query_scalar("SELECT id FROM reports WHERE source = $1 AND twin IN ($2, $3) ORDER BY id LIMIT 1")
            .bind(source)
            .bind(twin)
            .bind(forgotten(source, twin))
            .fetch_optional(tx.db())
            .await?;
    id.map(|id| parse_id("reports", "id", &id)).transpose()
}

/// A report with the same sound whose call began within `window` of this one's: its identity and displayed number.
///
/// # Errors
/// Where the database refused.
pub async fn of_sound(
    tx: &mut Tx,
    report: &Report,
    sha256: &str,
    window: TimeDelta,
) -> Result<Vec<(ReportId, Option<String>)>> {
    let rows: Vec<AnyRow> = sqlx::query(
        "SELECT id, caller_number FROM reports WHERE sound_sha256 = $1 AND called_at BETWEEN $2 AND $3 ORDER BY id",
    )
    .bind(sha256)
    .bind(ms(report.called_at - window))
    .bind(ms(report.called_at + window))
    .fetch_all(tx.db())
    .await?;
    rows.iter()
        .map(|row| {
            use sqlx::Row as _;
            let id: String = row.try_get("id")?;
            Ok((parse_id("reports", "id", &id)?, row.try_get("caller_number")?))
        })
        .collect()
}

//! Transcripts, one a report, as the transcriber wrote them; what a person typed lies among the corrections, what a larger model
//! heard among the hearings.

use super::row::Fields;
use super::{Result, Tx, corrections, hearings, inbox, ms};
use crate::domain::correction;
use crate::domain::report::ReportId;
use crate::domain::transcript::Transcript;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use std::time::Duration;

/// Stores (or replaces) a report's transcript.
///
/// # Errors
/// Where the database refused.
pub async fn put(
    tx: &mut Tx,
    report: ReportId,
    transcript: &Transcript,
    took: Duration,
    now: DateTime<Utc>,
) -> Result<()> {
    let body = serde_json::to_string(transcript).expect("a transcript has no map with odd keys");
    sqlx::query(
        "INSERT INTO transcripts (report_id, created_at, took_ms, body, sound_ms) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (report_id) DO UPDATE SET created_at = excluded.created_at, took_ms = excluded.took_ms,
             body = excluded.body, sound_ms = excluded.sound_ms",
    )
    .bind(report.to_string())
    .bind(ms(now))
    .bind(i64::try_from(took.as_millis()).unwrap_or(i64::MAX))
    .bind(body)
    .bind(i64::from(transcript.sound_ms))
    .execute(tx.db())
    .await?;
    inbox::refresh(tx, report).await
}

/// A report's transcript as it counts, with the words that a person typed, and the milliseconds it took; `None` where there
/// is none (yet).
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn find(db: &mut AnyConnection, report: ReportId) -> Result<Option<(Transcript, u64)>> {
    let Some((heard, took)) = original(db, report).await? else { return Ok(None) };
    let standing = corrections::standing(db, report).await?;
    let transcript = standing.text().map(|text| correction::typed(&heard, text).transcript);
    Ok(Some((transcript.unwrap_or(heard), took)))
}

/// A report's transcript as it was heard and counts: by the larger model, where its words do. With the milliseconds it took;
/// `None` where there is none (yet, or no longer).
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn original(db: &mut AnyConnection, report: ReportId) -> Result<Option<(Transcript, u64)>> {
    match hearings::find(db, report).await?.filter(|hearing| hearing.counts) {
        Some(hearing) => Ok(Some((hearing.transcript, hearing.took_ms))),
        None => first(db, report).await,
    }
}

/// A report's transcript as it was heard first, whatever was heard later.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn first(db: &mut AnyConnection, report: ReportId) -> Result<Option<(Transcript, u64)>> {
    let row = sqlx::query("SELECT body, took_ms FROM transcripts WHERE report_id = $1 AND body <> ''")
        .bind(report.to_string())
        .fetch_optional(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let fields = Fields::named(&row, "transcripts", report.to_string());
    Ok(Some((fields.json("body")?, fields.count("took_ms")?)))
}

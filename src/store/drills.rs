//! Drills: what was laid down, how far it came, and whether people were told that it did not arrive.

use super::reports::parse_id;
use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::drill::Reached;
use crate::domain::report::{DRILL, ReportId, Stage};
use crate::domain::transcript::Transcript;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// One drill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// Its identity; also in the recording's name.
    pub id: String,
    /// When the recording was laid down.
    pub begun_at: DateTime<Utc>,
    /// When it must have arrived.
    pub until_at: DateTime<Utc>,
    /// The report it became.
    pub report: Option<ReportId>,
    /// When its notice stood in the chat.
    pub arrived_at: Option<DateTime<Utc>>,
    /// When people were told that it did not arrive.
    pub failed_at: Option<DateTime<Utc>>,
}

/// Begins a drill that must arrive before `until_at`; its identity.
///
/// # Errors
/// Where the database refused.
pub async fn begin(tx: &mut Tx, now: DateTime<Utc>, until_at: DateTime<Utc>) -> Result<String> {
    let id = Uuid::now_v7().to_string();
    sqlx::query("INSERT INTO drills (id, source, begun_at, until_at) VALUES ($1, $2, $3, $4)")
        .bind(&id)
        .bind(DRILL)
        .bind(ms(now))
        .bind(ms(until_at))
        .execute(tx.db())
        .await?;
    Ok(id)
}

/// Those that have not arrived and began after `since`, the oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn on_the_way(db: &mut AnyConnection, since: DateTime<Utc>) -> Result<Vec<Drill>> {
    let rows = sqlx::query("SELECT * FROM drills WHERE arrived_at IS NULL AND begun_at >= $1 ORDER BY id")
        .bind(ms(since))
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// One drill.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Drill>> {
    let row = sqlx::query("SELECT * FROM drills WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The newest one.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn last(db: &mut AnyConnection) -> Result<Option<Drill>> {
    let row = sqlx::query("SELECT * FROM drills ORDER BY id DESC LIMIT 1").fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// When the newest one began.
///
/// # Errors
/// Where the database refused.
pub async fn newest(db: &mut AnyConnection) -> Result<Option<DateTime<Utc>>> {
    let at: Option<i64> = sqlx::query_scalar("SELECT MAX(begun_at) FROM drills").fetch_one(db).await?;
    Ok(at.and_then(DateTime::from_timestamp_millis))
}

/// How far a drill has come.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn reached(db: &mut AnyConnection, drill: &Drill) -> Result<(Reached, Option<ReportId>)> {
    if drill.arrived_at.is_some() {
        return Ok((Reached::Arrived, drill.report));
    }
    let row = sqlx::query(
        "SELECT reports.id AS id, reports.stage AS stage, transcripts.body AS body FROM reports
         LEFT JOIN transcripts ON transcripts.report_id = reports.id WHERE reports.source = $1 AND reports.source_key LIKE $2",
    )
    .bind(DRILL)
    .bind(format!("{}.%", drill.id))
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok((Reached::Laid, None)) };
    let fields = Fields::of(&row, "reports")?;
    let report = parse_id("reports", "id", &fields.text("id")?)?;
    let stage = fields.word("stage", Stage::parse)?;
    let heard = match fields.maybe_text("body")? {
        None => false,
        Some(_) => !fields.json::<Transcript>("body")?.words.is_empty(),
    };
    let reached = match (stage, heard) {
        (Stage::Transcribe, _) => Reached::Stored,
        (_, false) => Reached::NotTranscribed,
        (Stage::Assess, true) => Reached::Transcribed,
        (Stage::Done, true) => Reached::Assessed,
    };
    Ok((reached, Some(report)))
}

/// The drill became this report.
///
/// # Errors
/// Where the database refused.
pub async fn became(tx: &mut Tx, id: &str, report: ReportId) -> Result<()> {
    sqlx::query("UPDATE drills SET report_id = $1 WHERE id = $2")
        .bind(report.to_string())
        .bind(id)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Its notice stands in the chat.
///
/// # Errors
/// Where the database refused.
pub async fn arrived(tx: &mut Tx, id: &str, at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE drills SET arrived_at = $1 WHERE id = $2").bind(ms(at)).bind(id).execute(tx.db()).await?;
    Ok(())
}

/// It is given up: people are told how far it came.
///
/// # Errors
/// Where the database refused.
pub async fn failed(tx: &mut Tx, id: &str, reached: Reached, at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE drills SET failed_at = $1, why = $2 WHERE id = $3")
        .bind(ms(at))
        .bind(reached.as_str())
        .bind(id)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// When the notice of this drill's report was delivered; `None` inside = planned, not delivered yet.
///
/// # Errors
/// Where the database refused.
pub async fn notice(db: &mut AnyConnection, report: ReportId) -> Result<Option<Option<DateTime<Utc>>>> {
    let sent: Option<Option<i64>> =
        sqlx::query_scalar("SELECT sent_at FROM notices WHERE report_id = $1 AND kind = 'drill' LIMIT 1")
            .bind(report.to_string())
            .fetch_optional(db)
            .await?;
    Ok(sent.map(|at| at.and_then(DateTime::from_timestamp_millis)))
}

/// The messages of all earlier drills go off the phones: one line a day, not a pile.
///
/// # Errors
/// Where the database refused.
pub async fn take_off_earlier(tx: &mut Tx, newest: ReportId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET body = NULL, version = version + 1,
             due_at = CASE WHEN delivery = 'sent' AND due_at IS NULL THEN $1 ELSE due_at END
         WHERE kind = 'drill' AND report_id <> $2 AND body IS NOT NULL AND delivery IN ('due', 'sending', 'sent')",
    )
    .bind(ms(now))
    .bind(newest.to_string())
    .execute(tx.db())
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Drill> {
    let fields = Fields::of(row, "drills")?;
    let report = fields.maybe_text("report_id")?;
    Ok(Drill {
        id: fields.text("id")?,
        begun_at: fields.instant("begun_at")?,
        until_at: fields.instant("until_at")?,
        report: report.map(|id| parse_id("drills", "report_id", &id)).transpose()?,
        arrived_at: fields.maybe_instant("arrived_at")?,
        failed_at: fields.maybe_instant("failed_at")?,
    })
}

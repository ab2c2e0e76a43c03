//! Reports: stored once, carried from stage to stage under a lease.

use super::row::Fields;
use super::{Claim, Lease, Result, StoreError, Tx, expect_one, forgotten, inbox, ms, ms_opt};
use crate::domain::report::{Caller, Medium, Recording, Report, ReportId, Stage};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// Stores a new report with its first work. `false`: the same arrival is known already, and nothing was changed.
///
/// # Errors
/// Where the database refused.
pub async fn insert(
    tx: &mut Tx,
    report: &Report,
    twin: Option<&str>,
    due_at: DateTime<Utc>,
    unheard_at: Option<DateTime<Utc>>,
) -> Result<bool> {
    let recording = report.recording.as_ref();
    let done = sqlx::query(
        "INSERT INTO reports (id, source, source_key, mailbox, caller_number, caller_name, called_at, stored_at,
             sound_file, sound_sha256, sound_bytes, sound_name, trouble, stage, unheard_at, due_at, medium, longest_s, twin,
             attempt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 0)
         ON CONFLICT (source, source_key) DO NOTHING",
    )
    .bind(report.id.to_string())
    .bind(&report.source)
    .bind(&report.key)
    .bind(&report.mailbox)
    .bind(&report.caller.number)
    .bind(&report.caller.name)
    .bind(ms(report.called_at))
    .bind(ms(report.stored_at))
    .bind(recording.map(|sound| sound.file.clone()))
    .bind(recording.map(|sound| sound.sha256.clone()))
    .bind(recording.map(|sound| i64::try_from(sound.bytes).unwrap_or(i64::MAX)))
    .bind(recording.map(|sound| sound.name.clone()))
    .bind(&report.trouble)
    .bind(report.stage.as_str())
    .bind(ms_opt(unheard_at))
    .bind(ms(due_at))
    .bind(report.medium.as_str())
    .bind(report.longest_s.map(i64::from))
    .bind(twin)
    .execute(tx.db())
    .await?;
    let new = done.rows_affected() == 1;
    if new {
        inbox::refresh(tx, report.id).await?;
    }
    Ok(new)
}

/// Whether the source was told, for each key the store knows: `None` = unknown, `Some(false)` = stored, not yet told.
///
/// # Errors
/// Where the database refused.
pub async fn known(db: &mut AnyConnection, source: &str, key: &str) -> Result<Option<bool>> {
    let told: Option<i64> = sqlx::query_scalar(
        "SELECT CASE WHEN confirmed_at IS NULL THEN 0 ELSE 1 END FROM reports WHERE source = $1 AND source_key IN ($2, $3)
         UNION ALL
         SELECT CASE WHEN confirmed_at IS NULL THEN 0 ELSE 1 END FROM sightings WHERE source = $1 AND source_key IN ($2, $3)",
    )
    .bind(source)
    .bind(key)
    .bind(forgotten(source, key))
    .fetch_optional(db)
    .await?;
    Ok(told.map(|told| told != 0))
}

/// Notes that the source was told.
///
/// # Errors
/// Where the database refused.
pub async fn confirmed(tx: &mut Tx, source: &str, key: &str, now: DateTime<Utc>) -> Result<()> {
    for table in [
        "UPDATE reports SET confirmed_at = $1 WHERE source = $2 AND source_key = $3",
        "UPDATE sightings SET confirmed_at = $1 WHERE source = $2 AND source_key = $3",
    ] {
        sqlx::query(table).bind(ms(now)).bind(source).bind(key).execute(tx.db()).await?;
    }
    Ok(())
}

/// When the caller called.
///
/// # Errors
/// Where the database refused or there is no such report.
pub async fn called_at(tx: &mut Tx, id: ReportId) -> Result<DateTime<Utc>> {
    let at: i64 = sqlx::query_scalar("SELECT called_at FROM reports WHERE id = $1")
        .bind(id.to_string())
        .fetch_one(tx.db())
        .await?;
    Ok(DateTime::from_timestamp_millis(at).unwrap_or_default())
}

/// The mailbox or line it was left on.
///
/// # Errors
/// Where the database refused.
pub async fn line(tx: &mut Tx, id: ReportId) -> Result<Option<String>> {
    let found: Option<Option<String>> = sqlx::query_scalar("SELECT mailbox FROM reports WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(tx.db())
        .await?;
    Ok(found.flatten())
}

/// Gives a report its place in the queues (`Report::turn_at`); without one it stands where it was stored.
///
/// # Errors
/// Where the database refused.
pub async fn line_up(tx: &mut Tx, id: ReportId, turn_at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE reports SET turn_at = $1 WHERE id = $2")
        .bind(ms(turn_at))
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Claims of the reports that are due in `stage` the one whose turn it is, and counts the try before it is made.
///
/// # Errors
/// Where the database refused.
pub async fn claim(tx: &mut Tx, stage: Stage, claim: Claim) -> Result<Option<(Report, Lease)>> {
    let token = Claim::token();
    let sql = tx.dialect.sql(
        "UPDATE reports SET lease_until = $1, lease_token = $2, attempt = attempt + 1
         WHERE id = (SELECT id FROM reports WHERE stage = $3 AND due_at <= $4 AND (lease_until IS NULL OR lease_until <= $4)
                     ORDER BY COALESCE(turn_at, stored_at), id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql)
        .bind(claim.until())
        .bind(&token)
        .bind(stage.as_str())
        .bind(ms(claim.now))
        .fetch_optional(tx.db())
        .await?;
    let Some(row) = row else { return Ok(None) };
    let attempt = Fields::of(&row, "reports")?.count("attempt")?;
    Ok(Some((read(&row)?, Lease { token, attempt })))
}

/// Ends the leased stage: the next stage is due at `due_at` (or nothing is, for `Done`).
///
/// # Errors
/// `LeaseLost` where somebody else has it by now; where the database refused.
pub async fn advance(
    tx: &mut Tx,
    id: ReportId,
    lease: &Lease,
    stage: Stage,
    due_at: Option<DateTime<Utc>>,
) -> Result<()> {
    let done = sqlx::query(
        "UPDATE reports SET stage = $1, due_at = $2, attempt = 0, lease_until = NULL, lease_token = NULL
         WHERE id = $3 AND lease_token = $4",
    )
    .bind(stage.as_str())
    .bind(ms_opt(due_at))
    .bind(id.to_string())
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("report {id}"))
}

/// Gives the leased report back: the same stage again at `due_at`.
///
/// # Errors
/// `LeaseLost` where somebody else has it by now; where the database refused.
pub async fn again(tx: &mut Tx, id: ReportId, lease: &Lease, due_at: DateTime<Utc>) -> Result<()> {
    let done = sqlx::query(
        "UPDATE reports SET due_at = $1, lease_until = NULL, lease_token = NULL WHERE id = $2 AND lease_token = $3",
    )
    .bind(ms(due_at))
    .bind(id.to_string())
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    expect_one(&done, || format!("report {id}"))
}

/// Takes one report that nobody judged in time, and clears its mark; the caller opens its case in the same transaction.
///
/// # Errors
/// Where the database refused.
pub async fn take_unheard(tx: &mut Tx, now: DateTime<Utc>) -> Result<Option<Report>> {
    let sql = tx.dialect.sql(
        "UPDATE reports SET unheard_at = NULL
         WHERE id = (SELECT id FROM reports WHERE unheard_at <= $1 ORDER BY unheard_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(ms(now)).fetch_optional(tx.db()).await?;
    row.as_ref().map(read).transpose()
}

/// The report has its verdict: it can no longer become unheard.
///
/// # Errors
/// Where the database refused.
pub async fn heard(tx: &mut Tx, id: ReportId) -> Result<()> {
    sqlx::query("UPDATE reports SET unheard_at = NULL WHERE id = $1").bind(id.to_string()).execute(tx.db()).await?;
    Ok(())
}

/// One report.
///
/// # Errors
/// Where the database refused, or there is none of that id.
pub async fn find(db: &mut AnyConnection, id: ReportId) -> Result<Report> {
    read(&sqlx::query("SELECT * FROM reports WHERE id = $1").bind(id.to_string()).fetch_one(db).await?)
}

/// One report; `None` where there is none of that id.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn maybe(db: &mut AnyConnection, id: ReportId) -> Result<Option<Report>> {
    let row = sqlx::query("SELECT * FROM reports WHERE id = $1").bind(id.to_string()).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// Whether its words were deleted.
///
/// # Errors
/// Where the database refused.
pub async fn lost_its_words(db: &mut AnyConnection, id: ReportId) -> Result<bool> {
    let lost: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM reports WHERE id = $1 AND text_deleted_at IS NOT NULL")
        .bind(id.to_string())
        .fetch_one(db)
        .await?;
    Ok(lost > 0)
}

/// One report for changing what is known of it: on PostgreSQL its row is locked until the transaction ends.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn lock(tx: &mut Tx, id: ReportId) -> Result<Option<Report>> {
    // A no-op update is a row lock on both databases.
    let row = sqlx::query("UPDATE reports SET id = id WHERE id = $1 RETURNING *")
        .bind(id.to_string())
        .fetch_optional(tx.db())
        .await?;
    row.as_ref().map(read).transpose()
}

/// One report, if this source brought one of that id.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn of_source(db: &mut AnyConnection, source: &str, id: ReportId) -> Result<Option<Report>> {
    let row = sqlx::query("SELECT * FROM reports WHERE id = $1 AND source = $2")
        .bind(id.to_string())
        .bind(source)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Up to `limit` reports behind `after`, in the order they were stored.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn page(db: &mut AnyConnection, after: Option<ReportId>, limit: i64) -> Result<Vec<Report>> {
    let rows = sqlx::query("SELECT * FROM reports WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after.map(|id| id.to_string()).unwrap_or_default())
        .bind(limit)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// All reports in the order they were stored.
///
/// # Errors
/// Where the database refused.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Report>> {
    let rows = sqlx::query("SELECT * FROM reports ORDER BY id").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// What came in from `since` to `until`, in the order it was stored. Drills are none.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn stored_between(db: &mut AnyConnection, since: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Report>> {
    let rows = sqlx::query("SELECT * FROM reports WHERE stored_at >= $1 AND stored_at < $2 ORDER BY id")
        .bind(ms(since))
        .bind(ms(until))
        .fetch_all(db)
        .await?;
    let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
    found.retain(|report| !report.is_drill());
    Ok(found)
}

/// Up to `limit` assessed reports behind `after` (`None`: from the first) whose words are still there, oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn assessed(db: &mut AnyConnection, after: Option<ReportId>, limit: i64) -> Result<Vec<Report>> {
    let rows = sqlx::query(
        "SELECT * FROM reports WHERE id > $1 AND text_deleted_at IS NULL
             AND EXISTS (SELECT 1 FROM assessments WHERE assessments.report_id = reports.id)
         ORDER BY id LIMIT $2",
    )
    .bind(after.map(|id| id.to_string()).unwrap_or_default())
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.iter().map(read).collect()
}

/// How many reports wait in `stage`, and since when the oldest of them was stored.
///
/// # Errors
/// Where the database refused.
pub async fn waiting(db: &mut AnyConnection, stage: Stage) -> Result<(i64, Option<DateTime<Utc>>)> {
    let row = sqlx::query("SELECT COUNT(*) AS waiting, MIN(stored_at) AS oldest FROM reports WHERE stage = $1")
        .bind(stage.as_str())
        .fetch_one(db)
        .await?;
    let fields = Fields::named(&row, "reports", stage.as_str().to_owned());
    Ok((fields.number("waiting")?, fields.maybe_instant("oldest")?))
}

pub(super) fn parse_id(table: &'static str, column: &'static str, text: &str) -> Result<ReportId> {
    text.parse().map_err(|_| StoreError::Row { table, column, id: text.to_owned(), value: text.to_owned() })
}

fn read(row: &AnyRow) -> Result<Report> {
    let fields = Fields::of(row, "reports")?;
    let recording = match fields.maybe_text("sound_file")? {
        None => None,
        Some(file) => Some(Recording {
            file,
            sha256: fields.text("sound_sha256")?,
            bytes: fields.count("sound_bytes")?,
            name: fields.text("sound_name")?,
        }),
    };
    Ok(Report {
        id: parse_id("reports", "id", &fields.text("id")?)?,
        source: fields.text("source")?,
        key: fields.text("source_key")?,
        mailbox: fields.maybe_text("mailbox")?,
        caller: Caller { number: fields.maybe_text("caller_number")?, name: fields.maybe_text("caller_name")? },
        called_at: fields.instant("called_at")?,
        stored_at: fields.instant("stored_at")?,
        recording,
        trouble: fields.maybe_text("trouble")?,
        medium: fields.word("medium", Medium::parse)?,
        longest_s: fields.maybe_number("longest_s")?.and_then(|seconds| u32::try_from(seconds).ok()),
        stage: fields.word("stage", Stage::parse)?,
    })
}

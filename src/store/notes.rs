//! Notes on a case: what a technician wrote or said in answer to an alert.

use super::row::Fields;
use super::{Result, Tx, ms, ms_opt};
use crate::domain::case::{CaseId, Note, NoteContent};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// Writes a note down; a spoken one is due to be fetched at once.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, case: CaseId, author: &str, content: &NoteContent, now: DateTime<Utc>) -> Result<()> {
    let (body, file_id, seconds) = match content {
        NoteContent::Written(text) => (Some(text.clone()), None, None),
        NoteContent::Spoken { file_id, seconds, .. } => (None, Some(file_id.clone()), Some(i64::from(*seconds))),
    };
    let due_at = file_id.as_ref().map(|_| now);
    sqlx::query(
        "INSERT INTO notes (id, case_id, author, at, body, file_id, length_s, due_at, attempt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(case.0)
    .bind(author)
    .bind(ms(now))
    .bind(body)
    .bind(file_id)
    .bind(seconds)
    .bind(ms_opt(due_at))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The notes on a case, the oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn of_case(db: &mut AnyConnection, case: CaseId) -> Result<Vec<Note>> {
    let rows = sqlx::query("SELECT * FROM notes WHERE case_id = $1 ORDER BY id").bind(case.0).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// One note; `None` where there is none of that id.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Note>> {
    let row = sqlx::query("SELECT * FROM notes WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// Takes one voice that is still to be fetched; the try is counted and the next one set to `again_at`. Gives the try's
/// number, from 1.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn take_due(tx: &mut Tx, now: DateTime<Utc>, again_at: DateTime<Utc>) -> Result<Option<(Note, u32)>> {
    let sql = tx.dialect.sql(
        "UPDATE notes SET due_at = $1, attempt = attempt + 1
         WHERE id = (SELECT id FROM notes WHERE due_at <= $2 ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(ms(again_at)).bind(ms(now)).fetch_optional(tx.db()).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some((read(&row)?, Fields::of(&row, "notes")?.count("attempt")?)))
}

/// The voice was fetched to this file, or (`None`) is given up.
///
/// # Errors
/// Where the database refused.
pub async fn fetched(tx: &mut Tx, id: &str, file: Option<&str>) -> Result<()> {
    sqlx::query("UPDATE notes SET due_at = NULL, sound_file = $1 WHERE id = $2")
        .bind(file)
        .bind(id)
        .execute(tx.db())
        .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Note> {
    let fields = Fields::of(row, "notes")?;
    let content = match fields.maybe_text("body")? {
        Some(text) => NoteContent::Written(text),
        None => NoteContent::Spoken {
            file_id: fields.maybe_text("file_id")?.unwrap_or_default(),
            seconds: fields.maybe_number("length_s")?.and_then(|s| u32::try_from(s).ok()).unwrap_or(0),
            file: fields.maybe_text("sound_file")?,
        },
    };
    Ok(Note {
        id: fields.text("id")?,
        case: CaseId(fields.number("case_id")?),
        author: fields.text("author")?,
        at: fields.instant("at")?,
        content,
    })
}

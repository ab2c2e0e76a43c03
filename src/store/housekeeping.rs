//! What is old and belongs to no report: the log's rows, texts of notices about nothing, voices that a chat still has.

use super::{Result, Tx, ms};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::AnyConnection;
use std::collections::HashSet;

/// Log rows from before `limit` go. How many there were.
///
/// # Errors
/// Where the database refused.
pub async fn forget_log(tx: &mut Tx, limit: DateTime<Utc>) -> Result<u64> {
    let mut gone = 0;
    for statement in [
        "DELETE FROM events WHERE at < $1",
        "DELETE FROM notices WHERE created_at < $1 AND due_at IS NULL AND lease_token IS NULL
             AND NOT EXISTS (SELECT 1 FROM cases WHERE cases.id = notices.case_id AND cases.state <> 'closed')",
        "DELETE FROM roster_changes WHERE until_at < $1",
        "DELETE FROM invites WHERE until_at < $1",
        "DELETE FROM ready WHERE shift_at < $1",
        "DELETE FROM troubles WHERE gone_at < $1",
        "DELETE FROM drills WHERE until_at < $1",
    ] {
        gone += sqlx::query(statement).bind(ms(limit)).execute(tx.db()).await?.rows_affected();
    }
    Ok(gone)
}

/// What notices from before `limit` said that belong to no report: lists and answers name companies and numbers.
///
/// # Errors
/// Where the database refused.
pub async fn forget_loose_texts(tx: &mut Tx, limit: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE notices SET body = NULL, shown = NULL
         WHERE report_id IS NULL AND case_id IS NULL AND created_at < $1 AND due_at IS NULL AND body IS NOT NULL
             AND kind IN ('text', 'hint', 'outage', 'message', 'reply', 'drill')",
    )
    .bind(ms(limit))
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected())
}

/// For so long a bot can take a message off a chat.
const REMOVABLE: TimeDelta = TimeDelta::hours(48);

/// Recordings that a chat has had since before `limit` are to be taken off it. How many. What no bot can take off any more
/// is only marked.
///
/// # Errors
/// Where the database refused.
pub async fn expire_voices(tx: &mut Tx, limit: DateTime<Utc>, now: DateTime<Utc>) -> Result<u64> {
    sqlx::query(
        "UPDATE notices SET body = 'expired'
         WHERE kind = 'voice' AND channel = 'telegram' AND delivery = 'sent' AND due_at IS NULL AND body IS NULL
             AND sent_at <= $1",
    )
    .bind(ms(now - REMOVABLE))
    .execute(tx.db())
    .await?;
    let done = sqlx::query(
        "UPDATE notices SET body = 'expired', version = version + 1, due_at = $1
         WHERE kind = 'voice' AND channel = 'telegram' AND delivery = 'sent' AND due_at IS NULL AND body IS NULL
             AND sent_at < $2 AND sent_at > $3",
    )
    .bind(ms(now))
    .bind(ms(limit))
    .bind(ms(now - REMOVABLE))
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected())
}

/// The id of the newest report; `None` where there is none.
///
/// # Errors
/// Where the database refused.
pub async fn newest_report(db: &mut AnyConnection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT MAX(id) FROM reports").fetch_one(db).await?)
}

/// Whether nobody waits for the database: no case is open or taken, no message waits for its verdict, nothing is to be sent.
///
/// # Errors
/// Where the database refused.
pub async fn is_quiet(db: &mut AnyConnection, now: DateTime<Utc>) -> Result<bool> {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT (SELECT COUNT(*) FROM cases WHERE state <> 'closed')
             + (SELECT COUNT(*) FROM reports WHERE stage <> 'done')
             + (SELECT COUNT(*) FROM notices WHERE due_at <= $1)",
    )
    .bind(ms(now))
    .fetch_one(db)
    .await?;
    Ok(waiting == 0)
}

/// With what the names of files in the sound folder begin to which a row points: the report's or note's id.
///
/// # Errors
/// Where the database refused.
pub async fn wanted_files(db: &mut AnyConnection) -> Result<HashSet<String>> {
    let ids: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM reports WHERE sound_file IS NOT NULL
         UNION SELECT report_id FROM mails
         UNION SELECT id FROM notes WHERE sound_file IS NOT NULL OR due_at IS NOT NULL
         UNION SELECT report_id FROM deleting",
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().collect())
}

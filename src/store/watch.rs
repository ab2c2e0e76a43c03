//! What the watch looks at: is anything late, can something be written.

use super::{Result, Tx, marks, ms};
use crate::domain::case::CaseId;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// The mark of the last time at which the service lived, in milliseconds.
const ALIVE: &str = "alive";
/// So many starts are remembered.
const STARTS_KEPT: usize = 10;

/// Writes down that the service lives.
///
/// # Errors
/// Where the database refused.
pub async fn alive(tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
    marks::put(tx, ALIVE, ms(now)).await
}

/// When the service last lived, if it ever did.
///
/// # Errors
/// Where the database refused.
pub async fn last_alive(db: &mut AnyConnection) -> Result<Option<DateTime<Utc>>> {
    Ok(marks::find(db, ALIVE).await?.and_then(DateTime::from_timestamp_millis))
}

/// Writes a start down. How many there were since `since`, this one included; no more than ten are known.
///
/// # Errors
/// Where the database refused.
pub async fn started(tx: &mut Tx, now: DateTime<Utc>, since: DateTime<Utc>) -> Result<usize> {
    let mut starts = Vec::new();
    for place in 0..STARTS_KEPT {
        let name = format!("start.{place}");
        starts.push((marks::find(tx.db(), &name).await?.unwrap_or(i64::MIN), name));
    }
    let oldest = starts.iter_mut().min().expect("there is at least one");
    oldest.0 = ms(now);
    let name = oldest.1.clone();
    marks::put(tx, &name, ms(now)).await?;
    Ok(starts.iter().filter(|(at, _)| *at >= ms(since)).count())
}

/// A case that is not closed and should have been looked at before `limit`.
///
/// # Errors
/// Where the database refused.
pub async fn overdue_case(db: &mut AnyConnection, limit: DateTime<Utc>) -> Result<Option<CaseId>> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT id FROM cases WHERE state <> 'closed' AND due_at < $1 ORDER BY due_at LIMIT 1")
            .bind(ms(limit))
            .fetch_optional(db)
            .await?;
    Ok(found.map(CaseId))
}

/// An open case from before `limit` that rang, and of which nothing ever stood on any phone.
///
/// # Errors
/// Where the database refused.
pub async fn untold_case(db: &mut AnyConnection, limit: DateTime<Utc>) -> Result<Option<CaseId>> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT id FROM cases AS untold WHERE state = 'open' AND opened_at < $1 AND rings > 0
             AND NOT EXISTS (SELECT 1 FROM notices WHERE sent_at IS NOT NULL
                 AND ((kind = 'alert' AND case_id = untold.id)
                      OR (kind = 'bundle' AND ' ' || body || ' ' LIKE '% ' || CAST(untold.id AS TEXT) || ' %')))
         ORDER BY id LIMIT 1",
    )
    .bind(ms(limit))
    .fetch_optional(db)
    .await?;
    Ok(found.map(CaseId))
}

/// How many loud notices planned before `limit` have reached their recipient by none of his ways.
///
/// # Errors
/// Where the database refused.
pub async fn undelivered(db: &mut AnyConnection, limit: DateTime<Utc>) -> Result<i64> {
    Ok(sqlx::query_scalar(
        "SELECT COUNT(*) FROM notices AS late WHERE late.loud = 1 AND late.delivery IN ('due', 'sending') AND late.created_at < $1
             AND NOT EXISTS (SELECT 1 FROM notices AS told WHERE told.recipient = late.recipient AND told.kind = late.kind
                             AND COALESCE(told.case_id, 0) = COALESCE(late.case_id, 0) AND told.sent_at >= late.created_at)",
    )
    .bind(ms(limit))
    .fetch_one(db)
    .await?)
}

//! Alerts that are late become one list a chat: nothing is replayed one by one.

use super::notices::TELEGRAM;
use super::{Lease, Result, Tx, ms};
use crate::domain::case::CaseId;
use crate::domain::notice::Notice;
use chrono::{DateTime, Utc};
use sqlx::Row as _;

/// Alerts that one list stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Late {
    /// Of which cases, the oldest first.
    pub cases: Vec<CaseId>,
    /// When the recipient's other ways should begin, the earliest.
    pub second_at: Option<DateTime<Utc>>,
}

/// The alerts of several cases in the chat (or channel) of this one that never got out and should have before `before`:
/// they are taken back, with the recordings that were to come along. `None` where there are not at least two: nothing is changed. `lease` is that of
/// the one in hand.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn take_late(tx: &mut Tx, of: &Notice, lease: &Lease, before: DateTime<Utc>) -> Result<Option<Late>> {
    let (chat, channel) = (of.chat, of.channel.as_deref().unwrap_or(TELEGRAM));
    let rows = sqlx::query(
        "SELECT case_id, second_at FROM notices
         WHERE chat = $1 AND channel = $2 AND kind = 'alert' AND delivery = 'due' AND message IS NULL AND case_id IS NOT NULL
             AND COALESCE(wanted_at, created_at) <= $3 AND (lease_token IS NULL OR lease_token = $4)
         ORDER BY case_id",
    )
    .bind(chat)
    .bind(channel)
    .bind(ms(before))
    .bind(&lease.token)
    .fetch_all(tx.db())
    .await?;
    let mut cases: Vec<CaseId> = Vec::new();
    let mut second_at: Option<i64> = None;
    for row in &rows {
        cases.push(CaseId(row.try_get("case_id")?));
        let own: Option<i64> = row.try_get("second_at")?;
        second_at = second_at.into_iter().chain(own).min();
    }
    cases.dedup();
    if cases.len() < 2 {
        return Ok(None);
    }
    sqlx::query(
        "UPDATE notices SET delivery = 'gone', due_at = NULL, second_at = NULL, lease_until = NULL, lease_token = NULL
         WHERE chat = $1 AND channel = $2 AND kind IN ('alert', 'voice') AND delivery = 'due' AND message IS NULL
             AND COALESCE(wanted_at, created_at) <= $3 AND (lease_token IS NULL OR lease_token = $4)",
    )
    .bind(chat)
    .bind(channel)
    .bind(ms(before))
    .bind(&lease.token)
    .execute(tx.db())
    .await?;
    Ok(Some(Late { cases, second_at: second_at.and_then(DateTime::from_timestamp_millis) }))
}

/// Lets every list that names this case be looked at again.
///
/// # Errors
/// Where the database refused.
pub async fn refresh(tx: &mut Tx, case: CaseId, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET version = version + 1, due_at = CASE WHEN due_at IS NULL THEN $1 ELSE due_at END
         WHERE kind = 'bundle' AND channel = $2 AND delivery = 'sent' AND ' ' || body || ' ' LIKE $3",
    )
    .bind(ms(now))
    .bind(TELEGRAM)
    .bind(format!("% {case} %"))
    .execute(tx.db())
    .await?;
    Ok(())
}

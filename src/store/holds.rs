//! Notices that wait for others: because Telegram asked for it, or to keep their order.

use super::notices::TELEGRAM;
use super::{Result, Tx, ms};
use crate::domain::notice::Notice;
use chrono::{DateTime, Utc};

/// Nothing goes to this chat before `until` (429).
///
/// # Errors
/// Where the database refused.
pub async fn chat(tx: &mut Tx, chat: i64, until: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE notices SET due_at = $1 WHERE chat = $2 AND channel = 'telegram' AND due_at < $1")
        .bind(ms(until))
        .bind(chat)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// What else this chat is to see of the case waits until the notice is tried again: its recording must not come first.
///
/// # Errors
/// Where the database refused.
pub async fn case(tx: &mut Tx, notice: &Notice, until: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET due_at = $1
         WHERE chat = $2 AND channel = $3 AND case_id = $4 AND message IS NULL AND due_at < $1 AND id <> $5",
    )
    .bind(ms(until))
    .bind(notice.chat)
    .bind(notice.channel.as_deref().unwrap_or(TELEGRAM))
    .bind(notice.case.map(|case| case.0))
    .bind(notice.id.to_string())
    .execute(tx.db())
    .await?;
    Ok(())
}

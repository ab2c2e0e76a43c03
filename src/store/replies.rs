//! Notices that turn into something else when their reader presses a button.

use super::notices::read;
use super::{Result, Tx, ms};
use crate::domain::notice::{Notice, NoticeId, NoticeKind};
use chrono::{DateTime, Utc};

/// The notice that is this message in this chat, for changing.
///
/// # Errors
/// Where the database refused.
pub async fn pressed(tx: &mut Tx, chat: i64, message: i64) -> Result<Option<Notice>> {
    let row = sqlx::query("SELECT * FROM notices WHERE chat = $1 AND message = $2 AND channel = 'telegram' LIMIT 1")
        .bind(chat)
        .bind(message)
        .fetch_optional(tx.db())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The message shows something else from now on.
///
/// # Errors
/// Where the database refused.
pub async fn becomes(tx: &mut Tx, id: NoticeId, kind: NoticeKind, body: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET kind = $1, body = $2, version = version + 1,
             due_at = CASE WHEN delivery = 'sent' AND due_at IS NULL THEN $3 ELSE due_at END
         WHERE id = $4",
    )
    .bind(kind.as_str())
    .bind(body)
    .bind(ms(now))
    .bind(id.to_string())
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Lets every message of the kind that is about this (`body`) be looked at again.
///
/// # Errors
/// Where the database refused.
pub async fn refresh(tx: &mut Tx, kind: NoticeKind, body: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET version = version + 1,
             due_at = CASE WHEN delivery = 'sent' AND due_at IS NULL THEN $1 ELSE due_at END
         WHERE kind = $2 AND body = $3 AND channel = 'telegram' AND delivery IN ('due', 'sending', 'sent')",
    )
    .bind(ms(now))
    .bind(kind.as_str())
    .bind(body)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// When a notice of the kind was last planned for somebody.
///
/// # Errors
/// Where the database refused.
pub async fn newest(tx: &mut Tx, kind: NoticeKind, recipient: &str) -> Result<Option<DateTime<Utc>>> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT MAX(created_at) FROM notices WHERE kind = $1 AND recipient = $2")
            .bind(kind.as_str())
            .bind(recipient)
            .fetch_one(tx.db())
            .await?;
    Ok(found.and_then(DateTime::from_timestamp_millis))
}

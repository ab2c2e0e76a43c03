//! What an answer, or its lack, does to notices: other ways begin or do not, menus open and close.

use super::notices::read;
use super::{Result, Tx, ms};
use crate::domain::case::CaseId;
use crate::domain::notice::{Menu, Notice, NoticeId};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// Whether a notice waits that nobody answered in time.
///
/// # Errors
/// Where the database refused.
pub async fn is_unanswered(db: &mut AnyConnection, now: DateTime<Utc>) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT second_at FROM notices WHERE second_at <= $1 LIMIT 1")
        .bind(ms(now))
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// Takes one notice that nobody answered: its recipient's other ways begin.
///
/// # Errors
/// Where the database refused.
pub async fn take_unanswered(tx: &mut Tx, now: DateTime<Utc>) -> Result<Option<Notice>> {
    let sql = tx.dialect.sql(
        "UPDATE notices SET second_at = NULL
         WHERE id = (SELECT id FROM notices WHERE second_at <= $1 ORDER BY second_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(ms(now)).fetch_optional(tx.db()).await?;
    row.as_ref().map(read).transpose()
}

/// Somebody answered: no other way begins for this case.
///
/// # Errors
/// Where the database refused.
pub async fn answered(tx: &mut Tx, case: CaseId) -> Result<()> {
    sqlx::query("UPDATE notices SET second_at = NULL WHERE case_id = $1 AND second_at IS NOT NULL")
        .bind(case.0)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Somebody did something with the case: his own other ways do not begin.
///
/// # Errors
/// Where the database refused.
pub async fn answered_by(tx: &mut Tx, case: CaseId, recipient: &str) -> Result<()> {
    sqlx::query("UPDATE notices SET second_at = NULL WHERE case_id = $1 AND recipient = $2 AND second_at IS NOT NULL")
        .bind(case.0)
        .bind(recipient)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// The recipient's other ways begin at `at`, if they were to begin later.
///
/// # Errors
/// Where the database refused.
pub async fn second_not_after(tx: &mut Tx, id: NoticeId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE notices SET second_at = $1 WHERE id = $2 AND second_at > $1")
        .bind(ms(at))
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Whether nothing of this ring is left by which its recipient may be told. (Telegram says by itself when it failed.)
///
/// # Errors
/// Where the database refused.
pub async fn was_the_last_way(tx: &mut Tx, notice: &Notice) -> Result<bool> {
    let left: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM notices WHERE case_id = $1 AND recipient = $2 AND ring = $3 AND kind = 'alert' AND id <> $4
             AND (channel = 'telegram' OR delivery IN ('due', 'sending', 'sent'))",
    )
    .bind(notice.case.map(|case| case.0))
    .bind(&notice.recipient)
    .bind(i64::from(notice.ring))
    .bind(notice.id.to_string())
    .fetch_one(tx.db())
    .await?;
    Ok(left == 0)
}

/// Every other way that is waited with begins now: the first one is down.
///
/// # Errors
/// Where the database refused.
pub async fn second_now(tx: &mut Tx, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE notices SET second_at = $1 WHERE second_at > $1").bind(ms(now)).execute(tx.db()).await?;
    Ok(())
}

/// Opens or closes a menu under the message; `false`: there is no such message.
///
/// # Errors
/// Where the database refused.
pub async fn set_menu(tx: &mut Tx, chat: i64, message: i64, menu: Option<Menu>, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE notices SET menu = $1, version = version + 1, due_at = CASE WHEN due_at IS NULL THEN $2 ELSE due_at END
         WHERE chat = $3 AND message = $4 AND delivery = 'sent'",
    )
    .bind(menu.map(Menu::as_str))
    .bind(ms(now))
    .bind(chat)
    .bind(message)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Closes every menu of the case: what they offered was decided.
///
/// # Errors
/// Where the database refused.
pub async fn close_menus(tx: &mut Tx, case: CaseId) -> Result<()> {
    sqlx::query("UPDATE notices SET menu = NULL WHERE case_id = $1 AND menu IS NOT NULL")
        .bind(case.0)
        .execute(tx.db())
        .await?;
    Ok(())
}

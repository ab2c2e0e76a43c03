//! Which Telegram chat is whose: paired by a one-time code, never guessed.

use super::notices::TELEGRAM;
use super::row::Fields;
use super::sound::sha256;
use super::{Result, Tx, ms};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// A paired phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// The technician's name in the settings.
    pub technician: String,
    /// His private chat with the bot.
    pub chat: i64,
    /// His number at Telegram.
    pub user: i64,
    /// When he was paired.
    pub paired_at: DateTime<Utc>,
}

/// Every paired phone.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Phone>> {
    let rows = sqlx::query("SELECT * FROM phones ORDER BY technician").fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "phones", "?".to_owned());
            Ok(Phone {
                technician: fields.text("technician")?,
                chat: fields.number("chat")?,
                user: fields.number("user_id")?,
                paired_at: fields.instant("paired_at")?,
            })
        })
        .collect()
}

/// Writes an invitation down: only the code's SHA-256 is kept. Earlier ones for the same technician are no longer valid.
///
/// # Errors
/// Where the database refused.
pub async fn invite(tx: &mut Tx, technician: &str, code: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> Result<()> {
    sqlx::query("DELETE FROM invites WHERE technician = $1 AND used_at IS NULL")
        .bind(technician)
        .execute(tx.db())
        .await?;
    sqlx::query("INSERT INTO invites (code_sha256, technician, made_at, until_at) VALUES ($1, $2, $3, $4)")
        .bind(sha256(code.as_bytes()))
        .bind(technician)
        .bind(ms(now))
        .bind(ms(until))
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Uses an invitation up: whose it was. `None`: there is no such code (any more).
///
/// # Errors
/// Where the database refused.
pub async fn use_invite(tx: &mut Tx, code: &str, now: DateTime<Utc>) -> Result<Option<String>> {
    Ok(sqlx::query_scalar(
        "UPDATE invites SET used_at = $1 WHERE code_sha256 = $2 AND used_at IS NULL AND until_at > $1 RETURNING technician",
    )
    .bind(ms(now))
    .bind(sha256(code.as_bytes()))
    .fetch_optional(tx.db())
    .await?)
}

/// This chat is this technician's from now on, and nobody else's. What was on the way to an earlier phone of his, or stands
/// there, is left alone from now on.
///
/// # Errors
/// Where the database refused.
pub async fn pair(tx: &mut Tx, phone: &Phone) -> Result<()> {
    sqlx::query("DELETE FROM phones WHERE technician = $1 OR chat = $2 OR user_id = $3")
        .bind(&phone.technician)
        .bind(phone.chat)
        .bind(phone.user)
        .execute(tx.db())
        .await?;
    sqlx::query("INSERT INTO phones (technician, chat, user_id, paired_at) VALUES ($1, $2, $3, $4)")
        .bind(&phone.technician)
        .bind(phone.chat)
        .bind(phone.user)
        .bind(ms(phone.paired_at))
        .execute(tx.db())
        .await?;
    // groups are no phones: their numbers are negative
    sqlx::query(
        "UPDATE notices SET delivery = 'gone', due_at = NULL, second_at = NULL, lease_until = NULL, lease_token = NULL
         WHERE recipient = $1 AND channel = $2 AND chat > 0 AND chat <> $3 AND delivery IN ('due', 'sending', 'sent')",
    )
    .bind(&phone.technician)
    .bind(TELEGRAM)
    .bind(phone.chat)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Nobody is reached by this technician's phone any more, and nothing that is on the way goes there or changes there;
/// `false` where none was paired.
///
/// # Errors
/// Where the database refused.
pub async fn unpair(tx: &mut Tx, technician: &str) -> Result<bool> {
    sqlx::query(
        "UPDATE notices SET delivery = 'gone', due_at = NULL, second_at = NULL, lease_until = NULL, lease_token = NULL
         WHERE recipient = $1 AND channel = $2 AND delivery IN ('due', 'sending', 'sent')
             AND chat IN (SELECT chat FROM phones WHERE technician = $1)",
    )
    .bind(technician)
    .bind(TELEGRAM)
    .execute(tx.db())
    .await?;
    let done = sqlx::query("DELETE FROM phones WHERE technician = $1").bind(technician).execute(tx.db()).await?;
    Ok(done.rows_affected() > 0)
}

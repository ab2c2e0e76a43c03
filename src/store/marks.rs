//! Small numbers that must survive: the update offset at Telegram, chats that moved.

use super::{Result, Tx};
use sqlx::AnyConnection;

/// Remembers a number.
///
/// # Errors
/// Where the database refused.
pub async fn put(tx: &mut Tx, name: &str, value: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO marks (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// A remembered number.
///
/// # Errors
/// Where the database refused.
pub async fn find(db: &mut AnyConnection, name: &str) -> Result<Option<i64>> {
    Ok(sqlx::query_scalar("SELECT value FROM marks WHERE name = $1").bind(name).fetch_optional(db).await?)
}

/// The new number of a chat that moved.
///
/// # Errors
/// Where the database refused.
pub async fn moved_chat(tx: &mut Tx, old: i64) -> Result<Option<i64>> {
    find(tx.db(), &format!("telegram.moved.{old}")).await
}

/// Remembers that a chat moved.
///
/// # Errors
/// Where the database refused.
pub async fn chat_moved(tx: &mut Tx, old: i64, new: i64) -> Result<()> {
    put(tx, &format!("telegram.moved.{old}"), new).await
}

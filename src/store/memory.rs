//! What a source remembers over restarts: short texts by name.

use super::{Result, Tx};
use sqlx::AnyConnection;

/// Remembers a text.
///
/// # Errors
/// Where the database refused.
pub async fn put(tx: &mut Tx, source: &str, name: &str, value: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO memory (source, name, value) VALUES ($1, $2, $3)
         ON CONFLICT (source, name) DO UPDATE SET value = excluded.value",
    )
    .bind(source)
    .bind(name)
    .bind(value)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// A remembered text.
///
/// # Errors
/// Where the database refused.
pub async fn find(db: &mut AnyConnection, source: &str, name: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT value FROM memory WHERE source = $1 AND name = $2")
        .bind(source)
        .bind(name)
        .fetch_optional(db)
        .await?)
}

//! Second factors: the sealed seed of time codes, and the recovery codes that stand in for it. Each code counts once.

use super::sound::sha256;
use super::{Result, Tx};
use crate::domain::account::AccountId;
use sqlx::AnyConnection;

/// The sealed seed of the time codes, if they are set up.
///
/// # Errors
/// Where the database refused.
pub async fn totp(db: &mut AnyConnection, id: AccountId) -> Result<Option<String>> {
    let found: Option<Option<String>> =
        sqlx::query_scalar("SELECT totp FROM accounts WHERE id = $1").bind(id.to_string()).fetch_optional(db).await?;
    Ok(found.flatten())
}

/// Sets time codes up. `step`: the one whose code confirmed it is used up by that.
///
/// # Errors
/// Where the database refused.
pub async fn set_totp(tx: &mut Tx, id: AccountId, sealed: &str, step: i64) -> Result<()> {
    sqlx::query("UPDATE accounts SET totp = $1, totp_step = $2 WHERE id = $3")
        .bind(sealed)
        .bind(step)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Uses the code of a step up. `false`: that one or a later one was used already.
///
/// # Errors
/// Where the database refused.
pub async fn use_step(tx: &mut Tx, id: AccountId, step: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE accounts SET totp_step = $1 WHERE id = $2 AND totp IS NOT NULL AND (totp_step IS NULL OR totp_step < $1)",
    )
    .bind(step)
    .bind(id.to_string())
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Sets the recovery codes; earlier ones are no longer valid. Only their SHA-256 is kept.
///
/// # Errors
/// Where the database refused.
pub async fn set_recovery(tx: &mut Tx, id: AccountId, codes: &[String]) -> Result<()> {
    sqlx::query("DELETE FROM recovery_codes WHERE account_id = $1").bind(id.to_string()).execute(tx.db()).await?;
    for code in codes {
        sqlx::query("INSERT INTO recovery_codes (code_sha256, account_id) VALUES ($1, $2)")
            .bind(sha256(code.as_bytes()))
            .bind(id.to_string())
            .execute(tx.db())
            .await?;
    }
    Ok(())
}

/// Uses a recovery code up. `false`: there is no such code (any more).
///
/// # Errors
/// Where the database refused.
pub async fn use_recovery(tx: &mut Tx, id: AccountId, code: &str) -> Result<bool> {
    let done = sqlx::query("DELETE FROM recovery_codes WHERE code_sha256 = $1 AND account_id = $2")
        .bind(sha256(code.as_bytes()))
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// How many recovery codes are left.
///
/// # Errors
/// Where the database refused.
pub async fn recovery_left(db: &mut AnyConnection, id: AccountId) -> Result<i64> {
    Ok(sqlx::query_scalar("SELECT COUNT(*) FROM recovery_codes WHERE account_id = $1")
        .bind(id.to_string())
        .fetch_one(db)
        .await?)
}

/// Takes the second factor off; it is set up anew.
///
/// # Errors
/// Where the database refused.
pub async fn forget(tx: &mut Tx, id: AccountId) -> Result<()> {
    for statement in [
        "UPDATE accounts SET totp = NULL, totp_step = NULL WHERE id = $1",
        "DELETE FROM recovery_codes WHERE account_id = $1",
    ] {
        sqlx::query(statement).bind(id.to_string()).execute(tx.db()).await?;
    }
    Ok(())
}

//! Sessions of the page. The cookie's token is kept as its SHA-256 only: who reads the database cannot enter.

use super::accounts::parse_id;
use super::row::Fields;
use super::sound::sha256;
use super::{Result, StoreError, Tx, ms};
use crate::domain::account::{AccountId, Session, SessionStage};
use chrono::{DateTime, TimeDelta, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

/// So many sessions an account may have at each stage; the oldest of that stage ends.
const AT_MOST: i64 = 5;

/// Begins a session for the holder of `token`, and ends the oldest ones above five of its stage: whoever has the password
/// only ends nobody's whole session.
///
/// # Errors
/// Where the database refused.
pub async fn begin(tx: &mut Tx, session: &Session, token: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO sessions (id, token_sha256, account_id, stage, created_at, seen_at, proved_at, browser, address)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(session.id.to_string())
    .bind(sha256(token.as_bytes()))
    .bind(session.account.to_string())
    .bind(session.stage.as_str())
    .bind(ms(session.created_at))
    .bind(ms(session.seen_at))
    .bind(ms(session.proved_at))
    .bind(&session.browser)
    .bind(&session.address)
    .execute(tx.db())
    .await?;
    sqlx::query(
        "DELETE FROM sessions WHERE account_id = $1 AND stage = $2 AND id NOT IN
             (SELECT id FROM sessions WHERE account_id = $1 AND stage = $2 ORDER BY created_at DESC, id DESC LIMIT $3)",
    )
    .bind(session.account.to_string())
    .bind(session.stage.as_str())
    .bind(AT_MOST)
    .execute(tx.db())
    .await?;
    if session.stage == SessionStage::Full {
        seen(tx, session.id, session.created_at).await?;
    }
    Ok(())
}

/// The session of a cookie's token.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn of_token(db: &mut AnyConnection, token: &str) -> Result<Option<Session>> {
    let row = sqlx::query("SELECT * FROM sessions WHERE token_sha256 = $1")
        .bind(sha256(token.as_bytes()))
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The account's sessions, the newest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn of_account(db: &mut AnyConnection, account: AccountId) -> Result<Vec<Session>> {
    let rows = sqlx::query("SELECT * FROM sessions WHERE account_id = $1 ORDER BY created_at DESC, id DESC")
        .bind(account.to_string())
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// It was used now, and so was its account.
///
/// # Errors
/// Where the database refused.
pub async fn seen(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    for statement in [
        "UPDATE sessions SET seen_at = $1 WHERE id = $2",
        "UPDATE accounts SET seen_at = $1 WHERE id = (SELECT account_id FROM sessions WHERE id = $2)",
    ] {
        sqlx::query(statement).bind(ms(now)).bind(id.to_string()).execute(tx.db()).await?;
    }
    Ok(())
}

/// Its owner proved now who he is.
///
/// # Errors
/// Where the database refused.
pub async fn proved(tx: &mut Tx, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE sessions SET proved_at = $1 WHERE id = $2")
        .bind(ms(now))
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Ends one session of that account; `false`: it has none of that id.
///
/// # Errors
/// Where the database refused.
pub async fn end(tx: &mut Tx, account: AccountId, id: Uuid) -> Result<bool> {
    let done = sqlx::query("DELETE FROM sessions WHERE id = $1 AND account_id = $2")
        .bind(id.to_string())
        .bind(account.to_string())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Ends every session of that account, and says how many.
///
/// # Errors
/// Where the database refused.
pub async fn end_all(tx: &mut Tx, account: AccountId) -> Result<u64> {
    let done =
        sqlx::query("DELETE FROM sessions WHERE account_id = $1").bind(account.to_string()).execute(tx.db()).await?;
    Ok(done.rows_affected())
}

/// Ends every session of that account but one, and says how many.
///
/// # Errors
/// Where the database refused.
pub async fn end_others(tx: &mut Tx, account: AccountId, kept: Uuid) -> Result<u64> {
    let done = sqlx::query("DELETE FROM sessions WHERE account_id = $1 AND id <> $2")
        .bind(account.to_string())
        .bind(kept.to_string())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected())
}

/// Takes away what is over anyhow.
///
/// # Errors
/// Where the database refused.
pub async fn tidy(tx: &mut Tx, longest: TimeDelta, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE created_at <= $1").bind(ms(now - longest)).execute(tx.db()).await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Session> {
    let fields = Fields::of(row, "sessions")?;
    let id = fields.text("id")?;
    let broken = || StoreError::Row { table: "sessions", column: "id", id: id.clone(), value: id.clone() };
    Ok(Session {
        id: Uuid::parse_str(&id).map_err(|_| broken())?,
        account: parse_id("sessions", &fields.text("account_id")?)?,
        stage: fields.word("stage", SessionStage::parse)?,
        created_at: fields.instant("created_at")?,
        seen_at: fields.instant("seen_at")?,
        proved_at: fields.instant("proved_at")?,
        browser: fields.text("browser")?,
        address: fields.text("address")?,
    })
}

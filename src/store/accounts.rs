//! The people at the page, and the one-time links that let them in. Secrets are kept as hashes only.

use super::row::Fields;
use super::sound::{hex, sha256};
use super::{Result, StoreError, Tx, ms, ms_opt};
use crate::domain::account::{Account, AccountId, Role};
use crate::domain::assessment::words;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

words! {
    /// What a one-time link is for.
    Purpose {
        /// Logs a technician in whose phone asked for it.
        Enter = "enter",
        /// Sets a first or a new password.
        Begin = "begin",
    }
}

/// Makes an account without a password. `false`: somebody else has the name, or is that technician.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, account: &Account) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO accounts (id, name, role, technician, created_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind(account.id.to_string())
    .bind(&account.name)
    .bind(account.role.as_str())
    .bind(&account.technician)
    .bind(ms(account.created_at))
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Everybody, by name.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Account>> {
    let rows = sqlx::query("SELECT * FROM accounts ORDER BY name").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// One account.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, id: AccountId) -> Result<Option<Account>> {
    let row = sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id.to_string()).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The account of that name.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn named(db: &mut AnyConnection, name: &str) -> Result<Option<Account>> {
    let row = sqlx::query("SELECT * FROM accounts WHERE name = $1").bind(name).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The account of that technician.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn of_technician(db: &mut AnyConnection, technician: &str) -> Result<Option<Account>> {
    let row = sqlx::query("SELECT * FROM accounts WHERE technician = $1").bind(technician).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// The password's hash (PHC format), if one is set.
///
/// # Errors
/// Where the database refused.
pub async fn password(db: &mut AnyConnection, id: AccountId) -> Result<Option<String>> {
    let found: Option<Option<String>> = sqlx::query_scalar("SELECT password FROM accounts WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(db)
        .await?;
    Ok(found.flatten())
}

/// Sets the password's hash.
///
/// # Errors
/// Where the database refused.
pub async fn set_password(tx: &mut Tx, id: AccountId, phc: &str) -> Result<()> {
    sqlx::query("UPDATE accounts SET password = $1 WHERE id = $2")
        .bind(phc)
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Makes somebody something else.
///
/// # Errors
/// Where the database refused.
pub async fn set_role(tx: &mut Tx, id: AccountId, role: Role) -> Result<()> {
    sqlx::query("UPDATE accounts SET role = $1 WHERE id = $2")
        .bind(role.as_str())
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Shuts an account out since then, or (`None`) lets it in again.
///
/// # Errors
/// Where the database refused.
pub async fn set_disabled(tx: &mut Tx, id: AccountId, since: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query("UPDATE accounts SET disabled_at = $1 WHERE id = $2")
        .bind(ms_opt(since))
        .bind(id.to_string())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// One account, for changing: its row is locked until the transaction ends (on SQLite there is one writer anyhow).
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn lock(tx: &mut Tx, id: AccountId) -> Result<Option<Account>> {
    let row = sqlx::query("UPDATE accounts SET id = id WHERE id = $1 RETURNING *")
        .bind(id.to_string())
        .fetch_optional(tx.db())
        .await?;
    row.as_ref().map(read).transpose()
}

/// The admins who may enter; their rows are locked, so that no two take the last one away at once.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn lock_admins(tx: &mut Tx) -> Result<Vec<Account>> {
    let rows = sqlx::query("UPDATE accounts SET id = id WHERE role = $1 AND disabled_at IS NULL RETURNING *")
        .bind(Role::Admin.as_str())
        .fetch_all(tx.db())
        .await?;
    rows.iter().map(read).collect()
}

/// A secret for a link or a session: 256 bits from the operating system, as hex.
///
/// # Errors
/// Where the system gives none.
pub fn token() -> Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| StoreError::Unfit(format!("no randomness: {error}")))?;
    Ok(hex(&bytes))
}

/// Writes a one-time link down; earlier ones for the same purpose are no longer valid. Only the token's SHA-256 is kept.
///
/// # Errors
/// Where the database refused.
pub async fn link(
    tx: &mut Tx,
    id: AccountId,
    purpose: Purpose,
    token: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<()> {
    sqlx::query("DELETE FROM links WHERE (account_id = $1 AND purpose = $2) OR until_at <= $3")
        .bind(id.to_string())
        .bind(purpose.as_str())
        .bind(ms(now))
        .execute(tx.db())
        .await?;
    sqlx::query("INSERT INTO links (token_sha256, account_id, purpose, made_at, until_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(sha256(token.as_bytes()))
        .bind(id.to_string())
        .bind(purpose.as_str())
        .bind(ms(now))
        .bind(ms(until))
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Takes the links for that purpose away.
///
/// # Errors
/// Where the database refused.
pub async fn unlink(tx: &mut Tx, id: AccountId, purpose: Purpose) -> Result<()> {
    sqlx::query("DELETE FROM links WHERE account_id = $1 AND purpose = $2")
        .bind(id.to_string())
        .bind(purpose.as_str())
        .execute(tx.db())
        .await?;
    Ok(())
}

/// Whose link this is, while it is valid.
///
/// # Errors
/// Where the database refused.
pub async fn of_link(
    db: &mut AnyConnection,
    purpose: Purpose,
    token: &str,
    now: DateTime<Utc>,
) -> Result<Option<AccountId>> {
    let found: Option<String> =
        sqlx::query_scalar("SELECT account_id FROM links WHERE token_sha256 = $1 AND purpose = $2 AND until_at > $3")
            .bind(sha256(token.as_bytes()))
            .bind(purpose.as_str())
            .bind(ms(now))
            .fetch_optional(db)
            .await?;
    found.map(|id| parse_id("links", &id)).transpose()
}

/// Uses a link up: whose it was. `None`: there is no such link (any more).
///
/// # Errors
/// Where the database refused.
pub async fn use_link(tx: &mut Tx, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<Option<AccountId>> {
    let found: Option<String> = sqlx::query_scalar(
        "DELETE FROM links WHERE token_sha256 = $1 AND purpose = $2 AND until_at > $3 RETURNING account_id",
    )
    .bind(sha256(token.as_bytes()))
    .bind(purpose.as_str())
    .bind(ms(now))
    .fetch_optional(tx.db())
    .await?;
    found.map(|id| parse_id("links", &id)).transpose()
}

pub(super) fn parse_id(table: &'static str, id: &str) -> Result<AccountId> {
    Uuid::parse_str(id).map(AccountId).map_err(|_| StoreError::Row {
        table,
        column: "account_id",
        id: id.to_owned(),
        value: id.to_owned(),
    })
}

fn read(row: &AnyRow) -> Result<Account> {
    let fields = Fields::of(row, "accounts")?;
    Ok(Account {
        id: parse_id("accounts", &fields.text("id")?)?,
        name: fields.text("name")?,
        role: fields.word("role", Role::parse)?,
        technician: fields.maybe_text("technician")?,
        has_password: fields.maybe_text("password")?.is_some(),
        has_totp: fields.maybe_text("totp")?.is_some(),
        disabled_at: fields.maybe_instant("disabled_at")?,
        created_at: fields.instant("created_at")?,
        seen_at: fields.maybe_instant("seen_at")?,
    })
}

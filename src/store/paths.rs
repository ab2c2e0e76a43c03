//! How each way to people is: Telegram, and the channels of the settings.

use super::row::Fields;
use super::{Result, Tx, ms, ms_opt};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// The name of the first way.
pub const TELEGRAM: &str = "telegram";

/// One way to people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Path {
    /// "telegram", or a channel's name.
    pub name: String,
    /// When it last worked.
    pub ok_at: Option<DateTime<Utc>>,
    /// When it was last tried.
    pub checked_at: Option<DateTime<Utc>>,
    /// Since when it does not work; none = it does.
    pub failing_since: Option<DateTime<Utc>>,
    /// Since when people are told so; none = it counts as up.
    pub down_at: Option<DateTime<Utc>>,
    /// The last failure, without personal data.
    pub error: Option<String>,
    /// That was a refusal to tell somebody: only a message that is taken ends it.
    pub refusing: bool,
}

/// A try to tell somebody: it worked (`None`), or why not.
///
/// # Errors
/// Where the database refused.
pub async fn tried(tx: &mut Tx, name: &str, error: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    write(tx, name, error, error.is_some(), now).await
}

/// A look whether the way is there, without telling anybody. One that refused to tell is not well because it answers.
///
/// # Errors
/// Where the database refused.
pub async fn probed(tx: &mut Tx, name: &str, error: Option<&str>, now: DateTime<Utc>) -> Result<()> {
    let before = find(tx.db(), name).await?.filter(|path| path.refusing);
    match (error, before) {
        (None, Some(before)) => write(tx, name, before.error.as_deref(), true, now).await,
        (_, before) => write(tx, name, error, before.is_some(), now).await,
    }
}

async fn write(tx: &mut Tx, name: &str, error: Option<&str>, refusing: bool, now: DateTime<Utc>) -> Result<()> {
    let ok_at = error.is_none().then_some(now);
    sqlx::query(
        "INSERT INTO paths (name, ok_at, checked_at, failing_since, down_at, error, refusing)
         VALUES ($1, $2, $3, $4, NULL, $5, $6)
         ON CONFLICT (name) DO UPDATE SET
             ok_at = COALESCE(excluded.ok_at, paths.ok_at), checked_at = excluded.checked_at, error = excluded.error,
             refusing = excluded.refusing,
             failing_since = CASE WHEN excluded.error IS NULL THEN NULL
                                  ELSE COALESCE(paths.failing_since, excluded.failing_since) END",
    )
    .bind(name)
    .bind(ms_opt(ok_at))
    .bind(ms(now))
    .bind(ms_opt(error.map(|_| now)))
    .bind(error)
    .bind(i64::from(refusing))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// People are told that it is down (`Some`), or up again.
///
/// # Errors
/// Where the database refused.
pub async fn set_down(tx: &mut Tx, name: &str, down_at: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query("UPDATE paths SET down_at = $1 WHERE name = $2")
        .bind(ms_opt(down_at))
        .bind(name)
        .execute(tx.db())
        .await?;
    Ok(())
}

/// One way, if it was ever tried.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, name: &str) -> Result<Option<Path>> {
    let row = sqlx::query("SELECT * FROM paths WHERE name = $1").bind(name).fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// All ways that were ever tried.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Path>> {
    sqlx::query("SELECT * FROM paths ORDER BY name").fetch_all(db).await?.iter().map(read).collect()
}

/// Whether Telegram counts as down.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn telegram_is_down(db: &mut AnyConnection) -> Result<bool> {
    Ok(find(db, TELEGRAM).await?.is_some_and(|path| path.down_at.is_some()))
}

fn read(row: &AnyRow) -> Result<Path> {
    let fields = Fields::named(row, "paths", "?".to_owned());
    Ok(Path {
        name: fields.text("name")?,
        ok_at: fields.maybe_instant("ok_at")?,
        checked_at: fields.maybe_instant("checked_at")?,
        failing_since: fields.maybe_instant("failing_since")?,
        down_at: fields.maybe_instant("down_at")?,
        error: fields.maybe_text("error")?,
        refusing: fields.truth("refusing")?,
    })
}

//! Who was asked whether he is ready for his shift, and whether he said so.

use super::row::Fields;
use super::{Result, Tx, ms};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Whose shift begins.
    pub technician: String,
    /// When it begins.
    pub shift_at: DateTime<Utc>,
    /// When he was asked.
    pub asked_at: DateTime<Utc>,
    /// When he was asked again, loudly.
    pub reminded_at: Option<DateTime<Utc>>,
    /// When he tapped.
    pub ready_at: Option<DateTime<Utc>>,
    /// When others were told that he did not.
    pub told_at: Option<DateTime<Utc>>,
    /// Who they are.
    pub told: Vec<String>,
}

/// Notes that somebody is asked. `false`: he was asked already.
///
/// # Errors
/// Where the database refused.
pub async fn ask(tx: &mut Tx, technician: &str, shift_at: DateTime<Utc>, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO ready (technician, shift_at, asked_at) VALUES ($1, $2, $3) ON CONFLICT (technician, shift_at) DO NOTHING",
    )
    .bind(technician)
    .bind(ms(shift_at))
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Questions that nobody answered and nobody was told of, about shifts since `since`.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn open(db: &mut AnyConnection, since: DateTime<Utc>) -> Result<Vec<Asked>> {
    let rows = sqlx::query(
        "SELECT * FROM ready WHERE ready_at IS NULL AND told_at IS NULL AND shift_at >= $1 ORDER BY shift_at, technician",
    )
    .bind(ms(since))
    .fetch_all(db)
    .await?;
    rows.iter().map(read).collect()
}

/// One question.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, technician: &str, shift_at: DateTime<Utc>) -> Result<Option<Asked>> {
    let row = sqlx::query("SELECT * FROM ready WHERE technician = $1 AND shift_at = $2")
        .bind(technician)
        .bind(ms(shift_at))
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// As [`find`], within a transaction.
///
/// # Errors
/// As `find`.
pub async fn find_within(tx: &mut Tx, technician: &str, shift_at: DateTime<Utc>) -> Result<Option<Asked>> {
    find(tx.db(), technician, shift_at).await
}

/// He is asked again.
///
/// # Errors
/// Where the database refused.
pub async fn reminded(tx: &mut Tx, asked: &Asked, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE ready SET reminded_at = $1 WHERE technician = $2 AND shift_at = $3")
        .bind(ms(now))
        .bind(&asked.technician)
        .bind(ms(asked.shift_at))
        .execute(tx.db())
        .await?;
    look_again(tx, &asked.technician, now).await
}

/// He tapped.
///
/// # Errors
/// Where the database refused.
pub async fn tapped(tx: &mut Tx, asked: &Asked, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("UPDATE ready SET ready_at = $1 WHERE technician = $2 AND shift_at = $3")
        .bind(ms(now))
        .bind(&asked.technician)
        .bind(ms(asked.shift_at))
        .execute(tx.db())
        .await?;
    look_again(tx, &asked.technician, now).await
}

/// These people are told that he did not.
///
/// # Errors
/// Where the database refused.
pub async fn told(tx: &mut Tx, asked: &Asked, told: &[String], now: DateTime<Utc>) -> Result<()> {
    let names = serde_json::to_string(told).expect("names are always JSON");
    sqlx::query("UPDATE ready SET told_at = $1, told = $2 WHERE technician = $3 AND shift_at = $4")
        .bind(ms(now))
        .bind(names)
        .bind(&asked.technician)
        .bind(ms(asked.shift_at))
        .execute(tx.db())
        .await?;
    Ok(())
}

/// The shift is somebody else's by now: the question is taken off.
///
/// # Errors
/// Where the database refused.
pub async fn take_off(tx: &mut Tx, asked: &Asked, now: DateTime<Utc>) -> Result<()> {
    sqlx::query("DELETE FROM ready WHERE technician = $1 AND shift_at = $2")
        .bind(&asked.technician)
        .bind(ms(asked.shift_at))
        .execute(tx.db())
        .await?;
    look_again(tx, &asked.technician, now).await
}

/// What stands on his phone is looked at again, and no other way begins.
async fn look_again(tx: &mut Tx, technician: &str, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "UPDATE notices SET version = version + 1, second_at = NULL,
             due_at = CASE WHEN delivery = 'sent' AND due_at IS NULL THEN $1 ELSE due_at END
         WHERE recipient = $2 AND kind = 'ready' AND channel = 'telegram' AND delivery IN ('due', 'sending', 'sent')",
    )
    .bind(ms(now))
    .bind(technician)
    .execute(tx.db())
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Asked> {
    let fields = Fields::named(row, "ready", "?".to_owned());
    let told = match fields.maybe_text("told")? {
        Some(_) => fields.json("told")?,
        None => Vec::new(),
    };
    Ok(Asked {
        technician: fields.text("technician")?,
        shift_at: fields.instant("shift_at")?,
        asked_at: fields.instant("asked_at")?,
        reminded_at: fields.maybe_instant("reminded_at")?,
        ready_at: fields.maybe_instant("ready_at")?,
        told_at: fields.maybe_instant("told_at")?,
        told,
    })
}

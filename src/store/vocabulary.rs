//! The words that the firm wants to be heard right: customers, contacts, products, places.

use super::row::Fields;
use super::{Result, Tx, ms};
use crate::domain::assessment::words;
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;
use uuid::Uuid;

words! {
    /// What a word names.
    Kind {
        /// A customer's firm.
        Customer = "customer",
        /// A person of a customer.
        Contact = "contact",
        /// A product or a brand.
        Product = "product",
        /// A town or a street.
        Place = "place",
    }
}

/// A word of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its identity, UUID v7.
    pub id: String,
    /// What it names.
    pub kind: Kind,
    /// As it is written.
    pub word: String,
    /// When it was added.
    pub added_at: DateTime<Utc>,
    /// By whom.
    pub added_by: String,
}

/// Adds a word. `false`: it stands on the list already, and nothing was changed.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, kind: Kind, word: &str, actor: &str, now: DateTime<Utc>) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO vocabulary (id, kind, word, added_at, added_by) SELECT $1, $2, $3, $4, $5
         WHERE NOT EXISTS (SELECT 1 FROM vocabulary WHERE kind = $2 AND word = $3 AND removed_at IS NULL)",
    )
    .bind(Uuid::now_v7().to_string())
    .bind(kind.as_str())
    .bind(word)
    .bind(ms(now))
    .bind(actor)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Takes a word off the list, and out of the database: it may be a person's name. Gives it where it stood there.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn remove(tx: &mut Tx, id: &str) -> Result<Option<Entry>> {
    let row = sqlx::query("DELETE FROM vocabulary WHERE id = $1 AND removed_at IS NULL RETURNING *")
        .bind(id)
        .fetch_optional(tx.db())
        .await?;
    row.as_ref().map(read).transpose()
}

/// Words that earlier versions only marked as removed go. How many there were.
///
/// # Errors
/// Where the database refused.
pub async fn forget_removed(tx: &mut Tx) -> Result<u64> {
    let done = sqlx::query("DELETE FROM vocabulary WHERE removed_at IS NOT NULL").execute(tx.db()).await?;
    Ok(done.rows_affected())
}

/// The list, the newest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Entry>> {
    let rows = sqlx::query("SELECT * FROM vocabulary WHERE removed_at IS NULL ORDER BY id DESC").fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// The customers' names, the newest first.
///
/// # Errors
/// Where the database refused or a word is no text.
pub async fn customers(db: &mut AnyConnection) -> Result<Vec<String>> {
    let words =
        sqlx::query_scalar("SELECT word FROM vocabulary WHERE kind = $1 AND removed_at IS NULL ORDER BY id DESC");
    Ok(words.bind(Kind::Customer.as_str()).fetch_all(db).await?)
}

fn read(row: &AnyRow) -> Result<Entry> {
    let fields = Fields::of(row, "vocabulary")?;
    Ok(Entry {
        id: fields.text("id")?,
        kind: fields.word("kind", Kind::parse)?,
        word: fields.text("word")?,
        added_at: fields.instant("added_at")?,
        added_by: fields.text("added_by")?,
    })
}

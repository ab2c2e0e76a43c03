//! What should be mended at a source, told once as long as it lasts.

use super::row::Fields;
use super::{Result, Tx, ms};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// One trouble that lasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// At which source.
    pub source: String,
    /// Its identity there.
    pub key: String,
    /// What is wrong and what to do.
    pub what: String,
    /// A caller's message may be lost.
    pub loses_calls: bool,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Notes a trouble that is seen now. `true`: it is new (or back again), so tell somebody.
///
/// # Errors
/// Where the database refused.
pub async fn seen(
    tx: &mut Tx,
    source: &str,
    key: &str,
    what: &str,
    loses_calls: bool,
    now: DateTime<Utc>,
) -> Result<bool> {
    let done = sqlx::query(
        "INSERT INTO troubles (source, trouble_key, what, loses_calls, first_seen_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (source, trouble_key) DO UPDATE
             SET what = excluded.what, first_seen_at = excluded.first_seen_at, gone_at = NULL
             WHERE troubles.gone_at IS NOT NULL",
    )
    .bind(source)
    .bind(key)
    .bind(what)
    .bind(i64::from(loses_calls))
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that a trouble is over; since when it had lasted, if it had.
///
/// # Errors
/// Where the database refused.
pub async fn over(tx: &mut Tx, source: &str, key: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>> {
    let row = sqlx::query(
        "UPDATE troubles SET gone_at = $1 WHERE source = $2 AND trouble_key = $3 AND gone_at IS NULL RETURNING *",
    )
    .bind(ms(now))
    .bind(source)
    .bind(key)
    .fetch_optional(tx.db())
    .await?;
    row.map(|row| Fields::named(&row, "troubles", key.to_owned()).instant("first_seen_at")).transpose()
}

/// All that lasts, oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn standing(db: &mut AnyConnection) -> Result<Vec<Standing>> {
    let rows = sqlx::query("SELECT * FROM troubles WHERE gone_at IS NULL ORDER BY first_seen_at, source, trouble_key")
        .fetch_all(db)
        .await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "troubles", "?".to_owned());
            Ok(Standing {
                source: fields.text("source")?,
                key: fields.text("trouble_key")?,
                what: fields.text("what")?,
                loses_calls: fields.truth("loses_calls")?,
                since: fields.instant("first_seen_at")?,
            })
        })
        .collect()
}

//! How each source is: when its mailbox last answered, since when it does not, when it is tried next.

use super::row::Fields;
use super::{Result, Tx, ms_opt};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// The state of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// When its mailbox last answered.
    pub reached_at: Option<DateTime<Utc>>,
    /// When it last brought something new.
    pub arrived_at: Option<DateTime<Utc>>,
    /// Since when it cannot be reached; `None` = it can.
    pub failing_since: Option<DateTime<Utc>>,
    /// Tries since then.
    pub failures: u32,
    /// When the next try is due.
    pub next_try_at: Option<DateTime<Utc>>,
    /// The last failure, without personal data.
    pub why: Option<String>,
}

/// Writes the state of a source.
///
/// # Errors
/// Where the database refused.
pub async fn put(tx: &mut Tx, source: &str, watched: &Watched) -> Result<()> {
    sqlx::query(
        "INSERT INTO watched (source, reached_at, arrived_at, failing_since, failures, next_try_at, why)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (source) DO UPDATE SET reached_at = excluded.reached_at, arrived_at = excluded.arrived_at,
             failing_since = excluded.failing_since, failures = excluded.failures, next_try_at = excluded.next_try_at,
             why = excluded.why",
    )
    .bind(source)
    .bind(ms_opt(watched.reached_at))
    .bind(ms_opt(watched.arrived_at))
    .bind(ms_opt(watched.failing_since))
    .bind(i64::from(watched.failures))
    .bind(ms_opt(watched.next_try_at))
    .bind(&watched.why)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// The state of all sources that ever ran, by name.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<(String, Watched)>> {
    let rows = sqlx::query("SELECT * FROM watched ORDER BY source").fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "watched", "?".to_owned());
            let watched = Watched {
                reached_at: fields.maybe_instant("reached_at")?,
                arrived_at: fields.maybe_instant("arrived_at")?,
                failing_since: fields.maybe_instant("failing_since")?,
                failures: fields.count("failures")?,
                next_try_at: fields.maybe_instant("next_try_at")?,
                why: fields.maybe_text("why")?,
            };
            Ok((fields.text("source")?, watched))
        })
        .collect()
}

/// The state of one source, if it ever ran.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, source: &str) -> Result<Option<Watched>> {
    Ok(all(db).await?.into_iter().find(|(name, _)| name == source).map(|(_, watched)| watched))
}

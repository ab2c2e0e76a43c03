//! What each worker last said of itself, for `nachtwache health`.

use super::row::Fields;
use super::{Result, Tx, ms};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;

/// One worker's last word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// Which worker.
    pub name: String,
    /// "idle", "running" or "failing".
    pub state: String,
    /// Reason or last result.
    pub detail: String,
    /// When it said so.
    pub at: DateTime<Utc>,
}

/// Writes a worker's word.
///
/// # Errors
/// Where the database refused.
pub async fn beat(tx: &mut Tx, beat: &Beat) -> Result<()> {
    sqlx::query(
        "INSERT INTO workers (name, state, detail, beat_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (name) DO UPDATE SET state = excluded.state, detail = excluded.detail, beat_at = excluded.beat_at",
    )
    .bind(&beat.name)
    .bind(&beat.state)
    .bind(&beat.detail)
    .bind(ms(beat.at))
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Forgets all workers: a start knows its own.
///
/// # Errors
/// Where the database refused.
pub async fn clear(tx: &mut Tx) -> Result<()> {
    sqlx::query("DELETE FROM workers").execute(tx.db()).await?;
    Ok(())
}

/// All workers by name.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn all(db: &mut AnyConnection) -> Result<Vec<Beat>> {
    let rows = sqlx::query("SELECT * FROM workers ORDER BY name").fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "workers", "?".to_owned());
            Ok(Beat {
                name: fields.text("name")?,
                state: fields.text("state")?,
                detail: fields.text("detail")?,
                at: fields.instant("beat_at")?,
            })
        })
        .collect()
}

//! What was changed in the roster since the settings were written, and the calendars as they were last read.

use super::row::Fields;
use super::{Result, Tx, ms, ms_opt};
use crate::domain::assessment::words;
use crate::domain::roster::{Change, ChangeKind};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

words! {
    /// Whether a change counts.
    ChangeState {
        /// Somebody was asked and has not answered: it does not count yet.
        Asked = "asked",
        /// It counts.
        Active = "active",
        /// Whoever was asked does not want it.
        Refused = "refused",
        /// It was taken back.
        Withdrawn = "withdrawn",
        /// Whoever was asked did not answer in time.
        Lapsed = "lapsed",
    }
}

/// A change, noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Its identity.
    pub id: String,
    /// What changes.
    pub change: Change,
    /// Whether it counts.
    pub state: ChangeState,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// Notes a change, as `Active` or `Asked`; gives its identity.
///
/// # Errors
/// Where the database refused.
pub async fn make(
    tx: &mut Tx,
    change: &Change,
    state: ChangeState,
    made_by: &str,
    now: DateTime<Utc>,
) -> Result<String> {
    let id = uuid::Uuid::now_v7().to_string();
    let (kind, replaces) = match &change.kind {
        ChangeKind::Override { replaces } => ("override", replaces.as_deref()),
        ChangeKind::Absence => ("absence", None),
    };
    sqlx::query(
        "INSERT INTO roster_changes (id, kind, technician, replaces, from_at, until_at, state, made_by, made_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&id)
    .bind(kind)
    .bind(&change.technician)
    .bind(replaces)
    .bind(ms(change.from))
    .bind(ms(change.until))
    .bind(state.as_str())
    .bind(made_by)
    .bind(ms(now))
    .execute(tx.db())
    .await?;
    Ok(id)
}

/// Moves a change that is `Asked` (and with `withdraw` also one that counts) to its next state. `false`: there is no such
/// change, or it has been settled already.
async fn settle(tx: &mut Tx, id: &str, from: [ChangeState; 2], to: ChangeState) -> Result<bool> {
    let done = sqlx::query("UPDATE roster_changes SET state = $1 WHERE id = $2 AND state IN ($3, $4)")
        .bind(to.as_str())
        .bind(id)
        .bind(from[0].as_str())
        .bind(from[1].as_str())
        .execute(tx.db())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Whoever was asked agrees: from now on it counts. `false`: it does not wait for an answer (any more).
///
/// # Errors
/// Where the database refused.
pub async fn agree(tx: &mut Tx, id: &str) -> Result<bool> {
    settle(tx, id, [ChangeState::Asked; 2], ChangeState::Active).await
}

/// Whoever was asked does not want it. `false`: it does not wait for an answer (any more).
///
/// # Errors
/// Where the database refused.
pub async fn refuse(tx: &mut Tx, id: &str) -> Result<bool> {
    settle(tx, id, [ChangeState::Asked; 2], ChangeState::Refused).await
}

/// Takes a change back. `false`: there is none that counts or waits for an answer.
///
/// # Errors
/// Where the database refused.
pub async fn withdraw(tx: &mut Tx, id: &str) -> Result<bool> {
    settle(tx, id, [ChangeState::Asked, ChangeState::Active], ChangeState::Withdrawn).await
}

/// One change.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn find(db: &mut AnyConnection, id: &str) -> Result<Option<Noted>> {
    let row = sqlx::query("SELECT * FROM roster_changes WHERE id = $1").bind(id).fetch_optional(db).await?;
    row.as_ref().map(noted).transpose()
}

/// As `find`, for changing: on PostgreSQL the row is locked until the transaction ends.
///
/// # Errors
/// As `find`.
pub async fn lock(tx: &mut Tx, id: &str) -> Result<Option<Noted>> {
    let row = sqlx::query("UPDATE roster_changes SET id = id WHERE id = $1 RETURNING *")
        .bind(id)
        .fetch_optional(tx.db())
        .await?;
    row.as_ref().map(noted).transpose()
}

/// The absences that a technician noted for himself and that run now.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn own_absences(tx: &mut Tx, technician: &str, now: DateTime<Utc>) -> Result<Vec<Change>> {
    let rows = sqlx::query(
        "SELECT * FROM roster_changes
         WHERE kind = 'absence' AND technician = $2 AND made_by = $2 AND state = 'active' AND from_at <= $1 AND until_at > $1",
    )
    .bind(ms(now))
    .bind(technician)
    .fetch_all(tx.db())
    .await?;
    rows.iter().map(|row| noted(row).map(|noted| noted.change)).collect()
}

/// Ends the absences that a technician noted for himself and that run now; how many.
///
/// # Errors
/// Where the database refused.
pub async fn end_absences(tx: &mut Tx, technician: &str, now: DateTime<Utc>) -> Result<u64> {
    let done = sqlx::query(
        "UPDATE roster_changes SET until_at = $1
         WHERE kind = 'absence' AND technician = $2 AND made_by = $2 AND state = 'active' AND from_at <= $1 AND until_at > $1",
    )
    .bind(ms(now))
    .bind(technician)
    .execute(tx.db())
    .await?;
    Ok(done.rows_affected())
}

/// Takes one change whose answer was waited for too long: asked before `asked_before`, or the time has begun.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn take_lapsed(tx: &mut Tx, asked_before: DateTime<Utc>, now: DateTime<Utc>) -> Result<Option<Noted>> {
    let sql = tx.dialect.sql(
        "UPDATE roster_changes SET state = 'lapsed'
         WHERE id = (SELECT id FROM roster_changes
                     WHERE state = 'asked'
                         AND (made_at <= $1 OR until_at <= $2 OR (from_at > made_at AND from_at <= $2))
                     ORDER BY made_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING *",
    );
    let row = sqlx::query(sql).bind(ms(asked_before)).bind(ms(now)).fetch_optional(tx.db()).await?;
    row.as_ref().map(noted).transpose()
}

/// All changes that end after `after`, in the order they were made, whatever their state.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn list(db: &mut AnyConnection, after: DateTime<Utc>) -> Result<Vec<Noted>> {
    let rows = sqlx::query("SELECT * FROM roster_changes WHERE until_at > $1 ORDER BY made_at, id")
        .bind(ms(after))
        .fetch_all(db)
        .await?;
    rows.iter().map(noted).collect()
}

/// The changes that count and end after `after`, in the order they were made.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn active(db: &mut AnyConnection, after: DateTime<Utc>) -> Result<Vec<Change>> {
    let all = list(db, after).await?;
    Ok(all.into_iter().filter(|one| one.state == ChangeState::Active).map(|one| one.change).collect())
}

fn noted(row: &AnyRow) -> Result<Noted> {
    let fields = Fields::of(row, "roster_changes")?;
    let kind = match fields.text("kind")?.as_str() {
        "override" => ChangeKind::Override { replaces: fields.maybe_text("replaces")? },
        "absence" => ChangeKind::Absence,
        other => return Err(fields.broken("kind", other.to_owned())),
    };
    Ok(Noted {
        id: fields.text("id")?,
        change: Change {
            kind,
            technician: fields.text("technician")?,
            from: fields.instant("from_at")?,
            until: fields.instant("until_at")?,
        },
        state: fields.word("state", ChangeState::parse)?,
        made_by: fields.text("made_by")?,
        made_at: fields.instant("made_at")?,
    })
}

/// A calendar as it was last read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its name in the settings.
    pub name: String,
    /// When the newest calendar that could be read was fetched; `None` = there is none.
    pub fetched_at: Option<DateTime<Utc>>,
    /// When it was last tried.
    pub tried_at: DateTime<Utc>,
    /// The last failure; `None` = the last try went well.
    pub error: Option<String>,
}

/// Notes a look at a calendar. A failure leaves the calendar that was read before.
///
/// # Errors
/// Where the database refused.
pub async fn looked(tx: &mut Tx, name: &str, body: std::result::Result<&str, &str>, now: DateTime<Utc>) -> Result<()> {
    sqlx::query(
        "INSERT INTO feeds (name, body, fetched_at, tried_at, error) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO UPDATE SET body = COALESCE(excluded.body, feeds.body),
             fetched_at = COALESCE(excluded.fetched_at, feeds.fetched_at), tried_at = excluded.tried_at,
             error = excluded.error",
    )
    .bind(name)
    .bind(body.ok())
    .bind(ms_opt(body.ok().map(|_| now)))
    .bind(ms(now))
    .bind(body.err())
    .execute(tx.db())
    .await?;
    Ok(())
}

/// All calendars that were ever tried, by name.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn feeds(db: &mut AnyConnection) -> Result<Vec<Feed>> {
    let rows = sqlx::query("SELECT name, fetched_at, tried_at, error FROM feeds ORDER BY name").fetch_all(db).await?;
    rows.iter()
        .map(|row| {
            let fields = Fields::named(row, "feeds", "?".to_owned());
            Ok(Feed {
                name: fields.text("name")?,
                fetched_at: fields.maybe_instant("fetched_at")?,
                tried_at: fields.instant("tried_at")?,
                error: fields.maybe_text("error")?,
            })
        })
        .collect()
}

/// The newest calendar that could be read of a feed.
///
/// # Errors
/// Where the database refused.
pub async fn body(db: &mut AnyConnection, name: &str) -> Result<Option<String>> {
    let row: Option<Option<String>> =
        sqlx::query_scalar("SELECT body FROM feeds WHERE name = $1").bind(name).fetch_optional(db).await?;
    Ok(row.flatten())
}

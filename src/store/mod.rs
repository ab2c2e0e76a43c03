//! The only place with SQL. Every statement is written once and runs on SQLite and on PostgreSQL.
//!
//! Promise: what `Tx::commit` returned `Ok` for is on disk (SQLite: WAL with `synchronous=FULL`, read back at start).
//! SQLite has one writing connection and a small read-only pool beside it; PostgreSQL one pool.
//! What can go wrong is a `StoreError`; a row that cannot be read names its table, column and id.

pub mod accounts;
pub mod assessments;
pub mod bundles;
pub mod cases;
pub mod charge_steps;
pub mod charges;
pub mod clock;
pub mod consents;
pub mod corrections;
pub mod deliveries;
pub mod drills;
pub mod events;
pub mod examples;
pub mod factors;
pub mod figures;
pub mod hearings;
pub mod holds;
pub mod housekeeping;
pub mod inbox;
pub mod joins;
pub mod ledger;
pub mod legal_holds;
pub mod mails;
pub mod marks;
pub mod memory;
pub mod notes;
pub mod notices;
pub mod paths;
pub mod people;
pub mod personal;
pub mod phones;
pub mod reactions;
pub mod ready;
pub mod receipts;
pub mod replies;
pub mod reports;
pub mod retention;
pub mod roster;
mod row;
mod schema;
pub mod sessions;
pub mod sightings;
pub mod sound;
mod strip;
pub mod transcripts;
pub mod troubles;
pub mod vocabulary;
pub mod watch;
pub mod watched;
pub mod workers;

use chrono::{DateTime, Utc};
pub use sqlx::AnyConnection as Db;
use sqlx::AnyConnection;
use sqlx::any::AnyPoolOptions;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyPool, AssertSqlSafe, SqlSafeStr as _, SqlStr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or could not be reached.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A sound file could not be written or read.
    #[error("the sound folder, {path}: {error}")]
    Sound {
        /// Which file.
        path: PathBuf,
        /// What happened.
        error: std::io::Error,
    },
    /// A row that no version of this program wrote.
    #[error("broken row: {table}.{column} of {id}: {value:?}")]
    Row {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
        /// The row's id.
        id: String,
        /// What stands there.
        value: String,
    },
    /// The worker's lease ran out and somebody else has the row: its result is dropped.
    #[error("the lease on {0} was lost: its result is dropped")]
    LeaseLost(String),
    /// The database is not fit for this service.
    #[error("{0}")]
    Unfit(String),
}

impl StoreError {
    /// Whether the disk (or the database's space) is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sound { error, .. } => {
                matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
            }
            // SQLITE_FULL; a file size limit shows as SQLITE_IOERR_WRITE instead (reliability: RL).
            Self::Database(sqlx::Error::Database(error)) => {
                matches!(error.code().as_deref(), Some("13" | "778" | "53100"))
            }
            _ => false,
        }
    }
}

/// So many connections to PostgreSQL.
const CONNECTIONS: u32 = 8;

/// A store's result.
pub type Result<T> = std::result::Result<T, StoreError>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    /// A statement in this database's words: SQLite has no row locks (its single writer is the lock).
    fn sql(self, text: &'static str) -> SqlStr {
        const LOCK: &str = " FOR UPDATE SKIP LOCKED";
        match self {
            Self::Sqlite if text.contains(LOCK) => AssertSqlSafe(text.replace(LOCK, "")).into_sql_str(),
            Self::Sqlite | Self::Postgres => text.into_sql_str(),
        }
    }

    fn begin(self) -> &'static str {
        match self {
            Self::Sqlite => "BEGIN IMMEDIATE",
            Self::Postgres => "BEGIN",
        }
    }
}

/// The database and the sound folder beside it.
#[derive(Debug, Clone)]
pub struct Store {
    writer: AnyPool,
    reader: AnyPool,
    dialect: Dialect,
    sound: PathBuf,
}

/// A transaction: everything in it or nothing.
pub struct Tx {
    inner: sqlx::Transaction<'static, Any>,
    dialect: Dialect,
}

impl Tx {
    fn db(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }

    /// For what only reads.
    pub fn reading(&mut self) -> &mut AnyConnection {
        self.db()
    }

    /// Makes it durable.
    ///
    /// # Errors
    /// Where the database refused; then nothing of it happened (or, if the connection broke, it is unknown).
    pub async fn commit(self) -> Result<()> {
        Ok(self.inner.commit().await?)
    }
}

/// A connection that only reads.
pub struct Reader {
    inner: PoolConnection<Any>,
    dialect: Dialect,
}

impl std::ops::Deref for Reader {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.inner
    }
}

impl std::ops::DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.inner
    }
}

/// A worker's hold on a row: guards the commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Random; the commit is dropped where the row has another.
    pub token: String,
    /// Which try this is, from 1.
    pub attempt: u32,
}

/// What a claim asks for.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Now.
    pub now: DateTime<Utc>,
    /// How long the row is held.
    pub lease: Duration,
}

impl Claim {
    fn until(self) -> i64 {
        ms(self.now) + i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX / 2)
    }

    fn token() -> String {
        uuid::Uuid::new_v4().simple().to_string()
    }
}

impl Store {
    /// Opens the database at `url` (`sqlite:///path/file.db` or `postgres://…`), brings its tables up to date and checks
    /// that it keeps its promises. The sound folder is made if missing.
    ///
    /// # Errors
    /// Where the database cannot be reached, is too old, or does not write durably; where the folder cannot be made.
    pub async fn open(url: &str, sound: &Path) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let dialect = if url.starts_with("sqlite:") {
            Dialect::Sqlite
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Dialect::Postgres
        } else {
            return Err(StoreError::Unfit("the database's url must begin with sqlite: or postgres:".into()));
        };
        sound::make_folder(sound)?;
        let (writer, reader) = match dialect {
            Dialect::Sqlite => schema::open_sqlite(url).await?,
            Dialect::Postgres => {
                let pool = AnyPoolOptions::new().max_connections(CONNECTIONS).connect(url).await?;
                (pool.clone(), pool)
            }
        };
        schema::migrate(&writer, dialect).await?;
        Ok(Self { writer, reader, dialect, sound: sound.to_owned() })
    }

    /// Where the sound files lie.
    #[must_use]
    pub fn sound_folder(&self) -> &Path {
        &self.sound
    }

    /// Begins a transaction (SQLite: `BEGIN IMMEDIATE`).
    ///
    /// # Errors
    /// Where the database is not there or stays locked for five seconds.
    pub async fn begin(&self) -> Result<Tx> {
        for _ in 0..CONNECTIONS {
            match self.writer.begin_with(self.dialect.begin()).await {
                Ok(inner) => return Ok(Tx { inner, dialect: self.dialect }),
                // SQLite ends a transaction itself when the disk is full; the driver then believes that it still runs,
                // and would refuse for ever.
                Err(sqlx::Error::InvalidSavePointStatement | sqlx::Error::BeginFailed) => {
                    self.writer.acquire().await?.close().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Unfit("the database's connections cannot begin a transaction".into()))
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// Where the database is not there.
    pub async fn read(&self) -> Result<Reader> {
        Ok(Reader { inner: self.reader.acquire().await?, dialect: self.dialect })
    }

    /// The same store by connections of its own, for readers that may take long: they keep nobody else waiting.
    ///
    /// # Errors
    /// Where the database is not there.
    pub async fn apart(&self) -> Result<Self> {
        let reader = schema::readers(&self.reader, self.dialect).await?;
        let writer = match self.dialect {
            // the one writer is the lock
            Dialect::Sqlite => self.writer.clone(),
            Dialect::Postgres => reader.clone(),
        };
        Ok(Self { writer, reader, ..self.clone() })
    }

    /// What a service does once it has its folder to itself: on SQLite nobody else can hold a lease any more, so rows that
    /// a killed predecessor held are free at once. On PostgreSQL leases of other machines are left to run out.
    ///
    /// # Errors
    /// Where the database refused.
    pub async fn fresh_start(&self) -> Result<()> {
        let mut tx = self.begin().await?;
        workers::clear(&mut tx).await?;
        if self.dialect == Dialect::Sqlite {
            for table in [
                "UPDATE reports SET lease_until = NULL, lease_token = NULL WHERE lease_token IS NOT NULL",
                "UPDATE cases SET lease_until = NULL, lease_token = NULL WHERE lease_token IS NOT NULL",
                "UPDATE notices SET lease_until = NULL, lease_token = NULL WHERE lease_token IS NOT NULL",
                "UPDATE hearings SET lease_until = NULL, lease_token = NULL WHERE lease_token IS NOT NULL",
            ] {
                sqlx::query(table).execute(tx.db()).await?;
            }
        }
        tx.commit().await
    }

    /// Leaves nothing of what was deleted in the log of the database: on SQLite the write-ahead log is emptied. `false`:
    /// somebody was reading; the next time.
    ///
    /// # Errors
    /// Where the database refused.
    pub async fn scrub(&self) -> Result<bool> {
        schema::scrub(&self.writer, self.dialect).await
    }

    /// Writes the database anew, without the gaps in which SQLite leaves a few rows that it moved before they were deleted
    /// (4 of 1,000 reports, measured). Writers wait meanwhile.
    ///
    /// # Errors
    /// Where the database refused, for want of room for instance.
    pub async fn rewrite(&self) -> Result<bool> {
        schema::rewrite(&self.writer, self.dialect).await?;
        self.scrub().await
    }

    /// How large the database is, in bytes.
    ///
    /// # Errors
    /// Where the database refused.
    pub async fn size(&self) -> Result<u64> {
        schema::size(&self.reader, self.dialect).await
    }

    /// Every column of every table of ours, by name.
    ///
    /// # Errors
    /// Where the database refused.
    pub async fn columns(&self) -> Result<Vec<(String, String)>> {
        schema::columns(&self.reader, self.dialect).await
    }

    /// Asks the database whether it is whole.
    ///
    /// # Errors
    /// Where it is not, or cannot be asked.
    pub async fn check(&self) -> Result<()> {
        schema::check(&self.reader, self.dialect).await
    }

    /// Closes all connections (SQLite: checkpoints).
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// What is left of a message's key (or twin) at its source once its report's data is deleted: enough to know it again.
fn forgotten(source: &str, key: &str) -> String {
    format!("sha256:{}", sound::sha256(format!("{source} {key}").as_bytes()))
}

fn ms(at: DateTime<Utc>) -> i64 {
    at.timestamp_millis()
}

fn ms_opt(at: Option<DateTime<Utc>>) -> Option<i64> {
    at.map(ms)
}

fn expect_one(done: &sqlx::any::AnyQueryResult, what: impl FnOnce() -> String) -> Result<()> {
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::LeaseLost(what())) }
}

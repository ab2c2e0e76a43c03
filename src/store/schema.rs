//! Opening SQLite so that it keeps its promises, and bringing the tables up to date on both databases.

use super::{Dialect, Result, StoreError};
use sqlx::AnyConnection;
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{AnyPool, AssertSqlSafe, Executor as _, Row as _, SqlSafeStr as _};
use std::borrow::Cow;
use std::time::Duration;

/// Below it the WAL-reset bug can corrupt a database (fixed in 3.51.3, 2026-03-13).
const OLDEST_SQLITE: (u32, u32, u32) = (3, 51, 3);

/// So often the tables are brought up to date beside another process that does the same.
const TRIES: usize = 5;

const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "house", include_str!("../../migrations/0001_house.sql")),
    (2, "mailboxes", include_str!("../../migrations/0002_mailboxes.sql")),
    (3, "watch", include_str!("../../migrations/0003_watch.sql")),
    (4, "inbox", include_str!("../../migrations/0004_inbox.sql")),
    (5, "review", include_str!("../../migrations/0005_review.sql")),
    (6, "retention", include_str!("../../migrations/0006_retention.sql")),
    (7, "charges", include_str!("../../migrations/0007_charges.sql")),
    (8, "accounts", include_str!("../../migrations/0008_accounts.sql")),
    (9, "queue", include_str!("../../migrations/0009_queue.sql")),
    (10, "hearings", include_str!("../../migrations/0010_hearings.sql")),
];

/// One writing connection, and a few that only read.
pub(super) async fn open_sqlite(url: &str) -> Result<(AnyPool, AnyPool)> {
    let url = if url.contains('?') { url.to_owned() } else { format!("{url}?mode=rwc") };
    let writer = AnyPoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(|db, _| Box::pin(prepare_writer(db)))
        .connect(&url)
        .await?;
    fitness(&writer).await?;
    let reader = reading().connect(&url).await?;
    Ok((writer, reader))
}

fn reading() -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(Duration::from_secs(10))
        .after_connect(|db, _| Box::pin(prepare_reader(db)))
}

/// More connections to the same database.
pub(super) async fn readers(like: &AnyPool, dialect: Dialect) -> Result<AnyPool> {
    let options = like.connect_options().as_ref().clone();
    Ok(match dialect {
        Dialect::Sqlite => reading().connect_with(options).await?,
        Dialect::Postgres => AnyPoolOptions::new().max_connections(4).connect_with(options).await?,
    })
}

async fn prepare_writer(db: &mut AnyConnection) -> std::result::Result<(), sqlx::Error> {
    for pragma in [
        "PRAGMA busy_timeout = 5000",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA secure_delete = ON",
        "PRAGMA trusted_schema = OFF",
    ] {
        db.execute(pragma).await?;
    }
    Ok(())
}

async fn prepare_reader(db: &mut AnyConnection) -> std::result::Result<(), sqlx::Error> {
    db.execute("PRAGMA busy_timeout = 5000").await?;
    db.execute("PRAGMA query_only = ON").await?;
    // No pragma here that reads the schema (cache_size does): it would be that of before the migrations.
    Ok(())
}

/// Reads back what was asked for: a setting that did not take is a refusal, not a hope.
async fn fitness(writer: &AnyPool) -> Result<()> {
    let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(writer).await?;
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    if (next(), next(), next()) < OLDEST_SQLITE {
        return Err(StoreError::Unfit(format!("SQLite {version} is too old: 3.51.3 or newer is needed")));
    }
    let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(writer).await?;
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(writer).await?;
    let keys: i64 = sqlx::query_scalar("PRAGMA foreign_keys").fetch_one(writer).await?;
    let secure: i64 = sqlx::query_scalar("PRAGMA secure_delete").fetch_one(writer).await?;
    if (journal.as_str(), synchronous, keys, secure) == ("wal", 2, 1, 1) {
        return Ok(());
    }
    Err(StoreError::Unfit(format!(
        "SQLite did not take its settings (journal_mode={journal}, synchronous={synchronous}, foreign_keys={keys}, \
         secure_delete={secure}; wanted wal, 2, 1, 1): is the database on a network folder?"
    )))
}

/// Brings the tables up to date.
pub(super) async fn migrate(writer: &AnyPool, dialect: Dialect) -> Result<()> {
    let migrations = MIGRATIONS.iter().map(|(version, name, sql)| {
        let sql = AssertSqlSafe(in_words_of(dialect, sql)).into_sql_str();
        Migration::new(*version, Cow::Borrowed(*name), MigrationType::Simple, sql, false)
    });
    let migrator = Migrator::with_migrations(migrations.collect());
    for _ in 0..TRIES {
        match migrator.run(writer).await {
            // on SQLite nothing keeps two processes from it at the same moment: what the other one did is done
            Err(_) if dialect == Dialect::Sqlite => tokio::time::sleep(Duration::from_millis(200)).await,
            done => return Ok(done?),
        }
    }
    Ok(migrator.run(writer).await?)
}

/// A migration in this database's words. Full-text search has none in common: what stands between `-- only sqlite:` (or
/// `-- only postgres:`) and the next such line or `-- end` is for that one alone.
fn in_words_of(dialect: Dialect, sql: &str) -> String {
    let mut here = true;
    let mut own = String::with_capacity(sql.len());
    for line in sql.lines() {
        match line {
            "-- only sqlite:" => here = dialect == Dialect::Sqlite,
            "-- only postgres:" => here = dialect == Dialect::Postgres,
            "-- end" => here = true,
            _ if here => {
                own.push_str(line);
                own.push('\n');
            }
            _ => {}
        }
    }
    match dialect {
        Dialect::Postgres => own,
        Dialect::Sqlite => {
            // it has no type JSON: its text is read as it is
            own.replace("BIGINT", "INTEGER").replace("\n);", "\n) STRICT;").replace("CAST(body AS JSON)", "body")
        }
    }
}

/// Empties the write-ahead log; `false` where a reader is in the way.
pub(super) async fn scrub(writer: &AnyPool, dialect: Dialect) -> Result<bool> {
    match dialect {
        Dialect::Sqlite => {
            let row = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(writer).await?;
            let busy: i64 = row.try_get(0)?;
            Ok(busy == 0)
        }
        // Its own vacuum frees the rows; when their bytes are written over is its business (docs/privacy.md).
        Dialect::Postgres => Ok(true),
    }
}

/// Copies what is alive, and only that.
pub(super) async fn rewrite(writer: &AnyPool, dialect: Dialect) -> Result<()> {
    if dialect == Dialect::Sqlite {
        sqlx::query("VACUUM").execute(writer).await?;
    }
    Ok(())
}

/// The database's size in bytes.
pub(super) async fn size(reader: &AnyPool, dialect: Dialect) -> Result<u64> {
    let sql = match dialect {
        Dialect::Sqlite => "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()",
        Dialect::Postgres => "SELECT pg_database_size(current_database())",
    };
    let bytes: i64 = sqlx::query_scalar(sql).fetch_one(reader).await?;
    Ok(u64::try_from(bytes).unwrap_or(0))
}

/// Every column of every table, without those of the database's own bookkeeping.
pub(super) async fn columns(reader: &AnyPool, dialect: Dialect) -> Result<Vec<(String, String)>> {
    let sql = match dialect {
        Dialect::Sqlite => {
            "SELECT t.name, c.name FROM pragma_table_list AS t JOIN pragma_table_info(t.name) AS c
             WHERE t.schema = 'main' AND t.type IN ('table', 'virtual') ORDER BY 1, 2"
        }
        Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = 'public' ORDER BY 1, 2"
        }
    };
    let rows: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(reader).await?;
    let own = |(table, _): &(String, String)| !table.starts_with("sqlite_") && table != "_sqlx_migrations";
    Ok(rows.into_iter().filter(own).collect())
}

/// Asks the database whether it is whole.
pub(super) async fn check(reader: &AnyPool, dialect: Dialect) -> Result<()> {
    let answer: String = match dialect {
        Dialect::Sqlite => sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(reader).await?,
        Dialect::Postgres => sqlx::query_scalar("SELECT 'ok'").fetch_one(reader).await?,
    };
    if answer == "ok" {
        return Ok(());
    }
    Err(StoreError::Unfit(format!("the database is damaged ({answer}): restore the newest backup")))
}

//! The proof of what was deleted: one row a report and class, each with a hash over the row before. Only ever added to.
//!
//! A row names its report by a salted hash, so that it says nothing of anybody, and yet tells whether a report that a backup
//! brought back had been deleted. Row 0 holds the salt.

use super::row::Fields;
use super::sound::sha256;
use super::{Result, Tx, ms};
use crate::domain::assessment::words;
use crate::domain::report::ReportId;
use crate::domain::retention::{Class, Why};
use chrono::{DateTime, Utc};
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// The class of row 0.
const SALT: &str = "salt";

words! {
    /// What came of a deletion.
    Came {
        /// It was there and is gone.
        Deleted = "deleted",
        /// There was nothing of it.
        Nothing = "nothing",
    }
}

/// One row, as it stands in the database and in the file beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 0, 1, 2 …
    pub seq: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// The report's salted hash; in row 0 the salt.
    pub report: String,
    /// The class's word; in row 0 "salt".
    pub class: String,
    /// Why: the word of a [`Why`].
    pub why: String,
    /// The word of a [`Came`].
    pub result: String,
    /// Hash over the row before and this one.
    pub chain: String,
}

impl Row {
    /// The hash that this row must carry behind one with the hash `before`.
    #[must_use]
    pub fn hash(&self, before: &str) -> String {
        let Self { seq, at, report, class, why, result, .. } = self;
        sha256(format!("{before} {seq} {} {report} {class} {why} {result}", ms(*at)).as_bytes())
    }

    /// As a line of the file.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { seq, at, report, class, why, result, chain } = self;
        format!("{seq} {} {report} {class} {why} {result} {chain}", ms(*at))
    }

    /// Out of [`Row::line`].
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let mut next = || words.next().map(str::to_owned);
        let seq = next()?.parse().ok()?;
        let at = DateTime::from_timestamp_millis(next()?.parse().ok()?)?;
        let (report, class, why, result, chain) = (next()?, next()?, next()?, next()?, next()?);
        next().is_none().then_some(Self { seq, at, report, class, why, result, chain })
    }

    /// What was deleted; `None` for row 0.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        Class::parse(&self.class)
    }
}

/// What stands for a report in the ledger.
#[must_use]
pub fn name_of(salt: &str, report: ReportId) -> String {
    sha256(format!("{salt} {report}").as_bytes())
}

/// The first row that does not fit behind the one before it, in rows from 0 on.
#[must_use]
pub fn broken_at(rows: &[Row]) -> Option<i64> {
    let mut before = String::new();
    for (at, row) in (0i64..).zip(rows) {
        if row.seq != at || row.hash(&before) != row.chain {
            return Some(at);
        }
        before.clone_from(&row.chain);
    }
    None
}

/// Adds the rows of one report; the salt is made with the first.
///
/// # Errors
/// Where the database refused.
pub async fn add(tx: &mut Tx, report: ReportId, all: &[(Class, Why, Came)], now: DateTime<Utc>) -> Result<()> {
    lock(tx).await?;
    let salt = match salt(tx.db()).await? {
        Some(salt) => salt,
        None => begin(tx, now).await?,
    };
    for (class, why, came) in all {
        let last = last(tx.db()).await?;
        let (seq, before) = last.map_or((0, String::new()), |row| (row.seq + 1, row.chain));
        let mut row = Row {
            seq,
            at: now,
            report: name_of(&salt, report),
            class: class.as_str().to_owned(),
            why: why.as_str().to_owned(),
            result: came.as_str().to_owned(),
            chain: String::new(),
        };
        row.chain = row.hash(&before);
        put(tx, &row).await?;
    }
    Ok(())
}

async fn begin(tx: &mut Tx, now: DateTime<Utc>) -> Result<String> {
    let salt = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
    let (why, result) = ("-".to_owned(), "-".to_owned());
    let mut row =
        Row { seq: 0, at: now, report: salt.clone(), class: SALT.to_owned(), why, result, chain: String::new() };
    row.chain = row.hash("");
    put(tx, &row).await?;
    Ok(salt)
}

/// Adds a row as it is: out of the file, after a restore.
///
/// # Errors
/// Where the database refused, or there is one of that number.
pub async fn put(tx: &mut Tx, row: &Row) -> Result<()> {
    sqlx::query(
        "INSERT INTO deletions (seq, at, report, class, why, result, chain) VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(row.seq)
    .bind(ms(row.at))
    .bind(&row.report)
    .bind(&row.class)
    .bind(&row.why)
    .bind(&row.result)
    .bind(&row.chain)
    .execute(tx.db())
    .await?;
    Ok(())
}

/// Nobody else adds until this transaction ends.
///
/// # Errors
/// Where the database refused.
pub async fn lock(tx: &mut Tx) -> Result<()> {
    // A no-op update is a row lock.
    sqlx::query("UPDATE counters SET value = value WHERE name = 'deletions'").execute(tx.db()).await?;
    Ok(())
}

/// The salt; `None` while nothing was ever deleted.
///
/// # Errors
/// Where the database refused.
pub async fn salt(db: &mut AnyConnection) -> Result<Option<String>> {
    Ok(sqlx::query_scalar("SELECT report FROM deletions WHERE seq = 0").fetch_optional(db).await?)
}

/// The newest row.
///
/// # Errors
/// Where the database refused or the row is broken.
pub async fn last(db: &mut AnyConnection) -> Result<Option<Row>> {
    let row = sqlx::query("SELECT * FROM deletions ORDER BY seq DESC LIMIT 1").fetch_optional(db).await?;
    row.as_ref().map(read).transpose()
}

/// Every row behind number `after` (-1: from the salt on).
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn behind(db: &mut AnyConnection, after: i64) -> Result<Vec<Row>> {
    let rows = sqlx::query("SELECT * FROM deletions WHERE seq > $1 ORDER BY seq").bind(after).fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// What was deleted of a report, the oldest first.
///
/// # Errors
/// Where the database refused or a row is broken.
pub async fn of_report(db: &mut AnyConnection, report: ReportId) -> Result<Vec<Row>> {
    let Some(salt) = salt(&mut *db).await? else { return Ok(Vec::new()) };
    let rows = sqlx::query("SELECT * FROM deletions WHERE report = $1 AND seq > 0 ORDER BY seq")
        .bind(name_of(&salt, report))
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Row> {
    use sqlx::Row as _;
    let seq: i64 = row.try_get("seq")?;
    let fields = Fields::named(row, "deletions", seq.to_string());
    Ok(Row {
        seq,
        at: fields.instant("at")?,
        report: fields.text("report")?,
        class: fields.text("class")?,
        why: fields.text("why")?,
        result: fields.text("result")?,
        chain: fields.text("chain")?,
    })
}

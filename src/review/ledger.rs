//! The ledger of deletions beside the database: a file that only grows, and is no part of the database's backup.
//!
//! After a backup was restored the file knows more than the database: its rows are taken over, and what they say was
//! deleted is deleted again. A chain of hashes over the rows shows a row that was changed or taken out.

use crate::domain::report::ReportId;
use crate::domain::retention::Class;
use crate::store::ledger::{self, Row, broken_at, name_of};
use crate::store::{Store, StoreError, retention};
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The file's name in the store's folder.
pub const FILE: &str = "deletions.log";

/// How the ledger is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Check {
    /// Rows in the database.
    pub rows: usize,
    /// Rows in the file.
    pub in_file: usize,
    /// The first row of the database that does not fit behind the one before it.
    pub broken_at: Option<i64>,
    /// The first row in which file and database differ.
    pub differs_at: Option<i64>,
}

impl Check {
    /// Whether every row is as it was written.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.broken_at.is_none() && self.differs_at.is_none()
    }
}

/// Where the file lies.
#[must_use]
pub fn path(store_folder: &Path) -> PathBuf {
    store_folder.join(FILE)
}

/// Looks at every row, in the database and in the file.
///
/// # Errors
/// Where the store refused or the file cannot be read.
pub async fn check(store: &Store, store_folder: &Path) -> Result<Check, StoreError> {
    let stored = ledger::behind(&mut *store.read().await?, -1).await?;
    let kept = read(&path(store_folder))?;
    let differs_at = stored.iter().zip(&kept).position(|(one, other)| one != other);
    let missing = (kept.len() != stored.len()).then(|| kept.len().min(stored.len()));
    let at = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
    Ok(Check {
        rows: stored.len(),
        in_file: kept.len(),
        broken_at: broken_at(&stored),
        differs_at: differs_at.or(missing).map(at),
    })
}

/// Brings file and database in step: rows that only the file has come from before a restore and are taken over; rows that
/// only the database has are written into the file. Gives how many were taken over.
///
/// # Errors
/// Where one of them refused, or they differ: then somebody changed one of them, or the file is another store's.
pub async fn follow(store: &Store, store_folder: &Path) -> Result<usize, StoreError> {
    let path = path(store_folder);
    let mut tx = store.begin().await?;
    ledger::lock(&mut tx).await?;
    let stored = ledger::behind(tx.reading(), -1).await?;
    let kept = read(&path)?;
    let common = stored.len().min(kept.len());
    let broken = broken_at(&kept).or_else(|| broken_at(&stored));
    if stored[..common] != kept[..common] || broken.is_some() {
        return Err(StoreError::Unfit(format!(
            "the ledger of deletions in {} and the one in the database differ or were changed; see `nachtwache privacy ledger`",
            path.display()
        )));
    }
    for row in &kept[common..] {
        ledger::put(&mut tx, row).await?;
    }
    append(&path, &stored[common..])?;
    tx.commit().await?;
    Ok(kept.len() - common)
}

/// The reports of the store of which the ledger says that something was deleted, and it is there.
///
/// # Errors
/// Where the store refused.
pub async fn brought_back(store: &Store) -> Result<Vec<(ReportId, Vec<Class>)>, StoreError> {
    let mut reader = store.read().await?;
    let Some(salt) = ledger::salt(&mut reader).await? else { return Ok(Vec::new()) };
    let mut gone: HashMap<String, Vec<Class>> = HashMap::new();
    for row in ledger::behind(&mut reader, 0).await? {
        let class = row.class();
        gone.entry(row.report).or_default().extend(class);
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = retention::ages(&mut reader, after, 500).await?;
        let Some((last, _)) = page.last() else { return Ok(found) };
        after = Some(*last);
        for (report, age) in page {
            let Some(classes) = gone.get(&name_of(&salt, report)) else { continue };
            let back = |class: &Class| {
                classes.contains(class)
                    && !age.deleted.contains(class)
                    && (*class != Class::Proof || !age.proves.is_empty())
            };
            let back: Vec<Class> = Class::ALL.into_iter().filter(back).collect();
            if !back.is_empty() {
                found.push((report, back));
            }
        }
    }
}

fn wrong(path: &Path) -> impl Fn(std::io::Error) -> StoreError {
    let path = path.to_owned();
    move |error| StoreError::Sound { path: path.clone(), error }
}

/// Every whole line; the last one may have been cut off by a power cut and is written again.
fn read(path: &Path) -> Result<Vec<Row>, StoreError> {
    let mut text = String::new();
    match File::open(path) {
        Ok(mut file) => file.read_to_string(&mut text).map_err(wrong(path))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(wrong(path)(error)),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let rows = whole.lines().map(|line| {
        let complaint =
            format!("a line of the ledger of deletions {} cannot be read: restore the file", path.display());
        Row::parse(line).ok_or(StoreError::Unfit(complaint))
    });
    rows.collect()
}

/// Behind the last whole line, durably. Readable by its owner only.
fn append(path: &Path, rows: &[Row]) -> Result<(), StoreError> {
    use std::io::{Seek as _, SeekFrom};
    use std::os::unix::fs::OpenOptionsExt as _;
    if rows.is_empty() {
        return Ok(());
    }
    let written = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let end = text.rfind('\n').map_or(0, |end| end + 1);
        file.set_len(end as u64)?;
        file.seek(SeekFrom::End(0))?;
        let lines: String = rows.iter().map(|row| row.line() + "\n").collect();
        file.write_all(lines.as_bytes())?;
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    };
    written().map_err(wrong(path))
}

//! From when on a mailbox's messages are taken, remembered over restarts.
//!
//! Promises: what lay there long before the first start is left alone; after an outage the mailbox is looked through
//! from the last good look on, with an overlap; and what was dealt with long ago is not asked for again and again.

use crate::intake::memory::Memory;
use crate::intake::source::SourceError;
use chrono::{DateTime, TimeDelta, Utc};

/// The memory's name of the instant before which nothing is taken.
const SINCE: &str = "since";
/// The memory's name of the last good look.
const LOOKED_AT: &str = "looked_at";
/// The last good look is written down so often.
const WRITE_EVERY: TimeDelta = TimeDelta::minutes(10);

/// How far a source looks back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// At the first start.
    pub(super) first_look: TimeDelta,
    /// Before the last good look.
    pub(super) overlap: TimeDelta,
    /// At most, however long the outage was.
    pub(super) longest: TimeDelta,
}

/// What is to be looked through now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// Older messages were there before the first start.
    pub(super) since: DateTime<Utc>,
    /// Older messages need not be asked for; never before `since`.
    pub(super) from: DateTime<Utc>,
}

/// One source's window.
#[derive(Debug)]
pub(super) struct Since {
    memory: Memory,
    reach: Reach,
    begin: Option<DateTime<Utc>>,
    /// The beginning is written down.
    is_kept: bool,
    looked_at: Option<DateTime<Utc>>,
    written_at: Option<DateTime<Utc>>,
}

impl Since {
    pub(super) fn new(memory: Memory, reach: Reach) -> Self {
        Self { memory, reach, begin: None, is_kept: false, looked_at: None, written_at: None }
    }

    /// The window at `now`; at the first start its beginning is written down.
    pub(super) async fn window(&mut self, now: DateTime<Utc>) -> Result<Window, SourceError> {
        let window = self.peek(now).await?;
        self.begin = Some(window.since);
        if !self.is_kept {
            // without it what lies there is looked at all the same; it is written at one of the next looks
            self.is_kept = self.keep(SINCE, window.since).await;
        }
        Ok(window)
    }

    /// The window at `now`; nothing is written.
    pub(super) async fn peek(&mut self, now: DateTime<Utc>) -> Result<Window, SourceError> {
        if self.begin.is_none() {
            self.begin = self.recall(SINCE).await?;
            self.is_kept = self.begin.is_some();
            self.looked_at = self.recall(LOOKED_AT).await?;
        }
        let since = self.begin.unwrap_or(now - self.reach.first_look);
        let overlap = self.looked_at.unwrap_or(since) - self.reach.overlap;
        Ok(Window { since, from: since.max(overlap).max(now - self.reach.longest) })
    }

    /// Everything in the window was seen.
    pub(super) async fn looked(&mut self, now: DateTime<Utc>) {
        self.looked_at = Some(now);
        if self.written_at.is_none_or(|at| now - at >= WRITE_EVERY) && self.keep(LOOKED_AT, now).await {
            self.written_at = Some(now);
        }
    }

    /// Whether it could be written down. A memory that takes nothing must not keep a message waiting.
    async fn keep(&self, name: &str, at: DateTime<Utc>) -> bool {
        let kept = self.memory.keep(name, &at.to_rfc3339()).await;
        if let Err(error) = &kept {
            tracing::warn!(%error, name, "could not be remembered; trying again at the next look");
        }
        kept.is_ok()
    }

    async fn recall(&self, name: &str) -> Result<Option<DateTime<Utc>>, SourceError> {
        let text = self.memory.recall(name).await?;
        Ok(text.and_then(|text| Some(DateTime::parse_from_rfc3339(&text).ok()?.with_timezone(&Utc))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    const REACH: Reach =
        Reach { first_look: TimeDelta::hours(24), overlap: TimeDelta::days(3), longest: TimeDelta::days(14) };

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn the_window_begins_before_the_first_start_and_follows_the_looks() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/n.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        let open = || Since::new(Memory::new(store.clone(), "s".into()), REACH);
        let start = at("2026-11-21T12:00:00Z");
        assert_eq!(open().peek(start - TimeDelta::days(20)).await.unwrap().since, start - TimeDelta::days(21));

        let mut since = open();
        let first = start - TimeDelta::hours(24);
        assert_eq!(since.window(start).await.unwrap(), Window { since: first, from: first });
        since.looked(start).await;
        let later = start + TimeDelta::days(10);
        assert_eq!(since.window(later).await.unwrap(), Window { since: first, from: first });
        since.looked(later).await;
        let window = Window { since: first, from: later - TimeDelta::days(3) };
        assert_eq!(since.window(later).await.unwrap(), window);

        let mut after_restart = open();
        assert_eq!(after_restart.window(later + TimeDelta::days(5)).await.unwrap(), window);
        let long_after = later + TimeDelta::days(40);
        assert_eq!(after_restart.window(long_after).await.unwrap().from, long_after - TimeDelta::days(14));
    }

    #[tokio::test]
    async fn a_memory_that_takes_nothing_costs_no_look_and_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/n.db", folder.path().display());
        let store = Store::open(&url, &folder.path().join("sound")).await.unwrap();
        let open = || Since::new(Memory::new(store.clone(), "s".into()), REACH);
        let mut db = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
        let refuse = "CREATE TRIGGER full BEFORE INSERT ON memory BEGIN SELECT RAISE(ABORT, 'full'); END";
        sqlx::query(refuse).execute(&mut db).await.unwrap();
        let (start, mut since) = (at("2026-11-21T12:00:00Z"), open());
        let first = since.window(start).await.unwrap();
        since.looked(start).await;
        let later = start + TimeDelta::hours(2);
        assert_eq!(since.window(later).await.unwrap().since, first.since);
        sqlx::query("DROP TRIGGER full").execute(&mut db).await.unwrap();
        since.window(later).await.unwrap();
        assert_eq!(open().window(later).await.unwrap().since, first.since, "it was written down");
    }
}

//! Deletes what is kept long enough, one report at a time, and proves it.
//!
//! Promise: killed at any moment it goes on where it was; what a row no longer names is gone from the disk, or marked to go.
//! What can go wrong: a file that cannot be removed keeps its mark, and the worker says so until it can.

use super::ledger;
use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::report::ReportId;
use crate::domain::retention::{Class, Why};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::{Store, StoreError, Tx, events, housekeeping, marks, retention, sound, vocabulary};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::VecDeque;
use std::sync::Arc;

/// Between two looks at everything.
const LOOK: TimeDelta = TimeDelta::hours(1);
/// A bot can take a message off a chat for 48 hours; with a look every hour this leaves none over 47.
const VOICE: TimeDelta = TimeDelta::hours(46);
/// So old must a file without a row be: what is just being stored has no row yet, and after a restore somebody may miss it.
const STRAY: TimeDelta = TimeDelta::days(30);
/// Reports looked at in one go.
const PAGE: i64 = 500;
/// Between two copies of the whole database, which leave nothing in its gaps; so long, too, one waits for a quiet hour.
const REWRITE: TimeDelta = TimeDelta::days(7);
/// The marks of the last deletion, of the last such copy and of the first request for one behind it, in milliseconds.
const DELETED: &str = "retention.deleted";
const REWRITTEN: &str = "retention.rewritten";
const WANTED: &str = "retention.rewrite_wanted";
/// The mark of the last look at everything, in milliseconds.
const LOOKED: &str = "retention.looked";

/// When everything was looked at last, if it ever was.
///
/// # Errors
/// Where the store refused.
pub async fn looked_at(store: &Store) -> Result<Option<DateTime<Utc>>, StoreError> {
    let mark = marks::find(&mut *store.read().await?, LOOKED).await?;
    Ok(mark.and_then(DateTime::from_timestamp_millis))
}

/// How far the look at everything is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// It rests.
    Nowhere,
    /// Behind this report; `None` = before the first.
    Behind(Option<ReportId>),
}

/// The worker's step.
pub struct RetentionStep {
    store: Store,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    bells: Bells,
    place: Place,
    looked_at: Option<DateTime<Utc>>,
    /// What is to be deleted, by the look.
    due: VecDeque<(ReportId, Vec<Class>, Why)>,
    deleted: usize,
    followed: bool,
    /// A backup seems to have been restored: files without a row may be all that is left of a call.
    restored: bool,
}

impl RetentionStep {
    /// A step that begins with a look at everything.
    #[must_use]
    pub fn new(store: Store, settings: Arc<Settings>, clock: Arc<dyn Clock>, bells: Bells) -> Self {
        Self {
            store,
            settings,
            clock,
            bells,
            place: Place::Nowhere,
            looked_at: None,
            due: VecDeque::new(),
            deleted: 0,
            followed: false,
            restored: false,
        }
    }
}

#[async_trait]
impl Step for RetentionStep {
    fn name(&self) -> String {
        "review.retention".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let now = self.clock.now();
        // a file that cannot be removed holds up nothing else
        let stuck = match finish_one(&self.store, now).await {
            Ok(true) => {
                self.deleted += 1;
                return Ok(Round::Worked);
            }
            Ok(false) => None,
            Err(error) => Some(error),
        };
        match (self.go_on(now).await?, stuck) {
            (Round::Idle, Some(error)) => Err(error),
            (round, _) => Ok(round),
        }
    }
}

impl RetentionStep {
    async fn go_on(&mut self, now: DateTime<Utc>) -> Result<Round, StoreError> {
        if let Some((report, classes, why)) = self.due.pop_front() {
            self.delete(report, &classes, why, now).await?;
            return Ok(Round::Worked);
        }
        let Place::Behind(after) = self.place else { return self.start_look(now).await };
        if self.settings.retention.keep_for_ever || !self.look_on(after, now).await? {
            self.end_look(now).await?;
            return Ok(Round::Idle);
        }
        Ok(Round::Worked)
    }

    async fn start_look(&mut self, now: DateTime<Utc>) -> Result<Round, StoreError> {
        // a clock that was set back counts as a new one
        if self.looked_at.is_some_and(|at| at <= now && now - at < LOOK) {
            return Ok(Round::Idle);
        }
        if !self.followed {
            self.follow().await?;
            self.restored |= has_newer_files(&self.store, now).await?;
        }
        let mut tx = self.store.begin().await?;
        if self.settings.telegram.redact_closed && housekeeping::expire_voices(&mut tx, now - VOICE, now).await? > 0 {
            self.bells.send.ring();
        }
        tx.commit().await?;
        self.place = Place::Behind(None);
        Ok(Round::Worked)
    }

    /// Once, at the start: was a backup restored?
    async fn follow(&mut self) -> Result<(), StoreError> {
        match ledger::follow(&self.store, &self.settings.store.folder).await {
            Ok(0) => {}
            Ok(rows) => {
                tracing::warn!(rows, "a backup was restored: what had been deleted is deleted again");
                let back = ledger::brought_back(&self.store).await?;
                self.due.extend(back.into_iter().map(|(report, classes)| (report, classes, Why::Restored)));
                self.restored = true;
            }
            // deletion goes on: that the proof was touched is no reason to keep what must go
            Err(error @ StoreError::Unfit(_)) => tracing::error!(%error, "the ledger of deletions is not whole"),
            Err(error) => return Err(error),
        }
        self.followed = true;
        Ok(())
    }

    /// Looks at the next reports. `false`: there are none.
    async fn look_on(&mut self, after: Option<ReportId>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let page = retention::ages(&mut *self.store.read().await?, after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(false) };
        self.place = Place::Behind(Some(*last));
        let periods = self.settings.retention.periods();
        for (report, age) in page {
            let classes = age.due(&periods, now);
            if !classes.is_empty() {
                self.due.push_back((report, classes, Why::Period));
            }
        }
        Ok(true)
    }

    async fn delete(
        &self,
        report: ReportId,
        classes: &[Class],
        why: Why,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.store.begin().await?;
        // looked at again: somebody may hold it by now
        let age = retention::age(tx.reading(), report).await?;
        let periods = self.settings.retention.periods();
        let still = |class: &Class| match (&age, why) {
            (Some(age), Why::Period) => age.due(&periods, now).contains(class),
            (Some(age), _) => !age.deleted.contains(class),
            (None, _) => false,
        };
        let classes: Vec<Class> = classes.iter().copied().filter(still).collect();
        retention::begin(&mut tx, report, &classes, why, None, now).await?;
        tx.commit().await
    }

    async fn end_look(&mut self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if !self.settings.retention.keep_for_ever {
            self.clean_up(now).await?;
        }
        if let Err(error) = ledger::follow(&self.store, &self.settings.store.folder).await {
            tracing::error!(%error, "the ledger of deletions beside the database could not be brought up to date");
        }
        if self.is_to_be_rewritten(now).await? {
            self.rewrite(now).await?;
        }
        if !self.store.scrub().await? {
            tracing::info!("the database's log could not be emptied while somebody was reading; the next time");
        }
        if self.deleted > 0 {
            tracing::info!(reports = self.deleted, "what was kept long enough is deleted");
        }
        (self.deleted, self.place, self.looked_at) = (0, Place::Nowhere, Some(now));
        Ok(())
    }

    /// Where somebody asked for it, and once a week if something was deleted. Writers wait meanwhile, so does an alarm: only
    /// in a quiet hour, or where there was none for a week.
    async fn is_to_be_rewritten(&self, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        if self.deleted > 0 {
            marks::put(&mut tx, DELETED, now.timestamp_millis()).await?;
        }
        let deleted = marks::find(tx.reading(), DELETED).await?;
        let asked = marks::find(tx.reading(), WANTED).await?;
        let rewritten = marks::find(tx.reading(), REWRITTEN).await?;
        let left = |at: &i64| rewritten.is_none_or(|done| done <= *at);
        let weekly = deleted.filter(left).map(|at| rewritten.map_or(at, |done| done + REWRITE.num_milliseconds()));
        let since = asked.filter(left).into_iter().chain(weekly).min();
        let quiet = housekeeping::is_quiet(tx.reading(), now).await?;
        tx.commit().await?;
        let age = since.map(|at| now.timestamp_millis() - at);
        Ok(age.is_some_and(|age| age >= REWRITE.num_milliseconds() || (quiet && age >= 0)))
    }

    /// Where it cannot be done, for want of room say, it is tried again with the next look.
    async fn rewrite(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        if let Err(error) = self.store.rewrite().await {
            tracing::error!(%error, "the database could not be written anew: is there room for it once more?");
            return Ok(());
        }
        let mut tx = self.store.begin().await?;
        marks::put(&mut tx, REWRITTEN, now.timestamp_millis()).await?;
        tx.commit().await
    }

    async fn clean_up(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        let row = &self.settings.retention;
        let days = |count: u32| now - TimeDelta::days(i64::from(count));
        let mut tx = self.store.begin().await?;
        housekeeping::forget_loose_texts(&mut tx, days(row.text_days)).await?;
        vocabulary::forget_removed(&mut tx).await?;
        let rows = housekeeping::forget_log(&mut tx, days(row.log_days)).await?;
        marks::put(&mut tx, LOOKED, now.timestamp_millis()).await?;
        tx.commit().await?;
        if rows > 0 {
            tracing::info!(rows, "rows of the log that were kept long enough are deleted");
        }
        if self.restored {
            return Ok(());
        }
        remove_strays(&self.store, now).await
    }
}

/// Whether files are younger than the newest report, and no row knows them: then the database is older than its folder.
async fn has_newer_files(store: &Store, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let newest = housekeeping::newest_report(&mut *store.read().await?).await?.unwrap_or_default();
    // what comes in meanwhile is as young, and gets its row
    let found = strays(store, now)
        .await?
        .into_iter()
        .any(|file| file.trim_start_matches('.').get(..36).is_some_and(|id| id > newest.as_str()));
    if found {
        tracing::warn!("files are younger than the newest report: none without a row is removed before the next start");
    }
    Ok(found)
}

/// Files without a row whose name was given before `limit`.
async fn strays(store: &Store, limit: DateTime<Utc>) -> Result<Vec<String>, StoreError> {
    let wanted = housekeeping::wanted_files(&mut *store.read().await?).await?;
    let folder = store.sound_folder().to_owned();
    let found = tokio::task::spawn_blocking(move || sound::strays(&folder, |id| wanted.contains(id), limit));
    found.await.expect("looking at files does not panic")
}

/// Files that a crash left behind before their row was written, and what was made beside a sound that is gone.
async fn remove_strays(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let strays = strays(store, now - STRAY).await?;
    let removed = strays.len();
    if removed == 0 {
        return Ok(());
    }
    let folder = store.sound_folder().to_owned();
    let done = tokio::task::spawn_blocking(move || sound::remove(&folder, &strays)).await;
    done.expect("removing files does not panic")?;
    tracing::info!(files = removed, "files that belonged to no report were removed");
    let mut tx = store.begin().await?;
    events::append(&mut tx, &Event::new(now, EventKind::Deleted, format!("{removed} files without a row"))).await?;
    tx.commit().await
}

/// Finishes one deletion that was begun, if there is one: files, then the ledger and the event. One whose file cannot be
/// removed is passed over as long as there are others.
///
/// # Errors
/// Where disk or store refused: the mark stays, and it is tried again.
pub async fn finish_one(store: &Store, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let (mut after, mut stuck) = (None, None);
    loop {
        let marked = retention::marked(&mut *store.read().await?, after).await?;
        let Some(marked) = marked else { return stuck.map_or(Ok(false), Err) };
        after = Some(marked.report);
        match finish(store, &marked, now).await {
            Ok(()) => return Ok(true),
            Err(error @ StoreError::Sound { .. }) => stuck = stuck.or(Some(error)),
            Err(error) => return Err(error),
        }
    }
}

async fn finish(store: &Store, marked: &retention::Marked, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (folder, files) = (store.sound_folder().to_owned(), marked.files().cloned().collect::<Vec<_>>());
    if !files.is_empty() {
        let removed = tokio::task::spawn_blocking(move || sound::remove(&folder, &files)).await;
        removed.expect("removing files does not panic")?;
    }
    let mut tx = store.begin().await?;
    let finished = retention::finish(&mut tx, marked, now).await?;
    tell_story(&mut tx, marked, &finished, now).await?;
    tx.commit().await
}

/// The file is to be written anew in the next quiet hour; the oldest request counts.
pub(super) async fn want_rewrite(tx: &mut Tx, now: DateTime<Utc>) -> Result<(), StoreError> {
    let rewritten = marks::find(tx.reading(), REWRITTEN).await?;
    let known = marks::find(tx.reading(), WANTED).await?;
    if known.is_none_or(|at| rewritten.is_some_and(|done| at < done)) {
        marks::put(tx, WANTED, now.timestamp_millis()).await?;
    }
    Ok(())
}

/// Deletes again what a restored backup brought back, by the ledger. How many reports that were.
///
/// # Errors
/// Where disk or store refused: what was begun is finished by the service, or by the next call.
pub async fn reapply(store: &Store, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let back = ledger::brought_back(store).await?;
    for (report, classes) in &back {
        let mut tx = store.begin().await?;
        retention::begin(&mut tx, *report, classes, Why::Restored, None, now).await?;
        tx.commit().await?;
    }
    while finish_one(store, now).await? {}
    if !back.is_empty() {
        store.rewrite().await?;
    }
    Ok(back.len())
}

async fn tell_story(
    tx: &mut Tx,
    marked: &retention::Marked,
    finished: &[Class],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let words: Vec<&str> = finished.iter().map(|class| class.as_str()).collect();
    let first = marked.classes.iter().find(|(class, ..)| finished.contains(class));
    let Some((_, why, actor, _)) = first else { return Ok(()) };
    let detail = format!("{} ({})", words.join(", "), why.as_str());
    let mut event = Event::new(now, EventKind::Deleted, detail).report(marked.report);
    event.actor.clone_from(actor);
    events::append(tx, &event).await
}

//! One look at the folder: what is there that is not settled, and which of it is ours.

use super::book::{Book, Kept};
use super::session::{Meta, Session};
use super::speech::Fault;
use crate::domain::report::{Caller, Sound};
use crate::intake::mail::{self, Letter, Reading};
use crate::intake::memory::Memory;
use crate::intake::source::SourceError;
use crate::intake::watch::blocking;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A look ends when so many mails wait to be taken …
const MOST_KEPT: usize = 100;
/// … or so many bytes …
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// … or after so long: then those are taken first.
const LONGEST: Duration = Duration::from_mins(1);
/// Mails of one round.
const ROUND: usize = 100;
/// Mails that come in one answer, and their bytes.
const TOGETHER: (usize, u64) = (50, 4 * 1024 * 1024);
/// The names of what is remembered.
const MARK: &str = "mark";
const PLACE: &str = "place";
/// Of a mail that is too large, so much is read: enough to see what it is.
const START: u64 = 256 * 1024;
/// The server's clock may go wrong by this much.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);

/// What a look needs.
pub(super) struct Look<'a> {
    pub(super) session: &'a mut Session,
    pub(super) book: &'a mut Book,
    pub(super) memory: &'a Memory,
    pub(super) reading: &'a Arc<Reading>,
    /// Name and place, for people.
    pub(super) place: &'a str,
    pub(super) folder: &'a str,
    /// Fingerprint of server, user and folder.
    pub(super) identity: &'a str,
    /// Mails that came before the boundary.
    pub(super) old: usize,
    pub(super) now: DateTime<Utc>,
    pub(super) reach_back: TimeDelta,
}

impl Look<'_> {
    /// Looks; says how soon to look again, if before the next news.
    pub(super) async fn look(&mut self) -> Result<Option<Duration>, SourceError> {
        let first = self.begin().await?;
        let since = self.book.since.unwrap_or(self.now);
        // the server counts days by its own zone
        let day = (since - TimeDelta::days(1)).date_naive();
        let uids = self.session.search(self.book.mark, day).await.map_err(|fault| self.unreachable(&fault))?;
        self.book.saw(&uids);
        let sorted = self.sort_all(since).await;
        if first {
            let left = usize::try_from(self.session.exists).unwrap_or(0).saturating_sub(uids.len()) + self.old;
            tracing::info!(folder = self.folder, left, since = %since, "first look: older mails are left alone");
        }
        self.book.advance(self.session.next);
        self.remember().await?;
        sorted
    }

    /// What is remembered, and what the store knows of those that wait.
    async fn begin(&mut self) -> Result<bool, SourceError> {
        let mut first = false;
        if self.book.since.is_none() {
            self.book.era = self.era().await?;
            let name = format!("since {}", self.folder);
            let remembered = self.memory.recall(&name).await?;
            let known = remembered.and_then(|text| DateTime::parse_from_rfc3339(&text).ok()).map(|at| at.to_utc());
            let since = known.unwrap_or(self.now - self.reach_back - CLOCKS);
            if known.is_none() {
                first = true;
                self.memory.keep(&name, &since.to_rfc3339()).await?;
            }
            self.book.since = Some(since);
        }
        if self.book.validity != self.session.validity {
            self.book.open(self.session.validity);
            if let Some(written) = self.memory.recall(MARK).await?
                && !self.book.remembered(&written)
            {
                tracing::warn!(folder = self.folder, "the mails are numbered anew: looking at all again");
            }
        }
        for uid in self.book.pending() {
            match self.memory.known(&self.book.key(uid)).await? {
                Some(true) => self.book.settle(uid),
                Some(false) => self.book.ours(uid, None),
                None => {}
            }
        }
        Ok(first)
    }

    /// How often another mailbox took this one's place.
    async fn era(&mut self) -> Result<u32, SourceError> {
        let remembered = self.memory.recall(PLACE).await?;
        let known = remembered.as_deref().and_then(|text| text.split_once(' '));
        let era = match known.and_then(|(era, place)| Some((era.parse::<u32>().ok()?, place))) {
            Some((era, place)) if place == self.identity => return Ok(era),
            Some((era, _)) => era + 1,
            None => 0,
        };
        self.memory.keep(PLACE, &format!("{era} {}", self.identity)).await?;
        Ok(era)
    }

    async fn remember(&mut self) -> Result<(), SourceError> {
        let mark = self.book.written_mark();
        if self.book.written.as_ref() != Some(&mark) {
            self.memory.keep(MARK, &mark).await?;
            self.book.written = Some(mark);
        }
        Ok(())
    }

    async fn sort_all(&mut self, since: DateTime<Utc>) -> Result<Option<Duration>, SourceError> {
        let began = Instant::now();
        let mut failed = HashSet::new();
        loop {
            let uids = self.book.unread(ROUND, &failed);
            if uids.is_empty() {
                return Ok(if failed.is_empty() { None } else { Some(Duration::from_secs(1)) });
            }
            let (mails, bytes) = self.book.load();
            if mails >= MOST_KEPT || bytes >= MOST_BYTES || began.elapsed() > LONGEST {
                return Ok(Some(Duration::ZERO));
            }
            if let Err(fault) = self.sort(&uids, since, &mut failed).await? {
                return Err(self.unreachable(&fault));
            }
        }
    }

    /// Sorts some mails: settled, ours, or failed. The inner error is the connection's.
    async fn sort(
        &mut self,
        uids: &[u32],
        since: DateTime<Utc>,
        failed: &mut HashSet<u32>,
    ) -> Result<Result<(), Fault>, SourceError> {
        let mut unknown = Vec::new();
        for uid in uids {
            match self.memory.known(&self.book.key(*uid)).await? {
                Some(true) => self.book.settle(*uid),
                Some(false) => self.book.ours(*uid, None),
                None => unknown.push(*uid),
            }
        }
        if unknown.is_empty() {
            return Ok(Ok(()));
        }
        let metas = match self.session.metas(&unknown).await {
            Ok(metas) => metas,
            Err(fault) => return Ok(Err(fault)),
        };
        let told: HashSet<u32> = metas.iter().map(|meta| meta.uid).collect();
        let mut wanted = Vec::new();
        for uid in unknown.into_iter().filter(|uid| !told.contains(uid)) {
            wanted.push(Meta { uid, size: 0, at: None });
        }
        for meta in metas {
            if meta.at.is_some_and(|at| at < since) {
                self.book.settle(meta.uid);
                self.old += 1;
            } else {
                wanted.push(meta);
            }
        }
        for group in groups(&wanted, self.reading.max_bytes) {
            if let Err(fault) = self.read(group, failed).await? {
                return Ok(Err(fault));
            }
        }
        Ok(Ok(()))
    }

    async fn read(&mut self, group: &[Meta], failed: &mut HashSet<u32>) -> Result<Result<(), Fault>, SourceError> {
        if let [meta] = group
            && self.book.is_unreadable(meta.uid)
        {
            self.book.ours(meta.uid, Some(unreadable(*meta, self.place, self.folder)));
            return Ok(Ok(()));
        }
        let read = match read(self.session, group, self.reading, self.place, self.folder).await? {
            Ok(read) => read,
            Err(fault) => {
                let points = if matches!(fault, Fault::Lost(_)) { 1 } else { 2 };
                for meta in group {
                    self.book.failed(meta.uid, points);
                    failed.insert(meta.uid);
                }
                return Ok(if points == 1 { Err(fault) } else { Ok(()) });
            }
        };
        let mut missing: HashSet<u32> = group.iter().map(|meta| meta.uid).collect();
        for (uid, kept) in read {
            missing.remove(&uid);
            match kept.letter {
                Letter::Foreign => self.book.settle(uid),
                _ => self.book.ours(uid, Some(kept)),
            }
        }
        for uid in missing {
            self.book.failed(uid, 2);
            failed.insert(uid);
        }
        Ok(Ok(()))
    }

    fn unreachable(&self, fault: &Fault) -> SourceError {
        SourceError::Unreachable(format!("{}: {}", self.place, fault.why()))
    }
}

/// Mails that are fetched together: small ones; a large one, or one of unknown size, alone.
fn groups(metas: &[Meta], max_bytes: u64) -> Vec<&[Meta]> {
    let mut groups = Vec::new();
    let mut rest = metas;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |meta: &&Meta| {
            bytes += u64::from(meta.size);
            meta.size > 0 && bytes <= TOGETHER.1.min(max_bytes)
        };
        let together = rest.iter().take(TOGETHER.0).take_while(fits).count().max(1);
        let (group, after) = rest.split_at(together);
        groups.push(group);
        rest = after;
    }
    groups
}

/// Reads some mails and what they are. The inner error is the connection's or the server's.
pub(super) async fn read(
    session: &mut Session,
    group: &[Meta],
    reading: &Arc<Reading>,
    place: &str,
    folder: &str,
) -> Result<Result<Vec<(u32, Kept)>, Fault>, SourceError> {
    let max = reading.max_bytes;
    let large = group.iter().any(|meta| u64::from(meta.size) > max);
    let most = large.then_some(START.min(max));
    let bodies = match session.bodies(group, most).await {
        Ok(bodies) => bodies,
        Err(fault) => return Ok(Err(fault)),
    };
    let (reading, metas) = (reading.clone(), group.to_vec());
    let (place, folder) = (place.to_owned(), folder.to_owned());
    let read = blocking(move || {
        let one = |(uid, raw): (u32, Vec<u8>)| {
            let meta = metas.iter().find(|meta| meta.uid == uid).copied();
            let (at, size) = (meta.and_then(|meta| meta.at), meta.map_or(0, |meta| meta.size));
            let mut letter = mail::read(&raw, &reading);
            let mut twin = mail::twin(&raw);
            if large {
                twin = format!("{twin} {size}");
                if let Letter::Voicemail { sound, .. } = &mut letter {
                    let why = format!(
                        "{place}: a mail in {folder} has {size} bytes, the limit is {max}; remedy: listen to it there"
                    );
                    *sound = refused(why, uid);
                }
            }
            (uid, Kept { letter, twin: Some(twin), at, bytes: raw.len() as u64 })
        };
        Ok(bodies.into_iter().map(one).collect())
    });
    Ok(Ok(read.await?))
}

fn refused(why: String, uid: u32) -> Sound {
    Sound::Refused { name: format!("mail {uid}"), path: PathBuf::new(), why }
}

/// A mail that the server lists and does not hand out: nobody knows what it is, so a person looks.
fn unreadable(meta: Meta, place: &str, folder: &str) -> Kept {
    let why = format!("{place}: the mail number {} in {folder} cannot be fetched; remedy: open it there", meta.uid);
    let letter = Letter::Voicemail {
        profile: String::new(),
        sound: refused(why, meta.uid),
        caller: Caller::default(),
        mailbox: None,
        called_at: None,
        seconds: None,
    };
    Kept { letter, twin: None, at: meta.at, bytes: 0 }
}

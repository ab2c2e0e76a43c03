//! One look at the folder: what is there that is not settled, and which of it is ours.

use super::book::{Book, Kept};
use super::session::{Meta, Session};
use super::speech::Fault;
use crate::domain::report::{Caller, Sound};
use crate::intake::mail::{self, Letter, Reading};
use crate::intake::memory::Memory;
use crate::intake::source::SourceError;
use crate::intake::watch::apart;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
/// Of a mail that is too large, so much is read: enough to see what it is.
const START: u64 = 256 * 1024;
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
    /// What stored mails are marked with.
    pub(super) keyword: Option<&'a str>,
    /// When the time for this look began.
    pub(super) began: Instant,
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
        let uids = self.search(since).await.map_err(|fault| self.unreachable(&fault))?;
        self.book.saw(&uids);
        let sorted = self.sort_all(since).await;
        if first {
            let left = usize::try_from(self.session.exists).unwrap_or(0).saturating_sub(uids.len()) + self.old;
            tracing::info!(folder = self.folder, left, since = %since, "first look: older mails are left alone");
        }
        self.book.advance(self.session.next);
        if matches!(sorted, Ok(None)) {
            self.book.looked_at(self.now);
        }
        self.remember().await;
        sorted
    }

    /// The mails that may be new; of those that only got another number, the ones that may not be stored yet.
    async fn search(&mut self, since: DateTime<Utc>) -> Result<Vec<u32>, Fault> {
        // the server counts days by its own zone
        let day = |at: DateTime<Utc>| (at - TimeDelta::days(1)).date_naive();
        let mark = self.book.mark;
        let Some(floor) = self.book.floor.filter(|floor| mark < floor.below) else {
            return self.session.search(mark, None, day(since), None).await;
        };
        let (last, from) = (Some(floor.below - 1), day(floor.at.max(since)));
        let mut uids = match self.session.search(mark, last, from, self.keyword).await {
            // not every server can look for keywords
            Err(Fault::Denied { .. }) if self.keyword.is_some() => self.session.search(mark, last, from, None).await?,
            searched => searched?,
        };
        uids.extend(self.session.search(floor.below, None, day(since), None).await?);
        Ok(uids)
    }

    async fn sort_all(&mut self, since: DateTime<Utc>) -> Result<Option<Duration>, SourceError> {
        let mut failed = HashSet::new();
        loop {
            let uids = self.book.unread(ROUND, &failed);
            if uids.is_empty() {
                return Ok(if failed.is_empty() { None } else { Some(Duration::from_secs(1)) });
            }
            if self.is_enough() {
                return Ok(Some(Duration::ZERO));
            }
            if let Err(fault) = self.sort(&uids, since, &mut failed).await? {
                return Err(self.unreachable(&fault));
            }
        }
    }

    /// What was read is taken first.
    fn is_enough(&self) -> bool {
        let (mails, bytes) = self.book.load();
        mails >= MOST_KEPT || bytes >= MOST_BYTES || self.began.elapsed() > LONGEST
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
            Err(fault) => return Ok(self.unknown(&unknown, fault, failed)),
        };
        let told: HashSet<u32> = metas.iter().map(|meta| meta.uid).collect();
        let mut wanted = Vec::new();
        for uid in unknown.into_iter().filter(|uid| !told.contains(uid)) {
            wanted.push(Meta { uid, size: 0, at: None });
        }
        for meta in metas {
            if meta.at.is_some_and(|at| at < self.book.from(meta.uid, since)) {
                self.book.settle(meta.uid);
                self.old += 1;
            } else {
                wanted.push(meta);
            }
        }
        for group in groups(&wanted, self.reading.max_bytes) {
            if let Err(fault) = self.read(group, failed).await {
                return Ok(Err(fault));
            }
            // large mails must not lie in memory together; those left out are read at the next look
            if self.is_enough() {
                break;
            }
        }
        Ok(Ok(()))
    }

    /// The server tells nothing of these mails.
    fn unknown(&mut self, uids: &[u32], fault: Fault, failed: &mut HashSet<u32>) -> Result<(), Fault> {
        if let [uid] = *uids
            && self.book.is_unreadable(uid)
        {
            let kept = unreadable(Meta { uid, size: 0, at: None }, self.place, self.folder);
            self.book.ours(uid, Some(kept));
            return if matches!(fault, Fault::Lost(_)) { Err(fault) } else { Ok(()) };
        }
        self.not_read(uids.iter().copied(), fault, failed)
    }

    /// From now on each of these is tried alone; the fault is the connection's if it is of no more use.
    fn not_read(
        &mut self,
        uids: impl Iterator<Item = u32>,
        fault: Fault,
        failed: &mut HashSet<u32>,
    ) -> Result<(), Fault> {
        let is_lost = matches!(fault, Fault::Lost(_));
        for uid in uids {
            self.book.failed(uid, if is_lost { 1 } else { 2 });
            failed.insert(uid);
        }
        if is_lost { Err(fault) } else { Ok(()) }
    }

    async fn read(&mut self, group: &[Meta], failed: &mut HashSet<u32>) -> Result<(), Fault> {
        if let [meta] = group
            && self.book.is_unreadable(meta.uid)
        {
            self.book.ours(meta.uid, Some(unreadable(*meta, self.place, self.folder)));
            return Ok(());
        }
        let read = match read(self.session, group, self.reading, self.place, self.folder).await {
            Ok(read) => read,
            Err(fault) => return self.not_read(group.iter().map(|meta| meta.uid), fault, failed),
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
        Ok(())
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

/// Reads some mails and what they are; one that cannot be read is missing.
pub(super) async fn read(
    session: &mut Session,
    group: &[Meta],
    reading: &Arc<Reading>,
    place: &str,
    folder: &str,
) -> Result<Vec<(u32, Kept)>, Fault> {
    let max = reading.max_bytes;
    let large = group.iter().any(|meta| u64::from(meta.size) > max);
    let most = large.then_some(START.min(max));
    let bodies = session.bodies(group, most).await?;
    let (reading, metas) = (reading.clone(), group.to_vec());
    let (place, folder) = (place.to_owned(), folder.to_owned());
    let read = apart(move || {
        let one = |uid: u32, raw: &[u8]| {
            let meta = metas.iter().find(|meta| meta.uid == uid).copied();
            let (at, size) = (meta.and_then(|meta| meta.at), meta.map_or(0, |meta| meta.size));
            let mut letter = mail::read(raw, &reading);
            let mut twin = mail::twin(raw);
            if large {
                twin = format!("{twin} {size}");
                if let Letter::Voicemail { sound, .. } = &mut letter {
                    let why = format!(
                        "{place}: a mail in {folder} has {size} bytes, the limit is {max}; remedy: listen to it there"
                    );
                    *sound = refused(why, uid);
                }
            }
            Kept { letter, twin: Some(twin), at, bytes: raw.len() as u64, is_offered: false }
        };
        each(bodies, one)
    });
    Ok(read.await.unwrap_or_default())
}

/// Each mail for itself: one over which the reader panics is missing, and no other one with it. What the panic says is
/// left unsaid: it may quote the mail.
fn each<T>(bodies: Vec<(u32, Vec<u8>)>, one: impl Fn(u32, &[u8]) -> T) -> Vec<(u32, T)> {
    let read = |(uid, raw): (u32, Vec<u8>)| {
        let read = catch_unwind(AssertUnwindSafe(|| one(uid, &raw)));
        if read.is_err() {
            tracing::warn!(uid, "reading broke off");
        }
        Some((uid, read.ok()?))
    };
    bodies.into_iter().filter_map(read).collect()
}

fn refused(why: String, uid: u32) -> Sound {
    Sound::Refused { name: format!("mail {uid}"), path: PathBuf::new(), why }
}

/// A mail that the server lists and does not hand out: nobody knows what it is, so a person looks.
pub(super) fn unreadable(meta: Meta, place: &str, folder: &str) -> Kept {
    let why = format!("{place}: the mail number {} in {folder} cannot be fetched; remedy: open it there", meta.uid);
    let letter = Letter::Voicemail {
        profile: String::new(),
        sound: refused(why, meta.uid),
        caller: Caller::default(),
        mailbox: None,
        called_at: None,
        seconds: None,
        note: None,
    };
    Kept { letter, twin: None, at: meta.at, bytes: 0, is_offered: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_over_which_the_reader_panics_is_missing_and_no_other_one() {
        let bodies = vec![(1, b"one".to_vec()), (2, b"two".to_vec()), (3, b"three".to_vec())];
        let read = each(bodies, |uid, raw| {
            assert_ne!(uid, 2, "as a reader's fault would be");
            raw.len()
        });
        assert_eq!(read, [(1, 3), (3, 5)]);
    }
}

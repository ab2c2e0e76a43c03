//! What is known of the folder's mails: which are settled for good, which are ours and wait, which nobody read yet.
//!
//! Everything below the mark is settled; the mark is remembered over restarts, the rest is found again by looking.

use crate::intake::mail::Letter;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// A mail that cannot be read counts as unreadable from so many points on.
const UNREADABLE: u32 = 5;

/// A mail that was read and waits to be taken.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) letter: Letter,
    pub(super) twin: Option<String>,
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) bytes: u64,
    /// It was listed since it was read.
    pub(super) is_offered: bool,
}

/// After the mails were numbered anew: which of them are older than what has to be looked at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Floor {
    /// Older mails were dealt with under their former number …
    pub(super) at: DateTime<Utc>,
    /// … if their new number is lower than this; what came later has no former number.
    pub(super) below: u32,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    /// Mails that came before are left alone.
    pub(super) since: Option<DateTime<Utc>>,
    /// How often the mailbox was replaced by another one under the same name.
    pub(super) era: u32,
    /// The generation of all numbers here.
    pub(super) validity: u32,
    /// Every lower number is settled.
    pub(super) mark: u32,
    /// What is remembered over restarts.
    pub(super) written: Option<String>,
    /// Everything that came before this instant, by the server's clock, is settled or stored.
    pub(super) looked: Option<DateTime<Utc>>,
    pub(super) looked_written: Option<DateTime<Utc>>,
    pub(super) floor: Option<Floor>,
    /// What is still to be written down, by name.
    owed: BTreeMap<String, String>,
    settled: BTreeSet<u32>,
    unsorted: BTreeSet<u32>,
    pending: BTreeSet<u32>,
    kept: HashMap<u32, Kept>,
    points: HashMap<u32, u32>,
    /// The highest number at the first look: what lay there already, against what came since.
    backlog_to: Option<u32>,
    /// The highest number that was seen at all.
    highest: u32,
}

impl Book {
    /// A folder opened anew; other numbers than before mean that nothing here holds any longer.
    pub(super) fn open(&mut self, validity: u32) {
        if self.validity != validity {
            let Self { since, era, looked, looked_written, .. } = *self;
            let owed = std::mem::take(&mut self.owed);
            *self = Self { since, era, validity, mark: 1, looked, looked_written, owed, ..Self::default() };
        }
    }

    /// The numbers that a search found, all from the mark on.
    pub(super) fn saw(&mut self, uids: &[u32]) {
        let there: HashSet<u32> = uids.iter().copied().collect();
        self.unsorted.retain(|uid| there.contains(uid));
        self.points.retain(|uid, _| there.contains(uid));
        // what was read but not stored yet is handed over even if somebody moved it away meanwhile
        self.pending.retain(|uid| there.contains(uid) || self.kept.contains_key(uid));
        self.unsorted.extend(uids.iter().filter(|uid| !self.settled.contains(uid) && !self.pending.contains(uid)));
        self.highest = self.highest.max(uids.iter().copied().max().unwrap_or(0));
        self.backlog_to.get_or_insert(self.highest);
    }

    /// Some mails that nobody read yet: what came since the first look in order, then the others, newest first; what
    /// failed comes last.
    pub(super) fn unread(&self, at_most: usize, left_out: &HashSet<u32>) -> Vec<u32> {
        let backlog_to = self.backlog_to.unwrap_or(0);
        let fresh = self.unsorted.range(backlog_to.saturating_add(1)..);
        let older = self.unsorted.range(..=backlog_to).rev();
        let all = fresh.chain(older).copied().filter(|uid| !left_out.contains(uid));
        let mut well: Vec<u32> = all.clone().filter(|uid| !self.points.contains_key(uid)).take(at_most).collect();
        if well.is_empty() {
            well = all.take(1).collect();
        }
        well
    }

    /// A try to read it failed.
    pub(super) fn failed(&mut self, uid: u32, points: u32) {
        *self.points.entry(uid).or_default() += points;
    }

    pub(super) fn is_unreadable(&self, uid: u32) -> bool {
        self.points.get(&uid).is_some_and(|points| *points >= UNREADABLE)
    }

    pub(super) fn settle(&mut self, uid: u32) {
        self.forget(uid);
        self.pending.remove(&uid);
        self.settled.insert(uid);
    }

    /// It is one of ours.
    pub(super) fn ours(&mut self, uid: u32, kept: Option<Kept>) {
        self.forget(uid);
        self.pending.insert(uid);
        if let Some(kept) = kept {
            self.kept.insert(uid, kept);
        }
    }

    fn forget(&mut self, uid: u32) {
        self.unsorted.remove(&uid);
        self.points.remove(&uid);
        self.kept.remove(&uid);
    }

    /// What was read of it. It stays until the store knows the mail: storing may fail.
    pub(super) fn hand_over(&self, validity: u32, uid: u32) -> Option<Kept> {
        if validity == self.validity { self.kept.get(&uid).cloned() } else { None }
    }

    /// The store knows it: what was read of it is needed no longer.
    pub(super) fn stored(&mut self, validity: u32, uid: u32) {
        if validity == self.validity {
            self.kept.remove(&uid);
        }
    }

    /// Something was read that was not listed yet.
    pub(super) fn has_unoffered(&self) -> bool {
        self.kept.values().any(|kept| !kept.is_offered)
    }

    /// What was read was listed, or is to be listed once more.
    pub(super) fn offered(&mut self, is_offered: bool) {
        self.kept.values_mut().for_each(|kept| kept.is_offered = is_offered);
    }

    /// Those of ours that are not known to be confirmed.
    pub(super) fn pending(&self) -> Vec<u32> {
        self.pending.iter().copied().collect()
    }

    /// Mails that were read and are not known to the store, and their size.
    pub(super) fn load(&self) -> (usize, u64) {
        (self.kept.len(), self.kept.values().map(|kept| kept.bytes).sum())
    }

    /// Moves the mark up to the first mail that is not settled; `next` is a number that no mail had at the last look.
    pub(super) fn advance(&mut self, next: u32) {
        let first = self.unsorted.first().into_iter().chain(self.pending.first()).min().copied();
        let free = next.max(self.highest.saturating_add(1));
        self.mark = first.unwrap_or(free).max(self.mark);
        self.settled = self.settled.split_off(&self.mark);
    }

    /// Servers that number every mailbox alike must not make the mails of two of them the same.
    pub(super) fn key(&self, uid: u32) -> String {
        match self.era {
            0 => format!("{}/{uid}", self.validity),
            era => format!("{}/{uid}/{era}", self.validity),
        }
    }

    /// Mails that came before this are left alone.
    pub(super) fn from(&self, uid: u32, since: DateTime<Utc>) -> DateTime<Utc> {
        self.floor.filter(|floor| uid < floor.below).map_or(since, |floor| floor.at.max(since))
    }

    /// All that is there was looked at; what waits to be stored may have come long ago.
    pub(super) fn looked_at(&mut self, now: DateTime<Utc>) {
        let waiting: Option<Vec<DateTime<Utc>>> = self.kept.values().map(|kept| kept.at).collect();
        if let Some(waiting) = waiting {
            self.looked = waiting.into_iter().chain([now]).min();
        }
    }

    /// Something is to be written down.
    pub(super) fn owe(&mut self, name: String, value: String) {
        self.owed.insert(name, value);
    }

    pub(super) fn owed(&self) -> Vec<(String, String)> {
        self.owed.clone().into_iter().collect()
    }

    pub(super) fn paid(&mut self, name: &str) {
        self.owed.remove(name);
    }

    /// The floor, as it is remembered: it holds for these numbers only.
    pub(super) fn written_floor(&self) -> Option<String> {
        let floor = self.floor?;
        Some(format!("{}/{}/{} {}", self.era, self.validity, floor.below, floor.at.to_rfc3339()))
    }

    pub(super) fn read_floor(&self, written: &str) -> Option<Floor> {
        let rest = written.strip_prefix(&format!("{}/{}/", self.era, self.validity))?;
        let (below, at) = rest.split_once(' ')?;
        Some(Floor { at: DateTime::parse_from_rfc3339(at).ok()?.to_utc(), below: below.parse().ok()? })
    }

    /// The mark, as it is remembered.
    pub(super) fn written_mark(&self) -> String {
        format!("{}/{}/{}", self.era, self.validity, self.mark)
    }

    /// Takes a remembered mark over; `false` where it is of other numbers.
    pub(super) fn remembered(&mut self, written: &str) -> bool {
        let Some(mark) = written.strip_prefix(&format!("{}/{}/", self.era, self.validity)) else { return false };
        self.mark = mark.parse().unwrap_or(1).max(1);
        self.written = Some(written.to_owned());
        true
    }
}

/// Generation and number of a key.
pub(super) fn parts(key: &str) -> Option<(u32, u32)> {
    let mut parts = key.split('/');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(uids: &[u32]) -> Book {
        let mut book = Book::default();
        book.open(7);
        book.saw(uids);
        book
    }

    #[test]
    fn what_comes_newly_is_read_before_the_rest_of_a_full_mailbox() {
        let mut book = book(&[1, 2, 3]);
        book.saw(&[1, 2, 3, 4, 5]);
        assert_eq!(book.unread(10, &HashSet::new()), [4, 5, 3, 2, 1]);
        book.saw(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(book.unread(3, &HashSet::new()), [4, 5, 6]);
        book.settle(6);
        book.failed(4, 1);
        assert_eq!(book.unread(2, &HashSet::new()), [5, 3]);
        assert_eq!(book.unread(2, &HashSet::from([5, 3, 2, 1])), [4], "what failed is tried last and alone");
    }

    #[test]
    fn the_mark_stops_below_the_first_mail_that_waits() {
        let mut book = book(&[10, 11, 12]);
        book.settle(10);
        book.ours(11, None);
        book.settle(12);
        book.advance(10);
        assert_eq!(book.mark, 11);
        book.settle(11);
        book.advance(10);
        assert_eq!(book.mark, 13);
    }

    #[test]
    fn other_numbers_begin_a_new_book() {
        let mut book = book(&[10]);
        book.since = Some(DateTime::UNIX_EPOCH);
        book.settle(10);
        book.advance(50);
        book.open(8);
        assert_eq!((book.mark, book.since), (1, Some(DateTime::UNIX_EPOCH)));
    }

    #[test]
    fn a_floor_holds_for_its_own_numbers_and_not_for_later_mails() {
        let mut book = book(&[]);
        let at = DateTime::UNIX_EPOCH + chrono::TimeDelta::days(9);
        book.floor = Some(Floor { at, below: 5 });
        assert_eq!(
            (book.from(4, DateTime::UNIX_EPOCH), book.from(5, DateTime::UNIX_EPOCH)),
            (at, DateTime::UNIX_EPOCH)
        );
        let written = book.written_floor().unwrap();
        assert_eq!(book.read_floor(&written), book.floor);
        book.open(8);
        assert_eq!((book.floor, book.read_floor(&written)), (None, None));
    }

    #[test]
    fn a_mail_is_handed_over_until_it_is_stored_and_holds_the_last_look_back() {
        let mut book = book(&[10]);
        let came = DateTime::UNIX_EPOCH;
        let now = came + chrono::TimeDelta::days(30);
        book.ours(10, Some(Kept { letter: Letter::Foreign, twin: None, at: Some(came), bytes: 3, is_offered: false }));
        assert!(book.has_unoffered());
        for _ in 0..2 {
            assert!(book.hand_over(7, 10).is_some());
        }
        book.offered(true);
        book.looked_at(now);
        assert_eq!((book.looked, book.has_unoffered()), (Some(came), false));
        book.stored(7, 10);
        book.looked_at(now);
        assert_eq!((book.looked, book.load(), book.pending()), (Some(now), (0, 0), vec![10]));
    }
}

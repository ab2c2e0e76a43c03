//! What is known of the folder's mails: which are settled for good, which are ours and wait, which nobody read yet.
//!
//! Everything below the mark is settled; the mark is remembered over restarts, the rest is found again by looking.

use crate::intake::mail::Letter;
use chrono::{DateTime, Utc};
use std::collections::{BTreeSet, HashMap, HashSet};

/// A mail that cannot be read counts as unreadable from so many points on.
const UNREADABLE: u32 = 5;

/// A mail that was read and waits to be taken.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) letter: Letter,
    pub(super) twin: Option<String>,
    pub(super) at: Option<DateTime<Utc>>,
    pub(super) bytes: u64,
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
            let (since, era) = (self.since, self.era);
            *self = Self { since, era, validity, mark: 1, ..Self::default() };
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

    /// Takes what was read of it out.
    pub(super) fn hand_over(&mut self, validity: u32, uid: u32) -> Option<Kept> {
        if validity == self.validity { self.kept.remove(&uid) } else { None }
    }

    /// Those of ours that are not known to be confirmed.
    pub(super) fn pending(&self) -> Vec<u32> {
        self.pending.iter().copied().collect()
    }

    /// Mails that were read and not handed over, and their size.
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
}

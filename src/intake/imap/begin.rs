//! What a look begins with and ends with: what is remembered of the folder.
//!
//! Promise: a memory that takes nothing ends no look; what could not be written is written at one of the next looks.

use super::book::Floor;
use super::look::Look;
use crate::intake::source::SourceError;
use chrono::{DateTime, TimeDelta, Utc};

/// The names of what is remembered.
const MARK: &str = "mark";
const PLACE: &str = "place";
const FLOOR: &str = "floor";
/// The server's clock may go wrong by this much.
const CLOCKS: TimeDelta = TimeDelta::minutes(5);
/// Numbered anew, mails are looked at again from so long before the last good look.
const OVERLAP: TimeDelta = TimeDelta::days(7);
/// The last good look is written down so often.
const WRITE_EVERY: TimeDelta = TimeDelta::minutes(10);

impl Look<'_> {
    /// What is remembered, and what the store knows of those that wait. Says whether this is the first look of all.
    pub(super) async fn begin(&mut self) -> Result<bool, SourceError> {
        let first = self.book.since.is_none() && self.first().await?;
        if self.book.validity != self.session.validity {
            self.open().await?;
        }
        for uid in self.book.pending() {
            match self.memory.known(&self.book.key(uid)).await? {
                Some(true) => self.book.settle(uid),
                Some(false) => self.book.ours(uid, None),
                None => {}
            }
        }
        self.pay().await;
        Ok(first)
    }

    async fn first(&mut self) -> Result<bool, SourceError> {
        let (era, before) = self.era().await?;
        let name = format!("since {}", self.folder);
        let known = self.instant(&name).await?;
        let mut looked = self.instant(&looked(self.identity)).await?;
        if let Some(before) = before.filter(|_| looked.is_none()) {
            // another server for the same mails: what was looked at there was looked at
            looked = self.instant(&self::looked(&before)).await?;
            if let Some(at) = looked {
                self.book.owe(self::looked(self.identity), at.to_rfc3339());
            }
        }
        let since = known.unwrap_or(self.now - self.reach_back - CLOCKS);
        if known.is_none() {
            self.book.owe(name, since.to_rfc3339());
        }
        (self.book.era, self.book.looked, self.book.since) = (era, looked, Some(since));
        Ok(known.is_none())
    }

    async fn instant(&mut self, name: &str) -> Result<Option<DateTime<Utc>>, SourceError> {
        let text = self.memory.recall(name).await?;
        Ok(text.and_then(|text| DateTime::parse_from_rfc3339(&text).ok()).map(|at| at.to_utc()))
    }

    /// How often another mailbox took this one's place, and which one was there before, if it just did.
    async fn era(&mut self) -> Result<(u32, Option<String>), SourceError> {
        let remembered = self.memory.recall(PLACE).await?;
        let known = remembered.as_deref().and_then(|text| text.split_once(' '));
        let (era, before) = match known.and_then(|(era, place)| Some((era.parse::<u32>().ok()?, place))) {
            Some((era, place)) if place == self.identity => return Ok((era, None)),
            Some((era, place)) => (era + 1, Some(place.to_owned())),
            None => (0, None),
        };
        self.book.owe(PLACE.to_owned(), format!("{era} {}", self.identity));
        Ok((era, before))
    }

    /// Numbers that are not those of the last look: of this service's last run, or new ones.
    async fn open(&mut self) -> Result<(), SourceError> {
        let (written, floor) = (self.memory.recall(MARK).await?, self.memory.recall(FLOOR).await?);
        let was_open = self.book.validity != 0;
        self.book.open(self.session.validity);
        if written.as_ref().is_some_and(|written| self.book.remembered(written)) {
            self.book.floor = floor.and_then(|written| self.book.read_floor(&written));
            return Ok(());
        }
        if !was_open && written.is_none() {
            return Ok(());
        }
        tracing::warn!(
            folder = self.folder,
            "the mails are numbered anew: looking once more at those of the last days"
        );
        // without a number that separates old from new, everything is looked at
        let looked = self.book.looked.filter(|_| self.session.next > 1);
        self.book.floor = looked.map(|at| Floor { at: at.min(self.now) - OVERLAP, below: self.session.next });
        if let Some(written) = self.book.written_floor() {
            self.book.owe(FLOOR.to_owned(), written);
        }
        Ok(())
    }

    /// Writes down how far everything is settled.
    pub(super) async fn remember(&mut self) {
        let mark = self.book.written_mark();
        if self.book.written.as_ref() != Some(&mark) {
            self.book.owe(MARK.to_owned(), mark.clone());
            self.book.written = Some(mark);
        }
        if let Some(at) = self.book.looked
            && self.book.looked_written.is_none_or(|written| at < written || at - written >= WRITE_EVERY)
        {
            self.book.owe(looked(self.identity), at.to_rfc3339());
            self.book.looked_written = Some(at);
        }
        self.pay().await;
    }

    async fn pay(&mut self) {
        for (name, value) in self.book.owed() {
            match self.memory.keep(&name, &value).await {
                Ok(()) => self.book.paid(&name),
                Err(error) => {
                    tracing::warn!(folder = self.folder, %error, name, "could not be remembered; trying again");
                    return;
                }
            }
        }
    }
}

/// The memory's name of the last good look at a mailbox.
fn looked(identity: &str) -> String {
    format!("looked {identity}")
}

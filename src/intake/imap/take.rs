//! One mail handed over: as it was read at the look, else fetched now.

use super::book::{self, Kept};
use super::look::{self, unreadable};
use super::session::Meta;
use super::speech::Fault;
use super::{ImapSource, Session};
use crate::domain::report::{Arrival, Caller, Content, Mail};
use crate::intake::mail::Letter;
use crate::intake::source::{Found, SourceError};
use chrono::TimeDelta;

impl ImapSource {
    pub(super) async fn take_one(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let odd = || SourceError::Gone(format!("{} is no mail of this mailbox", found.key));
        let (validity, uid) = book::parts(&found.key).ok_or_else(odd)?;
        let kept = match self.book.hand_over(validity, uid) {
            Some(kept) => kept,
            None => self.fetch(validity, uid).await?,
        };
        Ok(self.arrival(found, kept))
    }

    fn arrival(&self, found: &Found, kept: Kept) -> Arrival {
        let (mailbox, caller, called_at, content) = match kept.letter {
            Letter::Voicemail { sound, caller, mailbox, called_at, seconds, .. } => {
                // the mail came when the caller had spoken
                let spoken = TimeDelta::seconds(i64::from(seconds.unwrap_or(0)));
                (mailbox, caller, called_at.or(kept.at.map(|at| at - spoken)), Content::Voicemail(sound))
            }
            Letter::Email(mail) => (None, Caller::default(), kept.at, Content::Email(mail)),
            Letter::Fax(mail) => (None, Caller::default(), kept.at, Content::Fax(mail)),
            Letter::Foreign => (None, Caller::default(), kept.at, Content::Email(Mail::default())),
        };
        Arrival {
            source: self.name.clone(),
            key: found.key.clone(),
            mailbox,
            caller,
            called_at,
            content,
            twin: kept.twin,
            longest_s: self.settings.reading.longest_s,
        }
    }

    /// A mail that was not read at the look. One that cannot be had after some tries is handed over as such.
    async fn fetch(&mut self, validity: u32, uid: u32) -> Result<Kept, SourceError> {
        let place = self.place();
        let gone = || SourceError::Gone(format!("{place}: the mail number {uid} is no longer there"));
        if validity == self.book.validity && self.book.is_unreadable(uid) {
            return Ok(unreadable(Meta { uid, size: 0, at: None }, &place, &self.settings.folder));
        }
        let mut session = self.session().await?;
        if session.validity != validity {
            self.session = Some(session);
            return Err(gone());
        }
        let read = match self.read(&mut session, uid).await {
            Ok(read) => read,
            Err(fault) => {
                let is_lost = matches!(fault, Fault::Lost(_));
                self.book.failed(uid, if is_lost { 1 } else { 2 });
                self.session = (!is_lost).then_some(session);
                return Err(SourceError::Unreachable(format!("{place}: {}", fault.why())));
            }
        };
        self.session = Some(session);
        let Some(kept) = read.ok_or_else(gone)? else {
            self.book.failed(uid, 2);
            return Err(SourceError::Busy(format!("{place}: the mail number {uid} cannot be read yet")));
        };
        if matches!(kept.letter, Letter::Foreign) {
            self.book.settle(uid);
            return Err(SourceError::Gone(format!("{place}: the mail number {uid} is none of ours")));
        }
        Ok(kept)
    }

    /// The outer `None`: there is no such mail; the inner: it is there and was not read.
    async fn read(&mut self, session: &mut Session, uid: u32) -> Result<Option<Option<Kept>>, Fault> {
        let metas = session.metas(&[uid]).await?;
        if metas.is_empty() {
            return Ok(None);
        }
        let read = look::read(session, &metas, &self.settings.reading, &self.place(), &self.settings.folder).await?;
        Ok(Some(read.into_iter().next().map(|(_, kept)| kept)))
    }
}

//! How a mailbox is: reached or not, since when, what should be mended; told once, and once when it is over.
//!
//! What stands in the store outlives a restart: a mailbox that comes back while the service was down is told of, too.

use super::desk::Desk;
use super::source::{SourceError, Trouble};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{NoticeKind, Outage};
use crate::store::watched::Watched;
use crate::store::{StoreError, Tx, events, notices, people, troubles, watched};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::time::Duration;

/// The trouble of a mailbox that cannot be reached.
const UNREACHABLE: &str = "unreachable";
/// A refused login is tried again so seldom: more would lock the account.
const REFUSED_PAUSE: Duration = Duration::from_mins(15);
/// How often "reached" is written down while nothing changes.
const WRITE_EVERY: TimeDelta = TimeDelta::seconds(60);

/// One source's health.
pub(super) struct Health {
    desk: Desk,
    source: String,
    longest_pause: Duration,
    /// The troubles that stand in the store; `None` before they were read.
    standing: Option<HashSet<String>>,
    state: Watched,
    written_at: Option<DateTime<Utc>>,
}

impl Health {
    pub(super) fn new(desk: Desk, source: String, longest_pause: Duration) -> Self {
        Self { desk, source, longest_pause, standing: None, state: Watched::default(), written_at: None }
    }

    /// Why the mailbox cannot be reached, if that is so.
    pub(super) fn why(&self) -> Option<&str> {
        self.state.failing_since.and(self.state.why.as_deref())
    }

    /// The mailbox answered; these troubles last.
    pub(super) async fn reached(&mut self, seen: Vec<Trouble>) -> Result<(), StoreError> {
        self.recall().await?;
        let now = self.desk.clock.now();
        let failed = self.state.failing_since.is_some();
        let arrived_at = self.state.arrived_at;
        self.state = Watched { reached_at: Some(now), arrived_at, ..Watched::default() };
        self.note(seen, None).await?;
        if failed || self.written_at.is_none_or(|at| now - at >= WRITE_EVERY) {
            self.write().await?;
        }
        Ok(())
    }

    /// Something new was stored.
    pub(super) async fn arrived(&mut self) -> Result<(), StoreError> {
        self.state.arrived_at = Some(self.desk.clock.now());
        self.write().await
    }

    /// The mailbox cannot be used, `since` some earlier time if that is known: the pause until the next try, and whether it
    /// could be written down.
    pub(super) async fn failed(
        &mut self,
        error: &SourceError,
        since: Option<DateTime<Utc>>,
    ) -> (Duration, Result<(), StoreError>) {
        let recalled = self.recall().await;
        let now = self.desk.clock.now();
        let refused = matches!(error, SourceError::Refused(_));
        let since = *self.state.failing_since.get_or_insert(since.unwrap_or(now));
        self.state.failures = self.state.failures.saturating_add(1);
        self.state.why = Some(error.to_string());
        let pause = if refused { REFUSED_PAUSE } else { pause(self.state.failures, self.longest_pause) };
        self.state.next_try_at = Some(now + TimeDelta::from_std(pause).unwrap_or_default());
        tracing::warn!(source = %self.source, %error, failures = self.state.failures, "the mailbox cannot be reached");
        let tell = refused || now - since >= self.desk.settings.intake.unreachable_after();
        let noted = match recalled {
            Ok(()) => self.note_failure(error, since, tell).await,
            Err(error) => Err(error),
        };
        (pause, noted)
    }

    async fn note_failure(&mut self, error: &SourceError, since: DateTime<Utc>, tell: bool) -> Result<(), StoreError> {
        if tell {
            let trouble = Trouble { key: UNREACHABLE.into(), what: error.to_string(), loses_calls: true };
            self.note(vec![trouble], Some(since)).await?;
        }
        self.write().await
    }

    async fn write(&mut self) -> Result<(), StoreError> {
        let mut tx = self.desk.store.begin().await?;
        watched::put(&mut tx, &self.source, &self.state).await?;
        tx.commit().await?;
        self.written_at = Some(self.desk.clock.now());
        Ok(())
    }

    /// Writes new troubles down and tells somebody; ends those that are over. While the mailbox cannot be reached (since
    /// `unreachable_since`), what else was wrong with it is not known to be over.
    async fn note(&mut self, seen: Vec<Trouble>, unreachable_since: Option<DateTime<Utc>>) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        let standing = self.standing.clone().unwrap_or_default();
        let keys: HashSet<String> = seen.iter().map(|trouble| trouble.key.clone()).collect();
        let over: Vec<String> = match unreachable_since {
            Some(_) => Vec::new(),
            None => standing.difference(&keys).cloned().collect(),
        };
        let new: Vec<&Trouble> = seen.iter().filter(|trouble| !standing.contains(&trouble.key)).collect();
        if new.is_empty() && over.is_empty() {
            return Ok(());
        }
        let mut tx = self.desk.store.begin().await?;
        for trouble in new {
            let since = unreachable_since.unwrap_or(now);
            let first =
                troubles::seen(&mut tx, &self.source, &trouble.key, &trouble.what, trouble.loses_calls, since).await?;
            tracing::warn!(source = %self.source, what = %trouble.what, "trouble at the source");
            if first {
                self.tell_trouble(&mut tx, trouble, unreachable_since, now).await?;
            }
        }
        for key in &over {
            if let Some(since) = troubles::over(&mut tx, &self.source, key, now).await?
                && key == UNREACHABLE
            {
                let outage = Outage { source: self.source.clone(), since, until: Some(now), why: String::new() };
                self.tell(&mut tx, NoticeKind::Outage, outage.body(), now).await?;
            }
        }
        tx.commit().await?;
        self.desk.bells.send.ring();
        let mut after: HashSet<String> = standing;
        after.extend(keys);
        after.retain(|key| !over.contains(key));
        self.standing = Some(after);
        Ok(())
    }

    /// At the first look: how the source was when the service stopped.
    async fn recall(&mut self) -> Result<(), StoreError> {
        if self.standing.is_some() {
            return Ok(());
        }
        let mut reader = self.desk.store.read().await?;
        let all = troubles::standing(&mut reader).await?;
        self.state = watched::find(&mut reader, &self.source).await?.unwrap_or_default();
        let own = all.into_iter().filter(|trouble| trouble.source == self.source).map(|trouble| trouble.key);
        self.standing = Some(own.collect());
        Ok(())
    }

    async fn tell_trouble(
        &self,
        tx: &mut Tx,
        trouble: &Trouble,
        unreachable_since: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        if let Some(since) = unreachable_since {
            let outage = Outage { source: self.source.clone(), since, until: None, why: trouble.what.clone() };
            return self.tell(tx, NoticeKind::Outage, outage.body(), now).await;
        }
        let kind = if trouble.loses_calls { NoticeKind::Text } else { NoticeKind::Hint };
        self.tell(tx, kind, format!("{}: {}", self.source, trouble.what), now).await
    }

    /// To the admin (the office group), and unless it is only a hint to the technician on duty; loud.
    async fn tell(&self, tx: &mut Tx, kind: NoticeKind, body: String, now: DateTime<Utc>) -> Result<(), StoreError> {
        let duty = self.desk.roster.last_known(now);
        let hint = kind == NoticeKind::Hint;
        let mut told = if hint { Vec::new() } else { duty.recipients(&["duty"]) };
        told.extend(duty.office().cloned());
        if told.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = told.iter().map(|recipient| recipient.name.as_str()).collect();
        let event = Event::new(now, EventKind::Trouble, format!("{}: told {}", self.source, names.join(", ")));
        events::append(tx, &event).await?;
        for recipient in told {
            let plan =
                notices::Plan { loud: !hint, body: Some(body.clone()), ..notices::Plan::new(kind, &recipient.name, 0) };
            match recipient.chat {
                Some(chat) => drop(notices::plan(tx, &notices::Plan { chat, ..plan }, now).await?),
                None => people::by_all(tx, &recipient, &plan, now).await?,
            }
        }
        Ok(())
    }
}

/// 1, 2, 4 … seconds up to `longest`, each a fifth shorter or longer by chance: mailboxes of many firms come back at once.
fn pause(failures: u32, longest: Duration) -> Duration {
    let base = Duration::from_secs(1 << failures.saturating_sub(1).min(12)).min(longest);
    let chance = f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 255.0;
    base.mul_f64(0.8 + 0.4 * chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_longest_and_varies() {
        for (failures, seconds) in [(1, 1.0), (2, 2.0), (5, 16.0), (9, 256.0), (40, 300.0)] {
            let pause = pause(failures, Duration::from_mins(5)).as_secs_f64();
            assert!((seconds * 0.79..=seconds * 1.21).contains(&pause), "{failures}: {pause}");
        }
    }
}

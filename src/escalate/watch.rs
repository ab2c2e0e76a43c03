//! The watch over the watch: is every stage well? Only then a sign of life goes out.
//!
//! Promise: nobody outside hears "alive" while a worker hangs or fails, a case is overdue, a loud notice has reached its
//! recipient by no way, the store cannot be written, or every way to people is down. Told once as "fail", then silence:
//! that is what the other side listens for. A mailbox that cannot be reached is told of to people and stops nothing here.

use super::heartbeat::Beat;
use crate::config::Settings;
use crate::domain::case::CaseId;
use crate::roster::Roster;
use crate::runtime::clock::Clock;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::status::{Entry, State, Status};
use crate::store::{Reader, Store, StoreError, paths, watch};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Between two looks.
const LOOK: Duration = Duration::from_secs(10);
/// A worker may fail for so long; a way may be down for so long.
const FAILING: TimeDelta = TimeDelta::seconds(90);
/// A worker that says nothing for so long hangs. It speaks before and after every round, and rests a second.
const SILENT: TimeDelta = TimeDelta::seconds(90);
/// The longest rest of the workers that look seldom (the auditor, the list of the morning).
const LONGEST_REST: TimeDelta = TimeDelta::seconds(60);
/// A sender may upload for as long as its lease.
const UPLOAD: TimeDelta = TimeDelta::seconds(120);
/// The longest sound that is transcribed, seconds (`transcribe::sound::Limits`).
const LONGEST_SOUND_S: u64 = 600;
/// A case may be overdue for so long.
const OVERDUE: TimeDelta = TimeDelta::seconds(60);
/// A loud notice may be on its way for so long.
const UNDELIVERED: TimeDelta = TimeDelta::minutes(3);

/// The worker's name on the status board.
const NAME: &str = "watch";
/// Workers whose failure wakes nobody too late: they stop no sign of life.
const BESIDE: &[&str] = &["web", "review.retention", "review.inbox", "transcribe.confirm", "assess.confirm"];
/// The worker that listens to Telegram: its failure is a way that is down.
const LISTENER: &str = "acknowledge.telegram";

/// Why no sign of life goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ill {
    /// A worker says nothing any more.
    Silent(String),
    /// A worker fails, and has for long.
    Failing(String),
    /// A case should have been looked at.
    Overdue(CaseId),
    /// A case rang, and nothing of it ever stood on a phone.
    Untold(CaseId),
    /// So many loud notices have arrived by no way.
    Undelivered(i64),
    /// The store refuses.
    Store(String),
    /// Telegram is down and so is every channel, or nobody has a way at all.
    NoWay,
}

impl Ill {
    /// One word for whoever listens outside.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Silent(_) => "worker silent",
            Self::Failing(_) => "worker failing",
            Self::Overdue(_) => "case overdue",
            Self::Untold(_) => "case untold",
            Self::Undelivered(_) => "notice undelivered",
            Self::Store(_) => "store",
            Self::NoWay => "no way to people",
        }
    }
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Silent(worker) => write!(f, "{worker} has said nothing for long: it hangs"),
            Self::Failing(worker) => write!(f, "{worker} has been failing for more than 90 s"),
            Self::Overdue(case) => write!(f, "case {case} has been due for more than a minute"),
            Self::Untold(case) => write!(f, "case {case} has been open for more than 3 min, and nobody was told of it"),
            Self::Undelivered(count) => {
                write!(f, "{count} loud notices have not arrived for more than 3 min, by no way")
            }
            Self::Store(error) => write!(f, "the store refuses: {error}"),
            Self::NoWay => {
                f.write_str("nobody can be reached: Telegram is down and no channel works, or no phone is known")
            }
        }
    }
}

/// Looks, and gives the sign of life.
pub struct Watch {
    store: Store,
    settings: Arc<Settings>,
    roster: Roster,
    status: Status,
    clock: Arc<dyn Clock>,
    beat: Option<Beat>,
    /// What was due before it was not late: the service was off.
    started_at: DateTime<Utc>,
    beaten_at: Option<DateTime<Utc>>,
    told: Option<&'static str>,
}

impl Watch {
    /// By the settings; nothing is looked at or sent yet.
    ///
    /// # Errors
    /// Where the heartbeat's address cannot be used; the text names the key.
    pub fn new(
        store: Store,
        settings: Arc<Settings>,
        roster: Roster,
        status: Status,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let (beat, started_at) = (Beat::of(&settings)?, clock.now());
        Ok(Self { store, settings, roster, status, clock, beat, started_at, beaten_at: None, told: None })
    }

    /// Looks until the service stops.
    pub async fn run(mut self, lifecycle: Lifecycle) {
        while !lifecycle.is_stopping() {
            self.round().await;
            lifecycle.unless_stopped(tokio::time::sleep(LOOK)).await;
        }
    }

    /// Looks once; what is wrong, if anything is.
    pub async fn round(&mut self) -> Option<Ill> {
        let now = self.clock.now();
        let ill = self.look(now).await.unwrap_or_else(|error| Some(Ill::Store(error.to_string())));
        match &ill {
            None => self.well(now).await,
            Some(ill) => self.ill(ill, now).await,
        }
        ill
    }

    async fn well(&mut self, now: DateTime<Utc>) {
        self.status.say(NAME, State::Idle, "", now);
        if self.told.take().is_some() {
            tracing::info!("all is well again");
        }
        let Some(beat) = &self.beat else { return };
        let every = TimeDelta::from_std(beat.every).unwrap_or(LONGEST_REST);
        if self.beaten_at.is_none_or(|at| now - at >= every) && beat.send().await {
            self.beaten_at = Some(now);
        }
    }

    async fn ill(&mut self, ill: &Ill, now: DateTime<Utc>) {
        self.status.say(NAME, State::Failing, ill.to_string(), now);
        if self.told == Some(ill.word()) {
            return;
        }
        tracing::error!(%ill, "no sign of life goes out");
        self.told = Some(ill.word());
        self.beaten_at = None;
        if let Some(beat) = &self.beat {
            // whether it is heard or not: silence follows
            beat.send_fail(ill.word()).await;
        }
    }

    async fn look(&self, now: DateTime<Utc>) -> Result<Option<Ill>, StoreError> {
        let mut tx = self.store.begin().await?;
        watch::alive(&mut tx, now).await?;
        tx.commit().await?;
        let board = self.status.board();
        if let Some(ill) = self.workers(&board, now) {
            return Ok(Some(ill));
        }
        let mut reader = self.store.read().await?;
        if let Some(case) = watch::overdue_case(&mut reader, self.late(now, OVERDUE)).await? {
            return Ok(Some(Ill::Overdue(case)));
        }
        if let Some(case) = watch::untold_case(&mut reader, self.late(now, UNDELIVERED)).await? {
            return Ok(Some(Ill::Untold(case)));
        }
        let undelivered = watch::undelivered(&mut reader, now - UNDELIVERED).await?;
        if undelivered > 0 && now - self.started_at > UNDELIVERED {
            return Ok(Some(Ill::Undelivered(undelivered)));
        }
        Ok(self.no_way(&mut reader, &board, now).await?.then_some(Ill::NoWay))
    }

    /// Before this instant something is late by `limit`; after a start everything first gets as long again.
    fn late(&self, now: DateTime<Utc>, limit: TimeDelta) -> DateTime<Utc> {
        if now - self.started_at > limit { now - limit } else { DateTime::UNIX_EPOCH }
    }

    fn workers(&self, board: &BTreeMap<String, Entry>, now: DateTime<Utc>) -> Option<Ill> {
        // a mailbox is told of elsewhere, and listening to Telegram is a way
        let beside = |name: &str| name.starts_with("intake.") || name == NAME || BESIDE.contains(&name);
        let ours = || board.iter().filter(|(name, _)| !beside(name));
        let silent = ours().find(|(name, entry)| now - entry.at > self.bound(name, entry.state));
        if let Some((name, _)) = silent {
            return Some(Ill::Silent(name.clone()));
        }
        let failing = |entry: &Entry| entry.failing_since.is_some_and(|since| now - since > FAILING);
        let failing = ours().find(|(name, entry)| *name != LISTENER && failing(entry));
        failing.map(|(name, _)| Ill::Failing(name.clone()))
    }

    /// How long a worker may say nothing.
    fn bound(&self, name: &str, state: State) -> TimeDelta {
        match (name, state) {
            ("transcribe", State::Running) => {
                let settings = &self.settings.transcribe;
                let limit = (LONGEST_SOUND_S * u64::from(settings.limit_factor)).max(settings.limit_min_s);
                SILENT + seconds(limit)
            }
            (name, State::Running) if name.starts_with("escalate.send.") => SILENT + UPLOAD,
            // a poll of 25 s, and a pause that Telegram asked for
            (LISTENER, State::Failing) => SILENT + FAILING,
            _ => SILENT + LONGEST_REST,
        }
    }

    /// Whether Telegram is down and so is every channel.
    async fn no_way(
        &self,
        reader: &mut Reader,
        board: &BTreeMap<String, Entry>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        // what failed before this start is tried anew
        let long = |since: Option<DateTime<Utc>>| since.is_some_and(|since| now - since.max(self.started_at) > FAILING);
        if self.roster.at(reader, now).await?.recipients(&["everyone", "office"]).is_empty() {
            return Ok(true);
        }
        let known = paths::all(reader).await?;
        let down = |name: &str| {
            known.iter().any(|path| path.name == name && (path.down_at.is_some() || long(path.failing_since)))
        };
        let unheard = board.get(LISTENER).is_some_and(|entry| long(entry.failing_since));
        let first = down(paths::TELEGRAM) || unheard;
        Ok(first && self.settings.channels.iter().all(|channel| down(channel.name())))
    }
}

fn seconds(seconds: u64) -> TimeDelta {
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(i64::MAX / 1000))
}

//! A report arrives: take → store → only then tell the source.
//!
//! Promise: what a source was told is safe *is* safe: sound on disk (file and folder synced), row committed. The same
//! arrival twice changes nothing. What cannot be taken stays on record and wakes a human; when not even that can be
//! written, the siren sounds. One source's failure never stops another: each has a loop of its own.

pub mod asterisk;
pub mod folder;
pub mod source;
mod watch;

use crate::config::Settings;
use crate::domain::assessment::Verdict;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::report::{Arrival, Caller, Recording, Report, ReportId, Sound, Stage};
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::siren::{Cry, Siren};
use crate::runtime::status::{State, Status};
use crate::store::{Store, StoreError, events, notices, reports, sound, troubles};
use chrono::{DateTime, TimeDelta, Utc};
use source::{Found, Source, SourceError, Trouble};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// A mailbox that cannot be reached for so long wakes a human.
const UNREACHABLE_AFTER: TimeDelta = TimeDelta::seconds(180);

/// What storing an arrival came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The report's identity; a fresh one that was not kept where the arrival was known.
    pub id: ReportId,
    /// Whether it was new.
    pub new: bool,
}

/// What every intake needs.
#[derive(Debug, Clone)]
pub struct Desk {
    /// Where reports go.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when a report is stored.
    pub bells: Bells,
}

impl Desk {
    /// Stores an arrival: sound, row, first work, first notices, event. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    /// Where disk or database refused: then the source must not be told.
    pub async fn accept(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        let id = ReportId::fresh();
        let now = self.clock.now();
        let (recording, trouble) = self.keep_sound(id, arrival.sound).await?;
        let report = Report {
            id,
            source: arrival.source,
            key: arrival.key,
            mailbox: arrival.mailbox.map(printable),
            caller: Caller { number: arrival.caller.number.map(printable), name: arrival.caller.name.map(printable) },
            called_at: arrival.called_at.unwrap_or(now),
            stored_at: now,
            recording,
            trouble,
            stage: Stage::Transcribe,
        };
        let mut tx = self.store.begin().await?;
        let unheard_at =
            now + TimeDelta::seconds(i64::try_from(self.settings.escalation.unheard_after_s).unwrap_or(90));
        let new = reports::insert(&mut tx, &report, now, Some(unheard_at)).await?;
        if new {
            self.plan_first_word(&mut tx, &report, now).await?;
            events::append(&mut tx, &Event::new(now, EventKind::Stored, &report.source).report(id)).await?;
        }
        tx.commit().await?;
        if new {
            tracing::info!(report.id = %id, source = %report.source, stage = "intake", "stored a report");
            self.bells.send.ring();
            self.bells.transcribe.ring();
        } else if let Some(recording) = &report.recording {
            self.forget_sound(recording).await;
        }
        Ok(Accepted { id, new })
    }

    async fn keep_sound(&self, id: ReportId, sound: Sound) -> Result<(Option<Recording>, Option<String>), StoreError> {
        match sound {
            Sound::Refused { path, why, .. } => Ok((None, Some(format!("{}: {why}", path.display())))),
            Sound::Bytes { name, bytes } => {
                let folder = self.store.sound_folder().to_owned();
                let written = tokio::task::spawn_blocking(move || sound::write(&folder, id, &name, &bytes)).await;
                Ok((Some(written.expect("writing a sound does not panic")?), None))
            }
        }
    }

    /// The file of an arrival that was known already: its row was never written.
    async fn forget_sound(&self, recording: &Recording) {
        let path = self.store.sound_folder().join(&recording.file);
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::warn!(%error, path = %path.display(), "could not remove a sound that was stored twice");
        }
    }

    /// Out of hours the technician on duty gets the recording silently, at once.
    async fn plan_first_word(
        &self,
        tx: &mut crate::store::Tx,
        report: &Report,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let outside = !self.settings.business_hours().is_open(now);
        if !(self.settings.escalation.first_notice && outside) {
            return Ok(());
        }
        let first = self.settings.policy(Verdict::Unclear, outside).steps()[0].tell.clone();
        let mut chats = HashSet::new();
        for recipient in first.iter().flat_map(|word| self.settings.recipients(word)) {
            if chats.insert(recipient.chat) {
                let plan = notices::Plan {
                    report: Some(report.id),
                    case: None,
                    kind: NoticeKind::Voice,
                    recipient: recipient.name,
                    chat: recipient.chat,
                    loud: false,
                    ring: 0,
                    body: None,
                };
                notices::plan(tx, &plan, now).await?;
            }
        }
        Ok(())
    }
}

/// One source's loop.
pub struct Intake {
    desk: Desk,
    source: Box<dyn Source>,
    siren: Siren,
    told: HashSet<String>,
    troubles: HashSet<String>,
    failing_since: Option<DateTime<Utc>>,
}

/// What one look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// Reports stored that were new.
    pub stored: usize,
    /// Something was busy or could not be stored: look again soon.
    pub again: bool,
}

impl Intake {
    /// A loop over one source.
    #[must_use]
    pub fn new(desk: Desk, source: Box<dyn Source>, siren: Siren) -> Self {
        Self { desk, source, siren, told: HashSet::new(), troubles: HashSet::new(), failing_since: None }
    }

    /// Looks whenever something may have changed, until the service stops.
    pub async fn run(mut self, status: Status, lifecycle: Lifecycle) {
        let name = format!("intake.{}", self.source.name());
        let mut failures = 0u32;
        while !lifecycle.is_stopping() {
            let look = self.look().await;
            let now = self.desk.clock.now();
            match &look {
                Ok(_) => status.say(&name, State::Idle, "", now),
                Err(error) => {
                    tracing::error!(source = %self.source.name(), %error, "could not take in; trying again");
                    status.say(&name, State::Failing, error.to_string(), now);
                }
            }
            let wait = match look {
                Ok(Look { again: false, .. }) => {
                    failures = 0;
                    lifecycle.unless_stopped(self.source.changed()).await;
                    continue;
                }
                Ok(_) => self.source.retry_after(),
                Err(_) => {
                    failures = failures.saturating_add(1);
                    Duration::from_millis(250).saturating_mul(1 << failures.min(6)).min(Duration::from_secs(10))
                }
            };
            lifecycle.unless_stopped(tokio::time::sleep(wait)).await;
        }
    }

    /// Looks once: takes, stores and confirms everything that is there.
    ///
    /// # Errors
    /// Where the store refused; nothing that was not stored was confirmed.
    pub async fn look(&mut self) -> Result<Look, StoreError> {
        let listing = match self.source.list().await {
            Ok(listing) => listing,
            Err(SourceError::Busy(_)) => return Ok(Look { again: true, ..Look::default() }),
            Err(error) => return self.unreachable(error.to_string()).await,
        };
        self.failing_since = None;
        self.note_troubles(listing.troubles).await?;
        let mut look = Look::default();
        let here: HashSet<String> = listing.found.iter().map(|found| found.key.clone()).collect();
        self.told.retain(|key| here.contains(key));
        let mut refused = None;
        for found in listing.found {
            // One message that cannot be stored must not keep the others waiting.
            if !self.told.contains(&found.key)
                && let Err(error) = self.one(&found, &mut look).await
            {
                tracing::warn!(source = %self.source.name(), %error, "a message could not be stored");
                refused = Some(error);
            }
        }
        if let Some(error) = refused {
            return Err(error);
        }
        Ok(look)
    }

    async fn one(&mut self, found: &Found, look: &mut Look) -> Result<(), StoreError> {
        let mut reader = self.desk.store.read().await?;
        let known = reports::known(&mut reader, self.source.name(), &found.key).await?;
        drop(reader);
        if known == Some(true) {
            self.told.insert(found.key.clone());
            return Ok(());
        }
        if known.is_none() {
            match self.source.take(found).await {
                Ok(arrival) => look.stored += usize::from(self.store(arrival).await?),
                Err(SourceError::Gone(what)) => {
                    tracing::warn!(source = %self.source.name(), %what, "a message went before it could be taken");
                    return Ok(());
                }
                Err(error) => {
                    tracing::debug!(source = %self.source.name(), %error, "a message could not be taken yet");
                    look.again = true;
                    return Ok(());
                }
            }
        }
        self.confirm(found, look).await
    }

    async fn store(&mut self, arrival: Arrival) -> Result<bool, StoreError> {
        let key = format!("{}/{}", self.source.name(), arrival.caller.number.as_deref().unwrap_or("-"));
        match self.desk.accept(arrival).await {
            Ok(accepted) => Ok(accepted.new),
            Err(error) => {
                // The voice stays at the source; a human hears of it by the way that needs no store.
                self.siren.sound(Cry { key, source: self.source.name().to_owned(), why: error.to_string() });
                Err(error)
            }
        }
    }

    async fn confirm(&mut self, found: &Found, look: &mut Look) -> Result<(), StoreError> {
        if let Err(error) = self.source.confirm(found).await {
            tracing::warn!(source = %self.source.name(), %error, "a stored message could not be confirmed; trying again");
            look.again |= matches!(error, SourceError::Busy(_));
            return Ok(());
        }
        let mut tx = self.desk.store.begin().await?;
        reports::confirmed(&mut tx, self.source.name(), &found.key, self.desk.clock.now()).await?;
        tx.commit().await?;
        self.told.insert(found.key.clone());
        Ok(())
    }

    async fn unreachable(&mut self, what: String) -> Result<Look, StoreError> {
        let now = self.desk.clock.now();
        let since = *self.failing_since.get_or_insert(now);
        tracing::warn!(source = %self.source.name(), %what, "the mailbox cannot be reached");
        if now - since >= UNREACHABLE_AFTER {
            self.note_troubles(vec![Trouble { key: "unreachable".into(), what, loses_calls: true }]).await?;
        }
        Ok(Look::default())
    }

    /// Writes new troubles down and tells somebody; forgets those that are over.
    async fn note_troubles(&mut self, seen: Vec<Trouble>) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        let keys: HashSet<String> = seen.iter().map(|trouble| trouble.key.clone()).collect();
        if keys == self.troubles {
            return Ok(());
        }
        let mut tx = self.desk.store.begin().await?;
        for trouble in &seen {
            let name = self.source.name().to_owned();
            if troubles::seen(&mut tx, &name, &trouble.key, &trouble.what, trouble.loses_calls, now).await? {
                tracing::warn!(source = %name, what = %trouble.what, "trouble at the source");
                if trouble.loses_calls {
                    self.tell(&mut tx, trouble, now).await?;
                }
            }
        }
        for gone in self.troubles.difference(&keys) {
            troubles::over(&mut tx, self.source.name(), gone, now).await?;
        }
        tx.commit().await?;
        self.troubles = keys;
        self.desk.bells.send.ring();
        Ok(())
    }

    async fn tell(
        &mut self,
        tx: &mut crate::store::Tx,
        trouble: &Trouble,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut told = self.desk.settings.recipients("duty");
        told.extend(self.desk.settings.office.iter().flat_map(|_| self.desk.settings.recipients("office")));
        for recipient in told {
            let plan = notices::Plan {
                report: None,
                case: None,
                kind: NoticeKind::Text,
                recipient: recipient.name,
                chat: recipient.chat,
                loud: true,
                ring: 0,
                body: Some(format!("{}: {}", self.source.name(), trouble.what)),
            };
            notices::plan(tx, &plan, now).await?;
        }
        Ok(())
    }
}

/// A caller chooses these texts: without NUL (PostgreSQL refuses it) and of bounded length.
fn printable(text: String) -> String {
    if text.len() <= 512 && !text.contains('\0') {
        return text;
    }
    text.chars().filter(|letter| *letter != '\0').take(512).collect()
}

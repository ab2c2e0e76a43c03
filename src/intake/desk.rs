//! Where every source hands in: sound or mail on disk, row, first work, first notices, event, in one transaction.
//!
//! Promise: when `accept` returns `Ok`, the message is safe, and the same message twice changes nothing: not under its key,
//! not as a twin under another key, and not as the same sound from another source.

use crate::config::Settings;
use crate::domain::assessment::Verdict;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::phone;
use crate::domain::report::{
    Arrival, Caller, Content, Mail, Medium, Recording, Report, ReportId, SAME_CALL, Sound, Stage,
};
use crate::roster::Roster;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::store::{Store, StoreError, Tx, events, mails, notices, reports, sightings, sound};
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// What storing an arrival came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The report's identity: a new one, or the one that has this message already.
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
    /// Who is on duty.
    pub roster: Roster,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Rung when a report is stored.
    pub bells: Bells,
}

/// What of an arrival lies on disk.
#[derive(Default)]
struct Kept {
    recording: Option<Recording>,
    /// Why there is no sound.
    trouble: Option<String>,
    mail: Option<(Recording, Mail)>,
}

impl Kept {
    fn files(&self) -> impl Iterator<Item = &Recording> {
        self.recording.iter().chain(self.mail.iter().map(|(file, _)| file))
    }
}

impl Desk {
    /// Stores an arrival: sound, row, first work, first notices, event. When this returns `Ok`, it is on disk.
    ///
    /// # Errors
    /// Where disk or database refused: then the source must not be told.
    pub async fn accept(&self, arrival: Arrival) -> Result<Accepted, StoreError> {
        let id = ReportId::fresh();
        let now = self.clock.now();
        let medium = arrival.content.medium();
        let kept = self.keep(id, arrival.content).await?;
        let report = Report {
            id,
            source: arrival.source,
            key: arrival.key,
            mailbox: arrival.mailbox.map(printable),
            caller: Caller { number: arrival.caller.number.map(printable), name: arrival.caller.name.map(printable) },
            called_at: arrival.called_at.unwrap_or(now),
            stored_at: now,
            recording: kept.recording.clone(),
            trouble: kept.trouble.clone(),
            medium,
            longest_s: arrival.longest_s,
            stage: if medium == Medium::Voicemail { Stage::Transcribe } else { Stage::Assess },
        };
        let mut reader = self.store.read().await?;
        self.roster.at(&mut reader, now).await?;
        drop(reader);
        let mut tx = self.store.begin().await?;
        let accepted = match self.known(&mut tx, &report, arrival.twin.as_deref(), now).await? {
            Some(known) => Accepted { id: known, new: false },
            None => self.insert(&mut tx, &report, arrival.twin.as_deref(), &kept, now).await?,
        };
        tx.commit().await?;
        if accepted.new {
            tracing::info!(report.id = %id, source = %report.source, stage = "intake", "stored a report");
            self.bells.send.ring();
            self.bells.transcribe.ring();
            self.bells.assess.ring();
        } else {
            for file in kept.files() {
                self.forget(file).await;
            }
        }
        Ok(accepted)
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        report: &Report,
        twin: Option<&str>,
        kept: &Kept,
        now: DateTime<Utc>,
    ) -> Result<Accepted, StoreError> {
        let wait = TimeDelta::seconds(i64::try_from(self.settings.escalation.unheard_after_s).unwrap_or(90));
        // A fax is not accepted: nobody is woken for one that nobody judged. A drill is looked after on its own.
        let wakes_nobody = report.medium == Medium::Fax || report.is_drill();
        let unheard_at = (!wakes_nobody).then_some(now + wait);
        let new = reports::insert(tx, report, twin, now, unheard_at).await?;
        if new {
            let outside = !self.settings.business_hours().is_open(report.called_at);
            reports::line_up(tx, report.id, report.turn_at(outside)).await?;
            if let Some((file, mail)) = &kept.mail {
                mails::put(tx, report.id, mail, file).await?;
            }
            self.plan_first_word(tx, report, now).await?;
            events::append(tx, &Event::new(now, EventKind::Stored, &report.source).report(report.id)).await?;
        }
        Ok(Accepted { id: report.id, new })
    }

    /// The report that this message is already, noted as seen once more.
    async fn known(
        &self,
        tx: &mut Tx,
        report: &Report,
        twin: Option<&str>,
        now: DateTime<Utc>,
    ) -> Result<Option<ReportId>, StoreError> {
        sightings::lock(tx).await?;
        if let Some(known) = sightings::of_key(tx, &report.source, &report.key).await? {
            return Ok(Some(known));
        }
        let known = match (twin, &report.recording) {
            (Some(twin), _) if let Some(known) = sightings::of_twin(tx, &report.source, twin).await? => Some(known),
            (_, Some(recording)) => same_call(tx, report, &recording.sha256).await?,
            _ => None,
        };
        if let Some(known) = known {
            sightings::add(tx, &report.source, &report.key, known, now).await?;
            let told = format!("the same message at {}", report.source);
            events::append(tx, &Event::new(now, EventKind::SeenAgain, told).report(known)).await?;
            tracing::info!(report.id = %known, source = %report.source, stage = "intake", "a known message was seen once more");
        }
        Ok(known)
    }

    async fn keep(&self, id: ReportId, content: Content) -> Result<Kept, StoreError> {
        let (sound, mail) = match content {
            Content::Voicemail(sound) => (Some(sound), None),
            Content::VoicemailWithMail(sound, mail) => (Some(sound), Some(mail)),
            Content::Email(mail) | Content::Fax(mail) => (None, Some(mail)),
        };
        let mut kept = Kept::default();
        match sound {
            Some(Sound::Bytes { name, bytes }) => kept.recording = Some(self.write(id, name, bytes).await?),
            Some(Sound::Refused { path, why, .. }) => {
                // most whys name the place already
                let named = why.starts_with(&*path.to_string_lossy());
                kept.trouble = Some(if named { why } else { format!("{}: {why}", path.display()) });
            }
            None => {}
        }
        if let Some(mut mail) = mail {
            let raw = std::mem::take(&mut mail.raw);
            kept.mail = Some((self.write(id, "mail.eml".into(), raw).await?, mail));
        }
        Ok(kept)
    }

    async fn write(&self, id: ReportId, name: String, bytes: Vec<u8>) -> Result<Recording, StoreError> {
        let folder = self.store.sound_folder().to_owned();
        let written = tokio::task::spawn_blocking(move || sound::write(&folder, id, &name, &bytes)).await;
        written.expect("writing a file does not panic")
    }

    /// The file of an arrival that was known already: its row was never written.
    async fn forget(&self, file: &Recording) {
        let path = self.store.sound_folder().join(Path::new(&file.file));
        if let Err(error) = tokio::fs::remove_file(&path).await {
            tracing::warn!(%error, path = %path.display(), "could not remove a file that was stored twice");
        }
    }

    /// Out of hours the technician on duty gets the recording silently, at once.
    async fn plan_first_word(&self, tx: &mut Tx, report: &Report, now: DateTime<Utc>) -> Result<(), StoreError> {
        let outside = !self.settings.business_hours().is_open(now);
        let wanted = self.settings.escalation.first_notice && report.medium == Medium::Voicemail && !report.is_drill();
        if !(wanted && outside) {
            return Ok(());
        }
        let policy = self.settings.policy(Verdict::Unclear, report.mailbox.as_deref(), now);
        let told = self.roster.last_known(now).recipients(&policy.steps()[0].tell);
        let mut chats = HashSet::new();
        for (name, chat) in told.iter().filter_map(|one| Some((&one.name, one.chat?))) {
            if chats.insert(chat) {
                let plan =
                    notices::Plan { report: Some(report.id), ..notices::Plan::new(NoticeKind::Voice, name, chat) };
                notices::plan(tx, &plan, now).await?;
            }
        }
        Ok(())
    }
}

/// A stored call with the same sound, about the same time, and no other number.
async fn same_call(tx: &mut Tx, report: &Report, sha256: &str) -> Result<Option<ReportId>, StoreError> {
    let number = |shown: &Option<String>| shown.as_deref().map(|text| phone::e164(text).unwrap_or(text.to_owned()));
    let own = number(&report.caller.number);
    let twins = sightings::of_sound(tx, report, sha256, SAME_CALL).await?;
    let fits = |shown: &Option<String>| shown.is_none() || own.is_none() || number(shown) == own;
    Ok(twins.into_iter().find(|(_, shown)| fits(shown)).map(|(id, _)| id))
}

/// A caller chooses these texts: without NUL (PostgreSQL refuses it) and of bounded length.
fn printable(text: String) -> String {
    if text.len() <= 512 && !text.contains('\0') {
        return text;
    }
    text.chars().filter(|letter| *letter != '\0').take(512).collect()
}

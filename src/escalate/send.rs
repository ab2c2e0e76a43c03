//! One notice out: look again, journal, send, write down what came of it.
//!
//! Telegram has no idempotency key. "About to send" is committed before the request leaves; found again without a
//! result it is *unknown* and sent once more, marked as a possible repeat. Later edits only bring the phone in step with
//! the case, so they may be tried again freely.

use super::channels::Channels;
use super::face::{Subject, Wanted};
use super::notifier::{Attachment, Face, How, Notifier, NotifyError};
use crate::config::Settings;
use crate::domain::case::CaseState;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{Delivery, Notice, NoticeKind, listed};
use crate::domain::report::Recording;
use crate::runtime::bell::Bells;
use crate::runtime::clock::Clock;
use crate::runtime::voices::Voices;
use crate::runtime::worker::{Round, Step};
use crate::store::notices::{Plan, Tried};
use crate::store::{
    Claim, Lease, Store, StoreError, Tx, bundles, cases, events, holds, marks, notices, reactions, reports, sound,
};
use crate::wording;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use std::sync::Arc;
use std::time::Duration;

/// Longer than the longest upload.
const LEASE: Duration = Duration::from_mins(2);
/// A notice that does not get out for so long begins its recipient's other ways.
const STUCK: TimeDelta = TimeDelta::seconds(60);
/// So many tries of an alert its recording waits for it: half a minute in all, then the voice goes ahead.
const IN_ORDER: u32 = 5;
/// An edit that fails so often stays as it is.
const EDITS: u32 = 12;

/// The sender's step. Several may run side by side.
pub struct SendStep {
    /// Which of them this is.
    pub number: usize,
    /// Where notices wait.
    pub store: Store,
    /// The settings.
    pub settings: Arc<Settings>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Bells.
    pub bells: Bells,
    /// The way to the phones.
    pub notifier: Arc<dyn Notifier>,
    /// The other ways.
    pub channels: Arc<Channels>,
    /// Who makes voice messages.
    pub voices: Arc<dyn Voices>,
}

#[async_trait]
impl Step for SendStep {
    fn name(&self) -> String {
        format!("escalate.send.{}", self.number)
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let Some((notice, lease)) = self.claim().await? else { return Ok(Round::Idle) };
        if self.bundle(&notice, &lease).await? {
            return Ok(Round::Worked);
        }
        // More may be due: let the next sender look while this one waits for the network.
        self.bells.send.ring();
        let mut reader = self.store.read().await?;
        let subject = Subject::of(&notice, &mut reader).await?;
        drop(reader);
        if let Some(channel) = &notice.channel {
            self.by_channel(&notice, &lease, channel, &subject).await?;
            return Ok(Round::Worked);
        }
        let wanted = subject.wanted(&notice, &self.settings, self.settings.telegram.view);
        match (notice.message, wanted) {
            (None, Wanted::Nothing) => self.gone(&notice, &lease).await?,
            (None, Wanted::Show(face, recording)) => self.send(&notice, &lease, face, recording).await?,
            (Some(message), Wanted::Nothing) => {
                let result = self.notifier.remove(notice.chat, message).await;
                self.changed(&notice, &lease, result, None).await?;
            }
            (Some(message), Wanted::Show(face, recording)) => {
                let shown = fingerprint(&face);
                let same = notice.shown.as_deref() == Some(&shown);
                let result = if same {
                    Ok(())
                } else {
                    self.notifier.change(notice.chat, message, &face, recording.is_some()).await
                };
                self.changed(&notice, &lease, result, Some(shown)).await?;
            }
        }
        Ok(Round::Worked)
    }

    async fn idle(&mut self) {
        self.voices.rest().await;
    }
}

impl SendStep {
    /// Claims one due notice; a chat that moved is followed.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn claim(&self) -> Result<Option<(Notice, Lease)>, StoreError> {
        let mut tx = self.store.begin().await?;
        let mut claimed = notices::claim(&mut tx, Claim { now: self.clock.now(), lease: LEASE }).await?;
        if let Some((notice, _)) = &mut claimed
            && let Some(new) = marks::moved_chat(&mut tx, notice.chat).await?
        {
            notices::move_chat(&mut tx, notice.chat, new).await?;
            notice.chat = new;
        }
        tx.commit().await?;
        Ok(claimed)
    }

    /// An alert that is late, and so are those of other cases in this chat: one list takes their place.
    async fn bundle(&self, notice: &Notice, lease: &Lease) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let before = now - TimeDelta::minutes(i64::from(self.settings.escalation.late_after_min));
        let fresh = notice.message.is_none() && notice.delivery == Delivery::Due;
        let kind = matches!(notice.kind, NoticeKind::Alert | NoticeKind::Voice);
        if !fresh || !kind || notice.wanted_at > before {
            return Ok(false);
        }
        let mut tx = self.store.begin().await?;
        let Some(late) = bundles::take_late(&mut tx, notice, lease, before).await? else { return Ok(false) };
        let plan = Plan::new(NoticeKind::Bundle, &notice.recipient, notice.chat);
        let plan = Plan { channel: notice.channel.clone(), ..plan };
        let body = Some(listed(&late.cases));
        notices::plan(&mut tx, &Plan { loud: true, body, second_at: late.second_at, ..plan }, now).await?;
        tx.commit().await?;
        tracing::info!(notice.id = %notice.id, cases = late.cases.len(), stage = "escalate", "late alerts became one list");
        self.bells.send.ring();
        Ok(true)
    }

    async fn send(
        &self,
        notice: &Notice,
        lease: &Lease,
        mut face: Face,
        recording: Option<Recording>,
    ) -> Result<(), StoreError> {
        let shown = fingerprint(&face);
        if let Some(recording) = recording {
            self.attach(&mut face, notice, &recording).await;
        }
        let repeated = notice.may_have_arrived();
        if repeated && !face.text.contains(wording::REPEATED) {
            face.text = format!("{}\n{}", face.text, wording::REPEATED);
        }
        let mut tx = self.store.begin().await?;
        let answers = match (notice.kind, notice.report) {
            (NoticeKind::Alert | NoticeKind::Transcript, Some(report)) => {
                notices::voice_message(&mut tx, report, notice.chat).await?
            }
            _ => None,
        };
        notices::sending(&mut tx, notice.id, lease, repeated).await?;
        tx.commit().await?;
        let how = How { chat: notice.chat, loud: notice.loud, answers };
        let result = self.notifier.show(how, &face).await;
        self.sent(notice, lease, result, shown, repeated).await
    }

    /// The recording as a voice message; where it cannot be made, the file as it is: a human listens in any case.
    async fn attach(&self, face: &mut Face, notice: &Notice, recording: &Recording) {
        match self.voices.voice_of(recording).await {
            Ok(voice) => {
                face.text = wording::with_length(&face.text, voice.sound_ms);
                face.attachment = Some(Attachment::Voice(voice.path));
            }
            Err(error) => {
                tracing::warn!(notice.id = %notice.id, %error, stage = "escalate", "no voice message: sending the file as it is");
                face.attachment =
                    Some(Attachment::File(self.store.sound_folder().join(&recording.file), recording.name.clone()));
            }
        }
    }

    async fn sent(
        &self,
        notice: &Notice,
        lease: &Lease,
        result: Result<i64, NotifyError>,
        shown: String,
        repeated: bool,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        let undelivered = Tried { repeated, ..not_sent(result.as_ref().err(), now + backoff(notice.attempt)) };
        let tried = match result {
            Ok(message) => {
                self.tell_story(&mut tx, notice, EventKind::Sent, "", now).await?;
                let kind = notice.kind.as_str();
                tracing::info!(notice.id = %notice.id, kind, attempt = notice.attempt, stage = "escalate", "a notice arrived");
                let (message, shown) = (Some(message), Some(shown));
                Tried { delivery: Delivery::Sent, message, shown, sent_at: Some(now), due_at: None, ..undelivered }
            }
            Err(error) => self.not_delivered(&mut tx, notice, error, undelivered, now).await?,
        };
        notices::tried(&mut tx, notice, lease, &tried, now).await?;
        tx.commit().await?;
        self.bells.escalate.ring();
        Ok(())
    }

    /// What a failed send means: wait, try again, follow the chat, or go on to the next technician.
    async fn not_delivered(
        &self,
        tx: &mut Tx,
        notice: &Notice,
        error: NotifyError,
        tried: Tried,
        now: DateTime<Utc>,
    ) -> Result<Tried, StoreError> {
        tracing::warn!(notice.id = %notice.id, attempt = notice.attempt, %error, stage = "escalate", "a notice did not get out");
        let lost = matches!(error, NotifyError::Unreachable(_) | NotifyError::Refused(_));
        reactions::second_not_after(tx, notice.id, if lost { now } else { notice.created_at + STUCK }).await?;
        if let (NoticeKind::Alert, true, Some(until)) = (notice.kind, notice.attempt <= IN_ORDER, tried.due_at) {
            holds::case(tx, notice, until).await?;
        }
        Ok(match error {
            NotifyError::Wait(pause) => {
                let until = after(pause, now);
                holds::chat(tx, notice.chat, until).await?;
                Tried { due_at: Some(until), waited: true, ..tried }
            }
            NotifyError::Again(_) => tried,
            NotifyError::Unknown(_) => Tried { delivery: Delivery::Sending, ..tried },
            NotifyError::Moved(new) => {
                marks::chat_moved(tx, notice.chat, new).await?;
                notices::move_chat(tx, notice.chat, new).await?;
                self.tell_story(tx, notice, EventKind::Moved, "the chat has a new number", now).await?;
                Tried { due_at: Some(now), ..tried }
            }
            NotifyError::Unreachable(_) | NotifyError::Refused(_) => {
                let detail = format!("{}: {error}", notice.recipient);
                self.tell_story(tx, notice, EventKind::Undelivered, &detail, now).await?;
                self.next_one_now(tx, notice, now).await?;
                Tried { delivery: Delivery::Failed, due_at: None, ..tried }
            }
        })
    }

    /// This technician cannot be reached: the escalation does not wait for him.
    pub(super) async fn next_one_now(
        &self,
        tx: &mut Tx,
        notice: &Notice,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let (NoticeKind::Alert, Some(id)) = (notice.kind, notice.case) else { return Ok(()) };
        let Some(mut case) = cases::lock(tx, id).await? else { return Ok(()) };
        if case.state != CaseState::Open {
            return Ok(());
        }
        let line = reports::line(tx, case.report).await?;
        let policy = self.settings.policy(case.policy_verdict(), line.as_deref(), now);
        if case.progress.steps_begun >= policy.steps().len() {
            // Everybody was told already: the repeats go on as planned.
            return Ok(());
        }
        case.progress = policy.passed_on(case.progress, now);
        case.ring_now(now);
        cases::put(tx, &case).await
    }

    pub(super) async fn gone(&self, notice: &Notice, lease: &Lease) -> Result<(), StoreError> {
        let tried = Tried { delivery: Delivery::Gone, due_at: None, ..not_sent(None, self.clock.now()) };
        let mut tx = self.store.begin().await?;
        notices::tried(&mut tx, notice, lease, &tried, self.clock.now()).await?;
        tx.commit().await
    }

    /// A change or a removal (`shown` is none) was tried.
    async fn changed(
        &self,
        notice: &Notice,
        lease: &Lease,
        result: Result<(), NotifyError>,
        shown: Option<String>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let removal = shown.is_none();
        let mut tried = Tried {
            delivery: Delivery::Sent,
            message: notice.message,
            shown: notice.shown.clone(),
            repeated: notice.repeated,
            sent_at: notice.sent_at,
            error: result.as_ref().err().map(ToString::to_string),
            due_at: None,
            waited: false,
        };
        let mut tx = self.store.begin().await?;
        match result {
            Ok(()) if removal => tried.delivery = Delivery::Gone,
            Ok(()) => tried.shown = shown,
            Err(NotifyError::Wait(pause)) => {
                let until = after(pause, now);
                holds::chat(&mut tx, notice.chat, until).await?;
                tried.due_at = Some(until);
                tried.waited = true;
            }
            Err(NotifyError::Again(_) | NotifyError::Unknown(_)) if notice.attempt < EDITS => {
                tried.due_at = Some(now + backoff(notice.attempt));
            }
            Err(NotifyError::Moved(new)) => {
                marks::chat_moved(&mut tx, notice.chat, new).await?;
                notices::move_chat(&mut tx, notice.chat, new).await?;
            }
            Err(error) => {
                tracing::warn!(notice.id = %notice.id, %error, stage = "escalate", "a message on a phone stays as it is");
            }
        }
        notices::tried(&mut tx, notice, lease, &tried, now).await?;
        tx.commit().await
    }

    pub(super) async fn tell_story(
        &self,
        tx: &mut Tx,
        notice: &Notice,
        kind: EventKind,
        detail: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let detail = if detail.is_empty() {
            format!("{} to {}", notice.kind.as_str(), notice.recipient)
        } else {
            detail.to_owned()
        };
        let mut event = Event::new(now, kind, detail);
        event.report = notice.report;
        event.case = notice.case;
        events::append(tx, &event).await
    }
}

/// Nothing sent; to be tried at `due_at`.
pub(super) fn not_sent(error: Option<&NotifyError>, due_at: DateTime<Utc>) -> Tried {
    Tried {
        delivery: Delivery::Due,
        message: None,
        shown: None,
        repeated: false,
        sent_at: None,
        error: error.map(ToString::to_string),
        due_at: Some(due_at),
        waited: false,
    }
}

fn after(pause: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::from_std(pause).unwrap_or(TimeDelta::seconds(30))
}

/// 1, 2, 4 … 60 seconds.
pub(super) fn backoff(attempt: u32) -> TimeDelta {
    TimeDelta::seconds((1i64 << attempt.saturating_sub(1).min(6)).min(60))
}

/// What a phone shows, in few letters: equal faces need no edit.
fn fingerprint(face: &Face) -> String {
    let mut text = face.text.clone();
    for button in face.buttons.iter().flatten() {
        text.push('\u{1}');
        text.push_str(&button.data);
    }
    sound::sha256(text.as_bytes())[..16].to_owned()
}

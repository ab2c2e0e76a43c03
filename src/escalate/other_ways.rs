//! A notice by another way than Telegram: one try at a time, told again only where it provably was not taken. Nothing is
//! changed there later: what such a message says is true when it leaves.

use super::channels::Message;
use super::face::{Subject, Wanted};
use super::notifier::NotifyError;
use super::send::{SendStep, backoff, not_sent};
use crate::config::View;
use crate::domain::event::EventKind;
use crate::domain::notice::{Delivery, Notice};
use crate::store::notices::Tried;
use crate::store::{Lease, StoreError, notices, paths, reactions};
use crate::wording;
use chrono::TimeDelta;

/// A channel that refuses is given up for this notice after so many tries; one that cannot be reached is tried on.
const TRIES: u32 = 20;

impl SendStep {
    /// Tells it by a channel of the settings.
    pub(super) async fn by_channel(
        &self,
        notice: &Notice,
        lease: &Lease,
        channel: &str,
        subject: &Subject,
    ) -> Result<(), StoreError> {
        let Some(message) = self.message(notice, subject) else { return self.gone(notice, lease).await };
        let repeated = notice.may_have_arrived();
        let mut tx = self.store.begin().await?;
        notices::sending(&mut tx, notice.id, lease, repeated).await?;
        tx.commit().await?;
        let result = self.channels.tell(channel, &message).await;
        let now = self.clock.now();
        let error = result.as_ref().err().map(ToString::to_string);
        let mut tx = self.store.begin().await?;
        paths::tried(&mut tx, channel, error.as_deref(), now).await?;
        let undelivered = Tried { repeated, ..not_sent(result.as_ref().err(), now + backoff(notice.attempt)) };
        let tried = match result {
            Ok(()) => {
                self.tell_story(&mut tx, notice, EventKind::Sent, "", now).await?;
                Tried { delivery: Delivery::Sent, sent_at: Some(now), due_at: None, ..undelivered }
            }
            Err(NotifyError::Wait(pause)) => {
                let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::seconds(30));
                Tried { due_at: Some(now + pause), ..undelivered }
            }
            // once more at most, and it says so
            Err(NotifyError::Unknown(_)) if !repeated => Tried { delivery: Delivery::Sending, ..undelivered },
            Err(NotifyError::Again(_)) if notice.attempt < TRIES => undelivered,
            Err(error) => {
                let detail = format!("{} by {channel}: {error}", notice.recipient);
                self.tell_story(&mut tx, notice, EventKind::Undelivered, &detail, now).await?;
                if reactions::was_the_last_way(&mut tx, notice).await? {
                    self.next_one_now(&mut tx, notice, now).await?;
                }
                Tried { delivery: Delivery::Failed, due_at: None, ..undelivered }
            }
        };
        let kind = notice.kind.as_str();
        tracing::info!(notice.id = %notice.id, kind, channel, attempt = notice.attempt, delivery = tried.delivery.as_str(), stage = "escalate", "told by another way");
        notices::tried(&mut tx, notice, lease, &tried, now).await?;
        tx.commit().await?;
        self.bells.escalate.ring();
        Ok(())
    }

    /// What the channel is told; nothing where nobody has to be told any more.
    fn message(&self, notice: &Notice, subject: &Subject) -> Option<Message> {
        let text = |view| match subject.wanted(notice, &self.settings, view) {
            Wanted::Show(face, _) => Some(face.text),
            Wanted::Nothing => None,
        };
        let minimal = text(View::Minimal)?;
        let full = text(View::Full)?;
        let repeated = notice.may_have_arrived();
        let mark = if repeated { format!("\n{}", wording::REPEATED) } else { String::new() };
        let fields = subject.fields();
        Some(Message {
            title: minimal.lines().next().unwrap_or_default().to_owned(),
            text: wording::by_other_way(&full) + &mark,
            minimal: wording::by_other_way(&minimal) + &mark,
            case: notice.case,
            verdict: subject.verdict(),
            name: fields
                .and_then(|fields| fields.company.as_deref().or(fields.contact.as_deref()))
                .map(wording::name_field),
            number: fields
                .and_then(|fields| fields.callback.as_deref().or(fields.displayed.as_deref()))
                .map(wording::number_field),
            urgent: notice.loud,
        })
    }
}

//! Listens for buttons. An update is confirmed to Telegram only after what it asked for is committed, together with the
//! update's number: after a crash it comes again and changes nothing.

use super::{Actor, Answer, Desk};
use crate::config::Technician;
use crate::domain::case::{Act, CaseId};
use crate::domain::event::{Event, EventKind};
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::status::{State, Status};
use crate::store::{StoreError, events, marks, notices};
use crate::telegram::{Bot, BotError, Failure, Incoming, What};
use crate::wording;
use std::time::Duration;

/// The number of the last update that was dealt with.
const OFFSET: &str = "telegram.offset";
/// How long Telegram may keep a poll open.
const POLL: Duration = Duration::from_secs(25);

/// The listener.
pub struct Listener {
    /// Where answers are written.
    pub desk: Desk,
    /// The bot.
    pub bot: Bot,
}

impl Listener {
    /// Listens until the service stops.
    pub async fn run(self, status: Status, lifecycle: Lifecycle) {
        const NAME: &str = "acknowledge.telegram";
        let mut failures = 0u32;
        while !lifecycle.is_stopping() {
            status.say(NAME, State::Idle, "", self.desk.clock.now());
            let Some(round) = lifecycle.unless_stopped(self.round()).await else { break };
            let Err((error, pause)) = round else {
                failures = 0;
                continue;
            };
            failures = failures.saturating_add(1);
            tracing::warn!(%error, "could not listen for buttons; trying again");
            status.say(NAME, State::Failing, error, self.desk.clock.now());
            let pause = pause.unwrap_or(Duration::from_millis(500).saturating_mul(1 << failures.min(5)));
            lifecycle.unless_stopped(tokio::time::sleep(pause)).await;
        }
    }

    async fn round(&self) -> Result<(), (String, Option<Duration>)> {
        let store = |error: StoreError| (error.to_string(), None);
        let mut reader = self.desk.store.read().await.map_err(store)?;
        let offset = marks::find(&mut reader, OFFSET).await.map_err(store)?.unwrap_or(0);
        drop(reader);
        let updates = match self.bot.updates(offset, POLL).await {
            Ok(updates) => updates,
            Err(error) => return Err(self.pause_for(&error).await),
        };
        for update in updates {
            self.one(update).await.map_err(store)?;
        }
        Ok(())
    }

    async fn pause_for(&self, error: &BotError) -> (String, Option<Duration>) {
        if let BotError::Conflict { webhook: true } = error
            && let Err(error) = self.bot.webhook_clear().await
        {
            return (error.to_string(), None);
        }
        let pause = if let Failure::Wait(pause) = error.kind() { Some(pause) } else { None };
        (error.to_string(), pause)
    }

    async fn one(&self, update: Incoming) -> Result<(), StoreError> {
        let next = update.update_id + 1;
        match update.what {
            What::Press { callback_id, data, chat, user_id, .. } => {
                self.press(next, &callback_id, &data, chat, user_id).await
            }
            What::Moved { from, to } => {
                let now = self.desk.clock.now();
                let mut tx = self.desk.store.begin().await?;
                marks::chat_moved(&mut tx, from, to).await?;
                notices::move_chat(&mut tx, from, to).await?;
                events::append(&mut tx, &Event::new(now, EventKind::Moved, "the chat has a new number")).await?;
                marks::put(&mut tx, OFFSET, next).await?;
                tx.commit().await
            }
            What::Text { .. } | What::Voice { .. } | What::Other => self.seen(next).await,
        }
    }

    async fn press(&self, next: i64, callback: &str, data: &str, chat: i64, user: i64) -> Result<(), StoreError> {
        let said = match (self.technician(user, chat).await?, parse(data)) {
            (Some(technician), Some((act, case))) => {
                let actor = Actor { name: technician.name.clone(), chat };
                let mut tx = self.desk.store.begin().await?;
                let answer = self.desk.act_within(&mut tx, &actor, act, case).await?;
                marks::put(&mut tx, OFFSET, next).await?;
                tx.commit().await?;
                self.desk.bells.escalate.ring();
                self.desk.bells.send.ring();
                match answer {
                    Answer::Done => wording::answer(act).to_owned(),
                    Answer::Refused(refusal) => wording::refusal(&refusal),
                    Answer::Unknown => wording::unknown_button().to_owned(),
                }
            }
            (known, _) => {
                self.seen(next).await?;
                let said = if known.is_none() { wording::stranger() } else { wording::unknown_button() };
                said.to_owned()
            }
        };
        // The act stands whether or not the little answer arrives.
        if let Err(error) = self.bot.answer(callback, Some(&said), false).await {
            tracing::warn!(%error, "a press was dealt with, its answer did not get out");
        }
        Ok(())
    }

    /// The technician behind a press: a configured user, in his own chat, the office's, or one of those that moved.
    async fn technician(&self, user: i64, chat: i64) -> Result<Option<&Technician>, StoreError> {
        let settings = &self.desk.settings;
        let Some(technician) = settings.technician_of(user) else { return Ok(None) };
        let office = settings.office.as_ref().map(|office| office.telegram_chat);
        let known: Vec<i64> = office.into_iter().chain([technician.telegram_chat]).collect();
        if known.contains(&chat) {
            return Ok(Some(technician));
        }
        let mut tx = self.desk.store.begin().await?;
        for old in known {
            if marks::moved_chat(&mut tx, old).await? == Some(chat) {
                return Ok(Some(technician));
            }
        }
        Ok(None)
    }

    async fn seen(&self, next: i64) -> Result<(), StoreError> {
        let mut tx = self.desk.store.begin().await?;
        marks::put(&mut tx, OFFSET, next).await?;
        tx.commit().await
    }
}

/// "take:1042"
fn parse(data: &str) -> Option<(Act, CaseId)> {
    let (act, case) = data.split_once(':')?;
    Some((Act::parse(act)?, CaseId(case.parse().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_buttons_are_understood() {
        assert_eq!(parse("take:1042"), Some((Act::Take, CaseId(1042))));
        for odd in ["", "take", "take:", "take:x", "drop:1", "take:1:2"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}

//! Listens for buttons. An update is confirmed to Telegram only after what it asked for is committed, together with the
//! update's number: after a crash it comes again and changes nothing.

use super::press::Press;
use super::{Actor, Desk};
use crate::domain::case::NoteContent;
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

/// A press as Telegram tells of it.
struct Pressed<'a> {
    callback: &'a str,
    data: &'a str,
    chat: i64,
    message: Option<i64>,
    user: i64,
}

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
            What::Press { callback_id, data, chat, message, user_id, .. } => {
                let message = message.map(|message| message.0);
                let pressed = Pressed { callback: &callback_id, data: &data, chat, message, user: user_id };
                self.press(next, &pressed).await
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
            What::Text { chat, user_id, text, reply_to, .. } => {
                self.answer(next, chat, user_id, reply_to.map(|message| message.0), NoteContent::Written(text)).await
            }
            What::Other => self.seen(next).await,
        }
    }

    async fn press(&self, next: i64, pressed: &Pressed<'_>) -> Result<(), StoreError> {
        let press = Press::parse(pressed.data);
        let said = match (self.technician(pressed.user, pressed.chat).await?, press) {
            (Some(name), Some(press)) => {
                let actor = Actor { name, chat: pressed.chat };
                let mut tx = self.desk.store.begin().await?;
                let said = self.desk.pressed(&mut tx, &actor, pressed.message, &press).await?;
                marks::put(&mut tx, OFFSET, next).await?;
                tx.commit().await?;
                self.desk.ring();
                said
            }
            (known, _) => {
                self.seen(next).await?;
                let said = if known.is_none() { wording::stranger() } else { wording::unknown_button() };
                said.to_owned()
            }
        };
        // The act stands whether or not the little answer arrives.
        let said = Some(said.as_str()).filter(|said| !said.is_empty());
        if let Err(error) = self.bot.answer(pressed.callback, said, false).await {
            tracing::warn!(%error, "a press was dealt with, its answer did not get out");
        }
        Ok(())
    }

    /// An answer to one of our messages; anything else is only confirmed.
    async fn answer(
        &self,
        next: i64,
        chat: i64,
        user: i64,
        to: Option<i64>,
        content: NoteContent,
    ) -> Result<(), StoreError> {
        let (Some(name), Some(message)) = (self.technician(user, chat).await?, to) else {
            return self.seen(next).await;
        };
        let mut reader = self.desk.store.read().await?;
        let notice = notices::of_message(&mut reader, chat, message).await?;
        drop(reader);
        let actor = Actor { name, chat };
        let mut tx = self.desk.store.begin().await?;
        if let Some(notice) = notice
            && let Some(said) = self.desk.answered(&mut tx, &actor, &notice, content).await?
        {
            self.desk.say_back(&mut tx, &actor, said).await?;
        }
        marks::put(&mut tx, OFFSET, next).await?;
        tx.commit().await?;
        self.desk.ring();
        Ok(())
    }

    /// The technician behind a press: a known user, in his own chat, the office's, or one of those that moved.
    async fn technician(&self, user: i64, chat: i64) -> Result<Option<String>, StoreError> {
        let mut reader = self.desk.store.read().await?;
        let duty = self.desk.roster.at(&mut reader, self.desk.clock.now()).await?;
        drop(reader);
        let Some(technician) = duty.technician_of(user) else { return Ok(None) };
        let known: Vec<i64> = duty.office().and_then(|office| office.chat).into_iter().chain(technician.chat).collect();
        if known.contains(&chat) {
            return Ok(Some(technician.name.clone()));
        }
        let mut tx = self.desk.store.begin().await?;
        for old in known {
            if marks::moved_chat(&mut tx, old).await? == Some(chat) {
                return Ok(Some(technician.name.clone()));
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

//! Listens for buttons. An update is confirmed to Telegram only after what it asked for is committed, together with the
//! update's number: after a crash it comes again and changes nothing.
//!
//! Acts are done one after the other. While one takes long (the store is busy) the listener goes on hearing: every press
//! is answered within a second, whatever else goes on.

use super::answers::Answers;
use super::commands::Command;
use super::heard::{Heard, LOOK_AGAIN};
use super::pairing::Guests;
use super::press::Press;
use super::{Actor, Desk};
use crate::domain::case::NoteContent;
use crate::domain::event::{Event, EventKind};
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::status::{State, Status};
use crate::store::{StoreError, events, marks, notices, paths};
use crate::telegram::{Bot, BotError, Failure, Incoming, What};
use crate::wording;
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;

/// The number of the last update that was dealt with.
pub(super) const OFFSET: &str = "telegram.offset";
/// How long Telegram may keep a poll open.
const POLL: Duration = Duration::from_secs(25);

/// While Telegram answers, that is written down so often.
const NOTE_EVERY: TimeDelta = TimeDelta::seconds(15);
/// How long a press may wait for what comes of it before it is answered all the same.
pub const PATIENCE: Duration = Duration::from_millis(800);

/// The listener.
pub struct Listener {
    /// Where answers are written.
    pub desk: Desk,
    /// The bot.
    pub bot: Bot,
    /// See [`PATIENCE`].
    pub patience: Duration,
}

/// When Telegram is asked for more while something takes long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hear {
    /// However little waits.
    Always,
    /// Only while something waits to be dealt with: in a pause Telegram is left alone.
    IfWaiting,
}

/// Who did something, and in which chat.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) chat: i64,
    pub(super) user: i64,
}

impl Person {
    /// Telegram gives the private chat with somebody his own number.
    pub(super) fn is_private(self) -> bool {
        self.chat == self.user
    }
}

impl Listener {
    /// Listens until the service stops.
    pub async fn run(self, status: Status, lifecycle: Lifecycle) {
        const NAME: &str = "acknowledge.telegram";
        let (answers, answering) = Answers::open(self.bot.clone());
        lifecycle.spawn("acknowledge.answers".into(), answering);
        let mut heard = Heard::new(answers);
        let mut failures = 0u32;
        while !lifecycle.is_stopping() {
            status.say(NAME, State::Idle, "", self.desk.clock.now());
            let Some(round) = Box::pin(lifecycle.unless_stopped(self.round(&mut heard))).await else { break };
            let Err((error, pause)) = round else {
                failures = 0;
                continue;
            };
            failures = failures.saturating_add(1);
            tracing::warn!(%error, "could not listen for buttons; trying again");
            status.say(NAME, State::Failing, error, self.desk.clock.now());
            let pause = pause.unwrap_or(Duration::from_millis(500).saturating_mul(1 << failures.min(5)));
            lifecycle.unless_stopped(self.hearing_on(&heard, Hear::IfWaiting, tokio::time::sleep(pause))).await;
        }
    }

    async fn round(&self, heard: &mut Heard) -> Result<(), (String, Option<Duration>)> {
        let store = |error: StoreError| (error.to_string(), None);
        if heard.offset.is_none() {
            let mut reader = self.desk.store.read().await.map_err(store)?;
            heard.offset = Some(marks::find(&mut reader, OFFSET).await.map_err(store)?.unwrap_or(0));
        }
        if heard.is_empty() {
            let (error, updates) = match self.bot.updates(heard.offset(), POLL).await {
                Ok(updates) => (None, updates),
                Err(error) => (Some(error), Vec::new()),
            };
            // the store may be busy: presses are promised their answers before it is asked
            heard.take_in(updates, self.patience);
            heard.look_later();
            let noted = self.note_path(heard.noted_at, error.as_ref());
            let hear = if error.is_none() { Hear::Always } else { Hear::IfWaiting };
            match self.hearing_on(heard, hear, noted).await {
                Ok(at) => heard.noted_at = at,
                // what was heard is worth more than that it was heard
                Err(error) => tracing::warn!(%error, "could not write down whether Telegram answers"),
            }
            if let Some(error) = error {
                return Err(self.pause_for(&error).await);
            }
        }
        while let Some(update) = heard.first() {
            let next = update.update_id + 1;
            let said = self.hearing_on(heard, Hear::Always, self.one(heard, update)).await.map_err(store)?;
            heard.done(next, said);
        }
        Ok(())
    }

    /// The long poll is also the supervision of Telegram: every answer is written down, or that there was none. Gives when
    /// an answer was last written down.
    async fn note_path(
        &self,
        noted_at: Option<DateTime<Utc>>,
        error: Option<&BotError>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let now = self.desk.clock.now();
        if error.is_none() && noted_at.is_some_and(|at| (now - at).abs() < NOTE_EVERY) {
            return Ok(noted_at);
        }
        let text = error.map(ToString::to_string);
        let mut tx = self.desk.store.begin().await?;
        paths::tried(&mut tx, paths::TELEGRAM, text.as_deref(), now).await?;
        tx.commit().await?;
        Ok(error.is_none().then_some(now))
    }

    /// Waits for something that may take long, and meanwhile takes in what else people do.
    async fn hearing_on<T>(&self, heard: &Heard, when: Hear, work: impl Future<Output = T>) -> T {
        let hear = async {
            loop {
                tokio::time::sleep_until(heard.look_at()).await;
                if when == Hear::IfWaiting && heard.is_empty() {
                    heard.look_later();
                    continue;
                }
                if let Ok(updates) = self.bot.updates(heard.offset(), Duration::ZERO).await {
                    // a press may have waited to be heard
                    heard.take_in(updates, self.patience.saturating_sub(LOOK_AGAIN * 2));
                }
                heard.look_later();
            }
        };
        tokio::select! {
            biased;
            done = work => done,
            () = hear => unreachable!("it never ends"),
        }
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

    /// Deals with one update; for a press, what the person is told.
    async fn one(&self, heard: &Heard, update: Incoming) -> Result<Option<String>, StoreError> {
        let next = update.update_id + 1;
        match update.what {
            What::Press { data, chat, message, user_id, .. } => {
                let person = Person { chat, user: user_id };
                self.press(next, person, message.map(|message| message.0), &data).await.map(Some)
            }
            What::Moved { from, to } => {
                let now = self.desk.clock.now();
                let mut tx = self.desk.store.begin().await?;
                marks::chat_moved(&mut tx, from, to).await?;
                notices::move_chat(&mut tx, from, to).await?;
                events::append(&mut tx, &Event::new(now, EventKind::Moved, "the chat has a new number")).await?;
                marks::put(&mut tx, OFFSET, next).await?;
                tx.commit().await.map(|()| None)
            }
            What::Text { chat, user_id, text, reply_to, .. } => {
                let (by, to) = (Person { chat, user: user_id }, reply_to.map(|message| message.0));
                match Command::parse(&text) {
                    Some(command) => self.command(&heard.guests, next, by, command, &text).await.map(|()| None),
                    None => self.answer(&heard.guests, next, by, to, NoteContent::Written(text)).await.map(|()| None),
                }
            }
            What::Voice { chat, user_id, file_id, seconds, reply_to, .. } => {
                let spoken = NoteContent::Spoken { file_id, seconds, file: None };
                let (by, to) = (Person { chat, user: user_id }, reply_to.map(|message| message.0));
                self.answer(&heard.guests, next, by, to, spoken).await.map(|()| None)
            }
            What::Other => self.seen(next).await.map(|()| None),
        }
    }

    async fn press(&self, next: i64, by: Person, message: Option<i64>, data: &str) -> Result<String, StoreError> {
        Ok(match (self.technician(by).await?, Press::parse(data)) {
            (Some(name), Some(press)) => {
                let actor = Actor { name, chat: by.chat };
                let mut tx = self.desk.store.begin().await?;
                let said = self.desk.pressed(&mut tx, &actor, message, &press).await?;
                marks::put(&mut tx, OFFSET, next).await?;
                tx.commit().await?;
                self.desk.ring();
                said
            }
            (known, _) => {
                if known.is_none() {
                    tracing::warn!(stage = "acknowledge", "somebody who is no technician pressed a button");
                }
                self.seen(next).await?;
                let said = if known.is_none() { wording::stranger() } else { wording::unknown_button() };
                said.to_owned()
            }
        })
    }

    /// An answer to one of our messages; anything else is not understood, and in a group not meant for us.
    async fn answer(
        &self,
        guests: &Guests,
        next: i64,
        by: Person,
        to: Option<i64>,
        content: NoteContent,
    ) -> Result<(), StoreError> {
        let Some(name) = self.technician(by).await? else { return self.guest(guests, next, by).await };
        let actor = Actor { name, chat: by.chat };
        let notice = match to {
            Some(message) => {
                let mut reader = self.desk.store.read().await?;
                notices::of_message(&mut reader, by.chat, message).await?
            }
            None => None,
        };
        let mut tx = self.desk.store.begin().await?;
        let said = match &notice {
            Some(notice) => self.desk.answered(&mut tx, &actor, notice, content).await?,
            None => None,
        };
        let unsaid = || by.is_private().then(|| wording::commands::not_understood().to_owned());
        let about_case = notice.is_some_and(|notice| notice.case.is_some());
        if let Some(said) = said.or_else(|| unsaid().filter(|_| !about_case)) {
            self.desk.say_back(&mut tx, &actor, said).await?;
        }
        marks::put(&mut tx, OFFSET, next).await?;
        tx.commit().await?;
        self.desk.ring();
        Ok(())
    }

    /// The technician behind a press: a known user, in his own chat, the office's, or one of those that moved.
    pub(super) async fn technician(&self, by: Person) -> Result<Option<String>, StoreError> {
        let mut reader = self.desk.store.read().await?;
        let duty = self.desk.roster.at(&mut reader, self.desk.clock.now()).await?;
        drop(reader);
        let Some(technician) = duty.technician_of(by.user) else { return Ok(None) };
        let known: Vec<i64> = duty.office().and_then(|office| office.chat).into_iter().chain(technician.chat).collect();
        if by.is_private() || known.contains(&by.chat) {
            return Ok(Some(technician.name.clone()));
        }
        let mut tx = self.desk.store.begin().await?;
        for old in known {
            if marks::moved_chat(&mut tx, old).await? == Some(by.chat) {
                return Ok(Some(technician.name.clone()));
            }
        }
        Ok(None)
    }

    pub(super) async fn seen(&self, next: i64) -> Result<(), StoreError> {
        let mut tx = self.desk.store.begin().await?;
        marks::put(&mut tx, OFFSET, next).await?;
        tx.commit().await
    }
}

//! Listens for buttons. An update is confirmed to Telegram only after what it asked for is committed, together with the
//! update's number: after a crash it comes again and changes nothing.
//!
//! Acts are done one after the other. While one takes long (the store is busy) the listener goes on hearing: every press
//! is answered within a second, whatever else goes on.

use super::answers::Answers;
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
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// The number of the last update that was dealt with.
const OFFSET: &str = "telegram.offset";
/// How long Telegram may keep a poll open.
const POLL: Duration = Duration::from_secs(25);

/// While Telegram answers, that is written down so often.
const NOTE_EVERY: TimeDelta = TimeDelta::seconds(15);
/// While updates wait to be dealt with, Telegram is asked for more so often.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
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

/// Who did something, and in which chat.
#[derive(Debug, Clone, Copy)]
struct Person {
    chat: i64,
    user: i64,
}

/// What was heard and is not dealt with yet, in order.
struct Heard {
    /// Everything before it is dealt with, as the store knows; read once.
    offset: Option<i64>,
    /// When it was last written down that Telegram answers; none while it does not.
    noted_at: Option<DateTime<Utc>>,
    waiting: Mutex<VecDeque<Waiting>>,
    look_at: Mutex<Instant>,
    answers: Answers,
}

struct Waiting {
    update: Incoming,
    /// Says what came of a press.
    say: Option<oneshot::Sender<String>>,
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
            let Some(round) = lifecycle.unless_stopped(self.round(&mut heard)).await else { break };
            let Err((error, pause)) = round else {
                failures = 0;
                continue;
            };
            failures = failures.saturating_add(1);
            tracing::warn!(%error, "could not listen for buttons; trying again");
            status.say(NAME, State::Failing, error, self.desk.clock.now());
            let pause = pause.unwrap_or(Duration::from_millis(500).saturating_mul(1 << failures.min(5)));
            lifecycle.unless_stopped(self.hearing_on(&heard, tokio::time::sleep(pause))).await;
        }
    }

    async fn round(&self, heard: &mut Heard) -> Result<(), (String, Option<Duration>)> {
        let store = |error: StoreError| (error.to_string(), None);
        if heard.offset.is_none() {
            let mut reader = self.desk.store.read().await.map_err(store)?;
            heard.offset = Some(marks::find(&mut reader, OFFSET).await.map_err(store)?.unwrap_or(0));
        }
        if heard.is_empty() {
            let polled = self.bot.updates(heard.offset(), POLL).await;
            self.note_path(heard, polled.as_ref().err()).await.map_err(store)?;
            match polled {
                Ok(updates) => {
                    heard.take_in(updates, self.patience);
                    heard.look_later();
                }
                Err(error) => return Err(self.pause_for(&error).await),
            }
        }
        while let Some(update) = heard.first() {
            let next = update.update_id + 1;
            let said = self.hearing_on(heard, self.one(update)).await.map_err(store)?;
            heard.done(next, said);
        }
        Ok(())
    }

    /// The long poll is also the supervision of Telegram: every answer is written down, or that there was none.
    async fn note_path(&self, heard: &mut Heard, error: Option<&BotError>) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        if error.is_none() && heard.noted_at.is_some_and(|at| (now - at).abs() < NOTE_EVERY) {
            return Ok(());
        }
        heard.noted_at = error.is_none().then_some(now);
        let error = error.map(ToString::to_string);
        let mut tx = self.desk.store.begin().await?;
        paths::tried(&mut tx, paths::TELEGRAM, error.as_deref(), now).await?;
        tx.commit().await
    }

    /// Waits for something that may take long, and meanwhile takes in what else people do.
    async fn hearing_on<T>(&self, heard: &Heard, work: impl Future<Output = T>) -> T {
        let hear = async {
            loop {
                tokio::time::sleep_until(heard.look_at()).await;
                if heard.is_empty() {
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
    async fn one(&self, update: Incoming) -> Result<Option<String>, StoreError> {
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
                let to = reply_to.map(|message| message.0);
                self.answer(next, Person { chat, user: user_id }, to, NoteContent::Written(text)).await.map(|()| None)
            }
            What::Voice { chat, user_id, file_id, seconds, reply_to, .. } => {
                let spoken = NoteContent::Spoken { file_id, seconds, file: None };
                let to = reply_to.map(|message| message.0);
                self.answer(next, Person { chat, user: user_id }, to, spoken).await.map(|()| None)
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
                self.seen(next).await?;
                let said = if known.is_none() { wording::stranger() } else { wording::unknown_button() };
                said.to_owned()
            }
        })
    }

    /// An answer to one of our messages; anything else is only confirmed.
    async fn answer(&self, next: i64, by: Person, to: Option<i64>, content: NoteContent) -> Result<(), StoreError> {
        let (Some(name), Some(message)) = (self.technician(by).await?, to) else { return self.seen(next).await };
        let chat = by.chat;
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
    async fn technician(&self, Person { chat, user }: Person) -> Result<Option<String>, StoreError> {
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

impl Heard {
    fn new(answers: Answers) -> Self {
        Self { offset: None, noted_at: None, waiting: Mutex::default(), look_at: Mutex::new(Instant::now()), answers }
    }

    fn offset(&self) -> i64 {
        self.offset.unwrap_or(0)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When to look for more while something waits.
    fn look_at(&self) -> Instant {
        *self.look_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_later(&self) {
        *self.look_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + LOOK_AGAIN;
    }

    fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    fn first(&self) -> Option<Incoming> {
        self.waiting().front().map(|waiting| waiting.update.clone())
    }

    /// Takes in what is new, and promises an answer to every press.
    fn take_in(&self, updates: Vec<Incoming>, patience: Duration) {
        let mut waiting = self.waiting();
        for update in updates {
            // a look in between tells again of what waits
            if waiting.iter().any(|known| known.update.update_id == update.update_id) {
                continue;
            }
            let say = match &update.what {
                What::Press { callback_id, .. } => Some(self.answers.promise(callback_id, patience)),
                _ => None,
            };
            waiting.push_back(Waiting { update, say });
        }
    }

    /// The first one is dealt with, and committed.
    fn done(&mut self, next: i64, said: Option<String>) {
        self.offset = Some(next);
        let say = self.waiting().pop_front().and_then(|waiting| waiting.say);
        if let (Some(say), Some(said)) = (say, said) {
            // who waited long enough was told already
            say.send(said).ok();
        }
    }
}

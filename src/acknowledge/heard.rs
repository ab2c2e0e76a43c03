//! What was heard and waits to be dealt with: kept in order, and every press is promised its answer.

use super::answers::Answers;
use super::pairing::Guests;
use crate::telegram::{Incoming, What};
use chrono::{DateTime, Utc};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// While updates wait to be dealt with, Telegram is asked for more so often.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// What was heard and is not dealt with yet, in order.
pub(super) struct Heard {
    /// Everything before it is dealt with, as the store knows; read once.
    pub(super) offset: Option<i64>,
    /// When it was last written down that Telegram answers; none while it does not.
    pub(super) noted_at: Option<DateTime<Utc>>,
    waiting: Mutex<VecDeque<Waiting>>,
    look_at: Mutex<Instant>,
    answers: Answers,
    /// How often people we do not know were dealt with.
    pub(super) guests: Guests,
}

struct Waiting {
    update: Incoming,
    /// Says what came of a press.
    say: Option<oneshot::Sender<String>>,
}

impl Heard {
    pub(super) fn new(answers: Answers) -> Self {
        Self {
            offset: None,
            noted_at: None,
            waiting: Mutex::default(),
            look_at: Mutex::new(Instant::now()),
            answers,
            guests: Guests::default(),
        }
    }

    pub(super) fn offset(&self) -> i64 {
        self.offset.unwrap_or(0)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When to look for more while something waits.
    pub(super) fn look_at(&self) -> Instant {
        *self.look_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn look_later(&self) {
        *self.look_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now() + LOOK_AGAIN;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    pub(super) fn first(&self) -> Option<Incoming> {
        self.waiting().front().map(|waiting| waiting.update.clone())
    }

    /// Takes in what is new, and promises an answer to every press.
    pub(super) fn take_in(&self, updates: Vec<Incoming>, patience: Duration) {
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
    pub(super) fn done(&mut self, next: i64, said: Option<String>) {
        self.offset = Some(next);
        let say = self.waiting().pop_front().and_then(|waiting| waiting.say);
        if let (Some(say), Some(said)) = (say, said) {
            // who waited long enough was told already
            say.send(said).ok();
        }
    }
}

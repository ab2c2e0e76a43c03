//! The little answers to presses. Each goes out on its own: one that hangs delays no other.
//!
//! Promise: a press that was heard is answered in time, with what came of it or, where that takes longer, with "is being
//! worked on". What it asked for does not depend on its answer.

use crate::telegram::{Bot, Failure};
use crate::wording;
use futures::stream::{FuturesUnordered, StreamExt as _};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

/// So many answers are under way at once; more than Telegram tells of in one go.
const UNDER_WAY: usize = 256;
/// An answer without an echo for so long is sent once more: Telegram ignores the second of two.
const ECHO: Duration = Duration::from_secs(2);
/// So often one answer is tried. Whoever pressed waits some seconds, not longer.
const TRIES: u32 = 3;
/// Between two tries, and the longest pause asked for that is kept.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Where presses are handed in.
#[derive(Clone)]
pub(super) struct Answers(mpsc::Sender<Press>);

/// A press that waits for its answer.
struct Press {
    callback: String,
    said: oneshot::Receiver<String>,
    deadline: Instant,
}

impl Answers {
    /// The way in, and the task that answers; it ends when the last way in is gone and everything is answered.
    pub(super) fn open(bot: Bot) -> (Self, impl Future<Output = ()>) {
        let (sender, presses) = mpsc::channel(UNDER_WAY);
        (Self(sender), answer_all(bot, presses))
    }

    /// Takes a press. What came of it is said by what this gives; if that is late or dropped, the person is told that it
    /// is being worked on.
    pub(super) fn promise(&self, callback: &str, patience: Duration) -> oneshot::Sender<String> {
        let (say, said) = oneshot::channel();
        let press = Press { callback: callback.to_owned(), said, deadline: Instant::now() + patience };
        if self.0.try_send(press).is_err() {
            tracing::warn!("too many presses at once: one is dealt with and not answered");
        }
        say
    }
}

async fn answer_all(bot: Bot, mut presses: mpsc::Receiver<Press>) {
    let mut under_way = FuturesUnordered::new();
    loop {
        tokio::select! {
            press = presses.recv(), if under_way.len() < UNDER_WAY => match press {
                Some(press) => under_way.push(answer(&bot, press)),
                None => break,
            },
            Some(()) = under_way.next() => {}
        }
    }
    while under_way.next().await.is_some() {}
}

async fn answer(bot: &Bot, press: Press) {
    let said = match tokio::time::timeout_at(press.deadline, press.said).await {
        Ok(Ok(said)) => said,
        _ => wording::under_way().to_owned(),
    };
    for _ in 0..TRIES {
        let pause = match tokio::time::timeout(ECHO, bot.answer(&press.callback, Some(&said), false)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => match error.kind() {
                Failure::Wait(pause) => pause.min(LONGEST_PAUSE),
                Failure::Again | Failure::Unknown => PAUSE,
                _ => break,
            },
            Err(_) => Duration::ZERO,
        };
        tokio::time::sleep(pause).await;
    }
    // The act stands whether or not the little answer arrives.
    tracing::warn!("the answer to a press did not get out");
}

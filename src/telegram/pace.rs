//! Keeps this bot within what Telegram allows: 30 messages a second in all, one a second in a chat, 20 a minute in a
//! group (there edits count too).
//!
//! It promises: a chat that has to wait is told so at once and holds up no other; every clone of a bot counts in the
//! same book. What counts is when a request *arrives*, and requests overtake each other: a chat's second begins with the
//! answer; over all chats 25 leave in a second, evenly, and 5 at most are unanswered, so that no more than 30 can meet
//! at Telegram's door. A pause that Telegram asks for is remembered for the chat it was about, and
//! never for all: a 429 does not say whom it means, and one busy chat must not silence the others.
//!
//! Own code instead of the `governor` crate: its GCRA has either a burst or an even pace, so "20 in any minute" would
//! cost a group two thirds of its first alarms or let 40 through; asking several limiters spends from the first when the
//! second refuses; a place cannot be given back, nor a pause of Telegram's be entered. What is left is this small book.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::BotError;

/// Between two messages, over all chats: 25 in a second.
const GAP: Duration = Duration::from_millis(40);
/// Messages that are on their way at once, over all chats.
const UNANSWERED: usize = 5;
/// A request unanswered for so long has arrived or never will: it does not hold up others.
const ARRIVED: Duration = Duration::from_secs(3);
/// Messages in any minute in one group.
const IN_GROUP: usize = 20;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
/// A chat's wait too short to put a message back for.
const BLINK: Duration = Duration::from_millis(50);
/// Longest wait for a place among all chats.
const CROWD: Duration = Duration::from_secs(1);
/// So many chats are kept before those that may send again are forgotten.
const CHATS: usize = 256;

/// Who may send when. Clones share one book.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    on: bool,
    book: Arc<Mutex<Book>>,
    unanswered: Arc<Semaphore>,
}

/// A place that was taken; counted until a second (a minute, in a group) after it is dropped.
pub(super) struct Turn(Option<Place>);

struct Place {
    pace: Pace,
    chat: i64,
    at: Instant,
    permit: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Default)]
struct Book {
    /// When the next message may leave, whatever its chat.
    next: Option<Instant>,
    chats: HashMap<i64, Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// The newest places, ascending.
    sent: VecDeque<Instant>,
    /// Until then Telegram wants nothing for this chat.
    held: Option<Instant>,
}

impl Pace {
    /// `on` false: everybody may always send.
    pub(super) fn new(on: bool) -> Self {
        Self { on, book: Arc::default(), unanswered: Arc::new(Semaphore::new(UNANSWERED)) }
    }

    /// Takes a place for one message, and waits for it if it is near.
    ///
    /// # Errors
    /// [`BotError::Wait`] if the chat has to wait, or all have to for more than a second; nothing is taken then.
    pub(super) async fn turn(&self, chat: i64) -> Result<Turn, BotError> {
        if !self.on {
            return Ok(Turn(None));
        }
        self.book().may(chat, Instant::now()).map_err(BotError::Wait)?;
        let permit = tokio::time::timeout(CROWD, self.unanswered.clone().acquire_owned()).await;
        let permit = permit.map_err(|_| BotError::Wait(CROWD))?.ok();
        let now = Instant::now();
        let at = self.book().take(chat, now).map_err(BotError::Wait)?;
        let turn = Turn(Some(Place { pace: self.clone(), chat, at, permit }));
        tokio::time::sleep(at.saturating_duration_since(now)).await;
        Ok(turn)
    }

    /// As [`Pace::turn`], but waits for the chat in place, for a minute at most.
    pub(super) async fn patient_turn(&self, chat: i64) -> Result<Turn, BotError> {
        let end = Instant::now() + MINUTE;
        loop {
            match self.turn(chat).await {
                Err(BotError::Wait(pause)) if Instant::now() + pause <= end => tokio::time::sleep(pause).await,
                result => return result,
            }
        }
    }

    /// A place for an edit: only groups count those.
    ///
    /// # Errors
    /// As [`Pace::turn`].
    pub(super) async fn edit_turn(&self, chat: i64) -> Result<Turn, BotError> {
        if is_group(chat) { self.turn(chat).await } else { Ok(Turn(None)) }
    }

    /// Remembers a pause that Telegram asked for.
    pub(super) fn heed<R>(&self, chat: i64, result: &Result<R, BotError>) {
        if let (true, Err(BotError::Wait(pause))) = (self.on, result) {
            self.book().hold(chat, Instant::now() + *pause);
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Does what the place was taken for. A request that provably never left takes no place.
    pub(super) async fn spend<R>(mut self, request: impl Future<Output = Result<R, BotError>>) -> Result<R, BotError> {
        let Some(place) = &mut self.0 else { return request.await };
        let mut request = std::pin::pin!(request);
        let result = if let Ok(result) = tokio::time::timeout(ARRIVED, &mut request).await {
            result
        } else {
            place.permit = None;
            request.await
        };
        if let Err(BotError::NotReached(_) | BotError::Invalid(_)) = result
            && let Some(place) = self.0.take()
        {
            place.pace.book().give_back(place.chat, place.at);
        }
        result
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(place) = self.0.take() {
            place.pace.book().settle(place.chat, place.at, Instant::now());
        }
    }
}

impl Book {
    /// When a message to this chat may leave, at the earliest.
    fn free_at(&self, chat: i64, now: Instant) -> Instant {
        self.chats.get(&chat).map_or(now, |recent| recent.free_at(chat, now))
    }

    /// Whether it is worth while to wait for this chat, or how long to wait before asking again.
    fn may(&self, chat: i64, now: Instant) -> Result<Instant, Duration> {
        let at = self.free_at(chat, now);
        if at - now > BLINK { Err(at - now) } else { Ok(at) }
    }

    /// The place of the next message to this chat, or how long to wait before asking again.
    fn take(&mut self, chat: i64, now: Instant) -> Result<Instant, Duration> {
        let at = self.may(chat, now)?.max(self.next.unwrap_or(now));
        if at - now > CROWD {
            return Err(at - now);
        }
        if self.chats.len() >= CHATS {
            self.chats.retain(|chat, recent| !recent.is_past(*chat, now));
        }
        self.next = Some(at + GAP);
        insert(&mut self.chats.entry(chat).or_default().sent, at, places(chat));
        Ok(at)
    }

    fn give_back(&mut self, chat: i64, at: Instant) {
        if let Some(recent) = self.chats.get_mut(&chat) {
            remove(&mut recent.sent, at);
        }
    }

    fn settle(&mut self, chat: i64, at: Instant, now: Instant) {
        let recent = self.chats.entry(chat).or_default();
        remove(&mut recent.sent, at);
        insert(&mut recent.sent, now.max(at), places(chat));
    }

    fn hold(&mut self, chat: i64, until: Instant) {
        let held = &mut self.chats.entry(chat).or_default().held;
        *held = (*held).max(Some(until));
    }
}

impl Recent {
    fn free_at(&self, chat: i64, now: Instant) -> Instant {
        let second = self.sent.back().map(|last| *last + SECOND);
        let nth = if is_group(chat) { self.sent.len().checked_sub(IN_GROUP) } else { None };
        let minute = nth.and_then(|nth| self.sent.get(nth)).map(|nth| *nth + MINUTE);
        [second, minute, self.held].into_iter().flatten().fold(now, Instant::max)
    }

    /// Nothing of it counts any more.
    fn is_past(&self, chat: i64, now: Instant) -> bool {
        let counts = if is_group(chat) { MINUTE } else { SECOND };
        self.held.is_none_or(|until| until <= now) && self.sent.back().is_none_or(|last| *last + counts <= now)
    }
}

fn is_group(chat: i64) -> bool {
    chat < 0
}

/// How many places of a chat are kept: one more than count, so that one may be given back.
fn places(chat: i64) -> usize {
    if is_group(chat) { IN_GROUP + 1 } else { 2 }
}

fn insert(places: &mut VecDeque<Instant>, at: Instant, most: usize) {
    places.insert(places.partition_point(|other| *other <= at), at);
    while places.len() > most {
        places.pop_front();
    }
}

fn remove(places: &mut VecDeque<Instant>, at: Instant) {
    if let Some(index) = places.iter().position(|other| *other == at) {
        places.remove(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: i64 = 71;
    const GROUP: i64 = -500;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_chat_has_one_message_a_second_counted_from_the_answer() {
        let (mut book, start) = (Book::default(), Instant::now());
        let at = book.take(ANNA, start).unwrap();
        assert_eq!(at, start);
        assert_eq!(book.take(ANNA, start), Err(SECOND));
        book.settle(ANNA, at, start + ms(300));
        assert_eq!(book.free_at(ANNA, start + ms(400)), start + ms(1_300));
        assert_eq!(book.take(ANNA, start + ms(1_000)), Err(ms(300)));
        assert_eq!(book.take(ANNA, start + ms(1_260)), Ok(start + ms(1_300)), "so near that it is not put back");
        assert_eq!(book.take(72, start + SECOND * 3), Ok(start + SECOND * 3), "another chat does not wait");
    }

    #[test]
    fn a_group_has_twenty_in_any_minute() {
        let (mut book, start) = (Book::default(), Instant::now());
        for second in 0..20 {
            assert_eq!(book.take(GROUP, start + ms(second * 1_000)), Ok(start + ms(second * 1_000)));
        }
        assert_eq!(book.take(GROUP, start + ms(30_000)), Err(ms(30_000)));
        for second in 60..80 {
            assert_eq!(book.take(GROUP, start + ms(second * 1_000)), Ok(start + ms(second * 1_000)));
        }
        assert!(book.take(GROUP, start + ms(80_000)).is_err());
    }

    #[test]
    fn all_chats_together_leave_evenly_twenty_five_a_second() {
        let (mut book, start) = (Book::default(), Instant::now());
        for chat in 0..=25_u32 {
            assert_eq!(book.take(1_000 + i64::from(chat), start), Ok(start + GAP * chat));
        }
        assert_eq!(book.take(9, start), Err(SECOND + GAP), "too long to be waited for");
        assert_eq!(book.take(9, start + SECOND * 5), Ok(start + SECOND * 5));
    }

    #[test]
    fn a_pause_asked_for_holds_its_chat_only() {
        let (mut book, start) = (Book::default(), Instant::now());
        book.hold(ANNA, start + ms(17_000));
        book.hold(ANNA, start + ms(3_000));
        assert_eq!(book.take(ANNA, start), Err(ms(17_000)));
        assert_eq!(book.take(GROUP, start), Ok(start));
        assert_eq!(book.take(ANNA, start + ms(17_000)), Ok(start + ms(17_000)));
    }

    #[test]
    fn what_never_left_takes_no_place() {
        let (mut book, start) = (Book::default(), Instant::now());
        for _ in 0..20 {
            let at = book.take(GROUP, start).unwrap();
            book.give_back(GROUP, at);
        }
        assert_eq!(book.free_at(GROUP, start), start);
    }

    #[test]
    fn chats_that_may_send_again_are_forgotten() {
        let (mut book, start) = (Book::default(), Instant::now());
        book.hold(ANNA, start + MINUTE * 60);
        for chat in 0..10_000_u32 {
            let now = start + ms(40) * chat;
            book.take(1_000 + i64::from(chat), now).unwrap();
        }
        assert!(book.chats.len() <= CHATS + 1, "{}", book.chats.len());
        assert!(book.take(ANNA, start).is_err(), "the pause is not forgotten");
    }
}

//! How much Telegram takes: measured always, refused on request. By this machine's monotonic clock, whatever clock a test
//! moves by hand. Stricter than the real one, which tolerates short bursts; group edits count as messages.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::World;

const OVERALL: usize = 30;
const IN_CHAT: usize = 1;
const IN_GROUP: usize = 20;
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);

/// The most messages that were taken within any sliding second or minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peaks {
    /// Over all chats, in a second.
    pub(crate) overall: usize,
    /// In one chat, in a second.
    pub(crate) chat: usize,
    /// In one group, in a minute.
    pub(crate) group: usize,
}

impl Peaks {
    /// Whether Telegram would have taken it all.
    pub(crate) fn are_allowed(self) -> bool {
        self.overall <= OVERALL && self.chat <= IN_CHAT && self.group <= IN_GROUP
    }
}

/// What was taken, and whether more than Telegram allows is refused.
#[derive(Default)]
pub(super) struct Traffic {
    taken: Vec<(Instant, i64)>,
    pub(super) limited: bool,
}

/// Whether a call counts.
pub(super) fn counts(method: &str, chat: Option<i64>) -> bool {
    method.starts_with("send") || (method.starts_with("edit") && chat.is_some_and(|chat| chat < 0))
}

impl Traffic {
    pub(super) fn take(&mut self, chat: i64, now: Instant) {
        self.taken.push((now, chat));
    }

    /// How long a message to this chat has to wait now.
    pub(super) fn wait(&self, chat: i64, now: Instant) -> Option<Duration> {
        let mine = || self.taken.iter().rev().filter(|(_, other)| *other == chat);
        let free = |nth: Option<&(Instant, i64)>, span| nth.map(|(at, _)| *at + span).filter(|free| *free > now);
        let overall = free(self.taken.iter().rev().nth(OVERALL - 1), SECOND);
        let in_chat = free(mine().nth(IN_CHAT - 1), SECOND);
        let in_group = if chat < 0 { free(mine().nth(IN_GROUP - 1), MINUTE) } else { None };
        [overall, in_chat, in_group].into_iter().flatten().max().map(|free| free - now)
    }

    fn peaks(&self) -> Peaks {
        let mut chats: HashMap<i64, Vec<Instant>> = HashMap::new();
        for (at, chat) in &self.taken {
            chats.entry(*chat).or_default().push(*at);
        }
        let all: Vec<Instant> = self.taken.iter().map(|(at, _)| *at).collect();
        let groups = chats.iter().filter(|(chat, _)| **chat < 0).map(|(_, times)| most(times, MINUTE));
        Peaks {
            overall: most(&all, SECOND),
            chat: chats.values().map(|times| most(times, SECOND)).max().unwrap_or(0),
            group: groups.max().unwrap_or(0),
        }
    }
}

/// The most of these ascending times within any such span.
fn most(times: &[Instant], span: Duration) -> usize {
    let mut first = 0;
    let within = |(last, at): (usize, &Instant)| {
        while *at - times[first] >= span {
            first += 1;
        }
        last - first + 1
    };
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

impl World {
    /// The highest rates so far.
    pub(crate) fn peaks(&self) -> Peaks {
        self.traffic.peaks()
    }
}

/// Chance with a seed (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// 0 to 99.
    pub(super) fn percent(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        u32::try_from((mixed ^ (mixed >> 31)) % 100).expect("below a hundred")
    }
}

#[test]
fn more_than_telegram_takes_has_to_wait() {
    let start = Instant::now();
    let at = |ms: u64| start + Duration::from_millis(ms);
    let mut traffic = Traffic::default();
    traffic.take(71, at(0));
    assert_eq!(traffic.wait(71, at(400)), Some(Duration::from_millis(600)));
    assert_eq!((traffic.wait(71, at(1_000)), traffic.wait(72, at(0))), (None, None));
    (1..30).for_each(|chat| traffic.take(chat, at(0)));
    assert_eq!(traffic.wait(99, at(10)), Some(Duration::from_millis(990)));
    (1..=20).for_each(|second| traffic.take(-5, at(second * 1_000)));
    assert_eq!(traffic.wait(-5, at(21_000)), Some(Duration::from_secs(40)));
    assert_eq!(traffic.peaks(), Peaks { overall: 30, chat: 1, group: 20 });
    assert!(traffic.peaks().are_allowed());
    traffic.take(-5, at(60_999));
    assert_eq!(traffic.peaks().group, 21);
    assert!(!traffic.peaks().are_allowed());
}

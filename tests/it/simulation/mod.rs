//! Thousands of random nights, without a database and without a network. Covers F-20 to F-24, F-80, F-82, F-83, F-85, F-87,
//! F-93 and I2 to I6, I12.
//!
//! Real: `Case` (opened, allows, act, wake, `set_back`), `Policy` and `Quiet` and `Patience` from real settings, business
//! hours, `roster::Plan::at`. Modelled, as little as it takes (`model`): the rows of notices with journal, lease and
//! back-off, whom a policy's words mean, the other ways, phones that fail. What is watched after every event: `oracle`.
//!
//! The seed of a night that fails is printed; `NACHTWACHE_SEED=4711 cargo test --test it simulation` tells it again, with
//! its story. `NACHTWACHE_NIGHTS=10000 cargo test --test it simulation` runs as many; without it 2,000 run.

mod firm;
mod model;
mod night;
mod oracle;

use firm::Firm;
use night::Night;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Xorshift: a seed makes a night repeatable.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        dice.roll(2);
        dice
    }

    /// 0 to `below`, not included.
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % below
    }

    /// Whether something of so many per cent happens.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.roll(100) < chance
    }

    pub(crate) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.roll(u64::try_from(len).unwrap())).unwrap()
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    pub(crate) fn between(&mut self, from: i64, until: i64) -> i64 {
        from + i64::try_from(self.roll(u64::try_from(until - from).unwrap())).unwrap()
    }
}

/// An engine that is broken in one way: the oracle must see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// As it is.
    None,
    /// After three rings nothing is due.
    PolicyStops,
    /// A wake that leaves the due time where it was.
    StandsStill,
    /// Something is due, three hours late.
    ComesLate,
    /// What was planned is sent without looking again.
    LooksNotAgain,
    /// The last one wins.
    AnybodyMay,
    /// Whoever cannot be reached is waited for.
    WaitsForTheLost,
    /// Whoever takes a case has the customer's consent.
    MakesUpConsent,
    /// Each ring is told three times.
    RingsThrice,
    /// What was about to be sent when the service died counts as sent.
    TrustsTheJournal,
    /// Who took it and forgot it is never asked again.
    TakenIsKept,
    /// A restart drops a case.
    DropsAtRestart,
    /// A clock that was set back is not seen.
    SetBackUnseen,
    /// The second way never begins.
    OneWayOnly,
}

const FLAWS: [Flaw; 13] = [
    Flaw::PolicyStops,
    Flaw::StandsStill,
    Flaw::ComesLate,
    Flaw::LooksNotAgain,
    Flaw::AnybodyMay,
    Flaw::WaitsForTheLost,
    Flaw::MakesUpConsent,
    Flaw::RingsThrice,
    Flaw::TrustsTheJournal,
    Flaw::TakenIsKept,
    Flaw::DropsAtRestart,
    Flaw::SetBackUnseen,
    Flaw::OneWayOnly,
];

fn number(name: &str) -> Option<u64> {
    #[expect(clippy::disallowed_methods, reason = "which night is told, and how many")]
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}

/// How a night ends, and everything that happened in it.
fn tell(firms: &[Firm], seed: u64, flaw: Flaw) -> (Result<(), String>, String) {
    let mut night = Night::new(firms, seed, flaw).told();
    let end = night.pass();
    (end, night.story())
}

#[test]
fn no_random_night_loses_a_case_or_wakes_who_must_sleep() {
    let firms = Firm::all();
    if let Some(seed) = number("NACHTWACHE_SEED") {
        let (end, story) = tell(&firms, seed, Flaw::None);
        panic!("night {seed}: {end:?}\n{story}");
    }
    let (nights, first) = (number("NACHTWACHE_NIGHTS").unwrap_or(2000), 20_261_121);
    let (began, next) = (Instant::now(), AtomicU64::new(first));
    let some = || {
        let mut all = night::Seen::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + nights {
                return all;
            }
            let mut night = Night::new(&firms, seed, Flaw::None);
            if let Err(wrong) = night.pass() {
                panic!("NACHTWACHE_SEED={seed}: {wrong}\n{}", tell(&firms, seed, Flaw::None).1);
            }
            all.add(&night.seen);
        }
    };
    let mut seen = night::Seen::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(some)).collect();
        for thread in threads {
            seen.add(&thread.join().expect("a night ends well; what went wrong is said above"));
        }
    });
    eprintln!("{nights} nights from seed {first}, {:.1} s: {seen:?}", began.elapsed().as_secs_f64());
    assert!(seen.is_rich(), "the nights are too quiet to say anything: {seen:?}");
}

#[test]
fn every_way_to_break_it_is_seen() {
    let firms = Firm::all();
    for flaw in FLAWS {
        let caught = (1..=300).find_map(|seed| Some((seed, Night::new(&firms, seed, flaw).pass().err()?)));
        let (seed, wrong) = caught.unwrap_or_else(|| panic!("{flaw:?} is not seen in 300 nights"));
        eprintln!("{flaw:?}: night {seed}: {wrong}");
    }
}

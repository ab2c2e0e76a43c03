//! How much of the machine there is to use: its cores, less those that somebody else keeps busy.
//!
//! Why look at all: threads that work on the same chunk wait for each other in a loop. On a machine that does something
//! else this takes many times as long as one thread alone.

use crate::transcribe::child::side_by_side::Share;
use std::num::NonZeroUsize;
use std::time::Duration;

/// More threads than this bring nothing to one chunk.
const MOST: usize = 8;
/// The kernel is asked so often, in such intervals: a single look would see whoever happens to run.
const LOOKS: usize = 5;
const INTERVAL: Duration = Duration::from_millis(1);

/// The share by the settings `transcribe.states` and `transcribe.threads`; 0 = by the machine and who else uses it now.
#[must_use]
pub(super) fn share(states: u32, threads: u32) -> Share {
    let threads = set(threads).unwrap_or_else(|| at_least_one(cores().get().saturating_sub(others())));
    Share { states: self::states(states), threads }
}

/// The states by the setting `transcribe.states`; 0 = as many as the machine has cores.
#[must_use]
pub fn states(setting: u32) -> NonZeroUsize {
    set(setting).unwrap_or_else(cores)
}

fn set(setting: u32) -> Option<NonZeroUsize> {
    usize::try_from(setting).ok().and_then(NonZeroUsize::new)
}

fn cores() -> NonZeroUsize {
    at_least_one(std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST))
}

fn at_least_one(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN)
}

/// How many others want a core, by the median of some looks; 0 where the kernel does not say.
fn others() -> usize {
    let mut looks = [0; LOOKS];
    for look in &mut looks {
        std::thread::sleep(INTERVAL);
        *look = std::fs::read_to_string("/proc/loadavg").ok().and_then(|text| running(&text)).unwrap_or(1);
    }
    looks.sort_unstable();
    // we are one of them
    looks[LOOKS / 2].saturating_sub(1)
}

/// The number of threads that run or want to, from `0.20 0.18 0.12 3/80 11206` (proc(5)).
fn running(loadavg: &str) -> Option<usize> {
    loadavg.split_whitespace().nth(3)?.split_once('/')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_says_how_many_want_to_run() {
        assert_eq!(running("0.20 0.18 0.12 3/80 11206\n"), Some(3));
        for odd in ["", "0.20 0.18", "0.20 0.18 0.12 x/80 1"] {
            assert_eq!(running(odd), None);
        }
    }

    #[test]
    fn settings_count_and_nothing_is_never_used() {
        let set = share(3, 5);
        assert_eq!((set.states.get(), set.threads.get()), (3, 5));
        let automatic = share(0, 0);
        assert!(automatic.threads.get() >= 1 && automatic.states >= automatic.threads);
    }
}

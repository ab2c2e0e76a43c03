//! How often a password may be tried: by network, by name and network, and by name from browsers nobody knows, whether
//! somebody has that name or not: which ones exist is not told. Nobody is locked out of a browser he used before
//! by tries from elsewhere.

use super::answer::Trouble;
use super::proxy::network;
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

/// What tries are counted by. Kept in memory: a restart forgets them, and is nobody's to cause.
pub(crate) struct Tries {
    networks: DefaultKeyedRateLimiter<IpAddr>,
    pairs: DefaultKeyedRateLimiter<(String, IpAddr)>,
    names: DefaultKeyedRateLimiter<String>,
}

/// At first so many at once, then one per `every`.
fn quota(at_once: u32, every: Duration) -> Quota {
    let at_once = NonZeroU32::new(at_once).unwrap_or(NonZeroU32::MIN);
    Quota::with_period(every).unwrap_or_else(|| Quota::per_hour(at_once)).allow_burst(at_once)
}

impl Default for Tries {
    fn default() -> Self {
        Self {
            // 20 in 15 minutes
            networks: RateLimiter::keyed(quota(20, Duration::from_secs(45))),
            // 5 in 15 minutes
            pairs: RateLimiter::keyed(quota(5, Duration::from_mins(3))),
            // 60 in the first hour, 50 in each later one, from however many networks
            names: RateLimiter::keyed(quota(10, Duration::from_secs(72))),
        }
    }
}

impl Tries {
    /// Counts a try for a name from the network of an address.
    ///
    /// # Errors
    /// Where there were too many; how long to wait.
    pub(super) fn count(&self, name: &str, address: IpAddr) -> Result<(), Trouble> {
        let network = network(address);
        checked(&self.networks, &network)?;
        checked(&self.pairs, &(name.to_lowercase(), network))
    }

    /// Counts a try for a name from a browser that nobody knows.
    ///
    /// # Errors
    /// As `count`.
    pub(super) fn count_stranger(&self, name: &str) -> Result<(), Trouble> {
        checked(&self.names, &name.to_lowercase())
    }

    /// Forgets what is long ago.
    pub(super) fn tidy(&self) {
        self.networks.retain_recent();
        self.pairs.retain_recent();
        self.names.retain_recent();
    }
}

fn checked<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K) -> Result<(), Trouble> {
    limiter.check_key(key).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        Trouble::TooOften(wait.as_secs().saturating_add(1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(last: u8) -> IpAddr {
        IpAddr::from([203, 0, 113, last])
    }

    #[test]
    fn one_network_has_five_tries_for_a_name_and_twenty_for_all() {
        let tries = Tries::default();
        let passed = (0..30).filter(|_| tries.count("petra", from(1)).is_ok()).count();
        assert_eq!(passed, 5);
        assert!(tries.count("Petra", from(1)).is_err(), "capitals are no way round");
        let others = (0..30).filter(|index| tries.count(&format!("name{index}"), from(2)).is_ok()).count();
        assert_eq!(others, 20);
    }

    #[test]
    fn a_thousand_networks_have_no_more_tries_for_one_name_than_sixty_an_hour() {
        let tries = Tries::default();
        let at_once = (0..1000).filter(|_| tries.count_stranger("Petra").is_ok()).count();
        assert_eq!(at_once, 10, "and one each 72 s after that");
    }
}

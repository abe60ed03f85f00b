//! Failed sign-ins slow down, by account and by address, and never lock anybody out.
//!
//! - One address on one account: after five failures a pause of a minute, for that address alone.
//! - One address on any accounts: after twenty failures a pause of a minute.
//! - One account from any addresses: after ten failures each further answer takes two seconds longer. It is never refused, so
//!   that nobody can keep the owner out.
//!
//! An account is what was typed as the e-mail address, whether there is one or not. Failures are forgotten after a quarter of an
//! hour without another.

use crate::domain::time::Timestamp;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

const FREE_PAIR: u32 = 5;
const FREE_ADDRESS: u32 = 20;
const FREE_ACCOUNT: u32 = 10;
/// Seconds.
const PAUSE: i64 = 60;
/// Seconds.
const FORGET: i64 = 900;
const SLOWDOWN: Duration = Duration::from_secs(2);
/// Counters kept at most: about 10 MB. Past it the oldest go.
const BOUND: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Pair(String, IpAddr),
    Address(IpAddr),
    Account(String),
}

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    last: Timestamp,
}

/// What is to be done before a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Go,
    /// Answer later by this much.
    Slow(Duration),
    /// Do not try: again after this many seconds.
    Paused(i64),
}

/// The counters of this process.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<HashMap<Counted, Counter>>);

/// An IPv6 customer has a /64: its addresses count as one.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

fn counted(account: &str, ip: Option<IpAddr>) -> Vec<Counted> {
    let mut all = vec![Counted::Account(account.to_owned())];
    if let Some(ip) = ip.map(network) {
        all.push(Counted::Address(ip));
        all.push(Counted::Pair(account.to_owned(), ip));
    }
    all
}

impl Throttle {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<Counted, Counter>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says whether a try may be made now.
    pub fn ask(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Verdict {
        self.with(|counters| {
            let mut verdict = Verdict::Go;
            for key in counted(account, ip) {
                let Some(counter) = counters.get(&key).filter(|c| now.seconds_since(c.last) < FORGET) else { continue };
                let rest = PAUSE - now.seconds_since(counter.last);
                let paused = match key {
                    Counted::Pair(..) => counter.failures >= FREE_PAIR && rest > 0,
                    Counted::Address(_) => counter.failures >= FREE_ADDRESS && rest > 0,
                    Counted::Account(_) => {
                        if counter.failures >= FREE_ACCOUNT {
                            verdict = Verdict::Slow(SLOWDOWN);
                        }
                        false
                    }
                };
                if paused {
                    return Verdict::Paused(rest);
                }
            }
            verdict
        })
    }

    /// Counts a failure; says how many tries are left before a pause.
    pub fn failed(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) -> u32 {
        self.with(|counters| {
            if counters.len() + 3 > BOUND {
                counters.retain(|_, counter| now.seconds_since(counter.last) < FORGET);
            }
            if counters.len() + 3 > BOUND {
                // A flood of addresses: what is older than its own pause makes room, and if need be everything.
                counters.retain(|_, counter| now.seconds_since(counter.last) < PAUSE);
                if counters.len() + 3 > BOUND {
                    counters.clear();
                }
            }
            let mut left = FREE_PAIR;
            for key in counted(account, ip) {
                let is_pair = matches!(key, Counted::Pair(..));
                let counter = counters.entry(key).or_insert(Counter { failures: 0, last: now });
                if now.seconds_since(counter.last) >= FORGET {
                    counter.failures = 0;
                }
                counter.failures = counter.failures.saturating_add(1);
                counter.last = now;
                if is_pair {
                    left = FREE_PAIR.saturating_sub(counter.failures);
                }
            }
            left
        })
    }

    /// A sign-in that went well clears the pair; the address keeps its count, or one account of one's own would pay for guessing
    /// at others.
    pub fn succeeded(&self, account: &str, ip: Option<IpAddr>) {
        self.with(|counters| {
            if let Some(ip) = ip.map(network) {
                counters.remove(&Counted::Pair(account.to_owned(), ip));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, last]))
    }

    #[test]
    fn five_failures_pause_that_address_alone() {
        let throttle = Throttle::default();
        let left: Vec<_> = (0..5).map(|_| throttle.failed("m", ip(1), NOW)).collect();
        assert_eq!(left, [4, 3, 2, 1, 0]);
        assert_eq!(throttle.ask("m", ip(1), NOW), Verdict::Paused(60));
        assert_eq!(throttle.ask("m", ip(2), NOW), Verdict::Go);
        assert_eq!(throttle.ask("n", ip(1), NOW), Verdict::Go);
        assert_eq!(throttle.ask("m", ip(1), NOW.plus_seconds(60)), Verdict::Go);
    }

    #[test]
    fn an_account_under_attack_gets_slower_and_is_never_refused() {
        let throttle = Throttle::default();
        for last in 0..200 {
            throttle.failed("m", ip(last), NOW);
        }
        assert_eq!(throttle.ask("m", ip(250), NOW), Verdict::Slow(SLOWDOWN));
        assert_eq!(throttle.ask("m", ip(250), NOW.plus_seconds(FORGET)), Verdict::Go);
    }

    #[test]
    fn one_address_cannot_try_many_accounts() {
        let throttle = Throttle::default();
        for n in 0..20 {
            throttle.failed(&n.to_string(), ip(1), NOW);
        }
        assert_eq!(throttle.ask("new", ip(1), NOW), Verdict::Paused(60));
        throttle.succeeded("new", ip(1));
        assert_eq!(throttle.ask("new", ip(1), NOW), Verdict::Paused(60));
    }

    #[test]
    fn a_success_clears_the_pair_and_a_prefix_counts_as_one() {
        let throttle = Throttle::default();
        let v6 = |text: &str| Some(text.parse().unwrap());
        for n in 0..5 {
            throttle.failed("m", v6(&format!("2001:db8:1:2::{n}")), NOW);
        }
        assert_eq!(throttle.ask("m", v6("2001:db8:1:2:ffff::1"), NOW), Verdict::Paused(60));
        throttle.succeeded("m", v6("2001:db8:1:2::9"));
        assert_eq!(throttle.ask("m", v6("2001:db8:1:2::1"), NOW), Verdict::Go);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..(BOUND as u32) {
            throttle.failed("m", Some(IpAddr::from(n.to_be_bytes())), NOW);
        }
        assert!(throttle.with(|counters| counters.len()) <= BOUND);
    }
}

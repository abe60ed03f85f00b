//! Failed sign-ins slow down, by account and by address, and never lock anybody out.
//!
//! - One address on one account: after five failures a pause of a minute, for that address on that account alone.
//! - One address on any accounts: after twenty failures each further answer takes longer, up to twenty seconds. It is never
//!   refused: a whole office, or everybody behind a proxy that is not trusted, may be one address.
//! - One account from any addresses: after ten failures each further answer takes longer, up to ten seconds. It is never refused,
//!   so that nobody can keep the owner out.
//!
//! - Codes of one person's second factor, from any addresses: after twenty failures a pause of a minute after each. Six digits can
//!   be guessed, and whoever is asked for them has the password.
//!
//! A try counts when it begins, and is given back when it turns out to be none: tries that are sent together do not pass together.
//! An account is what was typed as the e-mail address, whether there is one or not. Failures are forgotten after a quarter of an
//! hour without another. Guesses from very many addresses at once are slowed, not stopped: what stops them is the password.

use crate::domain::time::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

const FREE_PAIR: u32 = 5;
const FREE_ADDRESS: u32 = 20;
const FREE_ACCOUNT: u32 = 10;
const FREE_CODES: u32 = 20;
/// Seconds.
const PAUSE: i64 = 60;
/// Seconds.
const FORGET: i64 = 900;
/// What each failure past the free ones adds to the time of an answer, in seconds.
const STEP: u32 = 2;
/// The longest that an answer is kept back, in seconds; below the limit of time for an answer.
const SLOWEST_ADDRESS: u32 = 20;
const SLOWEST_ACCOUNT: u32 = 10;
/// Counters kept at most: about 15 MB. Past it the oldest go.
const BOUND: usize = 100_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Pair(Account, IpAddr),
    Address(IpAddr),
    Account(Account),
}

/// SHA-256 of what was typed: every counter is small, and no address stands in memory.
type Account = [u8; 32];

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
    let account: Account = Sha256::digest(account).into();
    let mut all = vec![Counted::Account(account)];
    if let Some(ip) = ip.map(network) {
        all.push(Counted::Address(ip));
        all.push(Counted::Pair(account, ip));
    }
    all
}

/// How long an answer is kept back after this many failures.
fn slowed(failures: u32, free: u32, slowest: u32) -> Duration {
    Duration::from_secs(u64::from(failures.saturating_sub(free).saturating_mul(STEP).min(slowest)))
}

impl Throttle {
    fn with<T>(&self, f: impl FnOnce(&mut HashMap<Counted, Counter>) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a try: says whether it may be made now, and counts it if so.
    pub fn enter(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Verdict {
        self.begin(account, ip, now, None)
    }

    /// As [`Self::enter`], for what could be guessed: the account itself is paused too.
    pub fn enter_code(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Verdict {
        self.begin(account, ip, now, Some(FREE_CODES))
    }

    fn begin(&self, account: &str, ip: Option<IpAddr>, now: Timestamp, most: Option<u32>) -> Verdict {
        self.with(|counters| {
            make_room(counters, now);
            let keys = counted(account, ip);
            let mut wait = Duration::ZERO;
            for key in &keys {
                let Some(counter) = counters.get(key).filter(|c| now.seconds_since(c.last) < FORGET) else { continue };
                let rest = PAUSE - now.seconds_since(counter.last);
                match key {
                    Counted::Pair(..) if counter.failures >= FREE_PAIR && rest > 0 => return Verdict::Paused(rest),
                    Counted::Pair(..) => {}
                    Counted::Account(_) if most.is_some_and(|most| counter.failures >= most) && rest > 0 => {
                        return Verdict::Paused(rest);
                    }
                    Counted::Address(_) => wait = wait.max(slowed(counter.failures, FREE_ADDRESS, SLOWEST_ADDRESS)),
                    Counted::Account(_) => wait = wait.max(slowed(counter.failures, FREE_ACCOUNT, SLOWEST_ACCOUNT)),
                }
            }
            for key in keys {
                let counter = counters.entry(key).or_insert(Counter { failures: 0, last: now });
                if now.seconds_since(counter.last) >= FORGET {
                    counter.failures = 0;
                }
                counter.failures = counter.failures.saturating_add(1);
                counter.last = now;
            }
            if wait.is_zero() { Verdict::Go } else { Verdict::Slow(wait) }
        })
    }

    /// How many tries of this address on this account are left before a pause.
    pub fn left(&self, account: &str, ip: Option<IpAddr>) -> u32 {
        self.with(|counters| {
            let pair = counted(account, ip).pop().filter(|key| matches!(key, Counted::Pair(..)));
            let failures = pair.and_then(|key| counters.get(&key)).map_or(0, |counter| counter.failures);
            FREE_PAIR.saturating_sub(failures)
        })
    }

    /// Takes back a try that was none: the server had no turn for it.
    pub fn give_back(&self, account: &str, ip: Option<IpAddr>) {
        self.with(|counters| {
            for key in counted(account, ip) {
                if let Some(counter) = counters.get_mut(&key) {
                    counter.failures = counter.failures.saturating_sub(1);
                }
            }
        });
    }

    /// A sign-in that went well clears the pair. Address and account keep their count of failures, or one account of one's own
    /// would pay for guessing at others.
    pub fn succeeded(&self, account: &str, ip: Option<IpAddr>) {
        self.give_back(account, ip);
        self.with(|counters| {
            if let Some(pair @ Counted::Pair(..)) = counted(account, ip).pop() {
                counters.remove(&pair);
            }
        });
    }
}

/// Forgets what is old; in a flood of addresses what is older than its own pause too, and if need be everything.
fn make_room(counters: &mut HashMap<Counted, Counter>, now: Timestamp) {
    for age in [FORGET, PAUSE, 0] {
        if counters.len() + 3 > BOUND {
            counters.retain(|_, counter| now.seconds_since(counter.last) < age);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([203, 0, 113, last]))
    }

    fn tries(throttle: &Throttle, account: &str, ip: Option<IpAddr>, count: usize) {
        for _ in 0..count {
            throttle.enter(account, ip, NOW);
        }
    }

    #[test]
    fn codes_are_paused_whatever_the_address() {
        let throttle = Throttle::default();
        for n in 0..20 {
            let verdict = throttle.enter_code("m", ip(n), NOW);
            assert!(!matches!(verdict, Verdict::Paused(_)), "{n}");
        }
        assert_eq!(throttle.enter_code("m", ip(99), NOW), Verdict::Paused(60));
        assert!(!matches!(throttle.enter_code("n", ip(99), NOW), Verdict::Paused(_)));
        assert!(!matches!(throttle.enter_code("m", ip(99), NOW.plus_seconds(60)), Verdict::Paused(_)));
        assert_eq!(throttle.enter_code("m", ip(98), NOW.plus_seconds(60)), Verdict::Paused(60), "one try a minute");
    }

    #[test]
    fn five_failures_pause_that_address_alone() {
        let throttle = Throttle::default();
        let left: Vec<_> = (0..5)
            .map(|_| {
                assert_eq!(throttle.enter("m", ip(1), NOW), Verdict::Go);
                throttle.left("m", ip(1))
            })
            .collect();
        assert_eq!(left, [4, 3, 2, 1, 0]);
        assert_eq!(throttle.enter("m", ip(1), NOW), Verdict::Paused(60));
        assert_eq!(throttle.enter("m", ip(2), NOW), Verdict::Go);
        assert_eq!(throttle.enter("n", ip(1), NOW), Verdict::Go);
        assert_eq!(throttle.enter("m", ip(1), NOW.plus_seconds(60)), Verdict::Go);
        assert_eq!(throttle.enter("m", ip(1), NOW.plus_seconds(61)), Verdict::Paused(59));
    }

    #[test]
    fn an_account_under_attack_gets_slower_and_is_never_refused() {
        let throttle = Throttle::default();
        (0..10).for_each(|last| tries(&throttle, "m", ip(last), 1));
        assert_eq!(throttle.enter("m", ip(11), NOW), Verdict::Go);
        assert_eq!(throttle.enter("m", ip(12), NOW), Verdict::Slow(Duration::from_secs(2)));
        (13..200).for_each(|last| tries(&throttle, "m", ip(last), 1));
        assert_eq!(throttle.enter("m", ip(250), NOW), Verdict::Slow(Duration::from_secs(10)));
        assert_eq!(throttle.enter("m", ip(251), NOW.plus_seconds(FORGET)), Verdict::Go);
    }

    #[test]
    fn one_address_on_many_accounts_gets_slower_and_is_never_refused() {
        let throttle = Throttle::default();
        (0..22).for_each(|n| tries(&throttle, &n.to_string(), ip(1), 1));
        assert_eq!(throttle.enter("new", ip(1), NOW), Verdict::Slow(Duration::from_secs(4)));
        throttle.succeeded("new", ip(1));
        assert_eq!(
            throttle.enter("newer", ip(1), NOW),
            Verdict::Slow(Duration::from_secs(4)),
            "a success pays for nothing"
        );
    }

    #[test]
    fn a_try_that_was_none_is_given_back() {
        let throttle = Throttle::default();
        for _ in 0..50 {
            assert_eq!(throttle.enter("m", ip(1), NOW), Verdict::Go);
            throttle.give_back("m", ip(1));
        }
        assert_eq!(throttle.left("m", ip(1)), 5);
    }

    #[test]
    fn a_success_clears_the_pair_and_a_prefix_counts_as_one() {
        let throttle = Throttle::default();
        let v6 = |text: &str| Some(text.parse().unwrap());
        (0..5).for_each(|n| tries(&throttle, "m", v6(&format!("2001:db8:1:2::{n}")), 1));
        assert_eq!(throttle.enter("m", v6("2001:db8:1:2:ffff::1"), NOW), Verdict::Paused(60));
        throttle.succeeded("m", v6("2001:db8:1:2::9"));
        assert_eq!(throttle.enter("m", v6("2001:db8:1:2::1"), NOW), Verdict::Go);
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        (0..(BOUND as u32)).for_each(|n| tries(&throttle, "m", Some(IpAddr::from(n.to_be_bytes())), 1));
        assert!(throttle.with(|counters| counters.len()) <= BOUND);
    }
}

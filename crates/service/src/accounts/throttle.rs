//! Sign-in throttle: limits failed guesses by account and by client address, without locking the account owner out.
//!
//! | counter | free failures | then |
//! |---|---|---|
//! | one address on one account | 5 | one guess a minute |
//! | one address on any accounts | 20 | one guess every 2 s to 10 s |
//! | one account from any addresses | 10 | one guess every 2 s to 30 s |
//! | codes or reauthentications of one user, from any addresses | 20 | one guess a minute |
//!
//! The interval between two guesses grows by 2 s with each failure. Concurrent guesses queue for their turns: a guess
//! waits up to 20 s (address) or 10 s (account), and is denied if its turn comes later.
//!
//! An address that sent the right password within the last 30 days is known to the account. For a known address only
//! the first row applies, so that guesses from other addresses do not lock the owner out. From an unknown address the
//! owner can reset the password by email; after that, the address is known too.
//!
//! Codes at sign-in are counted separately from reauthentication and password changes within a session, and each of the
//! two has its own known addresses. For codes, only a right code makes an address known. The password alone does not,
//! because an attacker may have it, so guesses at codes from many addresses share one counter.
//!
//! A guess counts when it begins. It is refunded if it was right or was not compared. The caller parses what it counts:
//! an account is an [`Email`](keyward_domain::email::Email) or an ID, whether it exists or not. Failures expire 15
//! minutes after the last one. Guesses from many addresses at many accounts are limited by the account counters alone.

use crate::Error;
use keyward_domain::{
    network::client_network,
    security::SIGN_IN_PAUSE,
    time::{DAY, Timestamp},
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

const FREE_PAIR: u32 = 5;
const FREE_CODES: u32 = 20;
/// Interval between two guesses of one address on one account, and between two codes of one user, in seconds.
const PAUSE: i64 = SIGN_IN_PAUSE;
/// Time after the last failure at which a counter expires, in seconds.
const COUNTER_LIFETIME: i64 = 900;
/// Increase of the interval between two guesses per failure, in seconds.
const STEP: i64 = 2;
/// Time for which an address stays known to an account, in seconds.
const KNOWN: i64 = 30 * DAY;
/// Maximum number of counters, and of known addresses: about 15 MB each. The oldest are dropped.
const ENTRIES_MAX: usize = 100_000;

/// Limits of a counter over many pairs. Times are in seconds.
struct CounterLimits {
    free: u32,
    longest_interval: i64,
    /// Shorter than the time limit of a response.
    longest_wait: i64,
}

const ADDRESS: CounterLimits = CounterLimits { free: 20, longest_interval: 10, longest_wait: 20 };
const ACCOUNT: CounterLimits = CounterLimits { free: 10, longest_interval: 30, longest_wait: 10 };

/// Kind of secret that is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// Password.
    Password,
    /// Second-factor code or user code, which is short enough to be guessed.
    Code,
    /// Request for an email, or a code of 128 bits. The account counter is skipped because it would only lock the owner
    /// out.
    Request,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum CounterKey {
    Pair(Account, IpAddr),
    Address(IpAddr),
    Account(Account),
}

/// SHA-256 of the account name. Counters stay small, and no email address is kept in memory.
type Account = [u8; 32];

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    /// Turn of the last guess. It is in the future while that guess waits.
    last: Timestamp,
}

/// Decision about a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allow,
    /// Compare after this delay.
    Delay(Duration),
    /// Denied. The caller may retry after this many seconds.
    Paused(i64),
}

#[derive(Debug, Default)]
struct ThrottleState {
    counters: HashMap<CounterKey, Counter>,
    /// Time at which an address became known to an account.
    known: HashMap<(Account, IpAddr), Timestamp>,
}

/// Throttle counters of this process.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<ThrottleState>);

fn digest(account: &str) -> Account {
    Sha256::digest(account).into()
}

fn counter_keys(account: &str, ip: Option<IpAddr>) -> Vec<CounterKey> {
    let account = digest(account);
    let mut all = vec![CounterKey::Account(account)];
    if let Some(ip) = ip.map(client_network) {
        all.push(CounterKey::Address(ip));
        all.push(CounterKey::Pair(account, ip));
    }
    all
}

/// Returns the seconds until the next turn of this counter.
fn wait(counter: &Counter, turns: &CounterLimits, now: Timestamp) -> i64 {
    let past = i64::from(counter.failures.saturating_sub(turns.free));
    let interval = past.saturating_mul(STEP).min(turns.longest_interval);
    if interval == 0 { 0 } else { (interval - now.seconds_since(counter.last)).max(0) }
}

impl Throttle {
    fn with<T>(&self, f: impl FnOnce(&mut ThrottleState) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a guess. Returns whether and when it may be compared, and counts it unless it is denied.
    pub fn count_guess(&self, guess: Guess, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Verdict {
        self.with(|memory| {
            make_room(&mut memory.counters, now);
            let known = ip.is_some_and(|ip| memory.is_known(digest(account), client_network(ip), now));
            let keys = counter_keys(account, ip);
            let mut delay = 0;
            for key in &keys {
                let Some(counter) = memory.counters.get(key) else { continue };
                if now.seconds_since(counter.last) >= COUNTER_LIFETIME {
                    continue;
                }
                let paused =
                    |free: u32| if counter.failures >= free { PAUSE - now.seconds_since(counter.last) } else { 0 };
                let (rest, longest) = match key {
                    CounterKey::Pair(..) => (paused(FREE_PAIR), 0),
                    CounterKey::Account(_) if guess == Guess::Request => continue,
                    CounterKey::Address(_) | CounterKey::Account(_) if known => continue,
                    CounterKey::Account(_) if guess == Guess::Code => (paused(FREE_CODES), 0),
                    CounterKey::Address(_) => (wait(counter, &ADDRESS, now), ADDRESS.longest_wait),
                    CounterKey::Account(_) => (wait(counter, &ACCOUNT, now), ACCOUNT.longest_wait),
                };
                if rest > longest {
                    return Verdict::Paused(rest);
                }
                delay = delay.max(rest);
            }
            let turn = now.plus_seconds(delay);
            for key in keys {
                let counter = memory.counters.entry(key).or_insert(Counter { failures: 0, last: turn });
                if now.seconds_since(counter.last) >= COUNTER_LIFETIME {
                    counter.failures = 0;
                }
                counter.failures = counter.failures.saturating_add(1);
                counter.last = counter.last.max(turn);
            }
            if delay == 0 { Verdict::Allow } else { Verdict::Delay(Duration::from_secs(delay.unsigned_abs())) }
        })
    }

    /// Begins a guess and waits for its turn.
    ///
    /// # Errors
    /// [`Error::Paused`] if the guess is denied.
    pub async fn admit(&self, guess: Guess, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        match self.count_guess(guess, account, ip, now) {
            Verdict::Allow => {}
            Verdict::Delay(by) => tokio::time::sleep(by).await,
            Verdict::Paused(seconds) => return Err(Error::Paused { seconds }),
        }
        Ok(())
    }

    /// Returns how many guesses this address has left on this account before a pause.
    pub fn remaining_guesses(&self, account: &str, ip: Option<IpAddr>) -> u32 {
        self.with(|memory| {
            let pair = counter_keys(account, ip).pop().filter(|key| matches!(key, CounterKey::Pair(..)));
            let failures = pair.and_then(|key| memory.counters.get(&key)).map_or(0, |counter| counter.failures);
            FREE_PAIR.saturating_sub(failures)
        })
    }

    /// Refunds a guess that was not compared.
    pub fn refund(&self, account: &str, ip: Option<IpAddr>) {
        self.with(|memory| {
            for key in counter_keys(account, ip) {
                if let Some(counter) = memory.counters.get_mut(&key) {
                    counter.failures = counter.failures.saturating_sub(1);
                }
            }
        });
    }

    /// Marks this address as known to this account.
    pub fn remember_address(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) {
        let Some(ip) = ip.map(client_network) else { return };
        self.with(|memory| memory.remember_address(digest(account), ip, now));
    }

    /// Records a right guess: refunds it, clears the pair counter, and marks the address as known. The other counters
    /// keep their failures. Otherwise an attacker could reset them by signing in to an account of their own.
    pub fn record_success(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) {
        self.refund(account, ip);
        let Some(ip) = ip.map(client_network) else { return };
        let account = digest(account);
        self.with(|memory| {
            memory.counters.remove(&CounterKey::Pair(account, ip));
            memory.remember_address(account, ip, now);
        });
    }
}

impl ThrottleState {
    fn is_known(&self, account: Account, ip: IpAddr, now: Timestamp) -> bool {
        self.known.get(&(account, ip)).is_some_and(|at| now.seconds_since(*at) < KNOWN)
    }

    fn remember_address(&mut self, account: Account, ip: IpAddr, now: Timestamp) {
        for age in [KNOWN, DAY, 0] {
            if self.known.len() >= ENTRIES_MAX {
                self.known.retain(|_, at| now.seconds_since(*at) < age);
            }
        }
        self.known.insert((account, ip), now);
    }
}

/// Drops expired counters. When the map is full, also drops counters older than their pause, and finally all counters.
fn make_room(counters: &mut HashMap<CounterKey, Counter>, now: Timestamp) {
    for age in [COUNTER_LIFETIME, PAUSE, -COUNTER_LIFETIME] {
        if counters.len() + 3 > ENTRIES_MAX {
            counters.retain(|_, counter| now.seconds_since(counter.last) < age);
        }
    }
}

#[cfg(test)]
mod tests;

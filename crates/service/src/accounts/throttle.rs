//! Limits failed guesses by account and by client address, without locking an owner out.
//!
//! | counter | free failures | then |
//! |---|---|---|
//! | one address on one account | 5 | one guess a minute |
//! | one address on any accounts | 20 | one guess every 2 s to 10 s |
//! | one account from any addresses | 10 | one guess every 2 s to 30 s |
//! | codes or proofs of one user, from any addresses | 20 | one guess a minute |
//!
//! The interval between two guesses grows by 2 s with each failure. Guesses that are sent at the same time queue for these turns:
//! a guess waits up to 20 s (address) or 10 s (account), and is refused if its turn comes later. To an address from
//! which the right password was given within 30 days only the first row applies, so that guesses from elsewhere do not keep the
//! owner out. From another address the owner sets a new password by email, after which that address is known too.
//!
//! Codes at sign-in are counted apart from reauthentication and password changes within a session, and each of the two knows its
//! own addresses. To the codes an address is known by a right code: the password alone, which somebody else may hold, makes no
//! address known, so that guesses at codes from many addresses share one counter.
//!
//! A guess counts when it begins, and is given back if it was right or was not compared. The caller parses what it counts: an
//! account is an [`Email`](keyward_domain::email::Email) or an id, whether it exists or not. Failures are forgotten 15 minutes after
//! the last one. Guesses from many addresses at many accounts are bounded by the accounts' limits alone.

use crate::Error;
use keyward_domain::{
    network::subscriber,
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
/// Seconds between two guesses of one address on one account, and between two codes of one person.
const PAUSE: i64 = 60;
/// Seconds.
const FORGET: i64 = 900;
/// What each failure adds to the interval between two guesses, in seconds.
const STEP: i64 = 2;
/// Seconds for which an address is known to an account.
const KNOWN: i64 = 30 * DAY;
/// Most counters, and most known addresses: about 15 MB each. The oldest are dropped.
const BOUND: usize = 100_000;

/// How a counter over many pairs slows guesses. Seconds.
struct Turns {
    free: u32,
    longest_interval: i64,
    /// Below the time limit for a response.
    longest_wait: i64,
}

const ADDRESS: Turns = Turns { free: 20, longest_interval: 10, longest_wait: 20 };
const ACCOUNT: Turns = Turns { free: 10, longest_interval: 30, longest_wait: 10 };

/// What is guessed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guess {
    /// A password.
    Password,
    /// A second factor or a user code, which is short enough to be found.
    Code,
    /// A request for an email, or a code of 128 bits: the account's own counter would only keep its owner out.
    Request,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Counted {
    Pair(Account, IpAddr),
    Address(IpAddr),
    Account(Account),
}

/// SHA-256 of the account: every counter is small, and no address is in memory.
type Account = [u8; 32];

#[derive(Clone, Copy, Debug)]
struct Counter {
    failures: u32,
    /// The turn of the last guess; in the future while it waits.
    last: Timestamp,
}

/// What is to be done before a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Go,
    /// Compare after this time.
    Slow(Duration),
    /// Do not compare: again after this many seconds.
    Paused(i64),
}

#[derive(Debug, Default)]
struct Memory {
    counters: HashMap<Counted, Counter>,
    /// Since when an address is known to an account.
    known: HashMap<(Account, IpAddr), Timestamp>,
}

/// The counters of this process.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Memory>);

fn digest(account: &str) -> Account {
    Sha256::digest(account).into()
}

fn counted(account: &str, ip: Option<IpAddr>) -> Vec<Counted> {
    let account = digest(account);
    let mut all = vec![Counted::Account(account)];
    if let Some(ip) = ip.map(subscriber) {
        all.push(Counted::Address(ip));
        all.push(Counted::Pair(account, ip));
    }
    all
}

/// Seconds until the next turn of this counter.
fn wait(counter: &Counter, turns: &Turns, now: Timestamp) -> i64 {
    let past = i64::from(counter.failures.saturating_sub(turns.free));
    let interval = past.saturating_mul(STEP).min(turns.longest_interval);
    if interval == 0 { 0 } else { (interval - now.seconds_since(counter.last)).max(0) }
}

impl Throttle {
    fn with<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Begins a guess: says whether and when it may be compared, and counts it unless it is refused.
    pub fn enter(&self, guess: Guess, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Verdict {
        self.with(|memory| {
            make_room(&mut memory.counters, now);
            let known = ip.is_some_and(|ip| memory.knows(digest(account), subscriber(ip), now));
            let keys = counted(account, ip);
            let mut delay = 0;
            for key in &keys {
                let Some(counter) = memory.counters.get(key) else { continue };
                if now.seconds_since(counter.last) >= FORGET {
                    continue;
                }
                let paused =
                    |free: u32| if counter.failures >= free { PAUSE - now.seconds_since(counter.last) } else { 0 };
                let (rest, longest) = match key {
                    Counted::Pair(..) => (paused(FREE_PAIR), 0),
                    Counted::Account(_) if guess == Guess::Request => continue,
                    Counted::Address(_) | Counted::Account(_) if known => continue,
                    Counted::Account(_) if guess == Guess::Code => (paused(FREE_CODES), 0),
                    Counted::Address(_) => (wait(counter, &ADDRESS, now), ADDRESS.longest_wait),
                    Counted::Account(_) => (wait(counter, &ACCOUNT, now), ACCOUNT.longest_wait),
                };
                if rest > longest {
                    return Verdict::Paused(rest);
                }
                delay = delay.max(rest);
            }
            let turn = now.plus_seconds(delay);
            for key in keys {
                let counter = memory.counters.entry(key).or_insert(Counter { failures: 0, last: turn });
                if now.seconds_since(counter.last) >= FORGET {
                    counter.failures = 0;
                }
                counter.failures = counter.failures.saturating_add(1);
                counter.last = counter.last.max(turn);
            }
            if delay == 0 { Verdict::Go } else { Verdict::Slow(Duration::from_secs(delay.unsigned_abs())) }
        })
    }

    /// Begins a guess and waits for its turn.
    ///
    /// # Errors
    /// [`Error::Paused`] if the guess is refused.
    pub async fn admit(&self, guess: Guess, account: &str, ip: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        match self.enter(guess, account, ip, now) {
            Verdict::Go => {}
            Verdict::Slow(by) => tokio::time::sleep(by).await,
            Verdict::Paused(seconds) => return Err(Error::Paused { seconds }),
        }
        Ok(())
    }

    /// How many guesses of this address on this account are left before a pause.
    pub fn left(&self, account: &str, ip: Option<IpAddr>) -> u32 {
        self.with(|memory| {
            let pair = counted(account, ip).pop().filter(|key| matches!(key, Counted::Pair(..)));
            let failures = pair.and_then(|key| memory.counters.get(&key)).map_or(0, |counter| counter.failures);
            FREE_PAIR.saturating_sub(failures)
        })
    }

    /// Gives back a guess that was not compared.
    pub fn give_back(&self, account: &str, ip: Option<IpAddr>) {
        self.with(|memory| {
            for key in counted(account, ip) {
                if let Some(counter) = memory.counters.get_mut(&key) {
                    counter.failures = counter.failures.saturating_sub(1);
                }
            }
        });
    }

    /// Knows this address of this account from now on.
    pub fn know(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) {
        let Some(ip) = ip.map(subscriber) else { return };
        self.with(|memory| memory.know(digest(account), ip, now));
    }

    /// Notes a right guess: gives it back, clears the pair, and from now on knows the address. The counters of address and account
    /// keep their failures: otherwise an account of one's own would pay for guesses at others.
    pub fn succeeded(&self, account: &str, ip: Option<IpAddr>, now: Timestamp) {
        self.give_back(account, ip);
        let Some(ip) = ip.map(subscriber) else { return };
        let account = digest(account);
        self.with(|memory| {
            memory.counters.remove(&Counted::Pair(account, ip));
            memory.know(account, ip, now);
        });
    }
}

impl Memory {
    fn knows(&self, account: Account, ip: IpAddr, now: Timestamp) -> bool {
        self.known.get(&(account, ip)).is_some_and(|at| now.seconds_since(*at) < KNOWN)
    }

    fn know(&mut self, account: Account, ip: IpAddr, now: Timestamp) {
        for age in [KNOWN, DAY, 0] {
            if self.known.len() >= BOUND {
                self.known.retain(|_, at| now.seconds_since(*at) < age);
            }
        }
        self.known.insert((account, ip), now);
    }
}

/// Forgets what is old; in a flood of addresses what is older than its own pause too, and if need be everything.
fn make_room(counters: &mut HashMap<Counted, Counter>, now: Timestamp) {
    for age in [FORGET, PAUSE, -FORGET] {
        if counters.len() + 3 > BOUND {
            counters.retain(|_, counter| now.seconds_since(counter.last) < age);
        }
    }
}

#[cfg(test)]
mod tests;

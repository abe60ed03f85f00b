//! Rate limits of keys, of client addresses, and of lookups for unknown keys. The algorithm is in `gcra`.
//!
//! The crate `governor` has one quota for all keys of a limiter, in a state that cannot be saved. Here limits differ
//! between keys and change at run time. Limits of an hour or more survive the process: they are saved with each flush
//! of the usage counters ([`super::usage`]) and loaded before the first call. Each node counts independently: behind N
//! nodes a key has up to N times its limit. If two nodes, or a node and its previous process, saved a quota, the later
//! time applies.

mod addresses;
mod gcra;
mod miss_limiter;

pub use addresses::AddressLimit;
pub(crate) use miss_limiter::MissLimiter;

use super::sharded_map::{Map, Shards};
use gcra::Bucket;
use keyward_domain::{ids::KeyId, rate::RateLimit, time::Timestamp};

/// The remaining quota of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub limit: RateLimit,
    /// Calls that are allowed immediately.
    pub remaining: u32,
    /// Seconds, rounded up, until the full burst is available again.
    pub reset: u32,
    /// Seconds, rounded up, until the next call is allowed; 0 if it is allowed now.
    pub retry_after: u32,
}

/// The bucket of a key, and whether it changed since it was last saved.
#[derive(Debug)]
struct Entry {
    bucket: Bucket,
    changed: bool,
}

/// The rate limits of this process; clones share them. There is one entry for each key with used quota: 56 bytes, plus
/// the overhead of the map.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    used: Shards<Map<KeyId, Entry>>,
}

impl Limits {
    /// Takes one call from the key's quota, if one is left.
    ///
    /// # Errors
    /// The current quota, if no call is left. The denied call costs nothing.
    pub fn try_acquire(&self, key: KeyId, limit: &RateLimit, now: Timestamp) -> Result<Quota, Quota> {
        let mut used = self.used.lock_shard(key);
        let entry = used.entry(key).or_insert_with(|| Entry { bucket: Bucket::new(*limit, now), changed: false });
        let taken = entry.bucket.try_acquire(limit, now);
        entry.changed |= taken.is_ok();
        taken
    }

    /// Returns the quotas that changed since the last call and that survive a restart: key ids and the times at which
    /// their quota is full again, in microseconds since the epoch. The caller saves them. Removes keys whose quota is
    /// full, which loses nothing.
    pub fn changed(&self, now: Timestamp) -> Vec<(KeyId, i64)> {
        let mut changed = Vec::new();
        for mut used in self.used.lock_each() {
            used.retain(|key, entry| {
                let whole_at = entry.bucket.full_at();
                let whole = whole_at <= now.micros();
                if std::mem::take(&mut entry.changed) && entry.bucket.is_persistent() && !whole {
                    changed.push((*key, whole_at));
                }
                !whole
            });
            // Releases memory after a peak.
            if used.capacity() > 64 && used.len() < used.capacity() / 8 {
                used.shrink_to_fit();
            }
        }
        changed
    }

    /// Restores the saved quota of a key, unless more of it is used by now.
    pub fn restore(&self, key: KeyId, limit: RateLimit, whole_at: Timestamp, now: Timestamp) {
        let saved = Bucket::restore(limit, whole_at, now);
        let mut used = self.used.lock_shard(key);
        if used.get(&key).is_none_or(|known| known.bucket.full_at() < saved.full_at()) {
            used.insert(key, Entry { bucket: saved, changed: false });
        }
    }

    /// Returns the number of keys with used quota.
    pub fn len(&self) -> usize {
        self.used.lock_each().map(|used| used.len()).sum()
    }

    /// Returns whether no key has used quota.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);

    fn key(n: u128) -> KeyId {
        Uuid::from_u128(n).into()
    }

    #[test]
    fn every_key_has_its_own() {
        let limits = Limits::default();
        let (one, two) = ("1/minute".parse().unwrap(), "2/hour".parse().unwrap());
        for n in 0..1_000 {
            assert!(limits.try_acquire(key(n), &one, NOW).is_ok());
            assert!(limits.try_acquire(key(n), &one, NOW).is_err());
            assert!(limits.try_acquire(key(1_000_000 + n), &two, NOW).is_ok());
        }
        assert_eq!(limits.len(), 2_000);
    }

    #[test]
    fn what_is_whole_is_forgotten_and_what_is_kept_is_told_once() {
        let limits = Limits::default();
        let (minute, hour) = ("60/minute".parse().unwrap(), "60/hour".parse().unwrap());
        for n in 0..500 {
            limits.try_acquire(key(n), if n % 2 == 0 { &minute } else { &hour }, NOW).unwrap();
        }
        let mut told = limits.changed(NOW);
        told.sort_unstable();
        assert_eq!(told.len(), 250, "those of an hour");
        assert_eq!(told[0], (key(1), NOW.plus_seconds(60).micros()));
        assert_eq!(limits.changed(NOW), [], "nothing changed since");
        assert_eq!(limits.len(), 500);
        assert_eq!(limits.changed(NOW.plus_seconds(1)), []);
        assert_eq!(limits.len(), 250, "a call of a minute's sixty is back after a second");
        limits.changed(NOW.plus_seconds(60));
        assert!(limits.is_empty());
    }

    #[test]
    fn a_refused_call_changes_nothing_that_is_saved() {
        let limits = Limits::default();
        let limit = "1/day".parse().unwrap();
        limits.try_acquire(key(1), &limit, NOW).unwrap();
        assert_eq!(limits.changed(NOW).len(), 1);
        limits.try_acquire(key(1), &limit, NOW.plus_seconds(5)).unwrap_err();
        assert_eq!(limits.changed(NOW.plus_seconds(5)), []);
    }

    #[test]
    fn the_later_instant_holds() {
        let limits = Limits::default();
        let limit: RateLimit = "2/hour".parse().unwrap();
        limits.restore(key(1), limit, NOW.plus_seconds(3_600), NOW);
        assert_eq!(limits.try_acquire(key(1), &limit, NOW).unwrap_err().retry_after, 1_800);
        limits.restore(key(1), limit, NOW.plus_seconds(1), NOW);
        assert!(limits.try_acquire(key(1), &limit, NOW).is_err(), "an older one takes nothing back");
        limits.try_acquire(key(2), &limit, NOW).unwrap();
        limits.restore(key(2), limit, NOW.plus_seconds(3_600), NOW);
        assert!(limits.try_acquire(key(2), &limit, NOW).is_err(), "a later one is believed");
    }

    #[test]
    fn calls_at_once_get_the_burst_and_no_more() {
        let limits = Limits::default();
        let limit: RateLimit = "100/day".parse().unwrap();
        let allowed = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|thread| {
                    let limits = &limits;
                    // The clocks of the threads differ by some microseconds.
                    let now = Timestamp::from_micros(NOW.micros() - thread * 7);
                    scope.spawn(move || (0..50).filter(|_| limits.try_acquire(key(1), &limit, now).is_ok()).count())
                })
                .collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(allowed, 100);
    }
}

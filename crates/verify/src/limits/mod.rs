//! How often a key may still be used.
//!
//! A crate (`governor`) keeps one quota for all keys of a limiter, in a state that cannot be saved; ours differ from key to key, are
//! changed while they run, and those of an hour or more outlive the process: they are saved with each flush of what was counted
//! ([`super::usage`]), and loaded before the first call. A node counts by itself: behind N nodes a key has up to N times its limit.
//! Of what two nodes saved, or one and the life before it, the later instant holds.

mod addresses;
mod gcra;

pub use addresses::AddressLimit;

use super::shards::{Map, Shards};
use gcra::Bucket;
use keyward_domain::{ids::KeyId, rate::RateLimit, time::Timestamp};

/// What is left of a key's rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub limit: RateLimit,
    /// Calls that may come at once now.
    pub remaining: u32,
    /// Seconds, rounded up, until the whole burst may come again.
    pub reset: u32,
    /// Seconds, rounded up, until the next call may come; 0 if it may come now.
    pub retry_after: u32,
}

/// What a key has used, and whether that is saved.
#[derive(Debug)]
struct Entry {
    bucket: Bucket,
    changed: bool,
}

/// The limits of this process; clones share them. One entry a key of which something is used: 56 bytes, and the map’s room.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    used: Shards<Map<KeyId, Entry>>,
}

impl Limits {
    /// Takes one call of the key's rate, if one is left.
    ///
    /// # Errors
    /// What the quota is, if none is left: the call then costs nothing.
    pub fn take(&self, key: KeyId, limit: &RateLimit, now: Timestamp) -> Result<Quota, Quota> {
        let mut used = self.used.of(key);
        let entry = used.entry(key).or_insert_with(|| Entry { bucket: Bucket::whole(*limit, now), changed: false });
        let taken = entry.bucket.take(limit, now);
        entry.changed |= taken.is_ok();
        taken
    }

    /// What has changed since it was last asked and outlives a restart: keys, and from when their quota is whole again, in
    /// microseconds since the epoch. Whoever asks saves it. Keys whose quota is whole are forgotten: nothing is lost with them.
    pub fn changed(&self, now: Timestamp) -> Vec<(KeyId, i64)> {
        let mut changed = Vec::new();
        for mut used in self.used.each() {
            used.retain(|key, entry| {
                let whole_at = entry.bucket.whole_at();
                let whole = whole_at <= now.micros();
                if std::mem::take(&mut entry.changed) && entry.bucket.is_kept() && !whole {
                    changed.push((*key, whole_at));
                }
                !whole
            });
            // After a rush the room goes back too.
            if used.capacity() > 64 && used.len() < used.capacity() / 8 {
                used.shrink_to_fit();
            }
        }
        changed
    }

    /// Goes on with what was saved of a key, unless more is known of it by now.
    pub fn load(&self, key: KeyId, limit: RateLimit, whole_at: Timestamp, now: Timestamp) {
        let saved = Bucket::whole_again(limit, whole_at, now);
        let mut used = self.used.of(key);
        if used.get(&key).is_none_or(|known| known.bucket.whole_at() < saved.whole_at()) {
            used.insert(key, Entry { bucket: saved, changed: false });
        }
    }

    /// Keys of which something is used.
    pub fn len(&self) -> usize {
        self.used.each().map(|used| used.len()).sum()
    }

    /// Whether nothing is used of any key.
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
            assert!(limits.take(key(n), &one, NOW).is_ok());
            assert!(limits.take(key(n), &one, NOW).is_err());
            assert!(limits.take(key(1_000_000 + n), &two, NOW).is_ok());
        }
        assert_eq!(limits.len(), 2_000);
    }

    #[test]
    fn what_is_whole_is_forgotten_and_what_is_kept_is_told_once() {
        let limits = Limits::default();
        let (minute, hour) = ("60/minute".parse().unwrap(), "60/hour".parse().unwrap());
        for n in 0..500 {
            limits.take(key(n), if n % 2 == 0 { &minute } else { &hour }, NOW).unwrap();
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
        limits.take(key(1), &limit, NOW).unwrap();
        assert_eq!(limits.changed(NOW).len(), 1);
        limits.take(key(1), &limit, NOW.plus_seconds(5)).unwrap_err();
        assert_eq!(limits.changed(NOW.plus_seconds(5)), []);
    }

    #[test]
    fn the_later_instant_holds() {
        let limits = Limits::default();
        let limit: RateLimit = "2/hour".parse().unwrap();
        limits.load(key(1), limit, NOW.plus_seconds(3_600), NOW);
        assert_eq!(limits.take(key(1), &limit, NOW).unwrap_err().retry_after, 1_800);
        limits.load(key(1), limit, NOW.plus_seconds(1), NOW);
        assert!(limits.take(key(1), &limit, NOW).is_err(), "an older one takes nothing back");
        limits.take(key(2), &limit, NOW).unwrap();
        limits.load(key(2), limit, NOW.plus_seconds(3_600), NOW);
        assert!(limits.take(key(2), &limit, NOW).is_err(), "a later one is believed");
    }

    #[test]
    fn calls_at_once_get_the_burst_and_no_more() {
        let limits = Limits::default();
        let limit: RateLimit = "100/day".parse().unwrap();
        let asked = std::thread::scope(|scope| {
            let asking: Vec<_> = (0..4)
                .map(|thread| {
                    let limits = &limits;
                    // Their clocks are some microseconds apart.
                    let now = Timestamp::from_micros(NOW.micros() - thread * 7);
                    scope.spawn(move || (0..50).filter(|_| limits.take(key(1), &limit, now).is_ok()).count())
                })
                .collect();
            asking.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(asked, 100);
    }
}

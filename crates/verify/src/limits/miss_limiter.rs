//! Miss limiter: limits the lookups for digests that no known key has. Such lookups are necessary because another
//! process may have created a key a moment ago.

use super::gcra::Bucket;
use keyward_domain::{rate::RateLimit, time::Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

/// Lookups a second, and maximum burst.
const LOOKUPS_PER_SECOND: u32 = 200;
const LIMIT: RateLimit = RateLimit::per_second(LOOKUPS_PER_SECOND);
// One lookup is restored in a whole number of microseconds, so the packed bucket loses nothing to rounding.
const _: () = assert!(1_000_000 % LOOKUPS_PER_SECOND == 0, "a fraction of a microsecond would be lost");

/// A [`Bucket`] packed into one atomic number: the time, in microseconds of the steady clock, at which all lookups are
/// restored. No lookup waits for a lock.
#[derive(Default)]
pub(crate) struct MissLimiter(AtomicI64);

impl MissLimiter {
    /// Takes one lookup. Returns `false` if none is left at `now`, in microseconds of the steady clock.
    pub fn try_acquire(&self, now: u64) -> bool {
        let now = Timestamp::from_micros(i64::try_from(now).unwrap_or(i64::MAX));
        let spent = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            let mut bucket = Bucket::restore(LIMIT, Timestamp::from_micros(full_at), now);
            bucket.try_acquire(&LIMIT, now).is_ok().then(|| bucket.full_at())
        });
        spent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BURST: u64 = LOOKUPS_PER_SECOND as u64;
    /// Microseconds in which one lookup is restored.
    const INTERVAL: u64 = 5_000;

    fn spent(budget: &MissLimiter, now: u64) -> u64 {
        (0..10 * BURST).map(|_| u64::from(budget.try_acquire(now))).sum()
    }

    #[test]
    fn a_burst_and_then_its_rate() {
        let budget = MissLimiter::default();
        assert_eq!(spent(&budget, 1_000_000), BURST);
        assert_eq!(spent(&budget, 1_000_000 + INTERVAL - 1), 0);
        assert_eq!(spent(&budget, 1_000_000 + INTERVAL), 1);
        assert_eq!(spent(&budget, 1_000_000 + 11 * INTERVAL), 10);
        assert_eq!(spent(&budget, 900_000_000), BURST, "no more than a burst after the longest rest");
    }

    #[test]
    fn over_any_time_no_more_than_a_burst_and_the_rate() {
        let budget = MissLimiter::default();
        let all: u64 = (0..100_000_u64).map(|at| u64::from(budget.try_acquire(at * 37))).sum();
        assert!(all <= BURST + 100_000 * 37 / INTERVAL, "{all}");
        assert!(all >= BURST, "{all}");
    }

    proptest! {
        #[test]
        fn the_packed_bucket_decides_like_a_bucket(calls in prop::collection::vec((1_u32..60, 0_u64..20_000), 1..100)) {
            let (budget, mut at) = (MissLimiter::default(), 1_000_000_u64);
            let mut bucket = Bucket::new(LIMIT, Timestamp::from_micros(0));
            for (count, gap) in calls {
                at += gap;
                for _ in 0..count {
                    let expected = bucket.try_acquire(&LIMIT, Timestamp::from_micros(at as i64)).is_ok();
                    prop_assert_eq!(budget.try_acquire(at), expected, "at {}", at);
                }
            }
        }
    }
}

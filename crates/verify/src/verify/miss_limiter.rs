//! Miss limiter: limits the lookups for digests that no known key has. Such lookups are necessary because another
//! process may have created a key a moment ago.

use std::sync::atomic::{AtomicU64, Ordering};

/// Lookups a second, and maximum burst.
pub(super) const LOOKUPS_PER_SECOND: u64 = 200;
/// Microseconds in which one lookup is restored.
const INTERVAL: u64 = 1_000_000 / LOOKUPS_PER_SECOND;

/// GCRA (the generic cell rate algorithm, ITU-T I.371) in one number: the time, in microseconds of the steady clock, at
/// which all lookups are restored.
#[derive(Default)]
pub(super) struct MissLimiter(AtomicU64);

impl MissLimiter {
    /// Takes one lookup. Returns `false` if none is left at `now`.
    pub fn try_acquire(&self, now: u64) -> bool {
        let spent = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |whole| {
            let whole = whole.max(now) + INTERVAL;
            (whole - now <= LOOKUPS_PER_SECOND * INTERVAL).then_some(whole)
        });
        spent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spent(budget: &MissLimiter, now: u64) -> u64 {
        (0..10 * LOOKUPS_PER_SECOND).map(|_| u64::from(budget.try_acquire(now))).sum()
    }

    #[test]
    fn a_burst_and_then_its_rate() {
        let budget = MissLimiter::default();
        assert_eq!(spent(&budget, 1_000_000), LOOKUPS_PER_SECOND);
        assert_eq!(spent(&budget, 1_000_000 + INTERVAL - 1), 0);
        assert_eq!(spent(&budget, 1_000_000 + INTERVAL), 1);
        assert_eq!(spent(&budget, 1_000_000 + 11 * INTERVAL), 10);
        assert_eq!(spent(&budget, 900_000_000), LOOKUPS_PER_SECOND, "no more than a burst after the longest rest");
    }

    #[test]
    fn over_any_time_no_more_than_a_burst_and_the_rate() {
        let budget = MissLimiter::default();
        let all: u64 = (0..100_000_u64).map(|at| u64::from(budget.try_acquire(at * 37))).sum();
        assert!(all <= LOOKUPS_PER_SECOND + 100_000 * 37 / INTERVAL, "{all}");
        assert!(all >= LOOKUPS_PER_SECOND, "{all}");
    }
}

//! The generic cell rate algorithm (GCRA) in its second form, the continuous-state leaky bucket (ITU-T I.371, annex A).
//! It makes the same decisions as the form with a theoretical arrival time, but is exact in integers for every rate.
//!
//! A call adds `period` to a bucket that drains `calls` each microsecond and has the capacity `burst * period`. So 7
//! calls a second lose nothing to rounding (except that a burst of one waits for a whole microsecond each time). The
//! largest value (a burst of 1,000,000 a day) is 8.64e16, far within 64 bits.

use super::Quota;
use keyward_domain::{rate::RateLimit, time::Timestamp};

/// Maximum backward step of the clock, in microseconds, that is attributed to calls that overtook one another. A late
/// call then counts as if it came together with the previous one. A larger step means that the clock was set: the new
/// time applies, and used quota stays used.
const BACKWARD_STEP_MAX: i64 = 1_000_000;
const MICROS: i64 = 1_000_000;

/// The used part of a rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    limit: RateLimit,
    /// The latest time at which a call was allowed, in microseconds since the epoch.
    at: i64,
    /// The level of the bucket right after that call.
    level: i64,
}

/// Returns the amount that one call adds: the period in microseconds.
fn call_cost(limit: &RateLimit) -> i64 {
    i64::from(limit.per().seconds()) * MICROS
}

/// Returns the capacity of the bucket.
fn capacity(limit: &RateLimit) -> i64 {
    i64::from(limit.burst()) * call_cost(limit)
}

/// Returns the amount that drains each microsecond.
fn drain_rate(limit: &RateLimit) -> i64 {
    i64::from(limit.calls())
}

/// Returns the seconds, rounded up, in which this amount drains.
fn seconds(amount: i64, limit: &RateLimit) -> u32 {
    let second = drain_rate(limit) * MICROS;
    u32::try_from((amount.max(0) + second - 1) / second).unwrap_or(u32::MAX)
}

impl Bucket {
    /// Creates an empty bucket: the quota is full.
    pub(super) fn new(limit: RateLimit, now: Timestamp) -> Self {
        Self { limit, at: now.micros(), level: 0 }
    }

    /// Creates a bucket whose quota is full again at `at`.
    pub(super) fn restore(limit: RateLimit, at: Timestamp, now: Timestamp) -> Self {
        let left = at.micros().saturating_sub(now.micros()).max(0);
        Self { limit, at: now.micros(), level: left.saturating_mul(drain_rate(&limit)).min(capacity(&limit)) }
    }

    /// Returns the time from which the quota is full, in microseconds since the epoch, rounded up.
    pub(super) fn full_at(&self) -> i64 {
        self.at.saturating_add((self.level + drain_rate(&self.limit) - 1) / drain_rate(&self.limit))
    }

    /// Returns whether the used quota survives a restart.
    pub(super) fn is_persistent(&self) -> bool {
        self.limit.is_persistent()
    }

    /// Returns the level at a time that is not before the latest call.
    fn level_at(&self, now: i64) -> i64 {
        let lost = now.saturating_sub(self.at).saturating_mul(drain_rate(&self.limit));
        self.level.saturating_sub(lost).max(0)
    }

    /// Changes the limit. The number of used calls stays the same, up to the whole new limit.
    fn change(&mut self, limit: RateLimit, now: i64) {
        let used = i128::from(self.level_at(now)) * i128::from(call_cost(&limit));
        let per = i128::from(call_cost(&self.limit));
        let level = (used + per - 1) / per;
        self.level = i64::try_from(level).unwrap_or(i64::MAX).min(capacity(&limit));
        self.at = now;
        self.limit = limit;
    }

    /// Allows a call if the bucket has room for it.
    pub(super) fn try_acquire(&mut self, limit: &RateLimit, now: Timestamp) -> Result<Quota, Quota> {
        let now = now.micros();
        if self.at.saturating_sub(now) > BACKWARD_STEP_MAX {
            self.at = now;
        }
        let now = now.max(self.at);
        if self.limit != *limit {
            self.change(*limit, now);
        }
        let level = self.level_at(now);
        let poured = level.saturating_add(call_cost(limit));
        if poured > capacity(limit) {
            return Err(quota(limit, level));
        }
        (self.at, self.level) = (now, poured);
        Ok(quota(limit, poured))
    }
}

/// Returns the quota for a level of the bucket.
fn quota(limit: &RateLimit, level: i64) -> Quota {
    let room = (capacity(limit) - level).max(0);
    Quota {
        limit: *limit,
        remaining: u32::try_from(room / call_cost(limit)).unwrap_or(u32::MAX),
        reset: seconds(level, limit),
        retry_after: seconds(level.saturating_add(call_cost(limit)) - capacity(limit), limit),
    }
}

#[cfg(test)]
mod tests;

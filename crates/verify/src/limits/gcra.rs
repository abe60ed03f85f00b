//! The generic cell rate algorithm in its second form, the leaky bucket that is continuous in state (ITU-T I.371, annex A): the same
//! decisions as by a theoretical arrival time, but exact in whole numbers for every rate.
//!
//! A call pours `period` into a bucket that loses `calls` each microsecond and holds `burst * period`. So 7 calls a second lose
//! nothing to rounding (but that a burst of one waits for a whole microsecond each time), and the greatest of all numbers (a burst of 1,000,000 a day) is 8.64e16: far inside 64 bits.

use super::Quota;
use keyward_domain::{rate::RateLimit, time::Timestamp};

/// How far a clock may go back, in microseconds, and still be taken for calls that overtook one another: a late one counts as if it
/// had come with the one before it. A clock that goes back further was set: it is believed, and what was used stays used.
const OVERTAKEN: i64 = 1_000_000;
const MICROS: i64 = 1_000_000;

/// What a key has used of its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bucket {
    limit: RateLimit,
    /// The latest instant at which a call was let in, in microseconds since the epoch.
    at: i64,
    /// What was in the bucket right after that.
    level: i64,
}

/// What one call pours in: the period in microseconds.
fn call(limit: &RateLimit) -> i64 {
    i64::from(limit.per().seconds()) * MICROS
}

/// What the bucket holds.
fn size(limit: &RateLimit) -> i64 {
    i64::from(limit.burst()) * call(limit)
}

/// What it loses each microsecond.
fn loss(limit: &RateLimit) -> i64 {
    i64::from(limit.calls())
}

/// Whole seconds, rounded up, in which so much is lost.
fn seconds(amount: i64, limit: &RateLimit) -> u32 {
    let second = loss(limit) * MICROS;
    u32::try_from((amount.max(0) + second - 1) / second).unwrap_or(u32::MAX)
}

impl Bucket {
    /// Of a key of which nothing is used.
    pub(super) fn whole(limit: RateLimit, now: Timestamp) -> Self {
        Self { limit, at: now.micros(), level: 0 }
    }

    /// Of a key whose quota will be whole again at that instant.
    pub(super) fn whole_again(limit: RateLimit, at: Timestamp, now: Timestamp) -> Self {
        let left = at.micros().saturating_sub(now.micros()).max(0);
        Self { limit, at: now.micros(), level: left.saturating_mul(loss(&limit)).min(size(&limit)) }
    }

    /// The instant from which nothing of the quota is used, in microseconds since the epoch, rounded up.
    pub(super) fn whole_at(&self) -> i64 {
        self.at.saturating_add((self.level + loss(&self.limit) - 1) / loss(&self.limit))
    }

    /// Whether what was used of it outlives a restart.
    pub(super) fn is_kept(&self) -> bool {
        self.limit.is_kept()
    }

    /// What is in it at an instant that is not before the latest call.
    fn level_at(&self, now: i64) -> i64 {
        let lost = now.saturating_sub(self.at).saturating_mul(loss(&self.limit));
        self.level.saturating_sub(lost).max(0)
    }

    /// Goes on with another limit: as many calls as were used stay used, up to the whole of it.
    fn change(&mut self, limit: RateLimit, now: i64) {
        let used = i128::from(self.level_at(now)) * i128::from(call(&limit));
        let per = i128::from(call(&self.limit));
        let level = (used + per - 1) / per;
        self.level = i64::try_from(level).unwrap_or(i64::MAX).min(size(&limit));
        self.at = now;
        self.limit = limit;
    }

    /// Lets a call in, if there is room for it.
    pub(super) fn take(&mut self, limit: &RateLimit, now: Timestamp) -> Result<Quota, Quota> {
        let now = now.micros();
        if self.at.saturating_sub(now) > OVERTAKEN {
            self.at = now;
        }
        let now = now.max(self.at);
        if self.limit != *limit {
            self.change(*limit, now);
        }
        let level = self.level_at(now);
        let poured = level.saturating_add(call(limit));
        if poured > size(limit) {
            return Err(quota(limit, level));
        }
        (self.at, self.level) = (now, poured);
        Ok(quota(limit, poured))
    }
}

/// What is left when so much is in the bucket.
fn quota(limit: &RateLimit, level: i64) -> Quota {
    let room = (size(limit) - level).max(0);
    Quota {
        limit: *limit,
        remaining: u32::try_from(room / call(limit)).unwrap_or(u32::MAX),
        reset: seconds(level, limit),
        retry_after: seconds(level.saturating_add(call(limit)) - size(limit), limit),
    }
}

#[cfg(test)]
mod tests;

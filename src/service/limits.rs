//! How often a key may still be used.

use crate::domain::{ids::KeyId, rate::RateLimit, time::Timestamp};

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

/// The limits of this process; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Limits {}

impl Limits {
    /// Takes one call of the key's rate, if one is left.
    ///
    /// # Errors
    /// What the quota is, if none is left: the call then costs nothing.
    pub fn take(&self, _key: KeyId, limit: &RateLimit, _now: Timestamp) -> Result<Quota, Quota> {
        Ok(Quota { limit: *limit, remaining: limit.burst(), reset: 0, retry_after: 0 })
    }
}

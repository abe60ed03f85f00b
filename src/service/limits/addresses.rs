//! Limits what one client address may start, for requests that nobody has signed in to send.

use super::gcra::Bucket;
use crate::domain::{network::subscriber, rate::RateLimit, time::Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Addresses that are remembered at most: about 10 MB. Beyond that, those that may start most are forgotten first.
const BOUND: usize = 100_000;

/// One limit for each IPv4 address and each IPv6 /64, in this process.
#[derive(Debug)]
pub struct AddressLimit {
    limit: RateLimit,
    used: Mutex<HashMap<IpAddr, Bucket>>,
}

impl AddressLimit {
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, used: Mutex::default() }
    }

    /// Counts one start of this address. Without an address nothing is limited.
    ///
    /// # Errors
    /// In how many seconds the next one is allowed, if this one is too many.
    pub fn take(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), i64> {
        let Some(ip) = ip.map(subscriber) else { return Ok(()) };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= BOUND && !used.contains_key(&ip) {
            used.retain(|_, bucket| bucket.whole_at() > now.micros());
            if used.len() >= BOUND {
                used.clear();
            }
        }
        let bucket = used.entry(ip).or_insert_with(|| Bucket::whole(self.limit, now));
        bucket.take(&self.limit, now).map(|_| ()).map_err(|quota| i64::from(quota.retry_after).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn an_address_is_limited_alone_and_a_prefix_counts_as_one() {
        let limit = AddressLimit::new("2/minute,burst=3".parse().unwrap());
        let take = |ip: &str, now| limit.take(Some(ip.parse().unwrap()), now);
        for n in 0..3 {
            assert_eq!(take("203.0.113.7", NOW), Ok(()), "{n}");
            assert_eq!(take(&format!("2001:db8:1:2::{n}"), NOW), Ok(()), "{n}");
        }
        assert_eq!(take("::ffff:203.0.113.7", NOW), Err(30), "the same address, written as IPv6");
        assert_eq!(take("2001:db8:1:2:ffff::1", NOW), Err(30));
        assert_eq!((take("203.0.113.8", NOW), take("2001:db8:1:3::1", NOW)), (Ok(()), Ok(())));
        assert_eq!(take("203.0.113.7", NOW.plus_seconds(29)), Err(1));
        assert_eq!(take("203.0.113.7", NOW.plus_seconds(30)), Ok(()));
        assert_eq!(limit.take(None, NOW), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let limit = AddressLimit::new("2/minute,burst=3".parse().unwrap());
        for n in 0..=(BOUND as u32) {
            assert_eq!(limit.take(Some(IpAddr::from(n.to_be_bytes())), NOW), Ok(()));
        }
        assert!(limit.used.lock().unwrap().len() <= BOUND);
    }
}

//! Rate limit for each client address, for requests without authentication.

use super::gcra::Bucket;
use keyward_domain::{network::client_network, rate::RateLimit, time::Timestamp};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

/// Maximum number of stored addresses: about 10 MB. When it is reached, the addresses whose quota is full again
/// earliest are removed until half of the space is free, so that the cost of the search is shared by many addresses.
const BOUND: usize = 100_000;

/// One rate limit for each IPv4 address and each IPv6 /64, in this process.
#[derive(Debug)]
pub struct AddressLimit {
    limit: RateLimit,
    used: Mutex<HashMap<IpAddr, Bucket>>,
}

impl AddressLimit {
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, used: Mutex::default() }
    }

    /// Counts one request of this address. Requests without an address are not limited.
    ///
    /// # Errors
    /// The number of seconds until the next request is allowed, if this one exceeds the limit.
    pub fn try_acquire(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), i64> {
        let Some(ip) = ip.map(client_network) else { return Ok(()) };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= BOUND && !used.contains_key(&ip) {
            make_room(&mut used, now);
        }
        let bucket = used.entry(ip).or_insert_with(|| Bucket::new(self.limit, now));
        bucket.try_acquire(&self.limit, now).map(|_| ()).map_err(|quota| i64::from(quota.retry_after).max(1))
    }
}

/// Removes the addresses whose quota is full, and as many others as exceed half of the bound.
fn make_room(used: &mut HashMap<IpAddr, Bucket>, now: Timestamp) {
    used.retain(|_, bucket| bucket.full_at() > now.micros());
    let excess = used.len().saturating_sub(BOUND / 2);
    if excess == 0 {
        return;
    }
    let mut addresses: Vec<_> = used.iter().map(|(ip, bucket)| (bucket.full_at(), *ip)).collect();
    let (first, ..) = addresses.select_nth_unstable(excess);
    for (_, ip) in first.iter() {
        used.remove(ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn an_address_is_limited_alone_and_a_prefix_counts_as_one() {
        let limit = AddressLimit::new("2/minute,burst=3".parse().unwrap());
        let take = |ip: &str, now| limit.try_acquire(Some(ip.parse().unwrap()), now);
        for n in 0..3 {
            assert_eq!(take("203.0.113.7", NOW), Ok(()), "{n}");
            assert_eq!(take(&format!("2001:db8:1:2::{n}"), NOW), Ok(()), "{n}");
        }
        assert_eq!(take("::ffff:203.0.113.7", NOW), Err(30), "the same address, written as IPv6");
        assert_eq!(take("2001:db8:1:2:ffff::1", NOW), Err(30));
        assert_eq!((take("203.0.113.8", NOW), take("2001:db8:1:3::1", NOW)), (Ok(()), Ok(())));
        assert_eq!(take("203.0.113.7", NOW.plus_seconds(29)), Err(1));
        assert_eq!(take("203.0.113.7", NOW.plus_seconds(30)), Ok(()));
        assert_eq!(limit.try_acquire(None, NOW), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let limit = AddressLimit::new("2/minute,burst=3".parse().unwrap());
        for n in 0..=(BOUND as u32) {
            assert_eq!(limit.try_acquire(Some(IpAddr::from(n.to_be_bytes())), NOW), Ok(()));
        }
        assert!(limit.used.lock().unwrap().len() <= BOUND);
    }

    #[test]
    fn an_exhausted_address_is_still_refused_beyond_the_bound() {
        let limit = AddressLimit::new("2/minute,burst=3".parse().unwrap());
        let exhausted = Some("203.0.113.7".parse().unwrap());
        for n in 0..3 {
            assert_eq!(limit.try_acquire(exhausted, NOW), Ok(()), "{n}");
        }
        for n in 0..=(2 * BOUND as u32) {
            assert_eq!(limit.try_acquire(Some(IpAddr::from(n.to_be_bytes())), NOW), Ok(()));
        }
        assert_eq!(limit.try_acquire(exhausted, NOW), Err(30));
        assert!((BOUND / 2..=BOUND).contains(&limit.used.lock().unwrap().len()));
    }

    #[test]
    fn addresses_of_which_nothing_is_used_are_forgotten_first() {
        let limit = AddressLimit::new("2/minute,burst=3".parse().unwrap());
        let later = NOW.plus_seconds(30);
        for n in 0..(BOUND as u32) {
            let now = if n < 10 { later } else { NOW };
            assert_eq!(limit.try_acquire(Some(IpAddr::from(n.to_be_bytes())), now), Ok(()));
        }
        assert_eq!(limit.try_acquire(Some("203.0.113.7".parse().unwrap()), later), Ok(()));
        assert_eq!(limit.used.lock().unwrap().len(), 11);
    }
}

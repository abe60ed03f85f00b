//! Registry of a listener's open connections: limits in total and per client address, and graceful shutdown.
//!
//! At a limit, a connection that waits for its client is closed to make room for a new one, in this order:
//!
//! 1. connections that only wait for the end of a refused request;
//! 2. connections without a complete first request head for [`GRACE`](super::link::GRACE) or longer;
//! 3. connections whose request body or response made no progress for `GRACE` or longer;
//! 4. idle connections;
//! 5. the others: their request or response made progress within `GRACE`.
//!
//! Within a group, the connection that has waited longest is closed first. If every connection waits for a response of
//! the server, new connections are accepted only for health checks, up to the reserve, and refused beyond it.

use super::link::{Link, Order};
use ipnet::IpNet;
use keyward_config::CONNECTIONS_PER_ADDRESS;
use keyward_domain::network::client_network;
use keyward_store::log_limit::LogLimit;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// Limits of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Maximum number of regular connections. Each costs a few kilobytes and a file descriptor.
    pub connections: usize,
    /// Additional connections for health checks while all others wait for responses.
    pub reserve: usize,
    /// Maximum number of connections from one IPv4 address or IPv6 /64 network.
    pub per_address: usize,
    /// Longest time in which a client reads nothing of a response.
    pub write: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 4096, reserve: 64, per_address: CONNECTIONS_PER_ADDRESS, write: Duration::from_secs(20) }
    }
}

/// Open connections of a listener.
#[derive(Debug)]
pub struct Registry {
    limits: Limits,
    trusted_proxies: Vec<IpNet>,
    epoch: Instant,
    open: Mutex<Open>,
    /// Notified when a connection ends.
    ended: Notify,
}

#[derive(Debug, Default)]
struct Open {
    links: HashMap<u64, Arc<Link>>,
    per_address: HashMap<IpAddr, usize>,
    next: u64,
    refused: LogLimit,
}

impl Open {
    fn warn(&self, address: IpAddr, reason: &str) {
        if let Some(connections) = self.refused.count() {
            tracing::warn!(client.ip = %address, connections, reason, "connection.refused");
        }
    }

    /// Closes the connection with the lowest rank, of `network` if one is given. Returns whether there was one.
    fn recycle(&self, network: Option<IpAddr>, now: Instant) -> bool {
        let of_network = self.links.iter().filter(|(_, link)| network.is_none() || link.network == network);
        let ranked = of_network.filter_map(|(id, link)| link.rank(now).map(|rank| ((rank, *id), link)));
        match ranked.min_by_key(|(rank, _)| *rank) {
            Some((_, link)) => {
                link.send_order(Order::Recycle);
                true
            }
            None => false,
        }
    }
}

/// Registration of a connection. Dropping it removes the connection from the registry.
#[derive(Debug)]
pub struct ConnectionSlot {
    pub link: Arc<Link>,
    registry: Arc<Registry>,
    id: u64,
}

impl Registry {
    pub fn new(limits: Limits, trusted_proxies: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { limits, trusted_proxies, epoch: Instant::now(), open: Mutex::default(), ended: Notify::new() })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a connection, or returns `None` to refuse it.
    pub fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        self.admit_at(address, Instant::now())
    }

    /// [`Self::admit`] with the time at which the other connections are ranked.
    fn admit_at(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<ConnectionSlot> {
        let address = address.to_canonical();
        let is_proxy = self.trusted_proxies.iter().any(|network| network.contains(&address));
        let network = (!is_proxy).then(|| client_network(address));
        let mut open = self.open();
        let count = network.and_then(|network| open.per_address.get(&network).copied()).unwrap_or_default();
        let is_over = count >= self.limits.per_address;
        if is_over && !open.recycle(network, now) {
            open.warn(
                address,
                "the address has too many connections; increase KEYWARD_CONNECTIONS_PER_ADDRESS, or add the address to \
                KEYWARD_TRUSTED_PROXIES if it is your proxy",
            );
            return None;
        }
        // A connection that replaces another one of its address needs no other place: an address cannot close
        // connections of others.
        let is_full = open.links.len() >= self.limits.connections && !is_over && !open.recycle(None, now);
        if is_full && open.links.len() >= self.limits.connections + self.limits.reserve {
            open.warn(address, "all connections are in use");
            return None;
        }
        let link = Arc::new(Link::new(network, is_full, self.epoch));
        let id = open.next;
        open.next += 1;
        open.links.insert(id, link.clone());
        if let Some(network) = network {
            *open.per_address.entry(network).or_default() += 1;
        }
        Some(ConnectionSlot { link, registry: self.clone(), id })
    }

    /// Sends an order to every connection and returns their number.
    pub fn send_order_to_all(&self, order: Order) -> usize {
        let open = self.open();
        open.links.values().for_each(|link| link.send_order(order));
        open.links.len()
    }

    /// Completes when no connection is open.
    pub async fn wait_until_empty(&self) {
        loop {
            let ended = self.ended.notified();
            if self.open().links.is_empty() {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        let mut open = self.registry.open();
        open.links.remove(&self.id);
        if let Some(network) = self.link.network
            && let Some(count) = open.per_address.get_mut(&network)
        {
            *count -= 1;
            if *count == 0 {
                open.per_address.remove(&network);
            }
        }
        drop(open);
        self.registry.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::link::{GRACE, Phase};

    fn registry(connections: usize, per_address: usize) -> Arc<Registry> {
        let limits = Limits { connections, reserve: 1, per_address, ..Limits::default() };
        Registry::new(limits, vec!["10.0.0.0/8".parse().unwrap()])
    }

    fn admit(registry: &Arc<Registry>, address: &str) -> Option<ConnectionSlot> {
        registry.admit(address.parse().unwrap())
    }

    /// Admits a connection after the grace period of all others.
    fn admit_after_grace(registry: &Arc<Registry>, address: &str) -> Option<ConnectionSlot> {
        registry.admit_at(address.parse().unwrap(), Instant::now() + GRACE)
    }

    /// Admits a connection within the grace period of all others.
    fn admit_within_grace(registry: &Arc<Registry>, address: &str) -> Option<ConnectionSlot> {
        registry.admit_at(address.parse().unwrap(), registry.epoch)
    }

    #[test]
    fn an_address_has_its_share_and_a_trusted_proxy_any() {
        let registry = registry(100, 2);
        let places: Vec<_> = ["2001:db8::1", "2001:db8::2"].map(|it| admit(&registry, it).unwrap()).into();
        places.iter().for_each(|place| place.link.enter(Phase::Handling));
        assert!(admit(&registry, "2001:db8::3").is_none(), "the same /64");
        assert!(admit(&registry, "2001:db8:0:1::3").is_some());
        assert!(admit(&registry, "203.0.113.1").is_some());
        let proxied: Vec<_> = (0..5).filter_map(|_| admit(&registry, "::ffff:10.0.0.1")).collect();
        assert_eq!(proxied.len(), 5);
        // One of the two waits for its client and is closed.
        places[1].link.enter(Phase::Responded);
        assert!(admit(&registry, "2001:db8::3").is_some());
        assert_eq!(places[1].link.order(), Some(Order::Recycle));
        drop(places);
        assert!(admit(&registry, "2001:db8::3").is_some());
    }

    #[test]
    fn an_address_at_its_limit_closes_no_connection_of_another() {
        let registry = registry(3, 2);
        let other = admit(&registry, "203.0.113.1").unwrap();
        let own = ["203.0.113.2", "203.0.113.2"].map(|it| admit(&registry, it).unwrap());
        [&other, &own[0], &own[1]].iter().for_each(|it| it.link.enter(Phase::Responded));
        assert!(admit(&registry, "203.0.113.2").is_some());
        assert_eq!(other.link.order(), None);
        assert_eq!(own.iter().filter(|it| it.link.order() == Some(Order::Recycle)).count(), 1);
    }

    #[test]
    fn silent_connections_make_room_first() {
        let registry = registry(3, 100);
        let [served, silent, busy] =
            ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map(|it| admit(&registry, it).unwrap());
        served.link.enter(Phase::Responded);
        busy.link.enter(Phase::Handling);
        let fourth = admit_after_grace(&registry, "203.0.113.4").unwrap();
        assert_eq!([&served, &silent, &busy].map(|it| it.link.order()), [None, Some(Order::Recycle), None]);
        drop(silent);
        fourth.link.enter(Phase::Handling);
        let fifth = admit(&registry, "203.0.113.5").unwrap();
        assert_eq!(served.link.order(), Some(Order::Recycle));
        assert!(!fifth.link.is_reserved);
    }

    #[test]
    fn new_connections_do_not_close_one_another_while_others_are_idle() {
        let registry = registry(3, 100);
        let idle = ["203.0.113.1", "203.0.113.1"].map(|it| admit(&registry, it).unwrap());
        idle.iter().for_each(|place| place.link.enter(Phase::Responded));
        let new = ["203.0.113.1", "203.0.113.1", "203.0.113.1"].map(|it| admit_within_grace(&registry, it).unwrap());
        assert!(idle.iter().all(|place| place.link.order() == Some(Order::Recycle)));
        assert!(new.iter().all(|place| place.link.order().is_none()));
        // Without an idle connection the oldest one is closed.
        drop(idle);
        let _newest = admit_within_grace(&registry, "203.0.113.1").unwrap();
        let orders = new.each_ref().map(|place| place.link.order());
        assert_eq!(orders, [Some(Order::Recycle), None, None]);
    }

    #[test]
    fn the_reserve_is_for_health_and_has_an_end() {
        let registry = registry(1, 100);
        let busy = admit(&registry, "203.0.113.1").unwrap();
        busy.link.enter(Phase::Handling);
        let reserved = admit(&registry, "203.0.113.2").unwrap();
        reserved.link.enter(Phase::Handling);
        assert!(reserved.link.is_reserved);
        assert!(admit(&registry, "203.0.113.3").is_none());
    }
}

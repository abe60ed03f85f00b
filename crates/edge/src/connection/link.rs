//! State of one connection, shared by its task, its socket, its requests, and the registry.

use futures::task::AtomicWaker;
use hyper::body::Incoming;
use std::{
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::Waker,
    time::{Duration, Instant},
};

/// Time without progress after which a request or a response is closed before idle connections.
///
/// A new connection is protected for the same time while its first request arrives.
pub const GRACE: Duration = Duration::from_secs(1);

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Waiting for the head of the first request.
    FirstHead,
    /// Waiting for the server's response.
    Handling,
    /// Waiting for more of a request body.
    Body,
    /// The response is being written, or is complete and the connection waits for the next request.
    Responded,
    /// Waiting for the client to read more of a response.
    Stalled,
    /// Waiting for the end of what the client sends after a refused request.
    Lingering,
}

impl Phase {
    const ALL: [Self; 6] =
        [Self::FirstHead, Self::Handling, Self::Body, Self::Responded, Self::Stalled, Self::Lingering];
}

/// Order to the task of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Order {
    /// Make room for another connection: end at once unless a response is due.
    Recycle = 1,
    /// The server stops: end after the request in progress.
    Stop = 2,
    /// The time limit for requests in progress is over: end at once.
    Cut = 3,
}

/// State of one connection.
#[derive(Debug)]
pub struct Link {
    /// Client address, or its IPv6 network; `None` for a trusted proxy, which has no limit per address.
    pub network: Option<IpAddr>,
    /// Whether the connection was accepted beyond the regular limit, for health checks only.
    pub is_reserved: bool,
    phase: AtomicU8,
    /// Start of the phase, in milliseconds since the start of the listener.
    since: AtomicU64,
    epoch: Instant,
    order: AtomicU8,
    waker: AtomicWaker,
    /// Whether the body of the current request was read to its end.
    is_body_read: AtomicBool,
    /// Rest of a request body that the handler did not read.
    rest: Mutex<Option<Incoming>>,
}

impl Link {
    pub fn new(network: Option<IpAddr>, is_reserved: bool, epoch: Instant) -> Self {
        let link = Self {
            network,
            is_reserved,
            phase: AtomicU8::new(0),
            since: AtomicU64::new(0),
            epoch,
            order: AtomicU8::new(0),
            waker: AtomicWaker::new(),
            is_body_read: AtomicBool::new(false),
            rest: Mutex::new(None),
        };
        link.enter(Phase::FirstHead);
        link
    }

    pub fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Ordering::Relaxed)) % Phase::ALL.len()]
    }

    /// Enters a phase. [`Phase::Handling`] records no start time: such a connection is never ranked.
    pub fn enter(&self, phase: Phase) {
        if phase != Phase::Handling {
            let since = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.since.store(since, Ordering::Relaxed);
        }
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Returns the rank for closing, lowest first, or `None` if the connection has an order or a response is due.
    pub fn rank(&self, now: Instant) -> Option<(u8, u64)> {
        let since = self.since.load(Ordering::Relaxed);
        let is_recent = now.saturating_duration_since(self.epoch) < Duration::from_millis(since) + GRACE;
        let class = match self.phase() {
            Phase::Lingering => 0,
            Phase::FirstHead | Phase::Body | Phase::Stalled if is_recent => 4,
            Phase::FirstHead => 1,
            Phase::Body | Phase::Stalled => 2,
            Phase::Responded => 3,
            Phase::Handling => return None,
        };
        self.order().is_none().then_some((class, since))
    }

    pub fn order(&self) -> Option<Order> {
        match self.order.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Order::Recycle),
            2 => Some(Order::Stop),
            _ => Some(Order::Cut),
        }
    }

    /// Sends an order to the connection's task.
    pub fn send_order(&self, order: Order) {
        self.order.store(order as u8, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the connection ends now, without a response. Other connections end after their response.
    pub fn must_drop(&self, order: Order) -> bool {
        match self.phase() {
            _ if order == Order::Cut => true,
            Phase::FirstHead | Phase::Lingering => true,
            Phase::Body | Phase::Stalled => order == Order::Recycle,
            Phase::Handling | Phase::Responded => false,
        }
    }

    pub fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    fn rest(&self) -> MutexGuard<'_, Option<Incoming>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin_body(&self) {
        self.is_body_read.store(false, Ordering::Relaxed);
    }

    /// Stores the unread rest of a body; `None` if it was read to its end.
    pub fn store_rest(&self, body: Option<Incoming>) {
        match body {
            None => self.is_body_read.store(true, Ordering::Relaxed),
            body => *self.rest() = body,
        }
    }

    /// Takes the unread rest of the body.
    ///
    /// # Errors
    /// If there is no rest: whether the body was read to its end.
    pub fn take_rest(&self) -> Result<Incoming, bool> {
        self.rest().take().ok_or_else(|| self.is_body_read.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the rank of a connection that entered a phase just now or [`GRACE`] ago.
    fn rank(phase: Phase, is_recent: bool) -> Option<(u8, u64)> {
        let epoch = Instant::now();
        let link = Link::new(None, false, epoch);
        link.enter(phase);
        link.rank(if is_recent { epoch } else { Instant::now() + GRACE })
    }

    fn class(phase: Phase, is_recent: bool) -> u8 {
        rank(phase, is_recent).unwrap().0
    }

    #[test]
    fn idle_connections_make_room_before_recent_requests_and_after_paused_ones() {
        for idle in [class(Phase::Responded, true), class(Phase::Responded, false)] {
            for phase in [Phase::FirstHead, Phase::Body, Phase::Stalled] {
                assert!(idle < class(phase, true), "{phase:?} within the grace");
                assert!(class(phase, false) < idle, "{phase:?} after the grace");
            }
            assert!(class(Phase::Lingering, true) < idle);
        }
        assert!(class(Phase::FirstHead, false) < class(Phase::Body, false));
        assert!(class(Phase::Lingering, true) < class(Phase::FirstHead, false));
    }

    #[test]
    fn connections_with_orders_or_a_response_due_make_no_room() {
        assert_eq!(rank(Phase::Handling, false), None);
        let link = Link::new(None, false, Instant::now());
        link.send_order(Order::Recycle);
        assert_eq!(link.rank(Instant::now() + GRACE), None);
    }
}

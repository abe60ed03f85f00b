//! The state of one connection, shared between its task, its socket, its requests, and the registry.

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

/// Time without progress after which a request or a response makes room before idle connections do.
///
/// A new connection keeps its place while its first request is on the way.
pub const GRACE: Duration = Duration::from_secs(1);

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// The head of the first request.
    FirstHead,
    /// Our response.
    Handling,
    /// More of a request body.
    Body,
    /// The response is being written, or was: then the next request.
    Responded,
    /// The client, to take more of a response.
    Stalled,
    /// The end of what the client sends after a refused request.
    Lingering,
}

impl Phase {
    const ALL: [Self; 6] =
        [Self::FirstHead, Self::Handling, Self::Body, Self::Responded, Self::Stalled, Self::Lingering];
}

/// What a connection was told to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Order {
    /// Make room: end at once unless a response is due.
    Recycle = 1,
    /// The server stops: end after the request that is under way.
    Stop = 2,
    /// The time for that is over.
    Cut = 3,
}

/// The state of one connection.
#[derive(Debug)]
pub struct Link {
    /// The client's address, or its IPv6 network; `None`: a trusted proxy, which has no limit of its own.
    pub network: Option<IpAddr>,
    /// Whether the connection was accepted beyond the regular places, to answer health checks alone.
    pub is_reserved: bool,
    phase: AtomicU8,
    /// Milliseconds after the start of the listener since when the phase lasts.
    since: AtomicU64,
    epoch: Instant,
    order: AtomicU8,
    waker: AtomicWaker,
    /// Whether the body of the request under way was read to its end.
    is_body_read: AtomicBool,
    /// What a handler left of a request body.
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

    /// Starts a phase. Phases that end by themselves have no time.
    pub fn enter(&self, phase: Phase) {
        if phase != Phase::Handling {
            let since = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.since.store(since, Ordering::Relaxed);
        }
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// How soon the connection is closed to make room, lowest first; `None`: it has its orders, or our response is due.
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

    /// Tells the connection's task what to do.
    pub fn tell(&self, order: Order) {
        self.order.store(order as u8, Ordering::Release);
        self.waker.wake();
    }

    /// Whether the connection ends now, without a response. The others are asked to end after their response.
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

    /// Takes back a body from a handler; `None`: it was read to its end.
    pub fn give_back(&self, body: Option<Incoming>) {
        match body {
            None => self.is_body_read.store(true, Ordering::Relaxed),
            body => *self.rest() = body,
        }
    }

    /// What the handler left of the body.
    ///
    /// # Errors
    /// Whether the body was read to its end, if nothing was left.
    pub fn take_rest(&self) -> Result<Incoming, bool> {
        self.rest().take().ok_or_else(|| self.is_body_read.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rank of a connection that entered a phase just now, or [`GRACE`] ago.
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
        link.tell(Order::Recycle);
        assert_eq!(link.rank(Instant::now() + GRACE), None);
    }
}

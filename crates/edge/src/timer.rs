//! The limit of time for the head of a request, at next to no cost.
//!
//! hyper sets a timer before each head and drops it after: with tokio's, two visits to the list of all timers, under its lock, for
//! something that hardly ever rings. A connection here has one, which is left where it is when a later instant is asked for, and set
//! to it once it rings.

use hyper::rt::{Sleep, Timer};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time;

/// The timer of one connection, which waits for one thing at a time.
#[derive(Clone, Debug)]
pub struct ConnectionTimer(Arc<Mutex<Pin<Box<time::Sleep>>>>);

impl ConnectionTimer {
    /// A timer for what takes at most this long.
    pub fn new(limit: Duration) -> Self {
        Self(Arc::new(Mutex::new(Box::pin(time::sleep(limit)))))
    }
}

impl Timer for ConnectionTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until { deadline: deadline.into(), timer: self.clone() })
    }
}

/// Done at an instant.
struct Until {
    deadline: time::Instant,
    timer: ConnectionTimer,
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        // One that rings later would be late; one that rang, or rings sooner, is set when it has rung.
        if timer.deadline() > self.deadline {
            timer.as_mut().reset(self.deadline);
        }
        while timer.as_mut().poll(context).is_ready() {
            if timer.deadline() >= self.deadline {
                return Poll::Ready(());
            }
            timer.as_mut().reset(self.deadline);
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::poll;

    const HOUR: Duration = Duration::from_secs(3_600);
    const MOMENT: Duration = Duration::from_millis(20);

    /// That it rings is waited for, however slow the machine; that it did not ring too soon is asked.
    async fn rings_at(timer: &ConnectionTimer, deadline: Instant) {
        time::timeout(HOUR / 60, timer.sleep_until(deadline)).await.expect("it rings");
        assert!(timer.now() >= deadline, "too soon");
    }

    #[tokio::test]
    async fn it_rings_when_it_was_last_asked_to() {
        let timer = ConnectionTimer::new(MOMENT);
        for _ in 0..5 {
            assert!(poll!(timer.sleep_until(timer.now() + HOUR)).is_pending(), "dropped before its time");
        }
        rings_at(&timer, timer.now() + 3 * MOMENT).await;
        assert!(poll!(timer.sleep_until(timer.now() + HOUR)).is_pending());
        rings_at(&timer, timer.now() + MOMENT).await;
        rings_at(&timer, timer.now() - MOMENT).await;
        rings_at(&timer, timer.now() + MOMENT).await;
    }
}

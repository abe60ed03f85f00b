//! Read timeout for request heads with low overhead.
//!
//! hyper sets a timer before each head and drops it afterward. With tokio's timers, each request locks the timer wheel
//! twice for a timer that almost never fires. A [`ConnectionTimer`] keeps one tokio timer per connection. A later
//! deadline leaves the timer unchanged; the timer is reset to that deadline only when it fires.

use hyper::rt::{Sleep, Timer};
use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::time;

/// Timer of one connection. It serves one waiting future at a time.
#[derive(Clone, Debug)]
pub struct ConnectionTimer(Arc<Mutex<Pin<Box<time::Sleep>>>>);

impl ConnectionTimer {
    /// Creates a timer whose first deadline is `limit` from now.
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

/// Completes at `deadline`.
struct Until {
    deadline: time::Instant,
    timer: ConnectionTimer,
}

impl Sleep for Until {}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A timer with a later deadline would fire too late, so it is reset. An earlier or expired one is reset when it
        // fires.
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

    /// Waits until the timer fires, however slow the machine is, and checks that it did not fire too early.
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

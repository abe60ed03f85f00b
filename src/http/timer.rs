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

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_rings_when_it_was_last_asked_to() {
        let timer = ConnectionTimer::new(SECOND);
        let began = time::Instant::now();
        let mut waits = Vec::new();
        for _ in 0..5 {
            let mut until = timer.sleep_until((time::Instant::now() + SECOND).into_std());
            waits.push(poll!(&mut until).is_ready());
            time::advance(SECOND / 2).await;
            waits.push(poll!(&mut until).is_ready());
        }
        assert_eq!(waits, [false; 10], "each was dropped after half its time");
        assert_eq!(began.elapsed(), SECOND * 5 / 2);
        timer.sleep_until((began + 4 * SECOND).into_std()).await;
        assert_eq!(began.elapsed().as_secs(), 4, "long after the one before it");
        let mut later = timer.sleep_until((began + 9 * SECOND).into_std());
        assert!(poll!(&mut later).is_pending());
        drop(later);
        timer.sleep_until((began + 6 * SECOND).into_std()).await;
        assert_eq!(began.elapsed().as_secs(), 6, "and sooner than the one before it");
        timer.sleep_until((began + SECOND).into_std()).await;
        assert_eq!(began.elapsed().as_secs(), 6, "what is over is over");
    }
}

//! Lookup limiter: limits concurrent database lookups.

use keyward_core::Error;
use keyward_store::log_limit::LogLimit;
use keyward_store::{self as store, Kind};
use std::time::Duration;
use tokio::{sync::Semaphore, time};

/// Maximum number of concurrent lookups. The database runs fewer at once; a few wait, so that it is never idle.
const CONCURRENT_MAX: usize = 64;
/// Time limit of a lookup, including its wait. Longer lookups fail as busy, because an HTTP request waits for them.
const TIME_LIMIT: Duration = Duration::from_secs(3);

pub(super) struct LookupLimiter {
    permits: Semaphore,
    time_limit: Duration,
}

impl Default for LookupLimiter {
    fn default() -> Self {
        Self { permits: Semaphore::new(CONCURRENT_MAX), time_limit: TIME_LIMIT }
    }
}

impl LookupLimiter {
    /// Waits for a permit and runs a lookup.
    ///
    /// # Errors
    /// [`Error::Busy`] if it takes too long or the query fails, which is logged; the store error if the database cannot
    /// be reached, its disk fails, or a row is damaged.
    pub async fn run<T>(&self, look_up: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
        let turn = async {
            let _turn = self.permits.acquire().await;
            look_up.await
        };
        match time::timeout(self.time_limit, turn).await {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(error @ store::Error::Corrupt(_))) => Err(error.into()),
            Ok(Err(error)) if matches!(error.kind(), Kind::Unavailable | Kind::Full | Kind::Io | Kind::Damaged) => {
                Err(error.into())
            }
            Ok(Err(error)) => {
                static LIMIT: LogLimit = LogLimit::new();
                if let Some(look_ups) = LIMIT.count() {
                    tracing::error!(%error, look_ups, "verify.unreadable");
                }
                Err(Error::Busy)
            }
            Err(_) => {
                static LIMIT: LogLimit = LogLimit::new();
                if let Some(look_ups) = LIMIT.count() {
                    let seconds = self.time_limit.as_secs();
                    tracing::error!(look_ups, seconds, "verify.timed_out: the database took too long to find a key");
                }
                Err(Error::Busy)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    /// Counts one running lookup until it is dropped.
    struct Inside<'a>(&'a AtomicUsize);

    impl Drop for Inside<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The number of concurrent lookups is bounded for any number of callers. A lookup that waits too long fails, and
    /// the next one gets the permit.
    #[tokio::test]
    async fn so_many_at_a_time() {
        let gate = LookupLimiter { time_limit: Duration::from_millis(50), ..LookupLimiter::default() };
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let ask = || {
            gate.run(async {
                most.fetch_max(now.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let _inside = Inside(&now);
                pending::<Result<(), store::Error>>().await
            })
        };
        let all = futures::future::join_all((0..10 * CONCURRENT_MAX).map(|_| ask())).await;
        assert!(all.iter().all(|it| matches!(it, Err(Error::Busy))));
        assert_eq!((now.into_inner(), most.into_inner()), (0, CONCURRENT_MAX));
        assert_eq!(gate.run(async { Ok(7) }).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_store_that_refuses_is_busy_or_says_why() {
        let refused = LookupLimiter::default().run(async { Err::<(), _>(store::Error::Deadlock) }).await;
        assert!(matches!(refused, Err(Error::Busy)));
        let refused = LookupLimiter::default().run(async { Err::<(), _>(store::Error::Closed) }).await;
        assert!(matches!(refused, Err(Error::Store(store::Error::Closed))));
    }
}

//! Cache of one fetched value: single flight, and stale while revalidating (RFC 5861 section 3).
//!
//! Each fetch is a task of its own. No lock is held while it runs, and it continues if its callers are gone. A failed
//! fetch changes nothing: its callers receive the error, and the next call fetches again.

use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared},
};
use keyward_domain::time::Timestamp;
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::Instrument as _;

/// Age from which a value is refreshed in the background, in seconds.
const REFRESH_AGE: i64 = 1_800;
/// Age from which a value is no longer returned, in seconds.
const MAX_AGE: i64 = 3_600;

/// Reason why a fetch failed, for the log.
pub(super) type Failure = Arc<str>;

type Outcome<T> = Result<Arc<T>, Failure>;

/// Result of a running fetch, for any number of callers.
type Pending<T> = Shared<BoxFuture<'static, Outcome<T>>>;

/// Cached value and the fetch in progress.
pub(super) struct FetchCache<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    entry: Option<Entry<T>>,
    running: Option<Pending<T>>,
    /// Number of fetches so far.
    started: u64,
}

struct Entry<T> {
    value: Arc<T>,
    /// Start of the fetch.
    fetched_at: Timestamp,
    /// Number of the fetch, from 1.
    fetch: u64,
}

impl<T> Default for FetchCache<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { entry: None, running: None, started: 0 })))
    }
}

impl<T: Send + Sync + 'static> FetchCache<T> {
    /// Returns the cached value. Fetches it if there is none or it has expired; concurrent callers wait for one fetch.
    /// A value that is about to expire is returned immediately, and refreshed in the background.
    ///
    /// # Errors
    /// The failure of the fetch.
    pub async fn get<F>(&self, now: Timestamp, fetch: impl FnOnce() -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let pending = {
            let mut state = lock(&self.0);
            // The age is negative after the clock was set back.
            let cached =
                state.entry.as_ref().map(|entry| (now.seconds_since(entry.fetched_at), Arc::clone(&entry.value)));
            match cached {
                Some((age, value)) if (0..REFRESH_AGE).contains(&age) => return Ok(value),
                Some((age, value)) if (0..MAX_AGE).contains(&age) => {
                    if state.running.is_none() {
                        let refresh = self.start(&mut state, now, fetch());
                        tokio::spawn(log_failure(refresh).in_current_span());
                    }
                    return Ok(value);
                }
                _ => self.join_or_start(&mut state, now, fetch),
            }
        };
        pending.await
    }

    /// Returns a value whose fetch began after this call. Concurrent callers wait for one fetch.
    ///
    /// # Errors
    /// The failure of the fetch.
    pub async fn refetch<F>(&self, now: Timestamp, fetch: impl FnOnce() -> F) -> Outcome<T>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let (started, earlier) = {
            let state = lock(&self.0);
            (state.started, state.running.clone())
        };
        if let Some(earlier) = earlier {
            // Its result may be too old, and its callers handle a failure.
            let _ = earlier.await;
        }
        let pending = {
            let mut state = lock(&self.0);
            if let Some(entry) = state.entry.as_ref().filter(|entry| entry.fetch > started) {
                return Ok(Arc::clone(&entry.value));
            }
            self.join_or_start(&mut state, now, fetch)
        };
        pending.await
    }

    fn join_or_start<F>(&self, state: &mut State<T>, now: Timestamp, fetch: impl FnOnce() -> F) -> Pending<T>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        if let Some(running) = &state.running {
            return running.clone();
        }
        self.start(state, now, fetch())
    }

    fn start<F>(&self, state: &mut State<T>, now: Timestamp, fetch: F) -> Pending<T>
    where
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        state.started += 1;
        let (cache, number) = (Arc::clone(&self.0), state.started);
        let task = async move {
            // After a panic the cache would wait for this fetch forever. The panic itself is logged by its hook.
            let outcome = AssertUnwindSafe(fetch).catch_unwind().await;
            let outcome = outcome.unwrap_or_else(|_| Err("the fetch panicked".into())).map(Arc::new);
            let mut state = lock(&cache);
            state.running = None;
            if let Ok(value) = &outcome {
                state.entry = Some(Entry { value: Arc::clone(value), fetched_at: now, fetch: number });
            }
            outcome
        };
        let task = tokio::spawn(task.in_current_span());
        // The task ends early only if the process stops.
        let pending = task.map(|joined| joined.unwrap_or_else(|error| Err(error.to_string().into()))).boxed().shared();
        state.running = Some(pending.clone());
        pending
    }
}

fn lock<T>(state: &Mutex<State<T>>) -> MutexGuard<'_, State<T>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Logs the failure of a fetch that no caller waits for.
async fn log_failure<T>(refresh: Pending<T>) {
    if let Err(error) = refresh.await {
        tracing::warn!(%error, "oidc.not_refreshed: cached data of the OpenID provider is used until it expires");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::{join_all, pending};
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::sync::Semaphore;

    /// Provider that counts fetches. A fetch returns its number, after the test has permitted it.
    #[derive(Clone)]
    struct CountingProvider {
        fetches: Arc<AtomicU32>,
        permits: Arc<Semaphore>,
    }

    impl CountingProvider {
        fn new(permits: usize) -> Self {
            Self { fetches: Arc::default(), permits: Arc::new(Semaphore::new(permits)) }
        }

        fn count(&self) -> u32 {
            self.fetches.load(Ordering::SeqCst)
        }

        async fn fetch(self) -> Result<u32, Failure> {
            let number = self.fetches.fetch_add(1, Ordering::SeqCst) + 1;
            self.permits.acquire().await.unwrap().forget();
            Ok(number)
        }

        async fn fail(self) -> Result<u32, Failure> {
            self.fetch().await.and_then(|number| Err(format!("failure {number}").into()))
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + seconds)
    }

    /// Runs all other tasks until each of them waits.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn concurrent_callers_wait_for_one_fetch() {
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(0));
        let calls = join_all((0..50).map(|_| cache.get(at(0), || provider.clone().fetch())));
        let permit = async {
            settle().await;
            assert_eq!(provider.count(), 1);
            provider.permits.add_permits(1);
        };
        let (results, ()) = tokio::join!(calls, permit);
        assert!(results.iter().all(|result| result.as_deref() == Ok(&1)), "{results:?}");
        let cached = cache.get(at(REFRESH_AGE - 1), || provider.clone().fetch()).await;
        assert_eq!((cached.as_deref(), provider.count()), (Ok(&1), 1));
    }

    #[tokio::test]
    async fn a_stale_value_is_returned_while_a_refresh_hangs() {
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(1));
        assert_eq!(cache.get(at(0), || provider.clone().fetch()).await.as_deref(), Ok(&1));
        for age in [REFRESH_AGE, REFRESH_AGE + 1, MAX_AGE - 1] {
            let stale = cache.get(at(age), || provider.clone().fetch()).now_or_never();
            assert_eq!(stale.expect("no wait").as_deref(), Ok(&1), "{age}");
            settle().await;
            assert_eq!(provider.count(), 2, "one refresh");
        }
        let mut expired = Box::pin(cache.get(at(MAX_AGE), || provider.clone().fetch()));
        assert!((&mut expired).now_or_never().is_none(), "an expired value is not returned");
        provider.permits.add_permits(1);
        assert_eq!(expired.await.as_deref(), Ok(&2), "waits for the refresh");
        assert_eq!(provider.count(), 2);
    }

    #[tokio::test]
    async fn a_refresh_replaces_the_value() {
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(2));
        for (age, value) in [(0, 1), (REFRESH_AGE, 1), (REFRESH_AGE, 2), (2 * REFRESH_AGE - 1, 2)] {
            assert_eq!(cache.get(at(age), || provider.clone().fetch()).await.as_deref(), Ok(&value), "{age}");
            settle().await;
        }
        assert_eq!(provider.count(), 2);
        provider.permits.add_permits(1);
        let past = cache.get(at(-1), || provider.clone().fetch()).await;
        assert_eq!(past.as_deref(), Ok(&3), "the clock was set back");
    }

    #[tokio::test]
    async fn a_failure_is_not_cached() {
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(9));
        let failed = join_all((0..5).map(|_| cache.get(at(0), || provider.clone().fail()))).await;
        assert!(failed.iter().all(|result| *result == Err("failure 1".into())), "{failed:?}");
        assert_eq!(cache.get(at(0), || provider.clone().fetch()).await.as_deref(), Ok(&2));
        // A failed refresh keeps the value and its age.
        assert_eq!(cache.get(at(MAX_AGE - 1), || provider.clone().fail()).await.as_deref(), Ok(&2));
        settle().await;
        assert_eq!((cache.get(at(0), || provider.clone().fetch()).await.as_deref(), provider.count()), (Ok(&2), 3));
        assert_eq!(cache.get(at(MAX_AGE), || provider.clone().fail()).await, Err("failure 4".into()));
        assert_eq!(cache.get(at(MAX_AGE), || provider.clone().fetch()).await.as_deref(), Ok(&5));
    }

    #[tokio::test]
    async fn a_panic_fails_one_fetch() {
        async fn panics() -> Result<u32, Failure> {
            panic!("expected in this test")
        }
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(1));
        assert_eq!(cache.get(at(0), panics).await, Err("the fetch panicked".into()));
        assert_eq!(cache.get(at(0), || provider.clone().fetch()).await.as_deref(), Ok(&1));
    }

    #[tokio::test]
    async fn a_fetch_continues_without_its_caller() {
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(0));
        assert!(cache.get(at(0), || provider.clone().fetch()).now_or_never().is_none());
        provider.permits.add_permits(1);
        settle().await;
        assert_eq!(cache.get(at(1), pending).now_or_never().expect("cached").as_deref(), Ok(&1));
    }

    #[tokio::test]
    async fn a_refetch_joins_no_earlier_fetch() {
        let (cache, provider) = (FetchCache::default(), CountingProvider::new(1));
        // Without a fetch in progress, it fetches, although there is a value.
        assert_eq!(cache.get(at(0), || provider.clone().fetch()).await.as_deref(), Ok(&1));
        let mut first = Box::pin(cache.refetch(at(1), || provider.clone().fetch()));
        assert!((&mut first).now_or_never().is_none());
        settle().await;
        assert_eq!(provider.count(), 2);
        // The others may not use that fetch, and share the next one.
        let others = join_all((0..50).map(|_| cache.refetch(at(1), || provider.clone().fetch())));
        let permits = async {
            settle().await;
            assert_eq!(provider.count(), 2, "one at a time");
            provider.permits.add_permits(1);
            settle().await;
            assert_eq!(provider.count(), 3);
            provider.permits.add_permits(1);
        };
        let (first, others, ()) = tokio::join!(first, others, permits);
        assert_eq!(first.as_deref(), Ok(&2));
        assert!(others.iter().all(|result| result.as_deref() == Ok(&3)), "{others:?}");
        let cached = cache.get(at(2), || provider.clone().fetch()).await;
        assert_eq!((cached.as_deref(), provider.count()), (Ok(&3), 3));
    }
}

//! Cache invalidation: applies the changes of other processes on the same database (the command line, other nodes) to
//! the caches of this process. The verifier trusts its cache only while this task receives changes.

use crate::{
    tokens::Tokens,
    verify::{Cache, Verifier},
};
use keyward_core::{Context, Error};
use keyward_domain::error_chain::ErrorChain;
use keyward_store::log_limit::LogLimit;
use keyward_store::{
    self as store, Kind,
    change_feed::{Feed, FeedItem},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time;
use uuid::Uuid;

/// Delay before the next attempt after the change feed or the database could not be read.
const RETRY: Duration = Duration::from_millis(200);
/// Time limit for a response of the database. Shorter than the time after which the cache is stale.
const TIME_LIMIT: Duration = Duration::from_secs(1);
/// Consecutive attempts without a response after which the database counts as unavailable. A busy machine may miss one
/// or two.
const TIMEOUTS_MAX: u32 = 3;
/// Keys in one page when all keys are loaded.
const PAGE: i64 = 1_000;

/// Receives changes and loads all keys. Runs until the process ends.
pub async fn run(context: Context, verifier: Verifier, tokens: Tokens) {
    let invalidator = CacheInvalidator { cache: verifier.cache, tokens, context };
    tokio::join!(invalidator.receive_changes(), invalidator.load(), invalidator.tokens.follow_keys());
}

struct CacheInvalidator {
    context: Context,
    cache: Arc<Cache>,
    tokens: Tokens,
}

impl CacheInvalidator {
    async fn receive_changes(&self) {
        static LIMIT: LogLimit = LogLimit::new();
        let mut last = None;
        // Consecutive failed attempts.
        let mut failed = 0;
        loop {
            let Err(error) = self.follow_feed(&mut last, &mut failed).await;
            if let Some(attempts) = LIMIT.count() {
                tracing::warn!(error = %ErrorChain(&error), attempts, "verify.change_feed_failed");
            }
            self.update_circuit_breaker(&error, failed);
            failed += 1;
            // After a lost connection the first attempt to reconnect is immediate.
            if failed > 1 {
                time::sleep(RETRY).await;
            }
        }
    }

    /// Opens the circuit breaker if the database refuses a new connection, or has not responded to [`TIMEOUTS_MAX`]
    /// attempts. Work that needs the database then fails immediately.
    fn update_circuit_breaker(&self, error: &Error, failed: u32) {
        let is_down = match error {
            Error::Store(error) => error.kind() == Kind::Unavailable,
            _ => true,
        };
        let enough = if matches!(error, Error::Busy) { TIMEOUTS_MAX - 1 } else { 1 };
        if is_down && failed >= enough {
            self.context.pool.mark_unavailable(&match error {
                Error::Busy => format!("no response in {} s", TIME_LIMIT.as_secs()),
                error => error.to_string(),
            });
        }
    }

    /// Receives changes until the database cannot be read. `last` is the number of the last received change, so that
    /// the next attempt continues from there.
    async fn follow_feed(&self, last: &mut Option<i64>, failed: &mut u32) -> Result<Infallible, Error> {
        let mut feed = with_time_limit(Feed::open(&self.context.pool, *last)).await?;
        if last.replace(feed.last()).is_none() {
            // The first subscription of this task: earlier changes may have been missed, even if another task was
            // subscribed before.
            self.invalidate_all();
        }
        loop {
            // The time is taken before the query, because the result may not contain later writes.
            let at = self.context.clock.monotonic_micros();
            match with_time_limit(feed.poll()).await? {
                FeedItem::Changes(changes) => {
                    self.cache.apply(&changes);
                    self.tokens.apply(&changes);
                }
                FeedItem::Gap => {
                    tracing::warn!("verify.missed_changes");
                    self.invalidate_all();
                }
            }
            *last = Some(feed.last());
            *failed = 0;
            self.context.pool.mark_available();
            self.cache.mark_fresh(at);
            feed.wait().await;
        }
    }

    fn invalidate_all(&self) {
        self.tokens.invalidate_all();
        self.cache.invalidate_all();
    }

    /// Loads all keys once changes are received, and again whenever necessary.
    async fn load(&self) {
        loop {
            self.cache.wait_for_load().await;
            let missed = self.cache.gap_count();
            match self.load_all().await {
                Ok(()) => self.cache.mark_loaded(missed),
                Err(error) => {
                    tracing::warn!(error = %ErrorChain(&error), "verify.not_loaded");
                    time::sleep(RETRY).await;
                    self.cache.request_load();
                }
            }
        }
    }

    async fn load_all(&self) -> Result<(), store::Error> {
        self.tokens.load_revoked().await?;
        let mut after = Uuid::nil();
        loop {
            let read = self.cache.page_read_version();
            let page = {
                let mut reader = self.context.pool.acquire_reader().await?;
                store::key_snapshot::page(&mut reader.conn(), after, PAGE).await?
            };
            self.cache.insert_page(&page, read);
            match page.last() {
                Some(row) => after = row.id,
                None => return Ok(()),
            }
        }
    }
}

/// Waits for a query with the time limit [`TIME_LIMIT`].
async fn with_time_limit<T>(query: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
    match time::timeout(TIME_LIMIT, query).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Busy),
    }
}

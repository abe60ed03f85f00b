//! Cache invalidation: applies the changes of other processes on the same database (the command line, other nodes) to
//! the caches of this process. The verifier trusts its cache only while this task receives changes.

use crate::{
    tokens::Tokens,
    verify::{Cache, Verifier},
};
use keyward_core::{Error, Ground};
use keyward_store::log_limit::LogLimit;
use keyward_store::{
    self as store, Kind,
    feed::{Feed, News},
};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::time;
use uuid::Uuid;

/// Delay before the next attempt after the change feed or the database could not be read.
const RETRY: Duration = Duration::from_millis(200);
/// Time limit for a response of the database. Shorter than the time after which the cache is stale.
const PATIENCE: Duration = Duration::from_secs(1);
/// Consecutive attempts without a response after which the database counts as unavailable. A busy machine may miss one
/// or two.
const UNANSWERED: u32 = 3;
/// Keys in one page when all keys are loaded.
const PAGE: i64 = 1_000;

/// Receives changes and loads all keys. Runs until the process ends.
pub async fn run(ground: Ground, verifier: Verifier, tokens: Tokens) {
    let hearing = Hearing { cache: verifier.cache, tokens, ground };
    tokio::join!(hearing.hear(), hearing.load(), hearing.tokens.follow_keys());
}

struct Hearing {
    ground: Ground,
    cache: Arc<Cache>,
    tokens: Tokens,
}

impl Hearing {
    async fn hear(&self) {
        static LIMIT: LogLimit = LogLimit::new();
        let mut last = None;
        // Consecutive failed attempts.
        let mut failed = 0;
        loop {
            let Err(error) = self.listen(&mut last, &mut failed).await;
            if let Some(attempts) = LIMIT.count() {
                tracing::warn!(%error, attempts, "verify.unheard");
            }
            self.judge(&error, failed);
            failed += 1;
            // After a lost connection the first attempt to reconnect is immediate.
            if failed > 1 {
                time::sleep(RETRY).await;
            }
        }
    }

    /// Opens the circuit breaker if the database refuses a new connection, or has not responded to [`UNANSWERED`]
    /// attempts. Work that needs the database then fails immediately.
    fn judge(&self, error: &Error, failed: u32) {
        let is_down = match error {
            Error::Store(error) => error.kind() == Kind::Unavailable,
            _ => true,
        };
        let enough = if matches!(error, Error::Busy) { UNANSWERED - 1 } else { 1 };
        if is_down && failed >= enough {
            self.ground.pool.mark_unavailable(&match error {
                Error::Busy => format!("no answer in {} s", PATIENCE.as_secs()),
                error => error.to_string(),
            });
        }
    }

    /// Receives changes until the database cannot be read. `last` is the number of the last received change, so that
    /// the next attempt continues from there.
    async fn listen(&self, last: &mut Option<i64>, failed: &mut u32) -> Result<Infallible, Error> {
        let mut feed = patiently(Feed::open(&self.ground.pool, *last)).await?;
        if last.replace(feed.last()).is_none() {
            // The first subscription of this task: earlier changes may have been missed, even if another task was
            // subscribed before.
            self.missed();
        }
        loop {
            // The time is taken before the query, because the result may not contain later writes.
            let at = self.ground.clock.steady();
            match patiently(feed.news()).await? {
                News::Changes(changes) => {
                    self.cache.heard(&changes);
                    self.tokens.heard(&changes);
                }
                News::Missed => {
                    tracing::warn!("verify.missed_changes");
                    self.missed();
                }
            }
            *last = Some(feed.last());
            *failed = 0;
            self.ground.pool.mark_available();
            self.cache.heard_at(at);
            feed.wait().await;
        }
    }

    fn missed(&self) {
        self.tokens.missed();
        self.cache.missed();
    }

    /// Loads all keys once changes are received, and again whenever necessary.
    async fn load(&self) {
        loop {
            self.cache.to_load().await;
            let missed = self.cache.times_missed();
            match self.load_all().await {
                Ok(()) => self.cache.loaded(missed),
                Err(error) => {
                    tracing::warn!(%error, "verify.not_loaded");
                    time::sleep(RETRY).await;
                    self.cache.load_again();
                }
            }
        }
    }

    async fn load_all(&self) -> Result<(), store::Error> {
        self.tokens.read_revoked().await?;
        let mut after = Uuid::nil();
        loop {
            let read = self.cache.page_ticket();
            let page = {
                let mut reader = self.ground.pool.read().await?;
                store::facts::page(&mut reader.conn(), after, PAGE).await?
            };
            self.cache.fill(&page, read);
            match page.last() {
                Some(row) => after = row.id,
                None => return Ok(()),
            }
        }
    }
}

/// Waits for a query with the time limit [`PATIENCE`].
async fn patiently<T>(asked: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
    match time::timeout(PATIENCE, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Busy),
    }
}

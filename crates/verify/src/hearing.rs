//! Hearing what other processes on the same database change: the command line, other nodes. What the verifier remembers is believed
//! only while this runs.

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

/// How long until another try when the database could not be heard or read.
const RETRY: Duration = Duration::from_millis(200);
/// For how long an answer of the database is waited for: shorter than that after which nothing is believed any more.
const PATIENCE: Duration = Duration::from_secs(1);
/// Attempts in a row without an answer after which the database counts as unavailable. A busy machine may miss one or two.
const UNANSWERED: u32 = 3;
/// Keys that are read at once when all are loaded.
const PAGE: i64 = 1_000;

/// Listens, and loads all keys, for as long as the process runs.
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
        // Attempts in a row that heard nothing.
        let mut failed = 0;
        loop {
            let Err(error) = self.listen(&mut last, &mut failed).await;
            if let Some(attempts) = LIMIT.count() {
                tracing::warn!(%error, attempts, "verify.unheard");
            }
            self.judge(&error, failed);
            failed += 1;
            // A connection that was lost is made anew at once.
            if failed > 1 {
                time::sleep(RETRY).await;
            }
        }
    }

    /// Opens the circuit breaker once the database refuses a new connection, or has not answered [`UNANSWERED`] attempts: work that
    /// needs it is then refused at once.
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

    /// Listens until the database cannot be heard any more. `last`: the number of the last change that was heard, so that the next
    /// try goes on from there.
    async fn listen(&self, last: &mut Option<i64>, failed: &mut u32) -> Result<Infallible, Error> {
        let mut feed = patiently(Feed::open(&self.ground.pool, *last)).await?;
        if last.replace(feed.last()).is_none() {
            // Nobody listened before, or somebody else did, and has stopped.
            self.missed();
        }
        loop {
            // Before it is asked: what is written afterwards may not be in the answer.
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

    /// Loads all keys once it is heard what becomes of them, and again whenever that is needed.
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

/// What the database answers, unless it takes too long.
async fn patiently<T>(asked: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
    match time::timeout(PATIENCE, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Error::Busy),
    }
}

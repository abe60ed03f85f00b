//! Key verification: decides whether a key satisfies a request.
//!
//! [`decide`] is a pure function of a key snapshot, a request, and the time. The cache contains snapshots, never
//! decisions:
//!
//! ```text
//! secret -> parse -> digest index (digest -> slot) -> snapshot cache (slot -> snapshot) -> decide
//!                      absent: unknown, or miss limiter -> lookup limiter -> store -> snapshot cache
//! ```
//!
//! Nothing is awaited, and no lock is held, on the first line.

mod budget;
mod cache;
mod decide;
mod facts;
mod gate;
mod known;
mod marks;
#[cfg(test)]
mod memory;
mod places;
mod resident;
#[cfg(test)]
mod schedules;
mod shard;
mod sync;
mod terms;

pub(crate) use cache::Cache;
pub use cache::{Counts, DEAF_AFTER};
pub use decide::{Question, Refused, decide};
pub use facts::Facts;
pub use terms::Terms;

use super::{
    limits::{Limits, Quota},
    usage::{Outcome, Usage},
};
use cache::Remembered;
use decide::By;
use gate::Gate;
use keyward_core::{Error, Ground};
use keyward_domain::secret::PresentedSecret;
use keyward_domain::{ids::KeyId, time::Timestamp};
use keyward_store as store;
use std::sync::Arc;

/// A key that satisfies the request.
#[derive(Clone, Debug)]
pub struct Good {
    pub facts: Facts,
    /// The remaining quota after this call, or `None` if the key has no rate limit.
    pub quota: Option<Quota>,
}

/// The result of a decision.
pub type Decision = Result<Good, Refused>;

/// Verifies keys, and tokens made from them; clones share the cache.
#[derive(Clone)]
pub struct Verifier {
    ground: Ground,
    limits: Limits,
    usage: Usage,
    pub(super) cache: Arc<Cache>,
    gate: Arc<Gate>,
}

impl Verifier {
    /// Creates a verifier that caches the snapshots of at most `most` keys, once changes are received
    /// ([`super::hearing`]).
    pub fn new(ground: Ground, limits: Limits, usage: Usage, most: usize) -> Self {
        let cache = Arc::new(Cache::new(most, ground.clock.clone(), &*ground.random));
        ground.queue.tell(cache.clone());
        Self { ground, limits, usage, cache, gate: Arc::default() }
    }

    /// Returns the time for decisions.
    pub fn now(&self) -> Timestamp {
        self.ground.now()
    }

    /// Returns a new UUID, for objects that are created after a decision.
    pub fn new_id(&self) -> uuid::Uuid {
        self.ground.new_id()
    }

    /// Returns the statistics of the cache.
    pub fn counts(&self) -> Counts {
        self.cache.counts()
    }

    /// Decides on a secret. The inner error is a denial; the outer one is an internal error.
    ///
    /// # Errors
    /// [`Error::Busy`] if a query is necessary and does not finish in time, or the store error if the store cannot be
    /// reached.
    pub async fn secret(&self, text: &str, question: &Question<'_>) -> Result<Decision, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(Refused::Malformed(fault))),
        };
        match self.cached(&presented, question) {
            Some(decision) => Ok(decision),
            // On the heap: the future of a lookup has kilobytes, which every request would otherwise move around.
            None => Box::pin(self.looked_up(&presented, question)).await,
        }
    }

    /// Decides on a secret from the cache, without waiting. Returns `None` if the store must be queried with
    /// [`Verifier::looked_up`].
    pub fn cached(&self, presented: &PresentedSecret, question: &Question<'_>) -> Option<Decision> {
        match self.cache.digest(presented.digest.as_bytes()) {
            Remembered::Facts(facts) => Some(self.answer(facts, question, By::Secret)),
            Remembered::Nobody => Some(Err(Refused::Unknown)),
            Remembered::Ask => None,
        }
    }

    /// Decides on a secret from the store.
    ///
    /// # Errors
    /// [`Error::Busy`] if the query does not finish in time.
    pub async fn looked_up(&self, presented: &PresentedSecret, question: &Question<'_>) -> Result<Decision, Error> {
        let facts = self.read_secret(presented).await?;
        Ok(facts.map_or(Err(Refused::Unknown), |facts| self.answer(facts, question, By::Secret)))
    }

    /// Returns the key with this secret, valid or not, without using it. The inner error means that no key has this
    /// secret.
    ///
    /// # Errors
    /// Same as [`Verifier::secret`].
    pub async fn whose(&self, text: &str) -> Result<Result<KeyId, Refused>, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(Refused::Malformed(fault))),
        };
        let facts = match self.cache.digest(presented.digest.as_bytes()) {
            Remembered::Facts(facts) => Some(facts),
            Remembered::Nobody => None,
            Remembered::Ask => self.read_secret(&presented).await?,
        };
        Ok(facts.map(|facts| facts.key).ok_or(Refused::Unknown))
    }

    /// Reads the snapshot of the key with this secret from the store.
    async fn read_secret(&self, presented: &PresentedSecret) -> Result<Option<Facts>, Error> {
        let digest = presented.digest.as_bytes();
        let row = self.gate.pass(async {
            let ticket = self.cache.ticket();
            let mut reader = self.ground.pool.read().await?;
            let row = store::facts::by_digest(&mut reader.conn(), digest).await?;
            row.map(|row| self.cache.keep(&row, ticket)).transpose()
        });
        let facts = row.await?;
        if facts.is_none() {
            self.cache.nobody(digest);
        }
        Ok(facts)
    }

    /// Decides on a key by its id, for a token made from it. Networks restrict the secret, not its tokens, and are not
    /// checked.
    ///
    /// # Errors
    /// Same as [`Verifier::secret`].
    pub async fn key(&self, id: KeyId, question: &Question<'_>) -> Result<Decision, Error> {
        match self.cached_key(id, question) {
            Some(decision) => Ok(decision),
            None => Box::pin(self.looked_up_key(id, question)).await,
        }
    }

    async fn looked_up_key(&self, id: KeyId, question: &Question<'_>) -> Result<Decision, Error> {
        Ok(self.read(id).await?.map_or(Err(Refused::Unknown), |facts| self.answer(facts, question, By::Token)))
    }

    /// Reads the snapshot of the key with this id from the store.
    async fn read(&self, id: KeyId) -> Result<Option<Facts>, Error> {
        let row = self.gate.pass(async {
            let ticket = self.cache.ticket();
            let mut reader = self.ground.pool.read().await?;
            let row = store::facts::by_id(&mut reader.conn(), id.into()).await?;
            row.map(|row| self.cache.keep(&row, ticket)).transpose()
        });
        row.await
    }

    /// Decides on a key by its id like [`Verifier::key`], without using it: no quota is taken, and no call is counted.
    ///
    /// # Errors
    /// Same as [`Verifier::secret`].
    pub async fn look(&self, id: KeyId) -> Result<Decision, Error> {
        let Some(facts) = self.facts(id).await? else { return Ok(Err(Refused::Unknown)) };
        let decision = decide::decide_by(By::Token, &facts, &Question::default(), self.ground.now());
        Ok(decision.map(|()| Good { facts, quota: None }))
    }

    /// Returns the snapshot of the key with this id, valid or not, or `None` if the key does not exist.
    ///
    /// # Errors
    /// Same as [`Verifier::secret`].
    pub(super) async fn facts(&self, id: KeyId) -> Result<Option<Facts>, Error> {
        match self.cache.key(id) {
            Remembered::Facts(facts) => Ok(Some(facts)),
            Remembered::Nobody | Remembered::Ask => self.read(id).await,
        }
    }

    /// Returns whether the cache can be trusted, because changes of other processes are received.
    pub(super) fn is_hearing(&self) -> bool {
        self.cache.is_believed()
    }

    /// Runs a query for a decision under the lookup limiter.
    ///
    /// # Errors
    /// [`Error::Busy`] if the query does not finish in time.
    pub(super) async fn ask<T>(&self, asked: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
        self.gate.pass(asked).await
    }

    /// Same as [`Verifier::key`], from the cache and without waiting. Returns `None` if the store must be queried.
    pub fn cached_key(&self, id: KeyId, question: &Question<'_>) -> Option<Decision> {
        match self.cache.key(id) {
            Remembered::Facts(facts) => Some(self.answer(facts, question, By::Token)),
            Remembered::Nobody | Remembered::Ask => None,
        }
    }

    fn answer(&self, facts: Facts, question: &Question<'_>, by: By) -> Decision {
        let now = self.ground.now();
        let decision = decide::decide_by(by, &facts, question, now).and_then(|()| match &facts.rate_limit {
            None => Ok(None),
            Some(limit) => self.limits.take(facts.key, limit, now).map(Some).map_err(Refused::RateLimited),
        });
        if let Some(outcome) = decision.as_ref().err().map_or(Some(Outcome::Accepted), Outcome::of) {
            self.usage.note(facts.key, outcome, now);
        }
        decision.map(|quota| Good { facts, quota })
    }
}

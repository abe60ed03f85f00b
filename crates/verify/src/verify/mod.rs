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

mod cache;
mod decide;
mod digest_index;
mod hashed_slot;
mod key_snapshot;
mod lookup_limiter;
#[cfg(test)]
mod memory;
mod shard;
mod shared_attributes;
#[cfg(test)]
mod shuttle_tests;
mod snapshot_cache;
mod sync_shim;
mod version_stamps;

pub(crate) use cache::Cache;
pub use cache::{Counts, STALE_AFTER};
pub use decide::{DenyReason, VerifyRequest, decide};
pub use key_snapshot::KeySnapshot;
pub use shared_attributes::SharedAttributes;

use super::{
    limits::{Limits, Quota},
    usage::{Outcome, Usage},
};
use cache::CachedKey;
use decide::CredentialKind;
use keyward_core::{Context, Error};
use keyward_domain::secret::PresentedSecret;
use keyward_domain::{
    ids::{KeyId, SubjectId},
    time::Timestamp,
};
use keyward_store as store;
use lookup_limiter::LookupLimiter;
use std::sync::Arc;

/// A key that satisfies the request.
#[derive(Clone, Debug)]
pub struct Verified {
    pub snapshot: KeySnapshot,
    /// The remaining quota after this call, or `None` if the key has no rate limit.
    pub quota: Option<Quota>,
}

/// The result of a decision.
pub type Decision = Result<Verified, DenyReason>;

/// Verifies keys, and tokens made from them; clones share the cache.
#[derive(Clone)]
pub struct Verifier {
    context: Context,
    limits: Limits,
    usage: Usage,
    pub(super) cache: Arc<Cache>,
    lookup_limiter: Arc<LookupLimiter>,
}

impl Verifier {
    /// Creates a verifier that caches the snapshots of at most `most` keys, once changes are received
    /// ([`super::cache_invalidation`]).
    pub fn new(context: Context, limits: Limits, usage: Usage, most: usize) -> Self {
        let cache = Arc::new(Cache::new(most, context.clock.clone(), &*context.random));
        context.queue.subscribe(cache.clone());
        Self { context, limits, usage, cache, lookup_limiter: Arc::default() }
    }

    /// Returns the time for decisions.
    pub fn now(&self) -> Timestamp {
        self.context.now()
    }

    /// Returns a new UUID, for objects that are created after a decision.
    pub fn new_id(&self) -> uuid::Uuid {
        self.context.new_id()
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
    pub async fn verify_secret(&self, text: &str, question: &VerifyRequest<'_>) -> Result<Decision, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(DenyReason::Malformed(fault))),
        };
        match self.verify_secret_cached(&presented, question) {
            Some(decision) => Ok(decision),
            // On the heap: the future of a lookup has kilobytes, which every request would otherwise move around.
            None => Box::pin(self.verify_secret_in_store(&presented, question)).await,
        }
    }

    /// Decides on a secret from the cache, without waiting. Returns `None` if the store must be queried with
    /// [`Verifier::verify_secret_in_store`].
    pub fn verify_secret_cached(&self, presented: &PresentedSecret, question: &VerifyRequest<'_>) -> Option<Decision> {
        match self.cache.find_by_digest(presented.digest.as_bytes()) {
            CachedKey::Snapshot(facts) => Some(self.decide_and_count(facts, question, CredentialKind::Secret)),
            CachedKey::Absent => Some(Err(DenyReason::Unknown)),
            CachedKey::QueryStore => None,
        }
    }

    /// Decides on a secret from the store.
    ///
    /// # Errors
    /// [`Error::Busy`] if the query does not finish in time.
    pub async fn verify_secret_in_store(
        &self,
        presented: &PresentedSecret,
        question: &VerifyRequest<'_>,
    ) -> Result<Decision, Error> {
        let facts = self.load_snapshot_by_digest(presented).await?;
        Ok(facts
            .map_or(Err(DenyReason::Unknown), |facts| self.decide_and_count(facts, question, CredentialKind::Secret)))
    }

    /// Returns the key with this secret, valid or not, without using it. The inner error means that no key has this
    /// secret.
    ///
    /// # Errors
    /// Same as [`Verifier::verify_secret`].
    pub async fn find_key_id(&self, text: &str) -> Result<Result<KeyId, DenyReason>, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(DenyReason::Malformed(fault))),
        };
        let facts = match self.cache.find_by_digest(presented.digest.as_bytes()) {
            CachedKey::Snapshot(facts) => Some(facts),
            CachedKey::Absent => None,
            CachedKey::QueryStore => self.load_snapshot_by_digest(&presented).await?,
        };
        Ok(facts.and_then(|facts| facts.subject().key()).ok_or(DenyReason::Unknown))
    }

    /// Reads the snapshot of the key with this secret from the store.
    async fn load_snapshot_by_digest(&self, presented: &PresentedSecret) -> Result<Option<KeySnapshot>, Error> {
        let digest = presented.digest.as_bytes();
        let row = self.lookup_limiter.run(async {
            let ticket = self.cache.read_version();
            let mut reader = self.context.pool.acquire_reader().await?;
            let row = store::key_snapshot::by_digest(&mut reader.conn(), digest).await?;
            row.map(|row| self.cache.insert(&row, ticket)).transpose()
        });
        let facts = row.await?;
        if facts.is_none() {
            self.cache.remove_digest(digest);
        }
        Ok(facts)
    }

    /// Decides on a key or a grant by its id, for a token that was issued for it. Networks restrict the secret of a
    /// key, not its tokens, and are not checked.
    ///
    /// # Errors
    /// Same as [`Verifier::verify_secret`].
    pub async fn verify_subject(&self, id: SubjectId, question: &VerifyRequest<'_>) -> Result<Decision, Error> {
        match self.verify_subject_cached(id, question) {
            Some(decision) => Ok(decision),
            None => Box::pin(self.verify_subject_in_store(id, question)).await,
        }
    }

    async fn verify_subject_in_store(&self, id: SubjectId, question: &VerifyRequest<'_>) -> Result<Decision, Error> {
        Ok(self
            .load_snapshot(id)
            .await?
            .map_or(Err(DenyReason::Unknown), |facts| self.decide_and_count(facts, question, CredentialKind::Token)))
    }

    /// Reads the snapshot of a key or a grant from the store.
    async fn load_snapshot(&self, id: SubjectId) -> Result<Option<KeySnapshot>, Error> {
        let row = self.lookup_limiter.run(async {
            let ticket = self.cache.read_version();
            let mut reader = self.context.pool.acquire_reader().await?;
            let row = store::key_snapshot::by_id(&mut reader.conn(), id).await?;
            row.map(|row| self.cache.insert(&row, ticket)).transpose()
        });
        row.await
    }

    /// Decides on a key or a grant by its id like [`Verifier::verify_subject`], without using it: no quota is taken, and
    /// no call is counted.
    ///
    /// # Errors
    /// Same as [`Verifier::verify_secret`].
    pub async fn peek(&self, id: SubjectId) -> Result<Decision, Error> {
        let Some(facts) = self.find_snapshot(id).await? else { return Ok(Err(DenyReason::Unknown)) };
        let decision = decide::decide_by(CredentialKind::Token, &facts, &VerifyRequest::default(), self.context.now());
        Ok(decision.map(|()| Verified { snapshot: facts, quota: None }))
    }

    /// Returns the snapshot of a key or a grant, valid or not, or `None` if it does not exist.
    ///
    /// # Errors
    /// Same as [`Verifier::verify_secret`].
    pub(super) async fn find_snapshot(&self, id: SubjectId) -> Result<Option<KeySnapshot>, Error> {
        match self.cache.find_by_id(id) {
            CachedKey::Snapshot(facts) => Ok(Some(facts)),
            CachedKey::Absent | CachedKey::QueryStore => self.load_snapshot(id).await,
        }
    }

    /// Returns whether the cache can be trusted, because changes of other processes are received.
    pub(super) fn is_cache_fresh(&self) -> bool {
        self.cache.is_fresh()
    }

    /// Runs a query for a decision under the lookup limiter.
    ///
    /// # Errors
    /// [`Error::Busy`] if the query does not finish in time.
    pub(super) async fn run_lookup<T>(&self, query: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
        self.lookup_limiter.run(query).await
    }

    /// Same as [`Verifier::verify_subject`], from the cache and without waiting. Returns `None` if the store must be
    /// queried.
    pub fn verify_subject_cached(&self, id: SubjectId, question: &VerifyRequest<'_>) -> Option<Decision> {
        match self.cache.find_by_id(id) {
            CachedKey::Snapshot(facts) => Some(self.decide_and_count(facts, question, CredentialKind::Token)),
            CachedKey::Absent | CachedKey::QueryStore => None,
        }
    }

    fn decide_and_count(&self, facts: KeySnapshot, question: &VerifyRequest<'_>, by: CredentialKind) -> Decision {
        let now = self.context.now();
        let subject = facts.subject();
        let decision = decide::decide_by(by, &facts, question, now).and_then(|()| match (&facts.rate_limit, subject) {
            (Some(limit), SubjectId::Key(key)) => {
                self.limits.try_acquire(key, limit, now).map(Some).map_err(DenyReason::RateLimited)
            }
            // A grant has no rate limit.
            (None, _) | (Some(_), SubjectId::Grant(_)) => Ok(None),
        });
        if let Some(outcome) = decision.as_ref().err().map_or(Some(Outcome::Accepted), Outcome::from_deny_reason) {
            self.usage.record(subject, outcome, now);
        }
        decision.map(|quota| Verified { snapshot: facts, quota })
    }
}

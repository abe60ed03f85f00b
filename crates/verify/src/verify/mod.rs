//! The answer to "is this key good?".
//!
//! [`decide`] is pure: facts of a key, a question, an instant. What is kept in memory are facts, never decisions:
//!
//! ```text
//! secret -> parse -> index (digest -> place) -> resident (place -> facts) -> decide        nothing awaited, no lock held
//!                        absent: nobody's, or the budget -> gate -> store -> resident
//! ```

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

/// A key that is good for what was asked.
#[derive(Clone, Debug)]
pub struct Good {
    pub facts: Facts,
    /// What is left of its rate after this call; `None`: it has no limit.
    pub quota: Option<Quota>,
}

/// What was decided.
pub type Decision = Result<Good, Refused>;

/// Answers for keys, and for the tokens made from them; clones share what they remember.
#[derive(Clone)]
pub struct Verifier {
    ground: Ground,
    limits: Limits,
    usage: Usage,
    pub(super) cache: Arc<Cache>,
    gate: Arc<Gate>,
}

impl Verifier {
    /// Remembers the facts of at most `most` keys, once somebody listens ([`super::hearing`]).
    pub fn new(ground: Ground, limits: Limits, usage: Usage, most: usize) -> Self {
        let cache = Arc::new(Cache::new(most, ground.clock.clone(), &*ground.random));
        ground.queue.tell(cache.clone());
        Self { ground, limits, usage, cache, gate: Arc::default() }
    }

    /// The instant that decisions are made for.
    pub fn now(&self) -> Timestamp {
        self.ground.now()
    }

    /// A new UUID, for what is made of a decision.
    pub fn new_id(&self) -> uuid::Uuid {
        self.ground.new_id()
    }

    /// How often memory was asked, and what it holds.
    pub fn counts(&self) -> Counts {
        self.cache.counts()
    }

    /// Decides on a secret. The inner error is a decision; the outer one a fault.
    ///
    /// # Errors
    /// [`Error::Busy`] if the store has to be asked and cannot answer in time, or the store's own error if it cannot be reached.
    pub async fn secret(&self, text: &str, question: &Question<'_>) -> Result<Decision, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(Refused::Malformed(fault))),
        };
        match self.cached(&presented, question) {
            Some(decision) => Ok(decision),
            // On the heap: a look-up holds kilobytes while it waits, and every request would move them about.
            None => Box::pin(self.looked_up(&presented, question)).await,
        }
    }

    /// Decides on a secret from memory, without waiting. `None`: the store has to be asked, by [`Verifier::looked_up`].
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
    /// [`Error::Busy`] if it cannot answer in time.
    pub async fn looked_up(&self, presented: &PresentedSecret, question: &Question<'_>) -> Result<Decision, Error> {
        let facts = self.read_secret(presented).await?;
        Ok(facts.map_or(Err(Refused::Unknown), |facts| self.answer(facts, question, By::Secret)))
    }

    /// Whose secret this is, good or not, without its being used. The inner error: nobody's.
    ///
    /// # Errors
    /// As [`Verifier::secret`].
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

    /// The facts of the key with this secret, from the store.
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

    /// Decides on a key by its id, for a token that was made from it. Networks bind the secret, not its tokens: they are not asked.
    ///
    /// # Errors
    /// As [`Verifier::secret`].
    pub async fn key(&self, id: KeyId, question: &Question<'_>) -> Result<Decision, Error> {
        match self.cached_key(id, question) {
            Some(decision) => Ok(decision),
            None => Box::pin(self.looked_up_key(id, question)).await,
        }
    }

    async fn looked_up_key(&self, id: KeyId, question: &Question<'_>) -> Result<Decision, Error> {
        Ok(self.read(id).await?.map_or(Err(Refused::Unknown), |facts| self.answer(facts, question, By::Token)))
    }

    /// The facts of the key with this id, from the store.
    async fn read(&self, id: KeyId) -> Result<Option<Facts>, Error> {
        let row = self.gate.pass(async {
            let ticket = self.cache.ticket();
            let mut reader = self.ground.pool.read().await?;
            let row = store::facts::by_id(&mut reader.conn(), id.into()).await?;
            row.map(|row| self.cache.keep(&row, ticket)).transpose()
        });
        row.await
    }

    /// Decides on a key by its id as [`Verifier::key`] does, without its being a use of the key: no quota is taken, and nothing counted.
    ///
    /// # Errors
    /// As [`Verifier::secret`].
    pub async fn look(&self, id: KeyId) -> Result<Decision, Error> {
        let Some(facts) = self.facts(id).await? else { return Ok(Err(Refused::Unknown)) };
        let decision = decide::decide_by(By::Token, &facts, &Question::default(), self.ground.now());
        Ok(decision.map(|()| Good { facts, quota: None }))
    }

    /// What is known of the key with this id, good or not; `None`: it is gone, or never was.
    ///
    /// # Errors
    /// As [`Verifier::secret`].
    pub(super) async fn facts(&self, id: KeyId) -> Result<Option<Facts>, Error> {
        match self.cache.key(id) {
            Remembered::Facts(facts) => Ok(Some(facts)),
            Remembered::Nobody | Remembered::Ask => self.read(id).await,
        }
    }

    /// Whether what is in memory can be believed: the changes of others are heard.
    pub(super) fn is_hearing(&self) -> bool {
        self.cache.is_believed()
    }

    /// Asks the store something that a decision needs, when it is its turn.
    ///
    /// # Errors
    /// [`Error::Busy`] if it cannot answer in time.
    pub(super) async fn ask<T>(&self, asked: impl Future<Output = Result<T, store::Error>>) -> Result<T, Error> {
        self.gate.pass(asked).await
    }

    /// As [`Verifier::key`], from memory and without waiting. `None`: the store has to be asked.
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

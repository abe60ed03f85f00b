//! The answer to "is this key good?".
//!
//! [`decide`] is pure: facts of a key, a question, an instant. What is read from the store are facts, never decisions.

mod decide;
mod facts;

pub use decide::{Question, Refused, decide};
pub use facts::Facts;

use super::{
    Error, Ground,
    limits::{Limits, Quota},
    usage::{Outcome, Usage},
};
use crate::{
    domain::{ids::KeyId, time::Timestamp},
    secret::PresentedSecret,
    store::{self, keys::KeyRow},
};
use std::sync::Arc;

/// A key that is good for what was asked.
#[derive(Clone, Debug)]
pub struct Good {
    pub facts: Arc<Facts>,
    /// What is left of its rate after this call; `None`: it has no limit.
    pub quota: Option<Quota>,
}

/// What was decided.
pub type Decision = Result<Good, Refused>;

/// Answers for keys, and for the tokens made from them.
#[derive(Clone)]
pub struct Verifier {
    ground: Ground,
    limits: Limits,
    usage: Usage,
}

impl Verifier {
    pub fn new(ground: Ground, limits: Limits, usage: Usage) -> Self {
        Self { ground, limits, usage }
    }

    /// The instant that decisions are made for.
    pub fn now(&self) -> Timestamp {
        self.ground.now()
    }

    /// A new UUID, for what is made of a decision.
    pub fn new_id(&self) -> uuid::Uuid {
        self.ground.new_id()
    }

    /// Decides on a secret. The inner error is a decision; the outer one a fault.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn secret(&self, text: &str, question: &Question<'_>) -> Result<Decision, Error> {
        let presented: PresentedSecret = match text.parse() {
            Ok(presented) => presented,
            Err(fault) => return Ok(Err(Refused::Malformed(fault))),
        };
        let row = {
            let mut reader = self.ground.pool.read().await?;
            store::keys::by_digest(&mut reader.conn(), presented.digest.as_bytes()).await?
        };
        self.answer(row, question, true)
    }

    /// Decides on a key by its id, for a token that was made from it. Networks bind the secret, not its tokens: they are not asked.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn key(&self, id: KeyId, question: &Question<'_>) -> Result<Decision, Error> {
        let row = {
            let mut reader = self.ground.pool.read().await?;
            store::keys::by_id(&mut reader.conn(), id.into()).await?
        };
        self.answer(row, question, false)
    }

    fn answer(&self, row: Option<KeyRow>, question: &Question<'_>, networks: bool) -> Result<Decision, Error> {
        let Some(row) = row else { return Ok(Err(Refused::Unknown)) };
        let mut facts = Facts::try_from(row)?;
        if !networks {
            facts.networks = Default::default();
        }
        let now = self.ground.now();
        let decision = decide(&facts, question, now).and_then(|()| match &facts.rate_limit {
            None => Ok(None),
            Some(limit) => self.limits.take(facts.key, limit, now).map(Some).map_err(Refused::RateLimited),
        });
        if let Some(outcome) = decision.as_ref().err().map_or(Some(Outcome::Accepted), Outcome::of) {
            self.usage.note(facts.key, outcome, now);
        }
        Ok(decision.map(|quota| Good { facts: Arc::new(facts), quota }))
    }
}

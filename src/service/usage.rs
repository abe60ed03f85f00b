//! When a key was last used: noted without blocking the answer, written in batches.

use super::{Error, Ground, verify::Refused};
use crate::{
    domain::{ids::KeyId, time::Timestamp},
    store::{self, queue::Kept},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How often what was noted is written.
const FLUSH: Duration = Duration::from_secs(1);
/// Keys noted between two flushes; past it a use is not noted until the next flush has made room.
const BOUND: usize = 100_000;

/// Keys written in one change.
const CHUNK: usize = 500;

/// What became of a call: accepted, or the rule that refused it. Counted for keys that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    Accepted,
    Deleted,
    ProjectArchived,
    Inactive,
    NotYetValid,
    Expired,
    WrongProject,
    WrongNetwork,
    MissingScope,
    RateLimited,
}

impl Outcome {
    /// The outcome of a refusal of a key that is known.
    pub const fn of(refused: &Refused) -> Self {
        match refused {
            // These two are of no key that is known; nobody counts them.
            Refused::Malformed(_) | Refused::Unknown | Refused::Deleted => Self::Deleted,
            Refused::ProjectArchived => Self::ProjectArchived,
            Refused::Inactive => Self::Inactive,
            Refused::NotYetValid => Self::NotYetValid,
            Refused::Expired => Self::Expired,
            Refused::WrongProject => Self::WrongProject,
            Refused::WrongNetwork => Self::WrongNetwork,
            Refused::MissingScope(_) => Self::MissingScope,
            Refused::RateLimited(_) => Self::RateLimited,
        }
    }
}

/// The notes of this process; clones share them.
#[derive(Clone)]
pub struct Usage {
    ground: Ground,
    seen: Arc<Mutex<HashMap<KeyId, Timestamp>>>,
}

impl Usage {
    pub fn new(ground: Ground) -> Self {
        Self { ground, seen: Arc::default() }
    }

    /// Notes what became of a call with this key.
    pub fn note(&self, key: KeyId, outcome: Outcome, at: Timestamp) {
        if outcome != Outcome::Accepted {
            return;
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() < BOUND || seen.contains_key(&key) {
            seen.insert(key, at);
        }
    }

    /// Writes what was noted.
    ///
    /// # Errors
    /// If the database refuses; the notes of this flush are then lost.
    pub async fn flush(&self) -> Result<(), Error> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        if seen.is_empty() {
            return Ok(());
        }
        // In one order on every node, and few at a time, so that two of them seldom wait for each other in a circle.
        let mut seen: Vec<_> = seen.into_iter().collect();
        seen.sort_unstable();
        for chunk in seen.chunks(CHUNK) {
            self.write(chunk.to_vec()).await?;
        }
        Ok(())
    }

    async fn write(&self, seen: Vec<(KeyId, Timestamp)>) -> Result<(), Error> {
        let write = self.ground.queue.write(move |tx| {
            let seen = seen.clone();
            Box::pin(async move {
                for (key, at) in seen {
                    store::keys::set_last_used(tx, key.into(), at.micros()).await?;
                }
                Ok::<_, Error>(Kept::unrecorded(()))
            })
        });
        write.await
    }

    /// Flushes for as long as the process runs.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(FLUSH);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.flush().await {
                tracing::error!(%error, "usage.flush_failed");
            }
        }
    }
}

//! When a key was last used: noted without blocking the answer, written in batches.

use super::{Error, Ground};
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

    /// Notes that a key was accepted.
    pub fn note(&self, key: KeyId, at: Timestamp) {
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

//! What became of the calls with each key, counted beside the answer and written in batches.
//!
//! ```text
//! note -> notes (in parts, bounded) -> gather, once a second -> waiting (numbered) -> appended -> merged: usage, keys.last_used_at
//! ```
//!
//! Whoever is killed loses what was noted after the last flush. Nothing counts twice: a flush carries this process's id and a number,
//! which are kept in the transaction that keeps it; one that is sent again, because nobody heard what became of it, is seen to be there.

mod flush;
mod notes;
mod outcome;
mod read;
mod sweep;

pub use outcome::Outcome;
pub use read::Calls;

use super::limits::Limits;
use flush::{Appended, Waiting};
use keyward_core::Ground;
use keyward_domain::{ids::KeyId, time::Timestamp};
use notes::Notes;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// Microseconds in an hour, by which calls are counted.
const HOUR: i64 = 3_600_000_000;

/// The notes of this process; clones share them.
#[derive(Clone)]
pub struct Usage {
    it: Arc<Inner>,
}

struct Inner {
    ground: Ground,
    limits: Limits,
    /// This process, among those that write.
    writer: Uuid,
    notes: Notes,
    /// What was gathered and is not known to be kept.
    waiting: Mutex<Waiting>,
    /// Held by whoever flushes.
    appended: tokio::sync::Mutex<Appended>,
    lost: AtomicU64,
}

impl Usage {
    /// Counts on this ground, and saves what is used of these limits.
    pub fn new(ground: Ground, limits: Limits) -> Self {
        let writer = ground.new_id();
        Self {
            it: Arc::new(Inner {
                ground,
                limits,
                writer,
                notes: Notes::default(),
                waiting: Mutex::default(),
                appended: tokio::sync::Mutex::default(),
                lost: AtomicU64::new(0),
            }),
        }
    }

    /// Notes what became of a call with this key.
    pub fn note(&self, key: KeyId, outcome: Outcome, at: Timestamp) {
        if !self.it.notes.note(key, outcome, at) {
            self.it.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Calls that were not counted since the process began, because there was no room for them: never, unless the database does
    /// not take what was counted, or hundreds of thousands of keys are used within a second.
    pub fn lost(&self) -> u64 {
        self.it.lost.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.it.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

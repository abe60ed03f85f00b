//! Usage counters: the outcomes of calls with each key and grant, counted in memory and written in batches.
//!
//! ```text
//! note -> notes (sharded, bounded) -> gather, once a second -> waiting (numbered) -> appended
//!      -> merged: usage, keys.last_used_at
//! ```
//!
//! A killed process loses the counts since its last flush. Nothing is counted twice: a flush carries the id of the
//! process and a number, which are stored in the same transaction. A flush that is sent again because its commit was
//! not confirmed is detected as a duplicate.

mod flush;
mod notes;
mod outcome;
mod read;
mod sweep;

pub use outcome::Outcome;
pub use read::Calls;

use super::limits::Limits;
use flush::{Appended, PendingFlushes};
use keyward_core::Context;
use keyward_domain::{ids::SubjectId, time::Timestamp};
use notes::UsageCounters;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// Microseconds in an hour, by which calls are counted.
const HOUR: i64 = 3_600_000_000;

/// The usage counters of this process; clones share them.
#[derive(Clone)]
pub struct Usage {
    inner: Arc<Inner>,
}

struct Inner {
    context: Context,
    limits: Limits,
    /// The id of this process among all writers.
    writer: Uuid,
    notes: UsageCounters,
    /// Flushes whose commit is not confirmed.
    waiting: Mutex<PendingFlushes>,
    /// Locked during a flush.
    appended: tokio::sync::Mutex<Appended>,
    lost: AtomicU64,
}

impl Usage {
    /// Creates the counters. They also save the used quota of these rate limits.
    pub fn new(context: Context, limits: Limits) -> Self {
        let writer = context.new_id();
        Self {
            inner: Arc::new(Inner {
                context,
                limits,
                writer,
                notes: UsageCounters::default(),
                waiting: Mutex::default(),
                appended: tokio::sync::Mutex::default(),
                lost: AtomicU64::new(0),
            }),
        }
    }

    /// Counts a call with this key or grant.
    pub fn record(&self, subject: SubjectId, outcome: Outcome, at: Timestamp) {
        if !self.inner.notes.record(subject, outcome, at) {
            self.inner.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the number of calls that were not counted since the process started for lack of space. It is 0 unless
    /// the database does not accept flushes, or hundreds of thousands of keys are used within a second.
    pub fn lost_calls(&self) -> u64 {
        self.inner.lost.load(Ordering::Relaxed)
    }

    fn waiting(&self) -> MutexGuard<'_, PendingFlushes> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

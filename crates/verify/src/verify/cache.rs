//! The key cache: key snapshots and the digest index in memory, and whether they are current.
//!
//! The cache is trusted only while the changes of other processes are received ([`crate::hearing`]). A process that has
//! received nothing for [`DEAF_AFTER`] queries the store instead. Processes without a subscription (commands, many
//! tests) always query the store.

use super::{
    budget::Budget,
    facts::Facts,
    known::{Index, Known},
    marks::Ticket,
    resident::Resident,
    shard::Whose,
    terms::Shared,
};
use keyward_core::{clock::Clock, random::Random};
use keyward_domain::ids::KeyId;
use keyward_store::{
    self as store,
    facts::FactsRow,
    feed::Heard,
    queue::{Committed, Listener},
};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::sync::Notify;

/// Time for which the cache is trusted after changes were last received, in microseconds: 2 s.
pub const DEAF_AFTER: u64 = 2_000_000;
/// No changes were received yet.
const NEVER: u64 = u64::MAX;
/// Shards of the snapshots, and number of version stamps each for keys and for projects.
const SHARDS: usize = 64;
const STRIPES: usize = 1 << 15;
/// Maximum number of own batches that have not come back through the change feed. The keys of older ones are read
/// again.
const OWN: usize = 10_000;

/// Statistics of the cache since the start, and its contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Decisions from snapshots in memory.
    pub hits: u64,
    /// Lookups in the store.
    pub look_ups: u64,
    /// Well-formed secrets without a key, denied from memory.
    pub unknown: u64,
    /// Keys with a snapshot in memory.
    pub resident: usize,
    /// Keys in the digest index.
    pub known: usize,
    /// Whether the digest index contains all keys.
    pub complete: bool,
    /// Whether changes of other processes are received.
    pub hearing: bool,
}

/// The result of a cache lookup.
pub(super) enum Remembered {
    Facts(Facts),
    /// No key has this secret.
    Nobody,
    /// Unknown: the store must be queried.
    Ask,
}

pub(crate) struct Cache {
    resident: Resident,
    index: Index,
    shared: Shared,
    budget: Budget,
    clock: Arc<dyn Clock>,
    heard: AtomicU64,
    complete: AtomicBool,
    /// The number of times that changes were missed.
    missed: AtomicU64,
    load: Notify,
    own: Mutex<VecDeque<(i64, i64)>>,
    hits: AtomicU64,
    look_ups: AtomicU64,
    unknown: AtomicU64,
}

impl Cache {
    /// Creates a cache for the snapshots of at most `most` keys.
    pub fn new(most: usize, clock: Arc<dyn Clock>, random: &dyn Random) -> Self {
        let mut seed = [0; 8];
        random.fill(&mut seed);
        Self {
            resident: Resident::new(most, SHARDS, STRIPES, u64::from_ne_bytes(seed)),
            index: Index::default(),
            shared: Shared::default(),
            budget: Budget::default(),
            clock,
            heard: AtomicU64::new(NEVER),
            complete: AtomicBool::new(false),
            missed: AtomicU64::new(0),
            load: Notify::new(),
            own: Mutex::default(),
            hits: AtomicU64::new(0),
            look_ups: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }

    /// Returns whether the cache can be trusted now.
    pub(super) fn is_believed(&self) -> bool {
        let heard = self.heard.load(Ordering::Acquire);
        heard != NEVER && self.clock.steady().saturating_sub(heard) <= DEAF_AFTER
    }

    /// Looks up a digest. If the index is complete and does not contain it, the store is queried within the budget of
    /// the miss limiter. Beyond that, the digest is denied from memory, which costs nothing.
    pub(super) fn digest(&self, digest: &[u8; 32]) -> Remembered {
        if !self.is_believed() {
            return Remembered::Ask;
        }
        match self.index.find(digest) {
            Known::At(place) => self.found(self.resident.find(place, Whose::Digest(digest))),
            Known::Clash => Remembered::Ask,
            Known::Absent if !self.complete.load(Ordering::Acquire) => Remembered::Ask,
            Known::Absent if self.budget.spend(self.clock.steady()) => Remembered::Ask,
            Known::Absent => {
                self.unknown.fetch_add(1, Ordering::Relaxed);
                Remembered::Nobody
            }
        }
    }

    /// Looks up a key.
    pub(super) fn key(&self, id: KeyId) -> Remembered {
        if !self.is_believed() {
            return Remembered::Ask;
        }
        self.found(self.resident.find(self.resident.place(id), Whose::Key(id)))
    }

    fn found(&self, facts: Option<Facts>) -> Remembered {
        facts.map_or(Remembered::Ask, |facts| {
            self.hits.fetch_add(1, Ordering::Relaxed);
            Remembered::Facts(facts)
        })
    }

    /// Returns the version for a read of the store. Must be called before the read. `None` means that the result must
    /// not be cached.
    pub(super) fn ticket(&self) -> Option<Ticket> {
        self.look_ups.fetch_add(1, Ordering::Relaxed);
        // Without the change feed, an outdated snapshot would never be invalidated.
        (self.heard.load(Ordering::Acquire) != NEVER).then(|| self.resident.ticket())
    }

    /// Caches a row of the store.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column contains a value that the code never writes.
    pub(super) fn keep(&self, row: &FactsRow, read: Option<Ticket>) -> Result<Facts, store::Error> {
        let (digest, facts) = (row.digest()?, Facts::read(row, &self.shared)?);
        if let Some(read) = read {
            self.index.learn(&digest, self.resident.place(facts.key));
            self.resident.put(&digest, &facts, read);
        }
        Ok(facts)
    }

    /// Removes a digest from the index after the store found no key with it.
    pub(super) fn nobody(&self, digest: &[u8; 32]) {
        if let Known::At(place) = self.index.find(digest) {
            self.index.unlearn(digest, place);
        }
    }

    /// Caches a page of keys, as far as there is space.
    pub fn fill(&self, page: &[FactsRow], read: Ticket) {
        for row in page {
            let kept = row.digest().and_then(|digest| {
                self.index.learn(&digest, self.resident.place(row.id.into()));
                if !self.resident.is_full() {
                    self.resident.put(&digest, &Facts::read(row, &self.shared)?, read);
                }
                Ok(())
            });
            if let Err(error) = kept {
                tracing::error!(%error, key.id = %row.id, "verify.unreadable_key");
            }
        }
    }

    /// Same as [`Cache::ticket`], for a page of keys.
    pub fn page_ticket(&self) -> Ticket {
        self.resident.ticket()
    }

    /// Records that changes were received up to this time of the steady clock.
    pub fn heard_at(&self, steady: u64) {
        self.heard.store(steady, Ordering::Release);
    }

    /// Applies changes of other processes.
    pub fn heard(&self, changes: &[Heard]) {
        for change in changes {
            if self.is_own(change.seq) {
                continue;
            }
            let digest = change.digest.as_deref().and_then(|digest| digest.try_into().ok());
            self.changed(&change.topic, change.id, digest);
        }
    }

    /// Invalidates everything after missed changes, or after a new subscription: no snapshot can be trusted, and there
    /// may be keys that the index does not contain.
    pub fn missed(&self) {
        self.complete.store(false, Ordering::Release);
        self.missed.fetch_add(1, Ordering::AcqRel);
        self.resident.everything_changed();
        self.load.notify_one();
    }

    fn changed(&self, topic: &str, id: uuid::Uuid, digest: Option<&[u8; 32]>) {
        match topic {
            "key" => {
                let new = digest.is_some_and(|digest| self.index.learn(digest, self.resident.place(id.into())));
                // A new key has no snapshot in memory, so its version stamp, which it shares with other keys, stays
                // unchanged.
                if !(new && self.complete.load(Ordering::Acquire)) {
                    self.resident.key_changed(id.into());
                }
            }
            "grant" => self.resident.key_changed(id.into()),
            "project" => self.resident.project_changed(id.into()),
            "policy" => {
                self.resident.everything_changed();
                self.load.notify_one();
            }
            _ => {}
        }
    }

    /// Returns whether a change was made by this process, which applied it at the commit.
    fn is_own(&self, seq: i64) -> bool {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        while own.front().is_some_and(|(_, last)| *last < seq) {
            own.pop_front();
        }
        own.front().is_some_and(|(first, _)| *first <= seq)
    }

    /// Waits until all keys must be loaded.
    pub async fn to_load(&self) {
        self.load.notified().await;
    }

    /// Requests that all keys are loaded again.
    pub fn load_again(&self) {
        self.load.notify_one();
    }

    /// Returns the number of times that changes were missed.
    pub fn times_missed(&self) -> u64 {
        self.missed.load(Ordering::Acquire)
    }

    /// Records that all keys were loaded. `missed` is the number of times that changes had been missed at the start of
    /// the load.
    pub fn loaded(&self, missed: u64) {
        self.complete.store(true, Ordering::SeqCst);
        // Changes were missed meanwhile, and this load may not include them. The next load will.
        if self.times_missed() != missed {
            self.complete.store(false, Ordering::SeqCst);
        }
    }

    pub fn counts(&self) -> Counts {
        Counts {
            hits: self.hits.load(Ordering::Relaxed),
            look_ups: self.look_ups.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
            resident: self.resident.count(),
            known: self.index.count(),
            complete: self.complete.load(Ordering::Relaxed),
            hearing: self.is_believed(),
        }
    }
}

impl Listener for Cache {
    fn committed(&self, batch: &Committed) {
        if self.heard.load(Ordering::Acquire) == NEVER {
            return;
        }
        for (id, digest) in &batch.made {
            self.index.learn(digest, self.resident.place((*id).into()));
        }
        for change in &batch.changes {
            // A key that this batch created has no snapshot in memory.
            if change.topic != "key" || !batch.made.iter().any(|(id, _)| *id == change.id) {
                self.changed(change.topic, change.id, None);
            }
        }
        if let Some(last) = batch.last.filter(|_| !batch.changes.is_empty()) {
            let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
            if own.len() == OWN {
                own.pop_front();
            }
            own.push_back((last - batch.changes.len() as i64 + 1, last));
        }
    }
}

//! The key cache: key snapshots and the digest index in memory, and whether they are current.
//!
//! The cache is trusted only while the changes of other processes are received ([`crate::cache_invalidation`]). A
//! process that has received nothing for [`STALE_AFTER`] queries the store instead. Processes without a subscription
//! (commands, many tests) always query the store.

use super::{
    digest_index::{DigestIndex, Lookup},
    key_snapshot::KeySnapshot,
    shard::SlotKey,
    shared_attributes::AttributeInterner,
    snapshot_cache::SnapshotCache,
    version_stamps::ReadVersion,
};
use crate::limits::MissLimiter;
use keyward_core::{clock::Clock, random::Random};
use keyward_domain::ids::SubjectId;
use keyward_store::{
    self as store,
    change_feed::ChangeEvent,
    change_log::Topic,
    key_snapshot::KeySnapshotRow,
    write_queue::{CommitNotice, Listener},
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
pub const STALE_AFTER: u64 = 2_000_000;
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
    pub cached: usize,
    /// Keys in the digest index.
    pub indexed: usize,
    /// Whether the digest index contains all keys.
    pub complete: bool,
    /// Whether changes of other processes are received.
    pub is_fresh: bool,
}

/// The result of a cache lookup.
pub(super) enum CachedKey {
    Snapshot(KeySnapshot),
    /// No key has this secret.
    Absent,
    /// Unknown: the store must be queried.
    QueryStore,
}

pub(crate) struct Cache {
    snapshots: SnapshotCache,
    index: DigestIndex,
    shared: AttributeInterner,
    miss_limiter: MissLimiter,
    clock: Arc<dyn Clock>,
    last_received: AtomicU64,
    complete: AtomicBool,
    /// The number of times that changes were missed.
    gaps: AtomicU64,
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
            snapshots: SnapshotCache::new(most, SHARDS, STRIPES, u64::from_ne_bytes(seed)),
            index: DigestIndex::default(),
            shared: AttributeInterner::default(),
            miss_limiter: MissLimiter::default(),
            clock,
            last_received: AtomicU64::new(NEVER),
            complete: AtomicBool::new(false),
            gaps: AtomicU64::new(0),
            load: Notify::new(),
            own: Mutex::default(),
            hits: AtomicU64::new(0),
            look_ups: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        }
    }

    /// Returns whether the cache can be trusted now.
    pub(super) fn is_fresh(&self) -> bool {
        let last_received = self.last_received.load(Ordering::Acquire);
        last_received != NEVER && self.clock.monotonic_micros().saturating_sub(last_received) <= STALE_AFTER
    }

    /// Looks up a digest. If the index is complete and does not contain it, the store is queried within the rate of
    /// the miss limiter. Beyond that, the digest is denied from memory, which costs nothing.
    pub(super) fn find_by_digest(&self, digest: &[u8; 32]) -> CachedKey {
        if !self.is_fresh() {
            return CachedKey::QueryStore;
        }
        match self.index.find(digest) {
            Lookup::At(place) => self.count_hit(self.snapshots.find(place, SlotKey::Digest(digest))),
            Lookup::Collision => CachedKey::QueryStore,
            Lookup::Absent if !self.complete.load(Ordering::Acquire) => CachedKey::QueryStore,
            Lookup::Absent if self.miss_limiter.try_acquire(self.clock.monotonic_micros()) => CachedKey::QueryStore,
            Lookup::Absent => {
                self.unknown.fetch_add(1, Ordering::Relaxed);
                CachedKey::Absent
            }
        }
    }

    /// Looks up a key or a grant.
    pub(super) fn find_by_id(&self, subject: SubjectId) -> CachedKey {
        if !self.is_fresh() {
            return CachedKey::QueryStore;
        }
        self.count_hit(self.snapshots.find(self.snapshots.slot(subject), SlotKey::Subject(subject)))
    }

    fn count_hit(&self, facts: Option<KeySnapshot>) -> CachedKey {
        facts.map_or(CachedKey::QueryStore, |facts| {
            self.hits.fetch_add(1, Ordering::Relaxed);
            CachedKey::Snapshot(facts)
        })
    }

    /// Returns the version for a read of the store. Must be called before the read. `None` means that the result must
    /// not be cached.
    pub(super) fn read_version(&self) -> Option<ReadVersion> {
        self.look_ups.fetch_add(1, Ordering::Relaxed);
        // Without the change feed, an outdated snapshot would never be invalidated.
        (self.last_received.load(Ordering::Acquire) != NEVER).then(|| self.snapshots.read_version())
    }

    /// Caches a row of the store.
    ///
    /// # Errors
    /// [`store::Error::Corrupt`] if a column contains a value that the code never writes.
    pub(super) fn insert(&self, row: &KeySnapshotRow, read: Option<ReadVersion>) -> Result<KeySnapshot, store::Error> {
        let (digest, facts) = (row.digest()?, KeySnapshot::from_row(row, &self.shared)?);
        if let Some(read) = read {
            // A grant has no secret.
            if let subject @ SubjectId::Key(_) = facts.subject() {
                self.index.insert(&digest, self.snapshots.slot(subject));
            }
            self.snapshots.insert(&digest, &facts, read);
        }
        Ok(facts)
    }

    /// Removes a digest from the index after the store found no key with it.
    pub(super) fn remove_digest(&self, digest: &[u8; 32]) {
        if let Lookup::At(place) = self.index.find(digest) {
            self.index.remove(digest, place);
        }
    }

    /// Caches a page of keys, as far as there is space.
    pub fn insert_page(&self, page: &[KeySnapshotRow], read: ReadVersion) {
        for row in page {
            let kept = row.digest().and_then(|digest| {
                self.index.insert(&digest, self.snapshots.slot(SubjectId::Key(row.id.into())));
                if !self.snapshots.is_full() {
                    self.snapshots.insert(&digest, &KeySnapshot::from_row(row, &self.shared)?, read);
                }
                Ok(())
            });
            if let Err(error) = kept {
                tracing::error!(%error, key.id = %row.id, "verify.unreadable_key");
            }
        }
    }

    /// Same as [`Cache::read_version`], for a page of keys.
    pub fn page_read_version(&self) -> ReadVersion {
        self.snapshots.read_version()
    }

    /// Records that changes were received up to this time of the steady clock.
    pub fn mark_fresh(&self, steady: u64) {
        self.last_received.store(steady, Ordering::Release);
    }

    /// Applies changes of other processes.
    pub fn apply(&self, changes: &[ChangeEvent]) {
        for change in changes {
            if self.is_own(change.seq) {
                continue;
            }
            let digest = change.digest.as_deref().and_then(|digest| digest.try_into().ok());
            if let Some(topic) = change.topic {
                self.invalidate(topic, change.id, digest);
            }
        }
    }

    /// Invalidates everything after missed changes, or after a new subscription: no snapshot can be trusted, and there
    /// may be keys that the index does not contain.
    pub fn invalidate_all(&self) {
        self.complete.store(false, Ordering::Release);
        self.gaps.fetch_add(1, Ordering::AcqRel);
        self.snapshots.invalidate_all();
        self.load.notify_one();
    }

    fn invalidate(&self, topic: Topic, id: uuid::Uuid, digest: Option<&[u8; 32]>) {
        match topic {
            Topic::Key => {
                let key = SubjectId::Key(id.into());
                let new = digest.is_some_and(|digest| self.index.insert(digest, self.snapshots.slot(key)));
                // A new key has no snapshot in memory, so its version stamp, which it shares with other keys, stays
                // unchanged.
                if !(new && self.complete.load(Ordering::Acquire)) {
                    self.snapshots.invalidate(key);
                }
            }
            Topic::Grant => self.snapshots.invalidate(SubjectId::Grant(id.into())),
            Topic::Project => self.snapshots.invalidate_project(id.into()),
            Topic::Policy => {
                self.snapshots.invalidate_all();
                self.load.notify_one();
            }
            // No snapshot depends on these.
            Topic::User | Topic::SigningKey | Topic::Token => {}
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
    pub async fn wait_for_load(&self) {
        self.load.notified().await;
    }

    /// Requests that all keys are loaded again.
    pub fn request_load(&self) {
        self.load.notify_one();
    }

    /// Returns the number of times that changes were missed.
    pub fn gap_count(&self) -> u64 {
        self.gaps.load(Ordering::Acquire)
    }

    /// Records that all keys were loaded. `missed` is the number of times that changes had been missed at the start of
    /// the load.
    pub fn mark_loaded(&self, missed: u64) {
        self.complete.store(true, Ordering::SeqCst);
        // Changes were missed meanwhile, and this load may not include them. The next load will.
        if self.gap_count() != missed {
            self.complete.store(false, Ordering::SeqCst);
        }
    }

    pub fn counts(&self) -> Counts {
        Counts {
            hits: self.hits.load(Ordering::Relaxed),
            look_ups: self.look_ups.load(Ordering::Relaxed),
            unknown: self.unknown.load(Ordering::Relaxed),
            cached: self.snapshots.count(),
            indexed: self.index.count(),
            complete: self.complete.load(Ordering::Relaxed),
            is_fresh: self.is_fresh(),
        }
    }
}

impl Listener for Cache {
    fn on_commit(&self, batch: &CommitNotice) {
        if self.last_received.load(Ordering::Acquire) == NEVER {
            return;
        }
        for (id, digest) in &batch.created_keys {
            self.index.insert(digest, self.snapshots.slot(SubjectId::Key((*id).into())));
        }
        for change in &batch.changes {
            // A key that this batch created has no snapshot in memory.
            if change.topic != Topic::Key || !batch.created_keys.iter().any(|(id, _)| *id == change.id) {
                self.invalidate(change.topic, change.id, None);
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

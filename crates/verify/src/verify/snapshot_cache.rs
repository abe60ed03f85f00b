//! The snapshot cache: bounded, indexed by the hashed slot of a key, valid according to the version stamps.
//!
//! A lock is held during a lookup among the keys of one shard, and nothing waits while it is held. This file is
//! compiled twice: with the real locks, and in `shuttle_tests` with those of `shuttle`.

use super::{
    hashed_slot::SlotHasher,
    key_snapshot::KeySnapshot,
    shard::{Row, Shard, SlotKey},
    sync_shim::{AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError},
    version_stamps::{ReadVersion, VersionStamps},
};
use keyward_domain::ids::{ProjectId, SubjectId};

pub(super) struct SnapshotCache {
    shards: Box<[Mutex<Shard>]>,
    stamps: VersionStamps,
    hasher: SlotHasher,
    count: AtomicUsize,
    capacity: usize,
}

impl SnapshotCache {
    /// Creates a cache for the snapshots of at most `most` keys, with this number of shards and of version stamps.
    pub fn new(most: usize, shards: usize, stripes: usize, seed: u64) -> Self {
        Self {
            shards: (0..shards).map(|_| Mutex::new(Shard::default())).collect(),
            stamps: VersionStamps::new(stripes),
            hasher: SlotHasher::new(seed),
            count: AtomicUsize::new(0),
            capacity: most,
        }
    }

    fn shard(&self, place: u32) -> MutexGuard<'_, Shard> {
        self.shards[place as usize % self.shards.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the hashed slot of a key or a grant.
    pub fn slot(&self, subject: SubjectId) -> u32 {
        self.hasher.slot(subject)
    }

    /// Returns the version for a read of the store. Must be called before the read.
    pub fn read_version(&self) -> ReadVersion {
        self.stamps.read_version()
    }

    /// Returns the number of cached snapshots.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn is_full(&self) -> bool {
        self.count() >= self.capacity
    }

    /// Returns the snapshot if it is cached and valid.
    pub fn find(&self, place: u32, whose: SlotKey<'_>) -> Option<KeySnapshot> {
        let mut shard = self.shard(place);
        let seat = shard.find_index(place, whose)?;
        let row = shard.row(seat)?;
        if self.stamps.is_current(row.version, place, self.hasher.slot(row.project)) {
            let facts = row.to_snapshot();
            shard.mark_used(seat);
            return Some(facts);
        }
        self.remove(&mut shard, place, seat);
        None
    }

    /// Caches a snapshot that was read at this version, if it is still valid and no snapshot from a later read is
    /// cached.
    pub fn insert(&self, digest: &[u8; 32], facts: &KeySnapshot, read: ReadVersion) {
        let place = self.hasher.slot(facts.id);
        let mut shard = self.shard(place);
        if !self.stamps.is_current(read, place, self.hasher.slot(facts.project)) {
            return;
        }
        if let Some(seat) = shard.find_index(place, SlotKey::Subject(facts.subject())) {
            if shard.row(seat).is_some_and(|row| row.version > read) {
                return;
            }
            self.remove(&mut shard, place, seat);
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.capacity {
            self.count.fetch_sub(1, Ordering::Relaxed);
            if !shard.evict(&self.hasher) {
                return;
            }
        }
        shard.insert(place, Row::new(digest, facts.clone(), read), &self.hasher);
    }

    fn remove(&self, shard: &mut Shard, place: u32, seat: usize) {
        if shard.remove(place, seat) {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Invalidates a changed key or grant. Must be called after the commit.
    pub fn invalidate(&self, subject: SubjectId) {
        let place = self.hasher.slot(subject);
        self.stamps.stamp_key(place);
        let mut shard = self.shard(place);
        if let Some(seat) = shard.find_index(place, SlotKey::Subject(subject)) {
            self.remove(&mut shard, place, seat);
        }
    }

    /// Invalidates all keys of a changed project. Their snapshots are removed at their next lookup.
    pub fn invalidate_project(&self, project: ProjectId) {
        self.stamps.stamp_project(self.hasher.slot(project));
    }

    /// Invalidates and removes all snapshots.
    pub fn invalidate_all(&self) {
        self.stamps.stamp_all();
        for shard in &self.shards {
            let old = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            self.count.fetch_sub(old.len(), Ordering::Relaxed);
        }
    }
}

//! The snapshot cache: bounded, indexed by the hashed slot of a key, valid according to the version stamps.
//!
//! A lock is held during a lookup among the keys of one shard, and nothing waits while it is held. This file is
//! compiled twice: with the real locks, and in `schedules` with those of `shuttle`.

use super::{
    facts::Facts,
    marks::{Marks, Ticket},
    places::Places,
    shard::{Row, Shard, Whose},
    sync::{AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError},
};
use keyward_domain::ids::{KeyId, ProjectId};

pub(super) struct Resident {
    shards: Box<[Mutex<Shard>]>,
    marks: Marks,
    places: Places,
    count: AtomicUsize,
    most: usize,
}

impl Resident {
    /// Creates a cache for the snapshots of at most `most` keys, with this number of shards and of version stamps.
    pub fn new(most: usize, shards: usize, stripes: usize, seed: u64) -> Self {
        Self {
            shards: (0..shards).map(|_| Mutex::new(Shard::default())).collect(),
            marks: Marks::new(stripes),
            places: Places::new(seed),
            count: AtomicUsize::new(0),
            most,
        }
    }

    fn shard(&self, place: u32) -> MutexGuard<'_, Shard> {
        self.shards[place as usize % self.shards.len()].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the hashed slot of a key.
    pub fn place(&self, key: KeyId) -> u32 {
        self.places.of(key)
    }

    /// Returns the ticket for a read of the store. Must be called before the read.
    pub fn ticket(&self) -> Ticket {
        self.marks.ticket()
    }

    /// Returns the number of cached snapshots.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn is_full(&self) -> bool {
        self.count() >= self.most
    }

    /// Returns the snapshot if it is cached and valid.
    pub fn find(&self, place: u32, whose: Whose<'_>) -> Option<Facts> {
        let mut shard = self.shard(place);
        let seat = shard.seat(place, whose)?;
        let row = shard.row(seat)?;
        if self.marks.holds(row.read, place, self.places.of(row.project)) {
            let facts = row.facts();
            shard.use_it(seat);
            return Some(facts);
        }
        self.take_out(&mut shard, place, seat);
        None
    }

    /// Caches a snapshot that was read with this ticket, if it is still valid and no snapshot from a later read is
    /// cached.
    pub fn put(&self, digest: &[u8; 32], facts: &Facts, read: Ticket) {
        let place = self.places.of(facts.key);
        let mut shard = self.shard(place);
        if !self.marks.holds(read, place, self.places.of(facts.project)) {
            return;
        }
        if let Some(seat) = shard.seat(place, Whose::Key(facts.key)) {
            if shard.row(seat).is_some_and(|row| row.read > read) {
                return;
            }
            self.take_out(&mut shard, place, seat);
        }
        if self.count.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.count.fetch_sub(1, Ordering::Relaxed);
            if !shard.make_room(&self.places) {
                return;
            }
        }
        shard.put(place, Row::new(digest, facts.clone(), read), &self.places);
    }

    fn take_out(&self, shard: &mut Shard, place: u32, seat: usize) {
        if shard.remove(place, seat) {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Invalidates a changed key. Must be called after the commit.
    pub fn key_changed(&self, key: KeyId) {
        let place = self.places.of(key);
        self.marks.key(place);
        let mut shard = self.shard(place);
        if let Some(seat) = shard.seat(place, Whose::Key(key)) {
            self.take_out(&mut shard, place, seat);
        }
    }

    /// Invalidates all keys of a changed project. Their snapshots are removed at their next lookup.
    pub fn project_changed(&self, project: ProjectId) {
        self.marks.project(self.places.of(project));
    }

    /// Invalidates and removes all snapshots.
    pub fn everything_changed(&self) {
        self.marks.everything();
        for shard in &self.shards {
            let old = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            self.count.fetch_sub(old.len(), Ordering::Relaxed);
        }
    }
}

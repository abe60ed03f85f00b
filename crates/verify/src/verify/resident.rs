//! The facts that are in memory: bounded, found by where a key stands, believed while the marks let them.
//!
//! A lock is held for the time of a look-up among one shard's keys, and nothing waits in it. The file is compiled twice: on the real
//! locks, and in `schedules` on those of `shuttle`.

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
    /// Room for the facts of `most` keys, in so many shards, with so many marks.
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

    /// Where a key stands.
    pub fn place(&self, key: KeyId) -> u32 {
        self.places.of(key)
    }

    /// To be taken before facts are read from the store.
    pub fn ticket(&self) -> Ticket {
        self.marks.ticket()
    }

    /// How many keys' facts are here.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn is_full(&self) -> bool {
        self.count() >= self.most
    }

    /// The facts, if they are here and hold.
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

    /// Keeps facts that were read with this ticket, if they still hold and none that were read later are here.
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

    /// A key changed: to be told after the commit.
    pub fn key_changed(&self, key: KeyId) {
        let place = self.places.of(key);
        self.marks.key(place);
        let mut shard = self.shard(place);
        if let Some(seat) = shard.seat(place, Whose::Key(key)) {
            self.take_out(&mut shard, place, seat);
        }
    }

    /// A project changed: its keys' facts are taken out when they are next asked for.
    pub fn project_changed(&self, project: ProjectId) {
        self.marks.project(self.places.of(project));
    }

    /// All facts are taken out.
    pub fn everything_changed(&self) {
        self.marks.everything();
        for shard in &self.shards {
            let old = std::mem::take(&mut *shard.lock().unwrap_or_else(PoisonError::into_inner));
            self.count.fetch_sub(old.len(), Ordering::Relaxed);
        }
    }
}

//! State of many keys, in parts with a lock each: calls with different keys seldom wait for one another.

use foldhash::fast::RandomState;
use keyward_domain::ids::KeyId;
use std::{
    collections::HashMap,
    hash::BuildHasher as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A map whose keys are made by us at random: a fast hash will do.
pub type Map<K, V> = HashMap<K, V, RandomState>;

/// Parts. A power of two, far beyond the cores of one machine.
pub const PARTS: usize = 64;

/// One part, on cache lines of its own (two: processors fetch them in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Part<T>(Mutex<T>);

/// The parts; clones share them.
#[derive(Debug)]
pub struct Shards<T> {
    parts: Arc<[Part<T>]>,
    hasher: RandomState,
}

impl<T> Clone for Shards<T> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone(), hasher: self.hasher.clone() }
    }
}

impl<T: Default> Default for Shards<T> {
    fn default() -> Self {
        Self { parts: (0..PARTS).map(|_| Part::default()).collect(), hasher: RandomState::default() }
    }
}

impl<T> Shards<T> {
    /// The part that this key is in, locked. What is done with it is short and never waits.
    pub fn of(&self, key: KeyId) -> MutexGuard<'_, T> {
        // The map within takes the low bits and the highest seven of its own hash; these are of another.
        let at = (self.hasher.hash_one(key) >> 32) as usize % PARTS;
        lock(&self.parts[at])
    }

    /// Every part, one after the other, each locked while it is looked at.
    pub fn each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.parts.iter().map(lock)
    }
}

/// Whoever panicked held whole numbers in a whole map: it can be gone on with.
fn lock<T>(part: &Part<T>) -> MutexGuard<'_, T> {
    part.0.lock().unwrap_or_else(PoisonError::into_inner)
}

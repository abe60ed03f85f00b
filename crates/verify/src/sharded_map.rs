//! A sharded map: state of many keys, in shards with one lock each, so that calls with different keys rarely wait for
//! one another.

use foldhash::fast::RandomState;
use std::{
    collections::HashMap,
    hash::{BuildHasher as _, Hash},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A map whose keys are generated at random by this program, so a fast hash function is sufficient.
pub type Map<K, V> = HashMap<K, V, RandomState>;

/// Number of shards. A power of two, far above the number of cores of one machine.
pub const SHARD_COUNT: usize = 64;

/// One shard, on its own cache lines (two, because processors fetch them in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Part<T>(Mutex<T>);

/// The shards; clones share them.
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
        Self { parts: (0..SHARD_COUNT).map(|_| Part::default()).collect(), hasher: RandomState::default() }
    }
}

impl<T> Shards<T> {
    /// Locks the shard of this key. Operations on it are short and never wait.
    pub fn lock_shard(&self, key: impl Hash) -> MutexGuard<'_, T> {
        // The inner map uses the low bits and the highest seven bits of its own hash. These bits are of another hash.
        let at = (self.hasher.hash_one(key) >> 32) as usize % SHARD_COUNT;
        lock(&self.parts[at])
    }

    /// Iterates over the shards. Each one is locked while it is visited.
    pub fn lock_each(&self) -> impl Iterator<Item = MutexGuard<'_, T>> {
        self.parts.iter().map(lock)
    }
}

/// A panic leaves the map and its numbers consistent, so a poisoned lock can still be used.
fn lock<T>(part: &Part<T>) -> MutexGuard<'_, T> {
    part.0.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Hashed slots of keys and projects: the 32-bit hash of an id, with a seed of this process.

use foldhash::quality::FixedState;
use std::hash::BuildHasher as _;
use uuid::Uuid;

#[derive(Clone)]
pub(super) struct SlotHasher(FixedState);

impl SlotHasher {
    pub fn new(seed: u64) -> Self {
        Self(FixedState::with_seed(seed))
    }

    pub fn slot(&self, id: impl Into<Uuid>) -> u32 {
        let hash = self.0.hash_one(id.into().as_u128());
        (hash >> 32) as u32
    }
}

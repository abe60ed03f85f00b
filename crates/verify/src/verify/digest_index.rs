//! Digest index: the first 8 bytes of the digest of every key, and the key's hashed slot. 12 bytes for each key.
//!
//! The index is only a hint. A digest that it contains may be looked up in the store. A digest that it does not contain
//! belongs to no key, once all keys are loaded. The index is divided into shelves by the first bits of the digest.
//! These bits are effectively random, so the shelves fill evenly, and a caller that chooses digests finds shelves of
//! the same length as any other.

use super::sync_shim::{AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError};

/// Number of shelves: 12 bits of a digest select one.
const SHELVES: usize = 1 << 12;

/// Made of bytes, so that its size is 12 and not 16. Digests sort as their bytes do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    prefix: [u8; 8],
    slot: [u8; 4],
}

/// The result of an index lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// No key in the index has this digest.
    Absent,
    /// The key with this digest, if there is one, has this slot.
    At(u32),
    /// The digests of two keys begin with the same bytes, so the store must be queried.
    Collision,
}

pub(super) struct DigestIndex {
    shelves: Box<[Mutex<Vec<Entry>>]>,
    count: AtomicUsize,
}

fn new_entry(digest: &[u8; 32], place: u32) -> Entry {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&digest[..8]);
    Entry { prefix, slot: place.to_be_bytes() }
}

impl Default for DigestIndex {
    fn default() -> Self {
        Self { shelves: (0..SHELVES).map(|_| Mutex::default()).collect(), count: AtomicUsize::new(0) }
    }
}

impl DigestIndex {
    fn shelf(&self, digest: &[u8; 32]) -> MutexGuard<'_, Vec<Entry>> {
        let shelf = usize::from(digest[0]) << 4 | usize::from(digest[1]) >> 4;
        self.shelves[shelf].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of keys in the index.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn find(&self, digest: &[u8; 32]) -> Lookup {
        let shelf = self.shelf(digest);
        let least = new_entry(digest, 0);
        let at = shelf.partition_point(|entry| *entry < least);
        let same = |at: usize| shelf.get(at).filter(|entry| entry.prefix == least.prefix);
        match (same(at), same(at + 1)) {
            (None, _) => Lookup::Absent,
            (Some(entry), None) => Lookup::At(u32::from_be_bytes(entry.slot)),
            (Some(_), Some(_)) => Lookup::Collision,
        }
    }

    /// Adds a key. Returns `false` if it is already present.
    pub fn insert(&self, digest: &[u8; 32], place: u32) -> bool {
        let mut shelf = self.shelf(digest);
        let entry = new_entry(digest, place);
        let Err(at) = shelf.binary_search(&entry) else { return false };
        if shelf.len() == shelf.capacity() {
            // Grows by an eighth instead of doubling, because there are many shelves, which all grow alike.
            let more = shelf.len() / 8 + 2;
            shelf.reserve_exact(more);
        }
        shelf.insert(at, entry);
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Removes a key that the store no longer contains.
    pub fn remove(&self, digest: &[u8; 32], place: u32) {
        let mut shelf = self.shelf(digest);
        if let Ok(at) = shelf.binary_search(&new_entry(digest, place)) {
            shelf.remove(at);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(first: u64, last: u8) -> [u8; 32] {
        let mut digest = [last; 32];
        digest[..8].copy_from_slice(&first.to_be_bytes());
        digest
    }

    #[test]
    fn what_was_learned_is_found_and_nothing_else() {
        let index = DigestIndex::default();
        // Multiples of an odd number: 5,000 digests across all shelves, and 5,000 that differ by one bit.
        let all: Vec<_> = (0..5_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        for (n, first) in all.iter().enumerate() {
            assert!(index.insert(&digest(*first, 0), n as u32));
            assert!(!index.insert(&digest(*first, 0), n as u32), "only once");
        }
        for (n, first) in all.iter().enumerate() {
            assert_eq!(index.find(&digest(*first, 0)), Lookup::At(n as u32));
            assert_eq!(index.find(&digest(first ^ 1, 0)), Lookup::Absent);
        }
        assert_eq!(index.count(), all.len());
        for (n, first) in all.iter().enumerate() {
            index.remove(&digest(*first, 0), n as u32);
            index.remove(&digest(*first, 0), n as u32);
            assert_eq!(index.find(&digest(*first, 0)), Lookup::Absent);
        }
        assert_eq!(index.count(), 0);
    }

    #[test]
    fn two_digests_that_begin_the_same_are_left_to_the_store() {
        let index = DigestIndex::default();
        index.insert(&digest(7, 1), 10);
        assert_eq!(index.find(&digest(7, 2)), Lookup::At(10), "the rest of the digest identifies the key");
        index.insert(&digest(7, 2), 9);
        assert_eq!(index.find(&digest(7, 1)), Lookup::Collision);
        index.remove(&digest(7, 1), 10);
        assert_eq!(index.find(&digest(7, 2)), Lookup::At(9));
    }

    #[test]
    fn an_entry_has_the_size_that_is_promised() {
        assert_eq!(size_of::<Entry>(), 12);
    }
}

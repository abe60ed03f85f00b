//! Which keys there are: of every key's digest the first 8 bytes, and where the key stands. 12 bytes a key.
//!
//! Only a hint: what is here may be asked of the store, and what is not is no key, once all have been learned. Shelves by the
//! digest's first bits, which are as good as random, so that the shelves fill evenly; who presents digests of their own choice finds a
//! shelf of the same length as everybody.

use super::sync::{AtomicUsize, Mutex, MutexGuard, Ordering, PoisonError};

/// Shelves: 12 bits of a digest say which.
const SHELVES: usize = 1 << 12;

/// Of bytes, so that it has 12 and not 16; digests sort as their bytes do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    prefix: [u8; 8],
    place: [u8; 4],
}

/// What is known of a digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// No key that was learned has it.
    Absent,
    /// The key with this digest, if there is one, stands there.
    At(u32),
    /// Two keys' digests begin the same: only the store knows.
    Clash,
}

pub(super) struct Index {
    shelves: Box<[Mutex<Vec<Entry>>]>,
    count: AtomicUsize,
}

fn split(digest: &[u8; 32], place: u32) -> Entry {
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&digest[..8]);
    Entry { prefix, place: place.to_be_bytes() }
}

impl Default for Index {
    fn default() -> Self {
        Self { shelves: (0..SHELVES).map(|_| Mutex::default()).collect(), count: AtomicUsize::new(0) }
    }
}

impl Index {
    fn shelf(&self, digest: &[u8; 32]) -> MutexGuard<'_, Vec<Entry>> {
        let shelf = usize::from(digest[0]) << 4 | usize::from(digest[1]) >> 4;
        self.shelves[shelf].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many keys are known.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub fn find(&self, digest: &[u8; 32]) -> Known {
        let shelf = self.shelf(digest);
        let least = split(digest, 0);
        let at = shelf.partition_point(|entry| *entry < least);
        let same = |at: usize| shelf.get(at).filter(|entry| entry.prefix == least.prefix);
        match (same(at), same(at + 1)) {
            (None, _) => Known::Absent,
            (Some(entry), None) => Known::At(u32::from_be_bytes(entry.place)),
            (Some(_), Some(_)) => Known::Clash,
        }
    }

    /// Learns of a key. `false`: it was known.
    pub fn learn(&self, digest: &[u8; 32], place: u32) -> bool {
        let mut shelf = self.shelf(digest);
        let entry = split(digest, place);
        let Err(at) = shelf.binary_search(&entry) else { return false };
        if shelf.len() == shelf.capacity() {
            // An eighth more, not as much again: shelves are many, and all grow alike.
            let more = shelf.len() / 8 + 2;
            shelf.reserve_exact(more);
        }
        shelf.insert(at, entry);
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Forgets a key that the store no longer has.
    pub fn unlearn(&self, digest: &[u8; 32], place: u32) {
        let mut shelf = self.shelf(digest);
        if let Ok(at) = shelf.binary_search(&split(digest, place)) {
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
        let index = Index::default();
        // A multiple of an odd number: 5,000 digests over all shelves, and 5,000 that are one bit away.
        let all: Vec<_> = (0..5_000_u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
        for (n, first) in all.iter().enumerate() {
            assert!(index.learn(&digest(*first, 0), n as u32));
            assert!(!index.learn(&digest(*first, 0), n as u32), "only once");
        }
        for (n, first) in all.iter().enumerate() {
            assert_eq!(index.find(&digest(*first, 0)), Known::At(n as u32));
            assert_eq!(index.find(&digest(first ^ 1, 0)), Known::Absent);
        }
        assert_eq!(index.count(), all.len());
        for (n, first) in all.iter().enumerate() {
            index.unlearn(&digest(*first, 0), n as u32);
            index.unlearn(&digest(*first, 0), n as u32);
            assert_eq!(index.find(&digest(*first, 0)), Known::Absent);
        }
        assert_eq!(index.count(), 0);
    }

    #[test]
    fn two_digests_that_begin_the_same_are_left_to_the_store() {
        let index = Index::default();
        index.learn(&digest(7, 1), 10);
        assert_eq!(index.find(&digest(7, 2)), Known::At(10), "whose it is, the rest of the digest says");
        index.learn(&digest(7, 2), 9);
        assert_eq!(index.find(&digest(7, 1)), Known::Clash);
        index.unlearn(&digest(7, 1), 10);
        assert_eq!(index.find(&digest(7, 2)), Known::At(9));
    }

    #[test]
    fn an_entry_has_the_size_that_is_promised() {
        assert_eq!(size_of::<Entry>(), 12);
    }
}

//! One shard of the snapshot cache: rows in a vector, found by the hashed slot of their key.
//!
//! Eviction approximates least recently used (CLOCK: a hand moves around, and skips a row once if it was used since the
//! last round). A row has 104 bytes: the 24 bytes of the digest that the index does not compare, name and issued-to in
//! one text, shared attributes by reference.

use super::{
    hashed_slot::SlotHasher, key_snapshot::KeySnapshot, shared_attributes::SharedAttributes,
    version_stamps::ReadVersion,
};
use hashbrown::HashTable;
use keyward_domain::{
    ids::{ProjectId, SubjectId},
    key::Lifecycle,
    time::Timestamp,
};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;
use uuid::Uuid;

/// Separates name and issued-to, neither of which can contain it.
const SEPARATOR: char = '\n';
/// The expiry of a key that never expires.
const NEVER: i64 = i64::MAX;

/// The cached data of a key or a grant.
pub(super) struct Row {
    id: Uuid,
    pub project: ProjectId,
    /// The last 24 bytes of the digest.
    tail: [u8; 24],
    label: SmolStr,
    expires_at: i64,
    shared: Arc<SharedAttributes>,
    pub version: ReadVersion,
}

impl Row {
    pub fn new(digest: &[u8; 32], facts: KeySnapshot, read: ReadVersion) -> Self {
        let mut tail = [0; 24];
        tail.copy_from_slice(&digest[8..]);
        let label = match facts.issued_to {
            None => facts.name,
            Some(whom) => format_smolstr!("{}{SEPARATOR}{whom}", facts.name),
        };
        let expires_at = facts.lifecycle.expires_at.map_or(NEVER, Timestamp::micros);
        Self { id: facts.id, project: facts.project, tail, label, expires_at, shared: facts.shared, version: read }
    }

    pub fn to_snapshot(&self) -> KeySnapshot {
        let (name, issued_to) = match self.label.split_once(SEPARATOR) {
            None => (self.label.clone(), None),
            Some((name, whom)) => (name.into(), Some(whom.into())),
        };
        let expires_at = (self.expires_at != NEVER).then(|| Timestamp::from_micros(self.expires_at));
        let SharedAttributes { active, not_before, deleted_at, .. } = *self.shared;
        KeySnapshot {
            id: self.id,
            project: self.project,
            name,
            issued_to,
            lifecycle: Lifecycle { active, not_before, expires_at, deleted_at },
            shared: self.shared.clone(),
        }
    }
}

/// The criterion of a lookup.
#[derive(Clone, Copy)]
pub(super) enum SlotKey<'a> {
    Subject(SubjectId),
    /// The key with this digest, whose first 8 bytes the index has already compared.
    Digest(&'a [u8; 32]),
}

impl SlotKey<'_> {
    fn matches(self, row: &Row) -> bool {
        match self {
            Self::Subject(subject) => row.shared.subject(row.id) == subject,
            Self::Digest(digest) => row.tail == digest[8..],
        }
    }
}

#[derive(Default)]
pub(super) struct Shard {
    rows: Vec<Option<Row>>,
    /// Whether the row at this index was used since the hand last passed.
    used: Vec<bool>,
    free: Vec<u32>,
    table: HashTable<u32>,
    hand: usize,
}

impl Shard {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len() - self.free.len()
    }

    /// Returns the row at an index.
    pub fn row(&self, seat: usize) -> Option<&Row> {
        self.rows[seat].as_ref()
    }

    /// Marks the row at an index as used.
    pub fn mark_used(&mut self, seat: usize) {
        self.used[seat] = true;
    }

    /// Returns the index of a row.
    pub fn find_index(&self, place: u32, whose: SlotKey<'_>) -> Option<usize> {
        let is = |seat: &u32| self.rows[*seat as usize].as_ref().is_some_and(|row| whose.matches(row));
        self.table.find(mix_hash(place), is).map(|seat| *seat as usize)
    }

    /// Removes the row at an index. Returns `false` if there was none.
    pub fn remove(&mut self, place: u32, seat: usize) -> bool {
        if let Ok(entry) = self.table.find_entry(mix_hash(place), |it| *it as usize == seat) {
            entry.remove();
        }
        let gone = self.rows[seat].take().is_some();
        if gone {
            self.free.push(seat as u32);
        }
        gone
    }

    /// Inserts a row, which must not be present.
    pub fn insert(&mut self, place: u32, row: Row, places: &SlotHasher) {
        let seat = self.free.pop().map_or(self.rows.len(), |seat| seat as usize);
        if seat == self.rows.len() {
            self.rows.push(None);
            self.used.push(false);
        }
        // A first use does not protect a row, so a scan of keys does not evict those in use.
        self.used[seat] = false;
        self.rows[seat] = Some(row);
        let seats = &self.rows;
        self.table.insert_unique(mix_hash(place), seat as u32, |seat| {
            mix_hash(seats[*seat as usize].as_ref().map_or(0, |row| places.slot(row.id)))
        });
    }

    /// Evicts the first row after the hand that was not used since the last round. Returns `false` if there is none.
    pub fn evict(&mut self, places: &SlotHasher) -> bool {
        for _ in 0..self.rows.len() * 2 {
            self.hand = (self.hand + 1) % self.rows.len();
            let seat = self.hand;
            if std::mem::take(&mut self.used[seat]) {
                continue;
            }
            if let Some(place) = self.rows[seat].as_ref().map(|row| places.slot(row.id)) {
                return self.remove(place, seat);
            }
        }
        false
    }
}

/// Computes the table hash of a slot, which distributes its bits over all 64 bits.
fn mix_hash(place: u32) -> u64 {
    u64::from(place).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_size_that_is_promised() {
        assert_eq!(size_of::<Option<Row>>(), 104);
    }
}

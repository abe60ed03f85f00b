//! In-memory counts since the last flush.

use super::{HOUR, Outcome};
use crate::sharded_map::{Map, SHARD_COUNT, Shards};
use keyward_domain::{
    ids::{KeyId, SubjectId},
    time::Timestamp,
};
use uuid::Uuid;

/// Maximum number of entries between two flushes; an entry is a key or a grant in one hour. Each takes about 90
/// bytes, including its ten outcomes.
pub(super) const BOUND: usize = 262_144;

/// The counts of one key or grant in one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    calls: [u32; Outcome::ALL.len()],
    /// The time of the last accepted call, in microseconds since the epoch. Valid only if a call was accepted.
    last: i64,
}

impl Tally {
    fn count(&mut self, outcome: Outcome, at: Timestamp) {
        let calls = &mut self.calls[outcome as usize];
        *calls = calls.saturating_add(1);
        if outcome == Outcome::Accepted {
            self.last = self.last.max(at.micros());
        }
    }

    /// Returns the outcomes that occurred, with their counts.
    pub(super) fn calls(&self) -> impl Iterator<Item = (Outcome, i64)> {
        Outcome::ALL.into_iter().zip(self.calls).filter(|(_, calls)| *calls > 0).map(|(o, calls)| (o, i64::from(calls)))
    }

    /// Returns the time of the last accepted call.
    pub(super) fn last_used(&self) -> Option<i64> {
        (self.calls[Outcome::Accepted as usize] > 0).then_some(self.last)
    }
}

/// The counts, by subject and hour.
#[derive(Debug, Default)]
pub(super) struct UsageCounters {
    parts: Shards<Map<(SubjectId, i64), Tally>>,
}

impl UsageCounters {
    /// Counts a call. Returns `false` if there is no space.
    pub(super) fn record(&self, subject: SubjectId, outcome: Outcome, at: Timestamp) -> bool {
        let place = (subject, at.micros().div_euclid(HOUR));
        let mut part = self.parts.lock_shard(subject);
        if let Some(tally) = part.get_mut(&place) {
            tally.count(outcome, at);
        } else if part.len() < BOUND / SHARD_COUNT {
            part.entry(place).or_default().count(outcome, at);
        } else {
            return false;
        }
        true
    }

    /// Takes all counts: subject, hour, and counts, in the order of ids, whether of keys or of grants.
    pub(super) fn drain(&self) -> Vec<(SubjectId, i64, Tally)> {
        let mut taken = Vec::new();
        for mut part in self.parts.lock_each() {
            // The next second most likely has as many entries; with this capacity the map does not have to grow step by
            // step.
            let empty = Map::with_capacity_and_hasher(part.len(), part.hasher().clone());
            let full = std::mem::replace(&mut *part, empty);
            drop(part);
            taken.extend(full.into_iter().map(|((subject, hour), tally)| (subject, hour, tally)));
        }
        taken.sort_unstable_by_key(|(subject, hour, _)| (Uuid::from(*subject), *hour));
        taken
    }

    /// Returns the counts of one key, by hour.
    pub(super) fn counts_of_key(&self, key: KeyId) -> Vec<(i64, Tally)> {
        let subject = SubjectId::Key(key);
        self.parts
            .lock_shard(subject)
            .iter()
            .filter(|(place, _)| place.0 == subject)
            .map(|(place, tally)| (place.1, *tally))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_seconds(12 * 3_600);

    fn key(n: u128) -> SubjectId {
        SubjectId::Key(Uuid::from_u128(n).into())
    }

    fn grant(n: u128) -> SubjectId {
        SubjectId::Grant(Uuid::from_u128(n).into())
    }

    fn counts(notes: &UsageCounters, n: u128) -> usize {
        notes.counts_of_key(Uuid::from_u128(n).into()).len()
    }

    #[test]
    fn calls_are_counted_by_key_hour_and_outcome() {
        let notes = UsageCounters::default();
        for (n, outcome, seconds) in [
            (2, Outcome::Accepted, 5),
            (1, Outcome::Accepted, 3_599),
            (1, Outcome::Accepted, 0),
            (1, Outcome::Expired, 3_599),
            (1, Outcome::Accepted, 3_600),
            (3, Outcome::Inactive, 1),
        ] {
            assert!(notes.record(key(n), outcome, NOON.plus_seconds(seconds)));
        }
        assert_eq!((counts(&notes, 3), counts(&notes, 4)), (1, 0));
        let taken: Vec<_> = notes
            .drain()
            .into_iter()
            .map(|(key, hour, tally)| (key, hour, tally.calls().collect::<Vec<_>>(), tally.last_used()))
            .collect();
        let at = |seconds| Some(NOON.plus_seconds(seconds).micros());
        assert_eq!(
            taken,
            [
                (key(1), 12, vec![(Outcome::Accepted, 2), (Outcome::Expired, 1)], at(3_599)),
                (key(1), 13, vec![(Outcome::Accepted, 1)], at(3_600)),
                (key(2), 12, vec![(Outcome::Accepted, 1)], at(5)),
                (key(3), 12, vec![(Outcome::Inactive, 1)], None),
            ]
        );
        assert_eq!(notes.drain(), []);
    }

    /// A flush states the first and the last id that it contains.
    #[test]
    fn keys_and_grants_are_taken_in_the_order_of_their_ids() {
        let notes = UsageCounters::default();
        for subject in [grant(5), key(4), grant(1), key(2), grant(3)] {
            assert!(notes.record(subject, Outcome::Accepted, NOON));
        }
        assert_eq!((counts(&notes, 4), counts(&notes, 5)), (1, 0), "a grant is no key");
        let taken: Vec<_> = notes.drain().into_iter().map(|(subject, ..)| subject).collect();
        assert_eq!(taken, [grant(1), key(2), grant(3), key(4), grant(5)]);
    }

    #[test]
    fn there_is_room_for_so_many_keys_and_for_all_calls_with_them() {
        let notes = UsageCounters::default();
        let kept = (0..2 * BOUND as u128).filter(|n| notes.record(key(*n), Outcome::Accepted, NOON)).count();
        assert_eq!(kept, BOUND, "every part is full");
        assert_eq!(notes.drain().len(), BOUND);
        assert!(notes.record(key(1), Outcome::Accepted, NOON), "and empty again");
    }

    #[test]
    fn calls_from_many_threads_are_all_counted() {
        let notes = UsageCounters::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|n| assert!(notes.record(key(n % 7), Outcome::Accepted, NOON))));
            }
        });
        let calls: i64 = notes.drain().iter().flat_map(|(.., tally)| tally.calls().map(|(_, n)| n)).sum();
        assert_eq!(calls, 40_000);
    }
}

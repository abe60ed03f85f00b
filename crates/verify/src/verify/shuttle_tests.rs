//! Shuttle tests of the snapshot cache: runs `version_stamps`, `shard` and `snapshot_cache`, from the same files, under
//! many thread schedules. They use the locks and atomics of `shuttle`, which chooses the next thread at each of them.
//!
//! The property: a lookup after the response to a change never finds a snapshot from before the change. A control
//! verifies that the test can fail: with the read version taken after the read instead of before it, which disables the
//! guard, a violating schedule is found.

use super::{hashed_slot, key_snapshot, shared_attributes};

mod sync_shim {
    pub(super) use shuttle::sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    };
    pub(super) use std::sync::PoisonError;
}
#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the same file with the locks of shuttle; the tests use a part of it"
)]
#[path = "shard.rs"]
mod shard;
#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the same file with the locks of shuttle; the tests use a part of it"
)]
#[path = "snapshot_cache.rs"]
mod snapshot_cache;
#[allow(
    dead_code,
    clippy::duplicate_mod,
    reason = "the same file with the locks of shuttle; the tests use a part of it"
)]
#[path = "version_stamps.rs"]
mod version_stamps;

use key_snapshot::KeySnapshot;
use keyward_domain::{
    ids::{ProjectId, SubjectId},
    key::Lifecycle,
    time::Timestamp,
};
use shard::SlotKey;
use shared_attributes::SharedAttributes;
use shuttle::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    thread,
};
use snapshot_cache::SnapshotCache;
use uuid::Uuid;

const KEYS: usize = 2;

/// The kind of change.
#[derive(Clone, Copy)]
enum Topic {
    Key,
    Project,
    Policy,
}

/// When the read version is taken.
#[derive(Clone, Copy, PartialEq)]
enum Guard {
    Before,
    /// Too late: the guard is disabled.
    After,
}

/// A store with two keys in one project, each with a version that every change increments; and the snapshot cache.
struct World {
    stored: Mutex<[i64; KEYS]>,
    resident: SnapshotCache,
    /// The versions for which a change has received its response.
    answered: [AtomicI64; KEYS],
    guard: Guard,
    terms: std::sync::Arc<SharedAttributes>,
}

fn id(n: usize) -> Uuid {
    Uuid::from_u128(n as u128 + 1)
}

fn key(n: usize) -> SubjectId {
    SubjectId::Key(id(n).into())
}

fn project() -> ProjectId {
    Uuid::nil().into()
}

impl World {
    /// Reads a key from the store and caches it.
    fn fill(&self, n: usize) {
        let before = self.resident.read_version();
        let version = self.stored.lock().unwrap()[n];
        let read = if self.guard == Guard::Before { before } else { self.resident.read_version() };
        let lifecycle = Lifecycle {
            active: true,
            not_before: None,
            expires_at: Some(Timestamp::from_micros(version)),
            deleted_at: None,
        };
        let (name, terms) = ("Gateway".into(), self.terms.clone());
        let facts = KeySnapshot { id: id(n), project: project(), name, issued_to: None, lifecycle, shared: terms };
        self.resident.insert(&[n as u8; 32], &facts, read);
    }

    /// Looks up a key and asserts that the result is not older than the last response before the lookup.
    fn look(&self, n: usize) -> bool {
        let answered = self.answered[n].load(Ordering::SeqCst);
        let whose = if n == 0 { SlotKey::Subject(key(n)) } else { SlotKey::Digest(&[1; 32]) };
        let found = self.resident.find(self.resident.slot(key(n)), whose);
        if let Some(facts) = &found {
            let version = facts.lifecycle.expires_at.map_or(-1, Timestamp::micros);
            assert!(version >= answered, "version {version} after {answered} was answered");
        }
        found.is_some()
    }

    /// Makes a change, applies it to the cache after the commit, and responds.
    fn change(&self, topic: Topic, n: usize) {
        let changed = match topic {
            Topic::Key => n..n + 1,
            Topic::Project | Topic::Policy => 0..KEYS,
        };
        let versions = {
            let mut stored = self.stored.lock().unwrap();
            stored[changed.clone()].iter_mut().for_each(|version| *version += 1);
            *stored
        };
        match topic {
            Topic::Key => self.resident.invalidate(key(n)),
            Topic::Project => self.resident.invalidate_project(project()),
            Topic::Policy => self.resident.invalidate_all(),
        }
        for n in changed {
            self.answered[n].fetch_max(versions[n], Ordering::SeqCst);
        }
    }
}

/// Two readers, two writers, and one thread that only looks up; the cache has space for one key or for both.
fn scenario(guard: Guard, topics: [Topic; 2], room: usize) {
    let world = Arc::new(World {
        stored: Mutex::new([0; KEYS]),
        resident: SnapshotCache::new(room, 1, 2, 7),
        answered: [AtomicI64::new(0), AtomicI64::new(0)],
        guard,
        terms: std::sync::Arc::new(shared_attributes::tests::some()),
    });
    let mut threads = Vec::new();
    for (n, topic) in topics.into_iter().enumerate() {
        let reader = world.clone();
        threads.push(thread::spawn(move || {
            reader.fill(n);
            reader.look(n);
            reader.fill(1 - n);
        }));
        let writer = world.clone();
        threads.push(thread::spawn(move || {
            writer.change(topic, n);
            writer.look(n);
        }));
    }
    let looker = world.clone();
    threads.push(thread::spawn(move || {
        looker.look(0);
        looker.look(1);
    }));
    for thread in threads {
        thread.join().unwrap();
    }
    for n in 0..KEYS {
        world.look(n);
        // After all threads have ended, a read is cached.
        world.fill(n);
        assert!(world.look(n), "key {n} is in memory");
    }
    assert!(world.resident.count() <= room);
}

const MIXES: [[Topic; 2]; 4] = [
    [Topic::Key, Topic::Key],
    [Topic::Key, Topic::Project],
    [Topic::Project, Topic::Policy],
    [Topic::Policy, Topic::Key],
];

#[test]
fn no_fill_brings_back_what_a_change_took_out() {
    for topics in MIXES {
        for room in [1, KEYS] {
            shuttle::check_random(move || scenario(Guard::Before, topics, room), 1_000);
            shuttle::check_pct(move || scenario(Guard::Before, topics, room), 250, 3);
        }
    }
}

#[test]
fn without_the_guard_it_is_found_that_one_does() {
    for topics in MIXES {
        let random = move || shuttle::check_random(move || scenario(Guard::After, topics, KEYS), 20_000);
        assert!(std::panic::catch_unwind(random).is_err(), "random schedules find it");
        let pct = move || shuttle::check_pct(move || scenario(Guard::After, topics, KEYS), 20_000, 3);
        assert!(std::panic::catch_unwind(pct).is_err(), "and so does PCT");
    }
}

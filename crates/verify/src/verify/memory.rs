//! Memory consumption of a large number of keys. Prints the result if run with `--ignored --nocapture`.

use super::{
    digest_index::{DigestIndex, Lookup},
    key_snapshot::KeySnapshot,
    shard::SlotKey,
    shared_attributes::{AttributeInterner, SharedAttributes, tests::some},
    snapshot_cache::SnapshotCache,
};
use keyward_domain::{key::Lifecycle, time::Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const KEYS: u64 = 1_000_000;

/// Returns the resident memory of this process in bytes (`proc_pid_statm(5)`, in pages of 4096).
fn in_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("a Linux /proc file system");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

#[test]
#[ignore = "a million keys take a while"]
fn a_million_keys() {
    let (resident, index, shared) =
        (SnapshotCache::new(KEYS as usize, 64, 1 << 15, 7), DigestIndex::default(), AttributeInterner::default());
    let digest = |n: u64| -> [u8; 32] { Sha256::digest(n.to_be_bytes()).into() };
    let before = in_memory();
    for n in 0..KEYS {
        let expires_at = Some(Timestamp::from_micros(n as i64));
        let facts = KeySnapshot {
            id: Uuid::from_u128(u128::from(n)),
            project: Uuid::from_u128(u128::from(n / 3)).into(),
            name: format!("Gateway {n}").as_str().into(),
            issued_to: None,
            lifecycle: Lifecycle { active: true, not_before: None, expires_at, deleted_at: None },
            shared: shared.intern(SharedAttributes { token_life_max: n as i64 % 10, ..some() }),
        };
        index.insert(&digest(n), resident.slot(facts.subject()));
        resident.insert(&digest(n), &facts, resident.read_version());
    }
    let took = in_memory() - before;
    println!("{KEYS} keys: {} MB, {} bytes each", took / 1_000_000, took / KEYS);
    assert_eq!((resident.count(), index.count()), (KEYS as usize, KEYS as usize));
    for n in (0..KEYS).step_by(997) {
        let Lookup::At(place) = index.find(&digest(n)) else { panic!("{n} is known") };
        let facts = resident.find(place, SlotKey::Digest(&digest(n))).expect("and in memory");
        assert_eq!((facts.id, facts.name.as_str()), (Uuid::from_u128(u128::from(n)), format!("Gateway {n}").as_str()));
    }
    assert!(took / KEYS < 160, "a key takes less than 160 bytes");
}

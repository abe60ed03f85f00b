//! Memory consumption of a large number of keys. Prints the result if run with `--ignored --nocapture`.

use super::{
    facts::Facts,
    known::{Index, Known},
    resident::Resident,
    shard::Whose,
    terms::{Shared, Terms, tests::some},
};
use keyward_domain::{key::Lifecycle, time::Timestamp};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const KEYS: u64 = 1_000_000;

/// Returns the resident memory of this process in bytes (`proc_pid_statm(5)`, in pages of 4096).
fn in_memory() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux says so");
    text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
}

#[test]
#[ignore = "a million keys take a while"]
fn a_million_keys() {
    let (resident, index, shared) = (Resident::new(KEYS as usize, 64, 1 << 15, 7), Index::default(), Shared::default());
    let digest = |n: u64| -> [u8; 32] { Sha256::digest(n.to_be_bytes()).into() };
    let before = in_memory();
    for n in 0..KEYS {
        let expires_at = Some(Timestamp::from_micros(n as i64));
        let facts = Facts {
            key: Uuid::from_u128(u128::from(n)).into(),
            project: Uuid::from_u128(u128::from(n / 3)).into(),
            name: format!("Gateway {n}").as_str().into(),
            issued_to: None,
            lifecycle: Lifecycle { active: true, not_before: None, expires_at, deleted_at: None },
            terms: shared.share(Terms { token_life_max: n as i64 % 10, ..some() }),
        };
        index.learn(&digest(n), resident.place(facts.key));
        resident.put(&digest(n), &facts, resident.ticket());
    }
    let took = in_memory() - before;
    println!("{KEYS} keys: {} MB, {} bytes each", took / 1_000_000, took / KEYS);
    assert_eq!((resident.count(), index.count()), (KEYS as usize, KEYS as usize));
    for n in (0..KEYS).step_by(997) {
        let Known::At(place) = index.find(&digest(n)) else { panic!("{n} is known") };
        let facts = resident.find(place, Whose::Digest(&digest(n))).expect("and in memory");
        assert_eq!(
            (facts.key, facts.name.as_str()),
            (Uuid::from_u128(u128::from(n)).into(), format!("Gateway {n}").as_str())
        );
    }
    assert!(took / KEYS < 160, "a key takes less than 160 bytes");
}

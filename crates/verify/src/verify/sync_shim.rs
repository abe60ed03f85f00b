//! Re-exports `std::sync`, which the tests in `shuttle_tests` replace with `shuttle::sync`.

pub(super) use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

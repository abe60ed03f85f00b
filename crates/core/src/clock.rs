//! Clock interface. The clock is injected, so that tests can control it.

use keyward_domain::time::Timestamp;
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Instant, SystemTime},
};

/// Source of the current time.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    /// Monotonic time in microseconds since an arbitrary instant of this process. Use it to measure elapsed time.
    fn monotonic_micros(&self) -> u64;
}

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    fn monotonic_micros(&self) -> u64 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

/// A clock that is set manually, for tests and for the demo, which generates months of data in seconds.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn at(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.micros()))
    }

    /// Advances the clock by a number of seconds. The sub-second part remains.
    pub fn advance(&self, seconds: i64) {
        self.advance_micros(seconds * 1_000_000);
    }

    /// Advances the clock by a number of microseconds.
    pub fn advance_micros(&self, micros: i64) {
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn monotonic_micros(&self) -> u64 {
        u64::try_from(self.now().micros()).unwrap_or_default()
    }
}

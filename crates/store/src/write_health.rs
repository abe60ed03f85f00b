//! Write health: whether writes succeed, for readiness and metrics.

use super::{Error, Kind};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A batch that takes longer counts as stalled. Most batches take some milliseconds.
const STALLED: Duration = Duration::from_secs(8);

/// The reason why writes fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteTrouble {
    /// The last batch was lost, and none has succeeded since.
    Failing(Kind),
    /// A batch has been running for more than 8 s.
    Stalled,
}

/// The outcome of the last batch, and the start time of the current one.
#[derive(Debug, Default)]
pub(super) struct WriteHealth {
    state: Mutex<State>,
    lost: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    failing: Option<Kind>,
    begun: Option<Instant>,
}

impl WriteHealth {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self) {
        self.state().begun = Some(Instant::now());
    }

    /// Records the end of a batch, with its error if it failed.
    pub fn end(&self, error: Option<&Error>) {
        if error.is_some() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.record(error);
    }

    /// Records the end of a probe, with its error if it failed. A probe contains no changes, so nothing is lost.
    pub fn end_probe(&self, error: Option<&Error>) {
        self.record(error);
    }

    fn record(&self, error: Option<&Error>) {
        let before = {
            let mut state = self.state();
            state.begun = None;
            std::mem::replace(&mut state.failing, error.map(Error::kind))
        };
        if before.is_some() && error.is_none() {
            tracing::info!("store.writes_again: writes succeed again");
        }
    }

    pub fn is_failing(&self) -> bool {
        self.state().failing.is_some()
    }

    pub fn trouble(&self) -> Option<WriteTrouble> {
        let state = self.state();
        let stalled = state.begun.filter(|begun| begun.elapsed() > STALLED).map(|_| WriteTrouble::Stalled);
        state.failing.map(WriteTrouble::Failing).or(stalled)
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_batches_count_as_lost() {
        let health = WriteHealth::default();
        let error = Error::TookTooLong(20);
        health.begin();
        health.end(Some(&error));
        for _ in 0..3 {
            health.begin();
            health.end_probe(Some(&error));
        }
        assert_eq!((health.lost(), health.trouble()), (1, Some(WriteTrouble::Failing(Kind::Contended))));
        health.begin();
        health.end_probe(None);
        assert_eq!((health.lost(), health.trouble()), (1, None));
        health.begin();
        health.end(None);
        assert_eq!(health.lost(), 1);
    }
}

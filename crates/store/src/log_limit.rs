//! A rate limit for log lines that a fault would repeat for each request: one line a second, with the number of events
//! that it reports.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Minimum time between two lines.
const EVERY: Duration = Duration::from_secs(1);

/// Counts the events of one kind and allows one log line each second.
#[derive(Debug)]
pub struct LogLimit {
    /// Milliseconds from the start of the process until the next line may be written.
    next: AtomicU64,
    /// Events since the last line.
    events: AtomicU64,
}

impl Default for LogLimit {
    fn default() -> Self {
        Self::new()
    }
}

impl LogLimit {
    pub const fn new() -> Self {
        Self { next: AtomicU64::new(0), events: AtomicU64::new(0) }
    }

    /// Counts an event. Returns `Some` if a line is due, with the number of events that it reports, including this one.
    pub fn count(&self) -> Option<u64> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.count_at(START.elapsed())
    }

    fn count_at(&self, now: Duration) -> Option<u64> {
        self.events.fetch_add(1, Ordering::Relaxed);
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let next = self.next.load(Ordering::Relaxed);
        if millis(now) < next {
            return None;
        }
        // Of concurrent callers, only one writes the line.
        self.next.compare_exchange(next, millis(now + EVERY), Ordering::Relaxed, Ordering::Relaxed).ok()?;
        Some(self.events.swap(0, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reports_the_events_of_a_second() {
        let limit = LogLimit::new();
        let at = |millis| limit.count_at(Duration::from_millis(millis));
        assert_eq!(at(0), Some(1));
        assert_eq!((at(1), at(500), at(999)), (None, None, None));
        assert_eq!(at(1_000), Some(4));
        assert_eq!(at(1_001), None);
    }
}

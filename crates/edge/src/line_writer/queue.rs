//! Bounded line queue of one stream, and the loop of its writer thread.

use std::{
    cell::Cell,
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Delay before the next attempt on a stream that is not ready (`O_NONBLOCK`).
const RETRY: Duration = Duration::from_millis(20);
/// Minimum interval between two reports while lines are still being dropped.
const REPORT_EVERY: Duration = Duration::from_secs(10);

thread_local! {
    /// Whether this thread is logging the number of dropped lines. The report line is queued even if the queue is full.
    static IS_REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// Queue of lines.
#[derive(Debug)]
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    dropped: AtomicU64,
    /// Maximum number of queued bytes.
    max: usize,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Lines dropped since the last report.
    unreported: u64,
    is_writing: bool,
    /// Whether the last write succeeded.
    is_working: bool,
    reported: Option<Instant>,
}

/// Next step of the writer thread.
enum Task {
    Write(Vec<u8>),
    Report(u64),
}

impl Queue {
    pub fn new(max: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), dropped: AtomicU64::new(0), max }
    }

    /// Locks the state. A poisoned lock is ignored: no code that can panic runs under the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a line, or drops and counts it if the queue is full.
    pub fn push(&self, line: Vec<u8>) {
        let mut state = self.lock();
        if state.bytes.saturating_add(line.len()) > self.max && !IS_REPORTING.get() {
            self.drop_line(&mut state);
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(line);
        drop(state);
        self.changed.notify_all();
    }

    fn drop_line(&self, state: &mut State) {
        state.unreported += 1;
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of lines dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until everything is written, but not past `end`.
    pub fn flush(&self, end: Instant) {
        let mut state = self.lock();
        while !state.lines.is_empty() || state.is_writing || state.must_report() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes queued lines until the process ends.
    pub fn run(&self, mut sink: impl Write, report: impl Fn(u64)) {
        // Whether the last line was written only in part. If so, a newline is written before the next line.
        let mut is_torn = false;
        loop {
            match self.next() {
                Task::Write(line) => {
                    let written = write(&mut sink, &line, &mut is_torn);
                    let mut state = self.lock();
                    state.is_writing = false;
                    state.is_working = written.is_ok();
                    if written.is_err() {
                        self.drop_line(&mut state);
                    }
                }
                Task::Report(lines) => {
                    IS_REPORTING.set(true);
                    report(lines);
                    IS_REPORTING.set(false);
                    self.lock().is_writing = false;
                }
            }
            self.changed.notify_all();
        }
    }

    /// Blocks until there is a task.
    fn next(&self) -> Task {
        let mut state = self.lock();
        loop {
            if state.must_report() {
                state.is_writing = true;
                state.reported = Some(Instant::now());
                return Task::Report(std::mem::take(&mut state.unreported));
            }
            if let Some(line) = state.lines.pop_front() {
                state.bytes -= line.len();
                state.is_writing = true;
                return Task::Write(line);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl State {
    /// Whether a report is due: lines were dropped and writing works. An empty queue is reported at once, otherwise at
    /// intervals.
    fn must_report(&self) -> bool {
        self.unreported > 0
            && self.is_working
            && (self.lines.is_empty() || self.reported.is_none_or(|at| at.elapsed() >= REPORT_EVERY))
    }
}

fn write(sink: &mut impl Write, line: &[u8], is_torn: &mut bool) -> io::Result<()> {
    if *is_torn {
        write_all(sink, b"\n").map_err(|(error, _)| error)?;
        *is_torn = false;
    }
    write_all(sink, line).map_err(|(error, left)| {
        *is_torn = left < line.len();
        error
    })
}

/// Writes all bytes.
///
/// # Errors
/// The error and the number of unwritten bytes.
fn write_all(sink: &mut impl Write, mut rest: &[u8]) -> Result<(), (io::Error, usize)> {
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return Err((ErrorKind::WriteZero.into(), rest.len())),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(RETRY),
            Err(error) => return Err((error, rest.len())),
        }
    }
    Ok(())
}

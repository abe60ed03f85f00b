//! Nonblocking writer for standard output and standard error of a running server. Each stream has a writer thread.
//!
//! A write blocks if the reader of the pipe stops reading. Lines wait in a bounded queue, so no request waits for that
//! reader. If the queue is full, a line is dropped and counted. When writing works again, the log reports the number of
//! dropped lines.

mod queue;

use queue::Queue;
use std::{
    fs::File,
    io::{self, Write},
    os::fd::{AsFd as _, BorrowedFd},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

/// Maximum number of queued bytes per stream.
const QUEUE_MAX: usize = 4 * 1024 * 1024;

/// Output streams of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

static WRITERS: [OnceLock<LineWriter>; 2] = [const { OnceLock::new() }; 2];

/// Accepts whole lines for one stream and never blocks. Clones share the queue.
#[derive(Clone, Debug)]
pub struct LineWriter(Arc<Queue>);

impl LineWriter {
    /// Returns the writer of a stream. The first call starts its thread.
    ///
    /// # Errors
    /// If the stream's descriptor cannot be copied or the thread cannot be started.
    pub fn open(stream: Stream) -> io::Result<Self> {
        let cell = &WRITERS[stream as usize];
        if let Some(writer) = cell.get() {
            return Ok(writer.clone());
        }
        // A separate descriptor: the lock of `std::io::Stderr` would be held while a write blocks.
        #[expect(clippy::disallowed_methods, reason = "the one place")]
        let sink = match stream {
            Stream::Stdout => copy(io::stdout().as_fd())?,
            Stream::Stderr => copy(io::stderr().as_fd())?,
        };
        let report = move |lines| {
            // An error, so that every log level includes it.
            tracing::error!(
                stream = stream.as_str(),
                lines,
                "output.lines_dropped: the reader was too slow, or a write failed"
            );
        };
        let writer = Self::start(stream.as_str(), QUEUE_MAX, sink, report)?;
        Ok(cell.get_or_init(|| writer).clone())
    }

    fn start(
        name: &str,
        max: usize,
        sink: impl Write + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let queue = Arc::new(Queue::new(max));
        let thread = std::thread::Builder::new().name(format!("write-{name}"));
        let lines = queue.clone();
        thread.spawn(move || lines.run(sink, report))?;
        Ok(Self(queue))
    }

    /// Queues a line and appends the newline.
    pub fn line(&self, text: &str) {
        self.0.push(format!("{text}\n").into_bytes());
    }
}

/// Each call queues one log event, which consists of whole lines.
impl Write for LineWriter {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        self.0.push(lines.to_vec());
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn copy(stream: BorrowedFd<'_>) -> io::Result<File> {
    Ok(stream.try_clone_to_owned()?.into())
}

/// Returns the writer of a stream, if it is open.
pub fn open_writer(stream: Stream) -> Option<LineWriter> {
    WRITERS[stream as usize].get().cloned()
}

/// Returns the number of lines dropped since the start, by stream.
pub fn dropped() -> [(&'static str, u64); 2] {
    Stream::ALL.map(|stream| (stream.as_str(), open_writer(stream).map_or(0, |writer| writer.0.dropped())))
}

/// Waits until all queued lines are written, for at most `patience`.
pub fn flush(patience: Duration) {
    let end = Instant::now() + patience;
    for writer in Stream::ALL.into_iter().filter_map(open_writer) {
        writer.0.flush(end);
    }
}

#[cfg(test)]
mod tests;

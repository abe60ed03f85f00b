//! Log capture: the log of this process with the binary's filter (`cli/log.rs`) at its most verbose level, including
//! spans. Tests use it to check that the log contains no secrets.

use std::{
    io::Write,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan, layer::SubscriberExt as _, util::SubscriberInitExt as _};

#[derive(Default)]
struct CapturedLog {
    bytes: Vec<u8>,
    listeners: usize,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<CapturedLog>>);

impl Log {
    fn lock(&self) -> MutexGuard<'_, CapturedLog> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut kept = self.lock();
        if kept.listeners > 0 {
            kept.bytes.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::FULL)
        .with_writer(move || writer.clone());
    tracing_subscriber::registry().with(EnvFilter::new("warn,keyward=trace")).with(layer).init();
    log
});

/// Captures the log from now on, including the events of concurrent tests. Without an active capture nothing is stored.
pub struct LogCapture {
    from: usize,
}

impl LogCapture {
    pub fn start() -> Self {
        let mut kept = LOG.lock();
        kept.listeners += 1;
        Self { from: kept.bytes.len() }
    }

    /// Returns the log since the capture began.
    pub fn logged(&self) -> Vec<u8> {
        LOG.lock().bytes[self.from..].to_vec()
    }
}

impl Drop for LogCapture {
    fn drop(&mut self) {
        let mut kept = LOG.lock();
        kept.listeners -= 1;
        if kept.listeners == 0 {
            kept.bytes = Vec::new();
        }
    }
}

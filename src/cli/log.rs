//! Log setup: events to standard error.

use crate::{
    config::{LogFormat, LogLevel},
    line_writer::{LineWriter, Stream},
};
use std::io;
use tracing_subscriber::{
    EnvFilter, fmt::writer::BoxMakeWriter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// Starts the log of a command. Each event is written synchronously.
pub fn start(level: LogLevel, format: LogFormat) {
    #[expect(clippy::disallowed_methods, reason = "a command may wait for its reader")]
    init(level, format, BoxMakeWriter::new(io::stderr));
}

/// Starts the log of a server. A thread writes the events, so that a stalled reader does not block the server. Panics
/// are logged as events.
///
/// # Errors
/// If the thread cannot be started.
pub fn start_in_background(level: LogLevel, format: LogFormat) -> io::Result<()> {
    let writer = LineWriter::open(Stream::Stderr)?;
    init(level, format, BoxMakeWriter::new(move || writer.clone()));
    // The default hook writes to standard error directly and would wait for its reader.
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(tracing::field::display);
        let backtrace = std::backtrace::Backtrace::capture();
        let backtrace = (backtrace.status() == std::backtrace::BacktraceStatus::Captured).then_some(backtrace);
        let backtrace = backtrace.as_ref().map(tracing::field::display);
        tracing::error!(location, backtrace, "panic: {}", panic.payload_as_str().unwrap_or("(no message)"));
    }));
    Ok(())
}

/// Initializes the subscriber. `level` applies to Keyward's events.
///
/// Library events below a warning are never written, because they can quote requests, cookies and SQL statements.
/// `tower_sessions` is silenced: it warns for each request with an unknown cookie, which any client can send, and
/// repeats for each request what `database.failed` reports once per second.
fn init(level: LogLevel, format: LogFormat, writer: BoxMakeWriter) {
    let level = match level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let filter = EnvFilter::new(format!("warn,tower_sessions=off,sqlx_postgres::options=off,keyward={level}"));
    let registry = tracing_subscriber::registry().with(filter);
    let layer = tracing_subscriber::fmt::layer().with_writer(writer);
    match format {
        LogFormat::Text => registry.with(layer.with_ansi(false)).init(),
        LogFormat::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
}

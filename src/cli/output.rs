//! Output of commands: results go to standard output, notes and errors to standard error.
//!
//! No other module in `cli` writes to either stream. Clippy rejects `println!` and similar macros.

use crate::line_writer::{self, Stream};
use anyhow::Context as _;
use std::{
    fmt::Display,
    io::{self, ErrorKind, IsTerminal as _, Write as _},
};

/// Error for a result that was not written to standard output.
#[derive(Debug, thiserror::Error)]
#[error("standard output could not be written: {0}")]
pub struct OutputError(#[from] io::Error);

impl OutputError {
    /// Whether the reader closed the pipe, as `head` does after enough lines.
    pub fn is_closed_pipe(&self) -> bool {
        self.0.kind() == ErrorKind::BrokenPipe
    }
}

/// Writes to standard output, in one system call if possible, and flushes.
///
/// # Errors
/// If the text was not written completely.
pub fn print(text: impl AsRef<[u8]>) -> Result<(), OutputError> {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref())?;
    Ok(out.flush()?)
}

/// Whether a person reads standard output.
pub fn is_terminal() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    io::stdout().is_terminal()
}

/// Writes a line to standard output, for example `print_line!("{id}  {name}")?`.
macro_rules! print_line {
    ($($argument:tt)*) => {
        $crate::cli::output::print(format!("{}\n", format_args!($($argument)*)))
    };
}
pub(super) use print_line;

/// Prints the result of a completed change.
///
/// # Errors
/// If the text was not written completely. The message states that the change was made, because repeating the command
/// would make it twice.
pub fn print_change(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    print(text).context("the change was made, but its result could not be printed")
}

/// Prints a line about a completed change, for example `print_change_line!("Enabled {email}.")`.
macro_rules! print_change_line {
    ($($argument:tt)*) => {
        $crate::cli::output::print_change(format!("{}\n", format_args!($($argument)*)))
    };
}
pub(super) use print_change_line;

/// Writes a line to standard error. In a server the line is queued after the log lines, because the reader may have
/// stalled. A write error cannot be reported and is ignored.
pub fn print_note(text: impl Display) {
    match line_writer::open_writer(Stream::Stderr) {
        Some(writer) => writer.line(&text.to_string()),
        None => {
            #[expect(clippy::disallowed_methods, reason = "the one place")]
            let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
        }
    }
}

/// Returns the error for a secret that was created but not printed. It cannot be shown again. `advice` explains how to
/// undo or repeat the command.
pub fn lost_secret_error(error: &OutputError, advice: impl Display) -> anyhow::Error {
    // The cause is not in the error chain: here a closed pipe is not a success.
    anyhow::anyhow!("{error}. {advice}")
}

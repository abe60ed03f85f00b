//! Output of commands: results to standard output, notes and errors to standard error. Nothing else in `cli` writes to either, and
//! clippy refuses `println!` and its relatives.

use crate::line_writer::{self, Stream};
use anyhow::Context as _;
use std::{
    fmt::Display,
    io::{self, ErrorKind, Write as _},
};

/// A result was not written to standard output.
#[derive(Debug, thiserror::Error)]
#[error("standard output could not be written: {0}")]
pub struct OutputError(#[from] io::Error);

impl OutputError {
    /// Whether the reader has closed the pipe, as `head` does when it has enough.
    pub fn is_closed_pipe(&self) -> bool {
        self.0.kind() == ErrorKind::BrokenPipe
    }
}

/// Writes to standard output, in one piece if the system takes it, and flushes.
///
/// # Errors
/// If not all of it was written.
pub fn print(text: impl AsRef<[u8]>) -> Result<(), OutputError> {
    #[expect(clippy::disallowed_methods, reason = "the one place")]
    let mut out = io::stdout().lock();
    out.write_all(text.as_ref())?;
    Ok(out.flush()?)
}

/// Writes a line to standard output: `print_line!("{id}  {name}")?`.
macro_rules! print_line {
    ($($argument:tt)*) => {
        $crate::cli::output::print(format!("{}\n", format_args!($($argument)*)))
    };
}
pub(super) use print_line;

/// Writes the result of a change that was made.
///
/// # Errors
/// If not all of it was written. The message says that the change was made: repeating the command would change something twice.
pub fn print_change(text: impl AsRef<[u8]>) -> anyhow::Result<()> {
    print(text).context("the change was made, but its result could not be printed")
}

/// Writes a line about a change that was made: `print_change_line!("Enabled {email}.")`.
macro_rules! print_change_line {
    ($($argument:tt)*) => {
        $crate::cli::output::print_change(format!("{}\n", format_args!($($argument)*)))
    };
}
pub(super) use print_change_line;

/// Writes a line to standard error. A server's line waits behind its log, whose reader may have stalled. An error of writing has
/// nowhere to go.
pub fn print_note(text: impl Display) {
    match line_writer::opened(Stream::Stderr) {
        Some(writer) => writer.line(&text.to_string()),
        None => {
            #[expect(clippy::disallowed_methods, reason = "the one place")]
            let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
        }
    }
}

/// The error of a secret that was made but not printed: it cannot be shown again. `advice` says how to undo or repeat the command.
pub fn lost(error: &OutputError, advice: impl Display) -> anyhow::Error {
    // Without the cause in the chain: a closed pipe is no success here.
    anyhow::anyhow!("{error}. {advice}")
}

//! Output file of `keyward demo --secrets`: secrets of demo keys, for load tests.

use crate::domain::{ids::KeyId, secret::PlainSecret};
use anyhow::Context as _;
use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

/// Writer of the file, and the selection of the keys that it contains.
pub struct SecretsFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// Total number of keys.
    keys: usize,
    /// Number of keys to write, evenly distributed over all keys.
    most: usize,
    seen: usize,
}

impl SecretsFile {
    /// Creates the file, readable by its owner only, before any other work.
    ///
    /// # Errors
    /// If the file exists: its content may still be needed.
    pub fn new(path: &Path, keys: usize, most: usize) -> anyhow::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).with_context(|| {
            format!("the secrets cannot be written to {}, which must be a new file", path.display())
        })?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), keys, most: most.min(keys), seen: 0 })
    }

    /// Writes the line of the next key if it is selected. `verdict` is `valid` or the reason code of its denial.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_if_selected(&mut self, secret: &PlainSecret, verdict: &str, key: KeyId) -> anyhow::Result<()> {
        let (before, after) = (self.seen * self.most, (self.seen + 1) * self.most);
        self.seen += 1;
        if after / self.keys > before / self.keys {
            writeln!(self.file, "{} {verdict} {key}", secret.expose()).with_context(|| self.failed())?;
        }
        Ok(())
    }

    /// Flushes the buffer.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> anyhow::Result<()> {
        self.file.flush().with_context(|| self.failed())
    }

    fn failed(&self) -> String {
        format!("the secrets could not be written to {}", self.path.display())
    }
}

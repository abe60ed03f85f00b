//! The file of secrets that `keyward demo --secrets` writes: for trying a load on keys that open nothing real.

use crate::{domain::ids::KeyId, secret::PlainSecret};
use anyhow::Context as _;
use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

/// A new file, and which keys of a series stand in it.
pub struct Secrets {
    path: PathBuf,
    file: BufWriter<File>,
    /// Keys in all.
    keys: usize,
    /// Of these so many, evenly.
    most: usize,
    seen: usize,
}

impl Secrets {
    /// Makes the file, readable by its owner alone, before anything else is done.
    ///
    /// # Errors
    /// If there is such a file already: whoever made it may still need it.
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

    /// Writes the next key's line, if its turn has come. `verdict`: `valid`, or the code of its refusal.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn note(&mut self, secret: &PlainSecret, verdict: &str, key: KeyId) -> anyhow::Result<()> {
        let (before, after) = (self.seen * self.most, (self.seen + 1) * self.most);
        self.seen += 1;
        if after / self.keys > before / self.keys {
            writeln!(self.file, "{} {verdict} {key}", secret.expose()).with_context(|| self.failed())?;
        }
        Ok(())
    }

    /// Writes what is still in memory.
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

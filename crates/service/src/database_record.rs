//! The newest state of the database that a server has seen, in a file beside the key file.
//!
//! A restored old backup makes keys valid again that were revoked since, and a copy of the database file alone lacks what is in
//! the write-ahead log. Both are noticed at the start: the database is older than the record. The file holds numbers and hashes of
//! the audit log and of the change feed, nothing secret.

use super::{Error, Ground};
use keyward_store::{self as store, audit::EventRow};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// How often the record is brought up to date.
const EVERY: Duration = Duration::from_secs(1);
/// Databases that are kept in one record: more than one were used with the same key file.
const MOST: usize = 8;

/// Why the server does not start. Each is one sentence that says what to do.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(
        "the database is older than the one that this server used last: it has audit event {event} and change {change}, and \
         {path} has recorded event {seen_event} and change {seen_change}. Keys that were revoked since would be valid again. Put the \
         newest copy of the database back, with the files -wal and -shm that belong to it; or, to go on with this one, start once with \
         --accept-older-database, and revoke again what was revoked since"
    )]
    Older { path: PathBuf, event: i64, change: i64, seen_event: i64, seen_change: i64 },
    #[error(
        "audit event {event} of the database is not the one that {path} has recorded: the database was restored from a backup and \
         changed since. Put the newest copy of it back; or, to go on with this one, start once with --accept-older-database"
    )]
    Other { path: PathBuf, event: i64 },
    #[error(
        "{path} cannot be read ({cause}); put it back, or start once with --accept-older-database to write it anew"
    )]
    Unreadable { path: PathBuf, cause: String },
    #[error(
        "there is no database at {database} (or an empty file), but {key_file} of an earlier one is there. Put the database back; or, \
         to begin with a new one, start the server once with --new"
    )]
    Vanished { database: PathBuf, key_file: PathBuf },
    #[error(
        "the database has no audit events, and {path} has recorded event {seen_event} of an earlier one. Put that database back; or, to \
         begin with this one, start the server once with --new"
    )]
    WithoutEvents { path: PathBuf, seen_event: i64 },
    #[error(transparent)]
    Service(#[from] Error),
}

impl From<store::Error> for RecordError {
    fn from(error: store::Error) -> Self {
        Self::Service(error.into())
    }
}

/// A state of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The hash of its first audit event, in hexadecimal: no other database has it, and no copy lacks it.
    database: String,
    event: i64,
    /// Of that event, in hexadecimal.
    hash: String,
    change: i64,
}

/// The record of the database that this process serves.
pub struct DatabaseRecord {
    ground: Ground,
    path: PathBuf,
    /// The newest first; this process's own is the first.
    states: Vec<State>,
}

/// Where the record of a key file is.
fn path_of(key_file: &Path) -> PathBuf {
    let mut path = key_file.as_os_str().to_owned();
    path.push(".seen");
    path.into()
}

/// Refuses a SQLite file that is missing or empty although a server has used one with this key file.
///
/// # Errors
/// [`RecordError::Vanished`].
pub fn refuse_vanished(database: &Path, key_file: &Path) -> Result<(), RecordError> {
    // The key file first: a process that makes both makes it last.
    let is_beside = key_file.parent() == database.parent() && key_file.exists();
    if !is_beside && !path_of(key_file).exists() {
        return Ok(());
    }
    let is_empty = std::fs::metadata(database).map_or(true, |file| file.len() == 0);
    if is_empty {
        return Err(RecordError::Vanished { database: database.to_owned(), key_file: key_file.to_owned() });
    }
    Ok(())
}

/// Refuses a database without audit events where the record has some: it was made in the place of one that is gone. Before the
/// signing keys are made, for each of them is an event.
///
/// # Errors
/// [`RecordError::WithoutEvents`], or if the database cannot be read. A record that cannot be read is for [`DatabaseRecord::check`].
pub async fn refuse_without_events(ground: &Ground, key_file: &Path) -> Result<(), RecordError> {
    let path = path_of(key_file);
    let seen_event = read(&path).unwrap_or_default().iter().map(|state| state.event).max().unwrap_or_default();
    if seen_event == 0 {
        return Ok(());
    }
    let mut reader = ground.pool.read().await?;
    let (event, _) = store::audit::head(&mut reader.conn()).await?;
    if event == 0 { Err(RecordError::WithoutEvents { path, seen_event }) } else { Ok(()) }
}

impl DatabaseRecord {
    /// Compares the database with the record. `accept`: whatever the record says, it is written anew.
    ///
    /// # Errors
    /// A sentence that says what is wrong, if the database is older than the record.
    pub async fn check(ground: &Ground, key_file: &Path, accept: bool) -> Result<Self, RecordError> {
        let path = path_of(key_file);
        let states = match read(&path) {
            Err(_) if accept => Vec::new(),
            Err(cause) => return Err(RecordError::Unreadable { path, cause: cause.to_string() }),
            Ok(states) => states,
        };
        let mut record = Self { ground: ground.clone(), path, states };
        let now = record.state().await?;
        let at = record.states.iter().position(|state| state.database == now.database);
        if let Some(at) = at {
            let seen = record.states.remove(at);
            if !accept {
                record.compare(&seen, &now).await?;
            }
        }
        record.states.insert(0, now);
        record.states.truncate(MOST);
        if let Err(error) = record.write() {
            // A folder of secrets may be read-only.
            tracing::warn!(
                %error,
                path = %record.path.display(),
                "database_record.unwritable: a restored old backup of the database will not be noticed"
            );
        }
        Ok(record)
    }

    async fn compare(&self, seen: &State, now: &State) -> Result<(), RecordError> {
        if now.event < seen.event || now.change < seen.change {
            return Err(RecordError::Older {
                path: self.path.clone(),
                event: now.event,
                change: now.change,
                seen_event: seen.event,
                seen_change: seen.change,
            });
        }
        if seen.event > 0 {
            let mut reader = self.ground.pool.read().await?;
            let event = event(&mut reader, seen.event).await?;
            if event.is_none_or(|event| hex::encode(event.hash) != seen.hash) {
                return Err(RecordError::Other { path: self.path.clone(), event: seen.event });
            }
        }
        Ok(())
    }

    /// The present state of the database.
    async fn state(&self) -> Result<State, store::Error> {
        let mut reader = self.ground.pool.read().await?;
        let first = event(&mut reader, 1).await?;
        let (event, hash) = store::audit::head(&mut reader.conn()).await?;
        let change = store::changes::newest(&mut reader.conn()).await?;
        let database = first.map(|event| hex::encode(event.hash)).unwrap_or_default();
        Ok(State { database, event, hash: hex::encode(hash), change })
    }

    /// Records the present state, if it is another than the recorded one.
    ///
    /// # Errors
    /// If the database cannot be read, or the file cannot be written.
    pub async fn update(&mut self) -> Result<(), Error> {
        let Some(last) = self.states.first() else { return Ok(()) };
        let now = self.state().await?;
        if now != *last {
            self.states[0] = now;
            self.write().map_err(|error| {
                tracing::debug!(%error, "database_record.unwritable");
                Error::Internal("the record of the database beside the key file could not be written")
            })?;
        }
        Ok(())
    }

    /// Keeps the record up to date for as long as the process runs. What it could not write is tried again with the next change.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // The start has warned of a file that cannot be written, and a database that cannot be read is reported elsewhere.
            let _ = self.update().await;
        }
    }

    /// Whole under another name, then renamed: a reader never sees half of it.
    fn write(&self) -> io::Result<()> {
        let draft = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let text = serde_json::to_vec_pretty(&self.states)?;
        let mut file = options.open(&draft)?;
        let written = file.write_all(&text).and_then(|()| std::fs::rename(&draft, &self.path));
        if written.is_err() {
            let _ = std::fs::remove_file(&draft);
        }
        written
    }
}

/// The audit event with this number.
async fn event(reader: &mut store::Reader, seq: i64) -> Result<Option<EventRow>, store::Error> {
    let event = store::audit::after(&mut reader.conn(), seq - 1, 1).await?.into_iter().next();
    Ok(event.filter(|event| event.seq == seq))
}

fn read(path: &Path) -> io::Result<Vec<State>> {
    match std::fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

//! Rollback detection: records the newest database state that a server has seen, in a file beside the key file.
//!
//! A restored old backup makes revoked keys valid again. A copy of the database file alone lacks the changes in the
//! write-ahead log. Both are detected at startup because the database is older than the record. The file contains
//! sequence numbers and hashes of the audit log and of the change feed, and no secrets.

use super::{Context, Error};
use keyward_domain::error_chain::ErrorChain;
use keyward_store::{self as store, audit::EventRow};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

/// Interval between updates of the record.
const EVERY: Duration = Duration::from_secs(1);
/// Maximum number of databases in one record. There is more than one if several databases were used with the same key
/// file.
const MOST: usize = 8;

/// Reasons why the server does not start. Each message is one sentence that names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error(
        "the database is older than the one that this server used last: it ends at audit event {event} and change {change}, and \
         {path} records event {seen_event} and change {seen_change}. Keys that were deleted or deactivated since then would be valid \
         again. Restore the newest copy of the database together with its files -wal and -shm; or, to continue with this database, start \
         once with --accept-older-database, and delete or deactivate those keys again"
    )]
    Older { path: PathBuf, event: i64, change: i64, seen_event: i64, seen_change: i64 },
    #[error(
        "audit event {event} of the database differs from the one that {path} records: the database was restored from a backup and \
         changed since then. Restore the newest copy; or, to continue with this database, start once with --accept-older-database"
    )]
    Other { path: PathBuf, event: i64 },
    #[error("{path} cannot be read ({cause}); restore it, or start once with --accept-older-database to replace it")]
    Unreadable {
        path: PathBuf,
        #[source]
        cause: io::Error,
    },
    #[error(
        "the database {database} is missing or empty, but the key file {key_file} of an earlier database exists. Restore the database; \
         or, to create a new one, start the server once with --new"
    )]
    Vanished { database: PathBuf, key_file: PathBuf },
    #[error(
        "the database has no audit events, but {path} records event {seen_event} of an earlier database. Restore that database; or, to \
         start with this one, start the server once with --new"
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

/// State of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// Hash of the first audit event, in hexadecimal. It identifies the database: every copy has it, and no other
    /// database does.
    database: String,
    event: i64,
    /// Hash of that event, in hexadecimal.
    hash: String,
    change: i64,
}

/// Record of the database that this process serves.
pub struct DatabaseRecord {
    context: Context,
    path: PathBuf,
    /// Newest first. The first entry is the database of this process.
    states: Vec<State>,
}

/// Returns the path of the record that belongs to a key file.
fn path_of(key_file: &Path) -> PathBuf {
    let mut path = key_file.as_os_str().to_owned();
    path.push(".seen");
    path.into()
}

/// Checks that a SQLite file exists and is not empty if a server has used a database with this key file.
///
/// # Errors
/// [`RecordError::Vanished`] if the file is missing or empty.
pub fn check_database_exists(database: &Path, key_file: &Path) -> Result<(), RecordError> {
    // Check the key file first: a process that creates both files creates the key file last.
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

/// Checks that the database has audit events if the record has some. A database without events was created in place of
/// one that is gone.
///
/// Call this before the signing keys are created, because each of them adds an audit event.
///
/// # Errors
/// [`RecordError::WithoutEvents`], or an error if the database cannot be read. An unreadable record is not an error
/// here; [`DatabaseRecord::check`] reports it.
pub async fn check_has_events(context: &Context, key_file: &Path) -> Result<(), RecordError> {
    let path = path_of(key_file);
    let seen_event = read_states(&path).unwrap_or_default().iter().map(|state| state.event).max().unwrap_or_default();
    if seen_event == 0 {
        return Ok(());
    }
    let mut reader = context.pool.acquire_reader().await?;
    let (event, _) = store::audit::head(&mut reader.conn()).await?;
    if event == 0 { Err(RecordError::WithoutEvents { path, seen_event }) } else { Ok(()) }
}

impl DatabaseRecord {
    /// Compares the database with the record. With `accept`, the record is overwritten regardless of its content.
    ///
    /// # Errors
    /// [`RecordError`] if the database is older than the record or differs from it, or if the record cannot be read.
    pub async fn check(context: &Context, key_file: &Path, accept: bool) -> Result<Self, RecordError> {
        let path = path_of(key_file);
        let states = match read_states(&path) {
            Err(_) if accept => Vec::new(),
            Err(cause) => return Err(RecordError::Unreadable { path, cause }),
            Ok(states) => states,
        };
        let mut record = Self { context: context.clone(), path, states };
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
            // Not fatal: the folder of the key file may be mounted read-only.
            tracing::warn!(
                %error,
                path = %record.path.display(),
                "database_record.unwritable: a restored old backup of the database will not be detected"
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
            let mut reader = self.context.pool.acquire_reader().await?;
            let event = event(&mut reader, seen.event).await?;
            if event.is_none_or(|event| hex::encode(event.hash) != seen.hash) {
                return Err(RecordError::Other { path: self.path.clone(), event: seen.event });
            }
        }
        Ok(())
    }

    /// Returns the current state of the database.
    async fn state(&self) -> Result<State, store::Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let first = event(&mut reader, 1).await?;
        let (event, hash) = store::audit::head(&mut reader.conn()).await?;
        let change = store::change_log::newest(&mut reader.conn()).await?;
        let database = first.map(|event| hex::encode(event.hash)).unwrap_or_default();
        Ok(State { database, event, hash: hex::encode(hash), change })
    }

    /// Writes the current state to the record if it differs from the recorded one.
    ///
    /// # Errors
    /// If the database cannot be read, or the file cannot be written.
    pub async fn update(&mut self) -> Result<(), Error> {
        let Some(last) = self.states.first() else { return Ok(()) };
        let now = self.state().await?;
        if now != *last {
            self.states[0] = now;
            let what = "the database record next to the key file could not be written";
            self.write().map_err(|cause| Error::failed(what, cause))?;
        }
        Ok(())
    }

    /// Keeps the record up to date while the process runs. A failed write is retried with the next change.
    pub async fn run(mut self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // Only for debugging: startup has already warned about an unwritable file, and other code reports an
            // unreadable database.
            if let Err(error) = self.update().await {
                tracing::debug!(error = %ErrorChain(&error), "database_record.unwritable");
            }
        }
    }

    /// Writes a complete temporary file, then renames it, so that readers never see a partial record.
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

/// Returns the audit event with this sequence number.
async fn event(reader: &mut store::Reader, seq: i64) -> Result<Option<EventRow>, store::Error> {
    let event = store::audit::after(&mut reader.conn(), seq - 1, 1).await?.into_iter().next();
    Ok(event.filter(|event| event.seq == seq))
}

fn read_states(path: &Path) -> io::Result<Vec<State>> {
    match std::fs::read(path) {
        Ok(text) => Ok(serde_json::from_slice(&text)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

//! The error type of the store, and the kinds of errors.

use sqlx::{migrate::MigrateError, postgres::PgDatabaseError, sqlite::SqliteError};
use std::{
    io::{self, ErrorKind},
    path::PathBuf,
    sync::Arc,
};

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database returned an error: {0}")]
    Database(#[from] sqlx::Error),
    #[error("the database could not be migrated: {0}")]
    Migrate(#[from] MigrateError),
    /// A row contains a value that the code never writes.
    ///
    /// Without the error of the parser, which can quote the value: it is personal, or a part of a secret.
    #[error("the database contains an invalid {0}")]
    Corrupt(&'static str),
    /// This batch and another node's are in a deadlock. Only a new transaction can proceed.
    #[error("the transaction must be restarted after a deadlock")]
    Deadlock,
    /// The write queue has been shut down.
    #[error("the change was not written: the write queue is shut down")]
    Closed,
    /// The change panicked.
    #[error("the change was not written: it panicked")]
    Panicked,
    /// The batch of this change was not committed, or it is unknown whether it was. The cause is a text, because one
    /// error is the cause for each change of the batch.
    #[error("the change was not written: {cause}")]
    NotWritten { kind: Kind, cause: Arc<str> },
    /// The circuit breaker is open, with the text of the error for which it was opened.
    #[error("PostgreSQL does not respond: {0}")]
    Unreachable(Arc<str>),
    #[error("the transaction took longer than {0} s")]
    TookTooLong(u64),
    /// Only one node at a time runs migrations, and PostgreSQL limits the wait for a lock.
    #[error(
        "the database could not be migrated: another session has held the migration lock for longer than lock_timeout (60 s, unless \
         the URL sets it). Check for another Keyward server that is starting, or that was stopped during its start. End it, or its \
         session (pg_stat_activity, pg_terminate_backend), then start this server again"
    )]
    MigrationsLocked,
    /// The database is empty, or belongs to another program.
    #[error("there is no Keyward schema in the database. To create it, start the server, or run: keyward migrate")]
    SchemaMissing,
    /// The versions are those of the newest migrations.
    #[error(
        "the schema is older than this program: it is at version {found}, and version {latest} is required. To update it, start the \
         server, or run: keyward migrate"
    )]
    SchemaOlder { found: i64, latest: i64 },
    /// `found` is not a migration of this program.
    #[error(
        "the schema is newer than this program: it contains version {found}, and this program knows versions up to {latest}. Run the \
         Keyward release that updated the database, or a later one"
    )]
    SchemaNewer { found: i64, latest: i64 },
    /// Otherwise a running server would write to an unlinked file.
    #[error(
        "the database file {0} was removed or replaced while it was in use; stop Keyward, put the file back, and start it again"
    )]
    FileReplaced(PathBuf),
}

/// The kind of an error of the store. Each edge maps it to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No space is left for the database.
    Full,
    /// The disk or the database file fails.
    Io,
    /// The database file is damaged or is not a database.
    Damaged,
    /// The database cannot be reached, or does not respond in time.
    Unavailable,
    /// Another transaction holds a lock for too long.
    Contended,
    /// A bug in the program or an inconsistency in the data.
    Fault,
}

impl Error {
    /// Returns whether the same statements may succeed when run again: after a deadlock or a serialization failure on
    /// PostgreSQL.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Deadlock => true,
            Self::Database(sqlx::Error::Database(e)) => matches!(e.code().as_deref(), Some("40001" | "40P01")),
            _ => false,
        }
    }

    /// Returns whether a statement was stopped at a time limit: SQLITE_INTERRUPT, or query_canceled on PostgreSQL.
    pub fn is_time_limit(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if matches!(e.code().as_deref(), Some("9" | "57014")))
    }

    pub fn kind(&self) -> Kind {
        match self {
            Self::Database(error) => kind_of(error),
            Self::Migrate(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => kind_of(error),
            Self::Migrate(_)
            | Self::Corrupt(_)
            | Self::Panicked
            | Self::SchemaMissing
            | Self::SchemaOlder { .. }
            | Self::SchemaNewer { .. } => Kind::Fault,
            Self::Deadlock | Self::TookTooLong(_) | Self::MigrationsLocked => Kind::Contended,
            Self::Closed | Self::Unreachable(_) => Kind::Unavailable,
            Self::NotWritten { kind, .. } => *kind,
            Self::FileReplaced(_) => Kind::Io,
        }
    }

    /// Returns whether the transaction is over or cannot be trusted after this error. SQLite rolls back by itself when
    /// the disk is full or fails. On PostgreSQL, a statement that is stopped at its time limit leaves the other
    /// statements of the transaction intact.
    pub(super) fn ends_transaction(&self) -> bool {
        // If one change cannot get a lock, the other changes of the batch cannot get it either, and each would wait as
        // long.
        let lock_timeout =
            matches!(self, Self::Database(sqlx::Error::Database(e)) if e.code().as_deref() == Some("55P03"));
        match self.kind() {
            Kind::Full | Kind::Io | Kind::Unavailable => true,
            Kind::Contended | Kind::Damaged | Kind::Fault => lock_timeout,
        }
    }

    /// Returns an equivalent error for a further caller. `sqlx::Error` is not `Clone`.
    pub(super) fn not_written(&self) -> Self {
        match self {
            Self::NotWritten { kind, cause } => Self::NotWritten { kind: *kind, cause: cause.clone() },
            error => Self::NotWritten { kind: error.kind(), cause: error.to_string().into() },
        }
    }
}

fn kind_of(error: &sqlx::Error) -> Kind {
    use sqlx::Error as E;
    match error {
        E::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
                return kind_of_sqlstate(error.code());
            }
            let is_sqlite = error.try_downcast_ref::<SqliteError>().is_some();
            let code = error.code().and_then(|code| code.parse().ok()).filter(|_| is_sqlite);
            code.map_or(Kind::Fault, kind_of_sqlite)
        }
        E::Io(error) if is_storage_full(error) => Kind::Full,
        E::Io(_) | E::Tls(_) | E::PoolClosed | E::WorkerCrashed | E::BeginFailed => Kind::Unavailable,
        E::PoolTimedOut => Kind::Contended,
        // A transaction was left open on the connection; the connection is then closed.
        E::InvalidSavePointStatement => Kind::Unavailable,
        _ => Kind::Fault,
    }
}

/// Returns whether a file could not be created or extended for lack of space.
pub(super) fn is_storage_full(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// SQLITE_IOERR_SHMSIZE: the -shm file could not be extended. For the database file and its log, SQLite reports a full
/// disk as SQLITE_FULL; its other SQLITE_IOERR codes do not state the cause.
pub(super) const SQLITE_IOERR_SHMSIZE: i32 = 10 | (19 << 8);

/// <https://www.sqlite.org/rescode.html>: the low byte of an extended result code is the primary one.
fn kind_of_sqlite(code: i32) -> Kind {
    if code == SQLITE_IOERR_SHMSIZE {
        return Kind::Full;
    }
    match code & 0xff {
        // FULL
        13 => Kind::Full,
        // READONLY, IOERR, CANTOPEN
        8 | 10 | 14 => Kind::Io,
        // CORRUPT, NOTADB
        11 | 26 => Kind::Damaged,
        // BUSY, LOCKED, PROTOCOL
        5 | 6 | 15 => Kind::Contended,
        _ => Kind::Fault,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn kind_of_sqlstate(code: &str) -> Kind {
    match code {
        "53100" => Kind::Full,
        "58030" | "58P01" => Kind::Io,
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => Kind::Damaged,
        // A lock, a statement, or a transaction (idle, or as a whole) exceeded its time limit; or a serialization
        // failure or a deadlock.
        "55P03" | "57014" | "25P03" | "25P04" | "40001" | "40P01" => Kind::Contended,
        // Too few resources: connections or memory.
        code if code.starts_with("53") => Kind::Contended,
        // A standby that is not promoted yet.
        "25006" => Kind::Unavailable,
        code if ["08", "57"].iter().any(|class| code.starts_with(class)) => Kind::Unavailable,
        _ => Kind::Fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_kind_of_their_class() {
        for (code, kind) in [
            (13, Kind::Full),
            (10, Kind::Io),
            (10 | (3 << 8), Kind::Io),
            (4874, Kind::Full),
            // IOERR_FSYNC, IOERR_SHMOPEN, IOERR_SHMMAP
            (1034, Kind::Io),
            (4618, Kind::Io),
            (5386, Kind::Io),
            (14, Kind::Io),
            (1032, Kind::Io),
            (5, Kind::Contended),
            (517, Kind::Contended),
            (19, Kind::Fault),
            (2067, Kind::Fault),
            (11, Kind::Damaged),
            (267, Kind::Damaged),
            (26, Kind::Damaged),
        ] {
            assert_eq!(kind_of_sqlite(code), kind, "{code}");
        }
        for (code, kind) in [
            ("53100", Kind::Full),
            ("53300", Kind::Contended),
            ("57P01", Kind::Unavailable),
            ("57P03", Kind::Unavailable),
            ("08006", Kind::Unavailable),
            ("25006", Kind::Unavailable),
            ("58030", Kind::Io),
            ("55P03", Kind::Contended),
            ("25P03", Kind::Contended),
            ("57014", Kind::Contended),
            ("XX001", Kind::Damaged),
            ("XX000", Kind::Fault),
            ("23505", Kind::Fault),
            ("42601", Kind::Fault),
        ] {
            assert_eq!(kind_of_sqlstate(code), kind, "{code}");
        }
        for (kind, expected) in [
            (ErrorKind::StorageFull, Kind::Full),
            (ErrorKind::QuotaExceeded, Kind::Full),
            (ErrorKind::PermissionDenied, Kind::Unavailable),
        ] {
            assert_eq!(Error::from(sqlx::Error::Io(kind.into())).kind(), expected, "{kind}");
        }
        assert_eq!(Error::from(sqlx::Error::PoolClosed).not_written().kind(), Kind::Unavailable);
    }
}

//! Remedies for database errors, for the operator.

use super::{
    Error, Kind, Location,
    error::{SQLITE_IOERR_SHMSIZE, is_storage_full},
};
use sqlx::{postgres::PgDatabaseError, sqlite::SqliteError};
use std::{
    error::Error as StdError,
    fmt,
    io::{self, ErrorKind},
    path::Path,
};
use url::Url;

/// Formats the location without user name and password.
impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => {
                let url = Url::parse(url).ok();
                let url = url.as_ref();
                let host = url.and_then(Url::host_str).filter(|host| !host.is_empty()).unwrap_or("localhost");
                let port = url.and_then(Url::port).unwrap_or(5432);
                write!(f, "postgres://{host}:{port}{}", url.map_or("", Url::path))
            }
        }
    }
}

/// Returns a sentence with the remedy for an error or for its cause, or `None` if there is nothing to add to the error
/// message.
pub fn advice(error: &(dyn StdError + 'static), location: &Location) -> Option<String> {
    match error.downcast_ref() {
        Some(Error::Corrupt(_)) => return Some(damaged(location)),
        // These variants keep no `sqlx::Error` to inspect.
        Some(Error::NotWritten { kind, .. }) => return of_kind(*kind, location),
        Some(Error::Unreachable(_)) => return of_kind(Kind::Unavailable, location),
        Some(Error::Database(cause)) => return advice(cause, location),
        _ => {}
    }
    match (error.downcast_ref::<sqlx::Error>()?, location) {
        (sqlx::Error::Database(error), _) => {
            if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
                return of_sqlstate(error.code(), location);
            }
            error.try_downcast_ref::<SqliteError>()?;
            of_sqlite(error.code()?.parse().ok()?, location)
        }
        (sqlx::Error::Io(error), Location::Sqlite(_)) => of_file(error, location),
        (sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut, Location::Postgres(_)) => Some(unreachable(location)),
        _ => None,
    }
}

fn of_kind(kind: Kind, location: &Location) -> Option<String> {
    match (kind, location) {
        (Kind::Full, _) => Some(full(location)),
        (Kind::Io, Location::Sqlite(_)) => Some(unwritable(location)),
        (Kind::Damaged, _) => Some(damaged(location)),
        (Kind::Unavailable, Location::Postgres(_)) => Some(unreachable(location)),
        (Kind::Contended, _) => Some(locked(location)),
        _ => None,
    }
}

fn full(location: &Location) -> String {
    format!("The file system of {location} is full: free some space")
}

fn unreachable(location: &Location) -> String {
    format!("Check that PostgreSQL runs at {location}, and check the address in --database-url (KEYWARD_DATABASE_URL)")
}

fn damaged(location: &Location) -> String {
    match location {
        Location::Sqlite(_) => format!(
            "The database file {location} is damaged, or is not a Keyward database. Stop all Keyward processes that use it, keep \
             a copy of it and of {location}-wal, and restore the newest backup. If you have already restored a backup, remove the \
             {location}-wal and {location}-shm of the previous database"
        ),
        Location::Postgres(_) => format!("The database {location} is damaged: restore the newest backup"),
    }
}

fn locked(location: &Location) -> String {
    format!("Another process has locked {location}: try again when that process has ended")
}

fn unwritable(location: &Location) -> String {
    // SQLite reports only that it cannot open the file.
    if location.file().is_some_and(Path::is_dir) {
        return format!("{location} is a folder: set --database-url (KEYWARD_DATABASE_URL) to a file in it");
    }
    format!(
        "Keyward needs write access to {location} and to its folder: check the path, the owner and mode of both, and whether the \
         file system is read-only or full"
    )
}

/// <https://www.sqlite.org/rescode.html>: the low byte of an extended result code is the primary one.
fn of_sqlite(code: i32, location: &Location) -> Option<String> {
    if code == SQLITE_IOERR_SHMSIZE {
        return Some(full(location));
    }
    match code & 0xff {
        // CORRUPT, NOTADB
        11 | 26 => Some(damaged(location)),
        // BUSY, LOCKED, PROTOCOL
        5 | 6 | 15 => Some(locked(location)),
        // PERM, READONLY, CANTOPEN, AUTH
        3 | 8 | 14 | 23 => Some(unwritable(location)),
        // FULL
        13 => Some(full(location)),
        // IOERR
        10 => Some(format!(
            "The file system of {location} reports errors: check the log of the operating system, the free space, and the quota"
        )),
        _ => None,
    }
}

fn of_file(error: &io::Error, location: &Location) -> Option<String> {
    if is_storage_full(error) {
        return Some(full(location));
    }
    match error.kind() {
        ErrorKind::IsADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::NotFound
        | ErrorKind::NotADirectory => Some(unwritable(location)),
        _ => None,
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn of_sqlstate(code: &str, location: &Location) -> Option<String> {
    Some(match code {
        // invalid_authorization_specification, invalid_password
        "28000" | "28P01" => "Check the user and the password in --database-url (KEYWARD_DATABASE_URL)".to_owned(),
        // invalid_catalog_name
        "3D000" => format!(
            "Create the database {location} first, or correct its name in --database-url (KEYWARD_DATABASE_URL)"
        ),
        // read_only_sql_transaction
        "25006" => format!(
            "PostgreSQL at {location} is read-only: it is a standby, or default_transaction_read_only is on. Set --database-url \
             (KEYWARD_DATABASE_URL) to a server that accepts writes"
        ),
        // insufficient_privilege
        "42501" => format!(
            "Make Keyward's database user the owner of the database {location} or of its schema: Keyward creates tables"
        ),
        // disk_full
        "53100" => format!("Free some disk space on the database server of {location}"),
        // too_many_connections
        "53300" => "Increase max_connections of PostgreSQL, or disconnect other clients".to_owned(),
        // cannot_connect_now
        "57P03" => "PostgreSQL is starting or stopping: try again in a moment".to_owned(),
        // lock_not_available
        "55P03" => locked(location),
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => damaged(location),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_shows_no_user_and_no_password() {
        let location =
            Location::Postgres("postgres://ann:hunter2hunter2@db.example:6432/keys?sslmode=require".to_owned());
        assert_eq!(location.to_string(), "postgres://db.example:6432/keys");
        assert_eq!(Location::Postgres("postgres:///keys".to_owned()).to_string(), "postgres://localhost:5432/keys");
        assert_eq!(Location::Sqlite("data/k.db".into()).to_string(), "data/k.db");
    }

    #[test]
    fn codes_of_sqlite_have_the_advice_of_their_class() {
        let location = Location::Sqlite("k.db".into());
        for (code, word) in [
            (11, "damaged"),
            (267, "damaged"),
            (26, "k.db-wal"),
            (5, "locked"),
            (1032, "read-only"),
            (13, "full"),
            (4874, "full"),
            (1034, "free space"),
        ] {
            assert!(of_sqlite(code, &location).is_some_and(|it| it.contains(word) && it.contains("k.db")), "{code}");
        }
        assert_eq!(of_sqlite(19, &location), None);
    }

    #[test]
    fn a_lost_batch_has_the_advice_of_its_kind() {
        let location = Location::Sqlite("k.db".into());
        for (kind, word) in
            [(Kind::Damaged, "restore the newest backup"), (Kind::Full, "is full"), (Kind::Contended, "locked")]
        {
            let lost = Error::NotWritten { kind, cause: "it was lost".into() };
            assert!(advice(&lost, &location).is_some_and(|it| it.contains(word) && it.contains("k.db")), "{kind:?}");
        }
        assert_eq!(advice(&Error::NotWritten { kind: Kind::Fault, cause: "".into() }, &location), None);
    }
}

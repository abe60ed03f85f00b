//! SQLite: one file, one writer, readers beside it (write-ahead log).

use super::{Error, Kind, Pool};
use sqlx::{
    ConnectOptions,
    migrate::{Migrate as _, Migrator},
    sqlite::{
        SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
    },
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// How long a write waits for another process (the command line) to finish its own.
const BUSY: Duration = Duration::from_secs(10);
/// How long until a database that another process prepares is opened again.
const AGAIN: Duration = Duration::from_millis(20);
/// Reads that can run at once. Lists take at most half of them (`list_reader.rs`).
const READERS: u32 = 8;

/// The database file that was opened, with its `-wal` and `-shm`. After one of them is removed, a process still writes to it without an
/// error, and the data is lost.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    identity: (u64, u64),
    /// `-wal` and `-shm`, as long as the connection that writes is open: SQLite removes them with the last connection.
    beside: Mutex<Vec<(PathBuf, (u64, u64))>>,
}

impl File {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)?, beside: Mutex::default() })
    }

    /// Remembers which files are beside the database, now that a connection is open.
    fn remember(&self) {
        let paths = ["-wal", "-shm"].map(|end| {
            let mut path = self.path.clone().into_os_string();
            path.push(end);
            PathBuf::from(path)
        });
        let found =
            paths.into_iter().filter_map(|path| identity(&path).ok().map(|identity| (path, identity))).collect();
        *self.beside.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Forgets the files beside the database, before the connection that writes is closed.
    pub(super) fn forget(&self) {
        self.beside.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// # Errors
    /// [`Error::FileGone`] if one of the paths names no file, or another one.
    pub(super) fn check(&self) -> Result<(), Error> {
        is_same(&self.path, self.identity)?;
        let beside = self.beside.lock().unwrap_or_else(PoisonError::into_inner);
        beside.iter().try_for_each(|(path, identity)| is_same(path, *identity))
    }
}

fn is_same(path: &Path, known: (u64, u64)) -> Result<(), Error> {
    match identity(path) {
        Ok(identity) if identity == known => Ok(()),
        Ok(_) => Err(Error::FileGone(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::FileGone(path.to_owned())),
        Err(error) => Err(sqlx::Error::Io(error).into()),
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::metadata(path).map(|_| (0, 0))
}

pub(super) async fn open(path: &Path) -> Result<Pool, Error> {
    create_private(path).map_err(sqlx::Error::Io)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        // It is there. If it is removed later, no empty one is made in its place.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged survives a power failure, not only a killed process.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    let file = Arc::new(File::open(path).map_err(sqlx::Error::Io)?);
    let opened = file.clone();
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .min_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |_, _| {
            opened.remember();
            Box::pin(async { Ok(()) })
        });
    let write = connect(&write, &options).await?;
    migrate(&write).await?;
    forget_statistics(&write).await?;
    file.remember();
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pool::Sqlite { write, read, file })
}

/// Removes the statistics of tables that `ANALYZE` or a previous release left behind.
///
/// Without them SQLite takes every table for a large one. Statistics of a young database say that a table has one row; the database
/// grows, the statistics stay, and SQLite reads whole tables instead of an index. So the plans of all statements are those that the
/// tests see, whatever the age of the database. Without statistics nothing is written: a command need not wait for a busy server.
async fn forget_statistics(write: &SqlitePool) -> Result<(), sqlx::Error> {
    const FOUND_SQLITE: &str = "SELECT name FROM sqlite_schema WHERE name IN ('sqlite_stat1', 'sqlite_stat4')";
    let found: Vec<String> = sqlx::query_scalar(FOUND_SQLITE).fetch_all(write).await?;
    for name in found {
        let sql = if name == "sqlite_stat1" {
            "DROP TABLE IF EXISTS sqlite_stat1"
        } else {
            "DROP TABLE IF EXISTS sqlite_stat4"
        };
        sqlx::query(sql).execute(write).await?;
    }
    Ok(())
}

/// Opens the database. While another process switches a new file to the write-ahead log, SQLite refuses at once, whatever the busy
/// timeout.
async fn connect(pool: &SqlitePoolOptions, options: &SqliteConnectOptions) -> Result<SqlitePool, Error> {
    let end = Instant::now() + BUSY;
    loop {
        match pool.clone().connect_with(options.clone()).await.map_err(Error::from) {
            Err(error) if error.kind() == Kind::Contended && Instant::now() < end => sleep(AGAIN).await,
            done => return done,
        }
    }
}

/// Brings the schema up to date. Check and migration are one transaction: processes that open a new file at once take turns.
async fn migrate(pool: &SqlitePool) -> Result<(), Error> {
    let mut conn = pool.acquire().await?;
    // A command beside a busy server need not wait for its turn to write.
    if is_current(&mut conn).await {
        return Ok(());
    }
    let mut tx = sqlx::Connection::begin_with(&mut *conn, "BEGIN IMMEDIATE").await?;
    MIGRATIONS.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(())
}

/// Whether exactly our migrations were applied. Anything else is for [`Migrator`] to judge.
async fn is_current(conn: &mut SqliteConnection) -> bool {
    let Ok(applied) = conn.list_applied_migrations(&MIGRATIONS.table_name).await else { return false };
    let dirty = conn.dirty_version(&MIGRATIONS.table_name).await;
    matches!(dirty, Ok(None))
        && applied.len() == MIGRATIONS.iter().count()
        && MIGRATIONS.iter().zip(&applied).all(|(ours, it)| ours.version == it.version && ours.checksum == it.checksum)
}

/// Makes the file, if it is not there, readable by its owner alone; SQLite gives its log and index the same mode. A file that is
/// there is not opened: closing it would take the locks of this process on it away (POSIX advisory locks).
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

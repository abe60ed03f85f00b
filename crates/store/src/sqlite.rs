//! The SQLite engine: one file, one writer, and concurrent readers (write-ahead log).

use super::{
    Error, Kind, Pool,
    schema::{Schema, SchemaMode, SchemaUpdate},
};
use sqlx::{
    ConnectOptions,
    migrate::Migrator,
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

/// Maximum wait of a write for another process, such as the command line.
const BUSY: Duration = Duration::from_secs(10);
/// Delay before the next attempt to open a database that another process is preparing.
const AGAIN: Duration = Duration::from_millis(20);
/// Maximum number of concurrent reads. Lists use at most half of them (`list_reader.rs`).
const READERS: u32 = 8;

/// The open database file, with its `-wal` and `-shm` files. If one of them is removed, a process continues to write to
/// it without an error, and the data is lost.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    identity: (u64, u64),
    /// `-wal` and `-shm`, while the writing connection is open. SQLite removes them with the last connection.
    companions: Mutex<Vec<(PathBuf, (u64, u64))>>,
}

impl File {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)?, companions: Mutex::default() })
    }

    /// Records the `-wal` and `-shm` files after a connection was opened.
    fn record_companions(&self) {
        let paths = ["-wal", "-shm"].map(|end| {
            let mut path = self.path.clone().into_os_string();
            path.push(end);
            PathBuf::from(path)
        });
        let found =
            paths.into_iter().filter_map(|path| identity(&path).ok().map(|identity| (path, identity))).collect();
        *self.companions.lock().unwrap_or_else(PoisonError::into_inner) = found;
    }

    /// Clears the recorded `-wal` and `-shm` files before the writing connection is closed.
    pub(super) fn clear_companions(&self) {
        self.companions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the database files were neither removed nor replaced.
    ///
    /// # Errors
    /// [`Error::FileReplaced`] if one of the paths names no file or a different file.
    pub(super) fn check(&self) -> Result<(), Error> {
        is_same(&self.path, self.identity)?;
        let beside = self.companions.lock().unwrap_or_else(PoisonError::into_inner);
        beside.iter().try_for_each(|(path, identity)| is_same(path, *identity))
    }
}

fn is_same(path: &Path, known: (u64, u64)) -> Result<(), Error> {
    match identity(path) {
        Ok(identity) if identity == known => Ok(()),
        Ok(_) => Err(Error::FileReplaced(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::FileReplaced(path.to_owned())),
        Err(error) => Err(sqlx::Error::Io(error).into()),
    }
}

/// Returns the device and inode numbers.
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

pub(super) async fn open(path: &Path, mode: SchemaMode) -> Result<Pool, Error> {
    let (write, options, file) = connect_writer(path, mode).await?;
    if let Err(error) = prepare(&write, mode).await {
        write.close().await;
        return Err(error);
    }
    file.record_companions();
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pool::Sqlite { write, read, file })
}

/// Applies the pending migrations, and closes the database.
pub(super) async fn migrate(path: &Path) -> Result<SchemaUpdate, Error> {
    let (write, ..) = connect_writer(path, SchemaMode::Migrate).await?;
    let schema = prepare(&write, SchemaMode::Migrate).await;
    write.close().await;
    schema.map(Into::into)
}

/// Opens the writing connection. A missing file is created, unless the mode requires a schema.
async fn connect_writer(path: &Path, mode: SchemaMode) -> Result<(SqlitePool, SqliteConnectOptions, Arc<File>), Error> {
    if mode != SchemaMode::Require {
        create_private(path).map_err(sqlx::Error::Io)?;
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        // The file exists. If it is removed later, no empty file must replace it.
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        // Acknowledged writes survive a power failure, not only a killed process.
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
            opened.record_companions();
            Box::pin(async { Ok(()) })
        });
    Ok((connect(&write, &options).await?, options, file))
}

/// Brings the database to the state in which it is used: its schema, and no statistics.
async fn prepare(write: &SqlitePool, mode: SchemaMode) -> Result<Schema, Error> {
    let schema = migrate_schema(write, mode).await?;
    forget_statistics(write).await?;
    Ok(schema)
}

/// Removes the table statistics that `ANALYZE` or a previous release left behind.
///
/// Without statistics, SQLite assumes that every table is large. Statistics of a young database state that a table has
/// one row. The database grows, the statistics stay, and SQLite scans whole tables instead of using an index. After the
/// removal, all statements have the plans that the tests check, regardless of the age of the database. If there are no
/// statistics, nothing is written, so a command does not have to wait for a busy server.
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

/// Opens the database, with retries. While another process switches a new file to the write-ahead log, SQLite fails at
/// once, regardless of the busy timeout.
async fn connect(pool: &SqlitePoolOptions, options: &SqliteConnectOptions) -> Result<SqlitePool, Error> {
    let end = Instant::now() + BUSY;
    loop {
        match pool.clone().connect_with(options.clone()).await.map_err(Error::from) {
            Err(error) if error.kind() == Kind::Contended && Instant::now() < end => sleep(AGAIN).await,
            done => return done,
        }
    }
}

/// Checks the schema, and applies pending migrations if the mode allows it. Returns the schema before that.
///
/// Check and migration are one transaction, so processes that open a new file at the same time run one after another.
async fn migrate_schema(pool: &SqlitePool, mode: SchemaMode) -> Result<Schema, Error> {
    let mut conn = pool.acquire().await?;
    match read_schema(&mut conn).await {
        // A command next to a busy server does not have to wait for the write lock.
        Ok(schema) if schema.is_current() => return Ok(schema),
        Ok(schema) => schema.check(mode)?,
        Err(error) if mode == SchemaMode::Require => return Err(error),
        // Another process may be creating the schema. The transaction below waits for it.
        Err(_) => {}
    }
    let mut tx = sqlx::Connection::begin_with(&mut *conn, "BEGIN IMMEDIATE").await?;
    let schema = read_schema(&mut tx).await?;
    schema.check(mode)?;
    MIGRATIONS.run_direct(None, &mut *tx, false).await?;
    tx.commit().await?;
    Ok(schema)
}

async fn read_schema(conn: &mut SqliteConnection) -> Result<Schema, Error> {
    const TABLES_SQLITE: &str = "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = '_sqlx_migrations'";
    let tables: i64 = sqlx::query_scalar(TABLES_SQLITE).fetch_one(&mut *conn).await?;
    Schema::read(conn, tables > 0, &MIGRATIONS).await
}

/// Creates the file, if it is missing, with access for its owner only. SQLite gives its log and index the same mode. An
/// existing file is not opened, because closing it would release this process's locks on it (POSIX advisory locks).
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

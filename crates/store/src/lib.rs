//! The store: SQL for SQLite and PostgreSQL, without business rules.
//!
//! Each statement exists once, as a `&'static str` with `$1…`, which both engines accept. [`with_engine!`] runs it on
//! the current engine. Reads take an [`Engine`]. Writes take a [`Tx`], which only the write queue ([`write_queue`])
//! creates.
//!
//! Depends only on the domain types.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod accounts;
mod advice;
pub mod audit;
pub mod authorization_codes;
pub mod change_feed;
pub mod change_log;
pub mod checkpoints;
pub mod demo;
pub mod device_codes;
pub mod drafts;
pub mod email_links;
mod error;
pub mod folding;
pub mod grants;
pub mod identities;
pub mod invitations;
pub mod key_snapshot;
pub mod keys;
mod like;
mod list_reader;
pub mod log_limit;
pub mod members;
pub mod oauth_clients;
pub mod policy;
pub mod postgres;
pub mod projects;
pub mod revoked_tokens;
mod schema;
pub mod scopes;
pub mod second_factors;
pub mod sessions;
pub mod signing_keys;
pub mod sqlite;
pub mod usage;
pub mod users;
mod write_health;
pub mod write_queue;

pub use advice::advice;
pub use error::{Error, Kind};
pub use list_reader::ListReader;
pub use schema::{SchemaMode, SchemaUpdate};
pub use write_health::WriteTrouble;

use sqlx::{Postgres, Sqlite, SqlitePool, pool::PoolConnection};
use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
    time::Duration,
};
use uuid::Uuid;

/// Time limit for closing a connection or returning it to its pool. With an unresponsive server the wait would last
/// until the TCP timeout: minutes.
const CLOSE: Duration = Duration::from_secs(5);

/// Runs a body with the connection of the current engine under the given name. The body is compiled once for each
/// engine.
macro_rules! with_engine {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn.reborrow() {
            $crate::Engine::Sqlite($c) => $body,
            $crate::Engine::Postgres($c) => $body,
        }
    };
}
pub(crate) use with_engine;

/// The location of the database. `Debug` shows no password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A file, created if missing.
    Sqlite(std::path::PathBuf),
    /// A `postgres://…` URL.
    Postgres(String),
}

impl Location {
    /// Returns the database file of SQLite.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

impl std::fmt::Debug for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// The connections of this process.
#[derive(Clone, Debug)]
pub enum Pool {
    /// One connection that writes, owned by the write queue, and several that only read.
    Sqlite {
        write: SqlitePool,
        read: SqlitePool,
        file: Arc<sqlite::File>,
    },
    Postgres(postgres::Node),
}

impl Pool {
    /// Connects and migrates the schema to the current version.
    ///
    /// # Errors
    /// If the database cannot be reached or created, or a migration fails.
    pub async fn open(location: &Location) -> Result<Self, Error> {
        Self::open_with(location, SchemaMode::Migrate).await
    }

    /// Connects. The mode says which schemas are accepted, and whether migrations are applied.
    ///
    /// # Errors
    /// If the database cannot be reached or created, or a migration fails; [`Error::SchemaMissing`],
    /// [`Error::SchemaOlder`], or [`Error::SchemaNewer`] for a schema that is refused.
    pub async fn open_with(location: &Location, mode: SchemaMode) -> Result<Self, Error> {
        match location {
            Location::Sqlite(path) => sqlite::open(path, mode).await,
            Location::Postgres(url) => postgres::open(url, mode).await,
        }
    }

    /// Acquires a connection for reading.
    ///
    /// # Errors
    /// If no connection becomes free in time or the database cannot be reached.
    pub async fn acquire_reader(&self) -> Result<Reader, Error> {
        Ok(match self {
            Self::Sqlite { read, file, .. } => {
                file.check()?;
                Reader::Sqlite(read.acquire().await?)
            }
            Self::Postgres(node) => Reader::Postgres(node.connection().await?),
        })
    }

    /// Acquires a connection for reading a list: for pages and lists, whose statements may take long. Only a few are in
    /// use at once, which leaves connections for API requests, sign-in and readiness, and each has a time limit.
    ///
    /// # Errors
    /// If no connection becomes free in time or the database cannot be reached.
    pub async fn acquire_list_reader(&self) -> Result<ListReader, Error> {
        ListReader::open(self).await
    }

    /// Opens the circuit breaker of PostgreSQL: until [`Pool::mark_available`], every connection fails immediately with
    /// this cause. SQLite has no circuit breaker.
    pub fn mark_unavailable(&self, cause: &str) {
        if let Self::Postgres(node) = self {
            node.mark_unavailable(cause);
        }
    }

    /// Closes the circuit breaker.
    pub fn mark_available(&self) {
        if let Self::Postgres(node) = self {
            node.mark_available();
        }
    }

    /// Returns whether the circuit breaker is closed.
    pub fn is_available(&self) -> bool {
        match self {
            Self::Sqlite { .. } => true,
            Self::Postgres(node) => node.is_available(),
        }
    }

    /// Returns whether the database contains every migration of this program. Additional migrations are allowed.
    ///
    /// # Errors
    /// If the database does not respond.
    pub async fn is_current(&self) -> Result<bool, Error> {
        const SQL: &str = "SELECT COUNT(*) FROM _sqlx_migrations WHERE success = TRUE";
        let brought = match self {
            Self::Sqlite { .. } => sqlite::MIGRATIONS.iter().count(),
            Self::Postgres(_) => postgres::MIGRATIONS.iter().count(),
        };
        let mut reader = self.acquire_reader().await?;
        let there: i64 = with_engine!(reader.conn(), c => sqlx::query_scalar(SQL).fetch_one(c).await?);
        Ok(usize::try_from(there).is_ok_and(|there| there >= brought))
    }

    /// Closes all connections. Waits at most 5 s for those in use.
    pub async fn close(&self) {
        let close = async {
            match self {
                Self::Sqlite { write, read, .. } => {
                    read.close().await;
                    write.close().await;
                }
                Self::Postgres(node) => node.close().await,
            }
        };
        if tokio::time::timeout(CLOSE, close).await.is_err() {
            tracing::warn!(seconds = CLOSE.as_secs(), "store.not_closed: connections are still in use and are closed");
        }
    }
}

/// Applies the pending migrations of a database, and closes it.
///
/// # Errors
/// If the database cannot be reached, a migration fails, or the schema is newer than this program.
pub async fn migrate(location: &Location) -> Result<SchemaUpdate, Error> {
    match location {
        Location::Sqlite(path) => sqlite::migrate(path).await,
        Location::Postgres(url) => postgres::migrate(url).await,
    }
}

/// A pooled connection that only reads.
pub enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Reader {
    /// Returns the connection for queries.
    pub fn conn(&mut self) -> Engine<'_> {
        match self {
            Self::Sqlite(c) => Engine::Sqlite(c),
            Self::Postgres(c) => Engine::Postgres(c),
        }
    }
}

impl Drop for Reader {
    /// Before a connection returns to its pool, sqlx pings the server without a time limit. If the server does not
    /// respond, no connection would ever return.
    fn drop(&mut self) {
        if let (Self::Postgres(c), Ok(runtime)) = (self, tokio::runtime::Handle::try_current()) {
            runtime.spawn(tokio::time::timeout(CLOSE, c.return_to_pool()));
        }
    }
}

/// A borrowed connection of one of the two engines: of a [`Reader`] or of a transaction.
pub enum Engine<'c> {
    Sqlite(&'c mut sqlx::SqliteConnection),
    Postgres(&'c mut sqlx::PgConnection),
}

impl Engine<'_> {
    /// Borrows the connection for one statement, for [`with_engine!`].
    pub(crate) fn reborrow(&mut self) -> Engine<'_> {
        match self {
            Self::Sqlite(c) => Engine::Sqlite(c),
            Self::Postgres(c) => Engine::Postgres(c),
        }
    }
}

/// A connection inside the write queue's transaction. Derefs to [`Engine`], because a transaction can also read.
pub struct Tx<'c> {
    conn: Engine<'c>,
    /// The inserted keys: ids, and digests of their secrets.
    created_keys: Vec<(Uuid, [u8; 32])>,
}

impl<'c> Tx<'c> {
    fn new(conn: Engine<'c>) -> Self {
        Self { conn, created_keys: Vec::new() }
    }
}

impl<'c> Deref for Tx<'c> {
    type Target = Engine<'c>;

    fn deref(&self) -> &Self::Target {
        &self.conn
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.conn
    }
}

/// Parses a list of words that a text column stores as JSON.
fn decode_list(json: &str, what: &'static str) -> Result<Vec<String>, Error> {
    serde_json::from_str(json).map_err(|_| Error::Corrupt(what))
}

//! The PostgreSQL engine, for several nodes on one database.

use super::{
    Error, Pool,
    schema::{Schema, SchemaMode, SchemaUpdate},
};
use sqlx::{
    ConnectOptions, Connection as _, PgConnection, PgPool, Postgres,
    migrate::{Migrate as _, MigrateError, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{ops::Deref, str::FromStr, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Time limit for establishing a connection, or for one to become free.
const ACQUIRE: Duration = Duration::from_secs(10);
/// Settings of every connection, which ensure that a frozen or lost node holds no lock for long: the server ends an
/// idle transaction, and closes a connection whose peer does not respond. The lock timeout is longer, so that a waiting
/// node gets the lock.
const SESSION: [(&str, &str); 5] = [
    ("idle_in_transaction_session_timeout", "5s"),
    ("tcp_user_timeout", "10s"),
    ("tcp_keepalives_idle", "5"),
    ("tcp_keepalives_interval", "2"),
    ("tcp_keepalives_count", "3"),
];
/// Additional settings for requests. Migrations may take longer.
const STATEMENTS: [(&str, &str); 2] = [("lock_timeout", "8s"), ("statement_timeout", "30s")];
/// Settings for the connection that migrates: a node that freezes while it holds sqlx's advisory lock must not block
/// the others indefinitely.
const MIGRATION: [(&str, &str); 1] = [("lock_timeout", "60s")];

/// The connections of this node, behind a circuit breaker.
#[derive(Clone, Debug)]
pub struct Node {
    pool: PgPool,
    /// The cause if the circuit breaker is open.
    trouble: Arc<watch::Sender<Option<Arc<str>>>>,
}

impl Deref for Node {
    type Target = PgPool;

    fn deref(&self) -> &PgPool {
        &self.pool
    }
}

impl Node {
    /// Acquires a connection.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if the circuit breaker is open or opens during the wait.
    pub async fn connection(&self) -> Result<PoolConnection<Postgres>, Error> {
        self.unless_unavailable(async { Ok(self.pool.acquire().await?) }).await
    }

    /// Runs `work` while the circuit breaker is closed, and cancels it when the breaker opens.
    ///
    /// # Errors
    /// [`Error::Unreachable`], or the error of `work`.
    pub(super) async fn unless_unavailable<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let mut trouble = self.trouble.subscribe();
        let opened = async {
            // The sender is in `self`, so the channel is not closed.
            let _ = trouble.wait_for(Option::is_some).await;
            self.trouble.borrow().clone().unwrap_or_default()
        };
        tokio::select! {
            biased;
            cause = opened => Err(Error::Unreachable(cause)),
            done = work => done,
        }
    }

    pub(super) fn mark_unavailable(&self, cause: &str) {
        self.trouble.send_if_modified(|trouble| {
            let is_news = trouble.is_none();
            *trouble = Some(cause.into());
            is_news
        });
    }

    pub(super) fn mark_available(&self) {
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
    }

    pub(super) fn is_available(&self) -> bool {
        self.trouble.borrow().is_none()
    }
}

/// Adds these settings to the options, except those that the URL sets.
fn with_settings(options: PgConnectOptions, settings: &[(&str, &str)]) -> PgConnectOptions {
    let own = options.get_options().unwrap_or_default().to_owned();
    options.options(settings.iter().copied().filter(|(name, _)| !own.contains(&format!("{name}="))))
}

/// Returns whether a migration statement waited for a lock longer than `lock_timeout` (lock_not_available).
fn is_lock_timeout(error: &MigrateError) -> bool {
    let (MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)) = error else { return false };
    cause.as_database_error().is_some_and(|cause| cause.code().as_deref() == Some("55P03"))
}

pub(super) async fn open(url: &str, mode: SchemaMode) -> Result<Pool, Error> {
    let options = session_options(url)?;
    prepare(&options, mode).await?;
    let pool = PgPoolOptions::new()
        .max_connections(10)
        .acquire_timeout(ACQUIRE)
        .connect_lazy_with(with_settings(options, &STATEMENTS));
    Ok(Pool::Postgres(Node { pool, trouble: Arc::new(watch::channel(None).0) }))
}

/// Applies the pending migrations, and closes the connection.
pub(super) async fn migrate(url: &str) -> Result<SchemaUpdate, Error> {
    prepare(&session_options(url)?, SchemaMode::Migrate).await.map(Into::into)
}

fn session_options(url: &str) -> Result<PgConnectOptions, Error> {
    let options = PgConnectOptions::from_str(url)?.application_name("keyward").disable_statement_logging();
    Ok(with_settings(options, &SESSION))
}

/// Checks the schema, and applies pending migrations if the mode allows it. Returns the schema before that.
async fn prepare(options: &PgConnectOptions, mode: SchemaMode) -> Result<Schema, Error> {
    // Not from the pool: the pool would retry a refused connection, and then report only a timeout.
    let migrating = with_settings(options.clone(), &MIGRATION);
    let mut conn: PgConnection = timeout(ACQUIRE, migrating.connect())
        .await
        .map_err(|_| Error::Unreachable("no response within 10 s".into()))??;
    let schema = migrate_schema(&mut conn, mode).await.map_err(|error| match error {
        Error::Migrate(cause) if is_lock_timeout(&cause) => Error::MigrationsLocked,
        other => other,
    })?;
    conn.close().await?;
    Ok(schema)
}

async fn migrate_schema(conn: &mut PgConnection, mode: SchemaMode) -> Result<Schema, Error> {
    if mode != SchemaMode::Migrate {
        // Without the lock: a command does not wait for a node that migrates.
        let schema = read_schema(conn).await?;
        schema.check(mode)?;
        if schema.is_current() {
            return Ok(schema);
        }
    }
    // Nodes that start at the same time migrate one after another, under sqlx's advisory lock. `run_direct` takes it a
    // second time and releases it once. If a step fails, the lock ends with the connection.
    conn.lock().await?;
    let schema = read_schema(conn).await?;
    schema.check(mode)?;
    MIGRATIONS.run_direct(None, &mut *conn, false).await?;
    conn.unlock().await?;
    Ok(schema)
}

async fn read_schema(conn: &mut PgConnection) -> Result<Schema, Error> {
    const TABLE_POSTGRES: &str = "SELECT to_regclass('_sqlx_migrations') IS NOT NULL";
    let exists: bool = sqlx::query_scalar(TABLE_POSTGRES).fetch_one(&mut *conn).await?;
    Schema::read(conn, exists, &MIGRATIONS).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_comes_first() {
        let url = "postgres://u:p@h/d?options=-c%20lock_timeout%3D1s";
        let options = with_settings(PgConnectOptions::from_str(url).unwrap(), &STATEMENTS);
        assert_eq!(options.get_options(), Some("-c lock_timeout=1s -c statement_timeout=30s"));
    }

    #[test]
    fn migrations_wait_a_minute_for_a_lock() {
        let options = with_settings(PgConnectOptions::from_str("postgres://u:p@h/d").unwrap(), &MIGRATION);
        assert_eq!(options.get_options(), Some("-c lock_timeout=60s"));
    }
}

//! Connections for lists: few at once, and with a time limit.

use super::{Conn, Error, Pool};
use sqlx::{Postgres, Sqlite, Transaction, pool::PoolConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Lists that this process reads at once: fewer than it has connections.
const AT_ONCE: usize = 4;
/// How long a list waits for its turn.
const WAIT: Duration = Duration::from_secs(10);
/// How long the statements of one list may take together (SQLite), or each of them (PostgreSQL).
const LIMIT: Duration = Duration::from_secs(5);
/// Instructions of SQLite between two looks at the clock: some tens of microseconds.
const INSTRUCTIONS: i32 = 2_000;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// A connection that reads one list.
pub struct ListReader {
    open: Open,
    _turn: SemaphorePermit<'static>,
}

enum Open {
    Sqlite(PoolConnection<Sqlite>, Arc<AtomicBool>),
    Postgres(Transaction<'static, Postgres>),
}

impl ListReader {
    pub(super) async fn open(pool: &Pool) -> Result<Self, Error> {
        let turn = tokio::time::timeout(WAIT, TURNS.acquire()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        // It is never closed.
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        let open = match pool {
            Pool::Sqlite { read, file, .. } => {
                file.check()?;
                let mut conn = read.acquire().await?;
                let is_over = Arc::new(AtomicBool::new(false));
                let (over, end) = (is_over.clone(), Instant::now() + LIMIT);
                // It stays with the connection, and ends nothing more once the list was read.
                let goes_on = move || over.load(Ordering::Relaxed) || Instant::now() < end;
                conn.lock_handle().await?.set_progress_handler(INSTRUCTIONS, goes_on);
                Open::Sqlite(conn, is_over)
            }
            Pool::Postgres(node) => {
                const SQL: &str = "SET LOCAL statement_timeout = 5000";
                let mut tx = node.unless_unavailable(async { Ok(node.begin().await?) }).await?;
                sqlx::query(SQL).execute(&mut *tx).await?;
                Open::Postgres(tx)
            }
        };
        Ok(Self { open, _turn: turn })
    }

    /// What the queries take.
    pub fn conn(&mut self) -> Conn<'_> {
        match &mut self.open {
            Open::Sqlite(conn, _) => Conn::Sqlite(conn),
            Open::Postgres(tx) => Conn::Postgres(tx),
        }
    }
}

impl Drop for ListReader {
    fn drop(&mut self) {
        if let Open::Sqlite(_, is_over) = &self.open {
            is_over.store(true, Ordering::Relaxed);
        }
    }
}

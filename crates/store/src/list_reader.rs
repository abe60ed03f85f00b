//! Connections for reading lists, with a concurrency limit and a time limit.

use super::{Engine, Error, Pool, Reader};
use sqlx::{Postgres, Sqlite, pool::PoolConnection};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

/// Lists that this process reads concurrently: fewer than it has connections.
const AT_ONCE: usize = 4;
/// Maximum wait of a list for a permit.
const WAIT: Duration = Duration::from_secs(10);
/// Time limit for all statements of one list together (SQLite), or for each statement (PostgreSQL).
const LIMIT: Duration = Duration::from_secs(5);
/// Time limit for rolling back on PostgreSQL after the reader was dropped: longer than that of the list.
const END: Duration = Duration::from_secs(10);
/// SQLite virtual machine instructions between two checks of the clock: some tens of microseconds.
const INSTRUCTIONS: i32 = 2_000;

static TURNS: Semaphore = Semaphore::const_new(AT_ONCE);

/// A connection for reading one list.
pub struct ListReader {
    /// Both fields are taken when the reader is dropped.
    open: Option<Open>,
    turn: Option<SemaphorePermit<'static>>,
}

enum Open {
    Sqlite(PoolConnection<Sqlite>, Arc<AtomicBool>),
    /// In a transaction, which ends with the list.
    Postgres(PoolConnection<Postgres>),
}

impl ListReader {
    pub(super) async fn open(pool: &Pool) -> Result<Self, Error> {
        // The errors of a timeout and of a closed semaphore have no details.
        let turn = timeout(WAIT, TURNS.acquire()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        // The semaphore is never closed.
        let turn = turn.map_err(|_| sqlx::Error::PoolClosed)?;
        match pool {
            Pool::Sqlite { read, file, .. } => {
                file.check()?;
                let mut conn = read.acquire().await?;
                let is_over = Arc::new(AtomicBool::new(false));
                let (over, end) = (is_over.clone(), Instant::now() + LIMIT);
                let goes_on = move || !over.load(Ordering::Relaxed) && Instant::now() < end;
                conn.lock_handle().await?.set_progress_handler(INSTRUCTIONS, goes_on);
                Ok(Self { open: Some(Open::Sqlite(conn, is_over)), turn: Some(turn) })
            }
            Pool::Postgres(node) => {
                let conn = node.connection().await?;
                // Created first: if this function is canceled before the transaction begins, `drop` still cleans up.
                let mut reader = Self { open: Some(Open::Postgres(conn)), turn: Some(turn) };
                node.unless_unavailable(reader.begin()).await?;
                Ok(reader)
            }
        }
    }

    /// Begins the transaction on PostgreSQL, to which the statement time limit applies.
    async fn begin(&mut self) -> Result<(), Error> {
        if let Some(Open::Postgres(conn)) = &mut self.open {
            for sql in ["BEGIN", "SET LOCAL statement_timeout = 5000"] {
                sqlx::query(sql).execute(&mut **conn).await?;
            }
        }
        Ok(())
    }

    /// Returns the connection for queries.
    #[expect(clippy::expect_used, reason = "it is open until it is dropped")]
    pub fn conn(&mut self) -> Engine<'_> {
        match self.open.as_mut().expect("it is open") {
            Open::Sqlite(conn, _) => Engine::Sqlite(conn),
            Open::Postgres(conn) => Engine::Postgres(conn),
        }
    }
}

impl Drop for ListReader {
    /// Ends the list. If the reader is dropped in the middle of a statement (a browser reloads the page), SQLite stops
    /// the statement. The permit and the connection are released only after that, because abandoned lists would
    /// otherwise use all connections.
    fn drop(&mut self) {
        let (open, turn) = (self.open.take(), self.turn.take());
        if let Some(Open::Sqlite(_, is_over)) = &open {
            is_over.store(true, Ordering::Relaxed);
        }
        if let (Some(open), Ok(runtime)) = (open, Handle::try_current()) {
            runtime.spawn(async move {
                end(open).await;
                drop(turn);
            });
        }
    }
}

/// Restores the connection to its state before the list, or closes it.
async fn end(open: Open) {
    match open {
        // Waits for the statement to stop. The next statement on this connection has no limit.
        Open::Sqlite(mut conn, _) => {
            if let Ok(mut handle) = conn.lock_handle().await {
                handle.remove_progress_handler();
            }
        }
        Open::Postgres(mut conn) => match timeout(END, sqlx::query("ROLLBACK").execute(&mut *conn)).await {
            Ok(Ok(_)) => drop(Reader::Postgres(conn)),
            _ => drop(conn.detach()),
        },
    }
}

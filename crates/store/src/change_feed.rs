//! The change feed: receives the changes of other processes on the same database, in commit order, from the `changes`
//! sequence.
//!
//! On SQLite, a dedicated connection checks without disk access whether another connection has written (`PRAGMA
//! data_version`). PostgreSQL sends a notification with the commit. The sequence is also polled twice a second, so that
//! a lost notification causes only a delay.

use super::{
    Engine, Error, Pool,
    change_log::{self, Topic},
};
use sqlx::{ConnectOptions as _, PgConnection, SqliteConnection, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle, time};
use uuid::Uuid;

/// Interval between checks for writes on SQLite.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Interval between polls of the sequence on PostgreSQL without a notification.
const POLL: Duration = Duration::from_millis(500);
/// Delay before the listener connects again after an error.
const RETRY: Duration = Duration::from_secs(1);
/// Maximum number of changes in one batch. A process that is further behind receives [`FeedItem::Gap`] instead.
const BATCH_MAX: i64 = 10_000;

/// A received change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeEvent {
    pub seq: i64,
    /// `None` for a topic that only a newer release knows.
    pub topic: Option<Topic>,
    pub id: Uuid,
    /// The digest of the key's secret. `None` unless the change concerns an existing key.
    pub digest: Option<Vec<u8>>,
}

/// The changes since the last read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeedItem {
    /// These changes, in order; often none.
    Changes(Vec<ChangeEvent>),
    /// The changes are unknown: the feed was pruned, the database was replaced, or there were too many changes.
    Gap,
}

/// A process's subscription to the change feed.
pub struct Feed {
    subscription: Subscription,
    /// The number of the last received change.
    last: i64,
}

enum Subscription {
    /// A dedicated connection, and the data version at which the sequence was last read.
    Sqlite(SqliteConnection, Option<i64>),
    /// A dedicated connection, so that other users of the pool cannot delay this process, and the signal that the
    /// listener task sends.
    Postgres { conn: PgConnection, signal: Arc<Notify>, _listening: ListenTask },
}

/// The task that receives notifications. It ends when this value is dropped.
struct ListenTask(JoinHandle<()>);

impl Drop for ListenTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Feed {
    /// Subscribes to the changes after number `after`, or after the newest one if `None`.
    ///
    /// # Errors
    /// If the database cannot be reached or read.
    pub async fn open(pool: &Pool, after: Option<i64>) -> Result<Self, Error> {
        let ear = match pool {
            Pool::Sqlite { read, .. } => Subscription::Sqlite(read.connect_options().connect().await?, None),
            Pool::Postgres(node) => {
                // This comes first because it detects an unreachable server. The listener task does not report its
                // errors.
                let conn = node.connect_options().connect().await?;
                let bell = Arc::new(Notify::new());
                let listening = ListenTask(tokio::spawn(listen((**node).clone(), bell.clone())));
                Subscription::Postgres { conn, signal: bell, _listening: listening }
            }
        };
        let mut feed = Self { subscription: ear, last: 0 };
        feed.last = match after {
            Some(seq) => seq,
            None => change_log::newest(&mut feed.conn()).await?,
        };
        Ok(feed)
    }

    /// Returns the number of the last received change.
    pub fn last(&self) -> i64 {
        self.last
    }

    fn conn(&mut self) -> Engine<'_> {
        match &mut self.subscription {
            Subscription::Sqlite(c, _) => Engine::Sqlite(c),
            Subscription::Postgres { conn, .. } => Engine::Postgres(conn),
        }
    }

    /// Waits until there may be changes, or until the next poll is due.
    pub async fn wait(&self) {
        match &self.subscription {
            Subscription::Sqlite(..) => time::sleep(CHECK_INTERVAL).await,
            Subscription::Postgres { signal: bell, .. } => {
                // The sequence is read in either case.
                let _ = time::timeout(POLL, bell.notified()).await;
            }
        }
    }

    /// Returns the changes that were committed since the last call.
    ///
    /// # Errors
    /// If the database cannot be read. No change was consumed then, and the feed must be opened again.
    pub async fn poll(&mut self) -> Result<FeedItem, Error> {
        if let Subscription::Sqlite(c, seen) = &mut self.subscription {
            let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(c).await?;
            // The version is recorded before the sequence is read, so a write in between is found now or at the next
            // call.
            if seen.replace(version) == Some(version) {
                return Ok(FeedItem::Changes(Vec::new()));
            }
        }
        let newest = change_log::newest(&mut self.conn()).await?;
        if newest == self.last {
            return Ok(FeedItem::Changes(Vec::new()));
        }
        let after = self.last;
        let events = change_log::after(&mut self.conn(), after, BATCH_MAX).await?;
        let in_order = events.iter().zip(after + 1..).all(|(event, seq)| event.seq == seq);
        let up_to_date = events.last().is_some_and(|event| event.seq >= newest);
        if !in_order || !up_to_date {
            self.last = newest;
            return Ok(FeedItem::Gap);
        }
        self.last = events.last().map_or(after, |event| event.seq);
        Ok(FeedItem::Changes(events))
    }
}

/// Signals `bell` for every notification until the task is aborted. Reconnects after a lost connection; polling finds
/// the changes that were missed meanwhile.
async fn listen(pool: sqlx::PgPool, bell: Arc<Notify>) {
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(change_log::CHANNEL).await.is_ok()
        {
            while listener.recv().await.is_ok() {
                bell.notify_one();
            }
        }
        time::sleep(RETRY).await;
    }
}

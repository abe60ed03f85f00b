//! Hearing of what other processes on the same database changed, in the order of commit, from the `changes` sequence.
//!
//! SQLite says on a connection of its own, without touching the disk, whether anybody wrote (`PRAGMA data_version`). PostgreSQL
//! notifies as part of the commit; and the sequence is looked at twice a second besides, so that a notification that was lost is
//! found.

use super::{Conn, Error, Pool, changes};
use sqlx::{ConnectOptions as _, PgConnection, SqliteConnection, postgres::PgListener};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle, time};
use uuid::Uuid;

/// How often SQLite is asked whether anybody wrote.
const LOOK: Duration = Duration::from_millis(100);
/// How often the sequence is looked at on PostgreSQL when nobody notifies.
const POLL: Duration = Duration::from_millis(500);
/// How long until another try to be notified, when that failed.
const RETRY: Duration = Duration::from_secs(1);
/// Most changes that are taken at once; whoever is further behind has missed too much to go through it one by one.
const MOST: i64 = 10_000;

/// A change that was heard.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Heard {
    pub seq: i64,
    pub topic: String,
    pub id: Uuid,
    /// Of a key that is there.
    pub digest: Option<Vec<u8>>,
}

/// What was heard since the last time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// These, in order; often none.
    Changes(Vec<Heard>),
    /// More than is known: the feed was pruned, another database was put in its place, or there was too much.
    Missed,
}

/// One process's ear.
pub struct Feed {
    ear: Ear,
    /// The number of the last change that was heard.
    last: i64,
}

enum Ear {
    /// A connection of its own, and the version of the data at which the sequence was last looked at.
    Sqlite(SqliteConnection, Option<i64>),
    /// A connection of its own, for whoever else needs one must not keep this process from hearing; rung by the listener.
    Postgres { conn: PgConnection, bell: Arc<Notify>, _listening: Listening },
}

/// The task that is notified; it ends with whoever listens.
struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Feed {
    /// Begins to hear what comes after change number `after`; `None`: after the newest.
    ///
    /// # Errors
    /// If the database cannot be reached or read.
    pub async fn open(pool: &Pool, after: Option<i64>) -> Result<Self, Error> {
        let ear = match pool {
            Pool::Sqlite { read, .. } => Ear::Sqlite(read.connect_options().connect().await?, None),
            Pool::Postgres(node) => {
                // First: this finds out whether the server answers, and a task that fails beside it says nothing.
                let conn = node.connect_options().connect().await?;
                let bell = Arc::new(Notify::new());
                let listening = Listening(tokio::spawn(listen((**node).clone(), bell.clone())));
                Ear::Postgres { conn, bell, _listening: listening }
            }
        };
        let mut feed = Self { ear, last: 0 };
        feed.last = match after {
            Some(seq) => seq,
            None => changes::newest(&mut feed.conn()).await?,
        };
        Ok(feed)
    }

    /// The number of the last change that was heard.
    pub fn last(&self) -> i64 {
        self.last
    }

    fn conn(&mut self) -> Conn<'_> {
        match &mut self.ear {
            Ear::Sqlite(c, _) => Conn::Sqlite(c),
            Ear::Postgres { conn, .. } => Conn::Postgres(conn),
        }
    }

    /// Waits until there may be something to hear, or it is time to look.
    pub async fn wait(&self) {
        match &self.ear {
            Ear::Sqlite(..) => time::sleep(LOOK).await,
            Ear::Postgres { bell, .. } => {
                // Rung or not: it is looked at either way.
                let _ = time::timeout(POLL, bell.notified()).await;
            }
        }
    }

    /// What was committed since the last time.
    ///
    /// # Errors
    /// If the database cannot be read: then nothing was heard, and the feed is to be opened anew.
    pub async fn news(&mut self) -> Result<News, Error> {
        if let Ear::Sqlite(c, seen) = &mut self.ear {
            let version: i64 = sqlx::query_scalar("PRAGMA data_version").fetch_one(c).await?;
            // Noted before the sequence is read: what is written in between is found now or next time.
            if seen.replace(version) == Some(version) {
                return Ok(News::Changes(Vec::new()));
            }
        }
        let newest = changes::newest(&mut self.conn()).await?;
        if newest == self.last {
            return Ok(News::Changes(Vec::new()));
        }
        let after = self.last;
        let heard = changes::after(&mut self.conn(), after, MOST).await?;
        let in_order = heard.iter().zip(after + 1..).all(|(heard, seq)| heard.seq == seq);
        let up_to_date = heard.last().is_some_and(|heard| heard.seq >= newest);
        if !in_order || !up_to_date {
            self.last = newest;
            return Ok(News::Missed);
        }
        self.last = heard.last().map_or(after, |heard| heard.seq);
        Ok(News::Changes(heard))
    }
}

/// Rings for every notification, for as long as somebody listens. A lost connection is made anew; what was missed then is found by
/// looking.
async fn listen(pool: sqlx::PgPool, bell: Arc<Notify>) {
    loop {
        if let Ok(mut listener) = PgListener::connect_with(&pool).await
            && listener.listen(changes::CHANNEL).await.is_ok()
        {
            while listener.recv().await.is_ok() {
                bell.notify_one();
            }
        }
        time::sleep(RETRY).await;
    }
}

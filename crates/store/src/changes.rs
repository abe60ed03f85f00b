//! The change feed: what other processes on the same database must hear of, in the order of commit.

use super::{Conn, Engine, Error, Tx, audit::Head, feed::Heard, on};
use uuid::Uuid;

/// A thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `key`, `grant`, `project`, `user` or `policy` (which has no id: it is nil).
    pub topic: &'static str,
    pub id: Uuid,
}

/// Where PostgreSQL tells the other nodes that there is something to hear.
pub(super) const CHANNEL: &str = "keyward_changes";

impl Change {
    /// The policy was changed.
    pub fn policy() -> Self {
        Self { topic: "policy", id: Uuid::nil() }
    }
}

/// Tells the other nodes, when this transaction commits, that there is something to hear. SQLite's other processes ask.
pub(super) async fn ring(tx: &mut Tx<'_>) -> Result<(), Error> {
    if let Engine::Postgres(c) = tx.engine() {
        sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(c).await?;
    }
    Ok(())
}

/// The changes after number `seq`, at most `limit`, in order; of a key that is there, with its digest.
pub(super) async fn after(conn: &mut Conn<'_>, seq: i64, limit: i64) -> Result<Vec<Heard>, Error> {
    const SQL: &str = "SELECT c.seq, c.topic, c.id, k.digest FROM changes c LEFT JOIN keys k ON k.id = c.id AND c.topic = 'key' \
        WHERE c.seq > $1 ORDER BY c.seq LIMIT $2";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(seq).bind(limit).fetch_all(c).await?))
}

/// Notes a change under the next number of the feed.
pub(super) async fn note(tx: &mut Tx<'_>, head: &mut Head, at: i64, change: &Change) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO changes (seq, at, topic, id) VALUES ($1, $2, $3, $4)";
    head.change_seq += 1;
    on!(tx, c => {
        sqlx::query(SQL).bind(head.change_seq).bind(at).bind(change.topic).bind(change.id).execute(c).await?;
    });
    Ok(())
}

/// Forgets what every process has heard long ago: changes before `before` (microseconds since the epoch), at most `limit`; says how
/// many.
pub async fn forget(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE at < $1 LIMIT $2)";
    Ok(on!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}

/// The number of the newest change; 0 before the first.
pub async fn newest(conn: &mut Conn<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT change_seq FROM head WHERE id = 1";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

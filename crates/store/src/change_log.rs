//! The change log (outbox): changes that other processes on the same database must receive, in commit order.

use super::{Conn, Engine, Error, Tx, audit::Head, change_feed::ChangeEvent, on};
use uuid::Uuid;

/// A changed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `key`, `grant`, `project`, `user` or `policy`. The policy has no id; its id is nil.
    pub topic: &'static str,
    pub id: Uuid,
}

/// The PostgreSQL channel that notifies other nodes of changes.
pub(super) const CHANNEL: &str = "keyward_changes";

impl Change {
    /// Returns the change of the policy.
    pub fn policy() -> Self {
        Self { topic: "policy", id: Uuid::nil() }
    }
}

/// Notifies the other nodes when this transaction commits. Other processes on SQLite poll instead.
pub(super) async fn notify(tx: &mut Tx<'_>) -> Result<(), Error> {
    if let Engine::Postgres(c) = tx.engine() {
        sqlx::query("SELECT pg_notify($1, '')").bind(CHANNEL).execute(c).await?;
    }
    Ok(())
}

/// Returns the changes after number `seq`, in order, at most `limit`. A change of an existing key includes the key's
/// digest.
pub(super) async fn after(conn: &mut Conn<'_>, seq: i64, limit: i64) -> Result<Vec<ChangeEvent>, Error> {
    const SQL: &str = "SELECT c.seq, c.topic, c.id, k.digest FROM changes c LEFT JOIN keys k ON k.id = c.id AND c.topic = 'key' \
        WHERE c.seq > $1 ORDER BY c.seq LIMIT $2";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(seq).bind(limit).fetch_all(c).await?))
}

/// Appends a change under the next sequence number.
pub(super) async fn append(tx: &mut Tx<'_>, head: &mut Head, at: i64, change: &Change) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO changes (seq, at, topic, id) VALUES ($1, $2, $3, $4)";
    head.change_seq += 1;
    on!(tx, c => {
        sqlx::query(SQL).bind(head.change_seq).bind(at).bind(change.topic).bind(change.id).execute(c).await?;
    });
    Ok(())
}

/// Deletes old changes, which every process has already received: those before `before` (microseconds since the epoch),
/// at most `limit`. Returns the number of deleted rows.
pub async fn delete_before(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM changes WHERE seq IN (SELECT seq FROM changes WHERE at < $1 LIMIT $2)";
    Ok(on!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}

/// Returns the number of the newest change, or 0 if there is none.
pub async fn newest(conn: &mut Conn<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT change_seq FROM head WHERE id = 1";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

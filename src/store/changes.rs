//! The change feed: what other processes on the same database must hear of, in the order of commit.

use super::{Conn, Error, Tx, audit::Head, on};
use uuid::Uuid;

/// A thing that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// `key`, `project` or `user`.
    pub topic: &'static str,
    pub id: Uuid,
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

/// Forgets what every process has heard long ago: changes before `before` (microseconds since the epoch).
pub async fn forget(tx: &mut Tx<'_>, before: i64) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM changes WHERE at < $1";
    on!(tx, c => { sqlx::query(SQL).bind(before).execute(c).await?; });
    Ok(())
}

/// The number of the newest change; 0 before the first.
pub async fn newest(conn: &mut Conn<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT change_seq FROM head WHERE id = 1";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

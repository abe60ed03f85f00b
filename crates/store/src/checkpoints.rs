//! Checkpoints of the audit log: append-only, one a sequence number.

use super::{Conn, Error, Tx, on};

/// A checkpoint as it is stored. What its token says counts; the columns beside it are there to find it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CheckpointRow {
    /// The event whose hash it signs.
    pub seq: i64,
    /// Microseconds since the epoch.
    pub at: i64,
    pub token: String,
}

/// The last one.
pub async fn last(conn: &mut Conn<'_>) -> Result<Option<CheckpointRow>, Error> {
    const SQL: &str = "SELECT seq, at, token FROM audit_checkpoints ORDER BY seq DESC LIMIT 1";
    Ok(on!(conn, c => sqlx::query_as(SQL).fetch_optional(c).await?))
}

/// The first one of this event or a later one.
pub async fn first_from(conn: &mut Conn<'_>, seq: i64) -> Result<Option<CheckpointRow>, Error> {
    const SQL: &str = "SELECT seq, at, token FROM audit_checkpoints WHERE seq >= $1 ORDER BY seq LIMIT 1";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(seq).fetch_optional(c).await?))
}

/// Those of the events after `after` up to `to`, in order.
pub async fn between(conn: &mut Conn<'_>, after: i64, to: i64) -> Result<Vec<CheckpointRow>, Error> {
    const SQL: &str = "SELECT seq, at, token FROM audit_checkpoints WHERE seq > $1 AND seq <= $2 ORDER BY seq";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(after).bind(to).fetch_all(c).await?))
}

/// Keeps a checkpoint. `false`: there is one of this event already.
pub async fn insert(tx: &mut Tx<'_>, row: &CheckpointRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO audit_checkpoints (seq, at, token) VALUES ($1, $2, $3) ON CONFLICT (seq) DO NOTHING";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(row.seq)
        .bind(row.at)
        .bind(&row.token)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

//! Checkpoints of the audit log: append-only, one for each sequence number.

use super::{Engine, Error, Tx, with_engine};

/// A stored checkpoint. The contents of its token are authoritative; the other columns serve lookups.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CheckpointRow {
    /// The sequence number of the event whose hash is signed.
    pub seq: i64,
    /// Microseconds since the epoch.
    pub at: i64,
    pub token: String,
}

/// Returns the last checkpoint.
pub async fn last(conn: &mut Engine<'_>) -> Result<Option<CheckpointRow>, Error> {
    const SQL: &str = "SELECT seq, at, token FROM audit_checkpoints ORDER BY seq DESC LIMIT 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).fetch_optional(c).await?))
}

/// Returns the first checkpoint at or after this event.
pub async fn first_from(conn: &mut Engine<'_>, seq: i64) -> Result<Option<CheckpointRow>, Error> {
    const SQL: &str = "SELECT seq, at, token FROM audit_checkpoints WHERE seq >= $1 ORDER BY seq LIMIT 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(seq).fetch_optional(c).await?))
}

/// Returns the checkpoints of the events after `after` up to and including `to`, in order.
pub async fn between(conn: &mut Engine<'_>, after: i64, to: i64) -> Result<Vec<CheckpointRow>, Error> {
    const SQL: &str = "SELECT seq, at, token FROM audit_checkpoints WHERE seq > $1 AND seq <= $2 ORDER BY seq";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(after).bind(to).fetch_all(c).await?))
}

/// Inserts a checkpoint. Returns `false` if the event already has one.
pub async fn insert(tx: &mut Tx<'_>, row: &CheckpointRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO audit_checkpoints (seq, at, token) VALUES ($1, $2, $3) ON CONFLICT (seq) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(row.seq)
        .bind(row.at)
        .bind(&row.token)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

//! Sessions, by the SHA-256 of the id that the cookie holds.

use super::{Conn, Error, Tx, on};
use uuid::Uuid;

/// A session's row.
#[derive(Clone, sqlx::FromRow)]
pub struct SessionRow {
    pub data: String,
    pub expires_at: i64,
}

/// The session with this digest, if it has not ended.
pub async fn by_digest(conn: &mut Conn<'_>, digest: &[u8; 32], now: i64) -> Result<Option<SessionRow>, Error> {
    const SQL: &str = "SELECT data, expires_at FROM sessions WHERE id_digest = $1 AND expires_at > $2";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Inserts a session. `false`: that id is taken.
pub async fn insert(
    tx: &mut Tx<'_>,
    digest: &[u8; 32],
    user: Uuid,
    data: &str,
    now: i64,
    expires_at: i64,
) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO sessions (id_digest, user_id, data, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id_digest) DO NOTHING";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(digest.as_slice())
        .bind(user)
        .bind(data)
        .bind(now)
        .bind(expires_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Overwrites a session's data and end. A session that was ended meanwhile stays ended.
pub async fn update(tx: &mut Tx<'_>, digest: &[u8; 32], data: &str, expires_at: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE sessions SET data = $2, expires_at = $3 WHERE id_digest = $1";
    on!(tx, c => { sqlx::query(SQL).bind(digest.as_slice()).bind(data).bind(expires_at).execute(c).await?; });
    Ok(())
}

/// Ends a session.
pub async fn delete(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM sessions WHERE id_digest = $1";
    on!(tx, c => { sqlx::query(SQL).bind(digest.as_slice()).execute(c).await?; });
    Ok(())
}

/// Removes the sessions that ended before `now`.
pub async fn sweep(tx: &mut Tx<'_>, now: i64) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1";
    on!(tx, c => { sqlx::query(SQL).bind(now).execute(c).await?; });
    Ok(())
}

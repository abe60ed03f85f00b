//! Browser sessions, stored by the SHA-256 of the session id in the cookie.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// A session's row.
#[derive(Clone, sqlx::FromRow)]
pub struct SessionRow {
    pub data: String,
    pub expires_at: i64,
}

/// A session to insert.
#[derive(Clone)]
pub struct NewSessionRow {
    pub digest: [u8; 32],
    pub user_id: Uuid,
    pub data: String,
    pub agent: Option<String>,
    pub ip: Option<String>,
    /// Whether the second factor is still required. A pending session does not sign its user in.
    pub pending: bool,
    pub created_at: i64,
    pub expires_at: i64,
}

/// A session in the list of its user.
#[derive(Clone, sqlx::FromRow)]
pub struct ListedSessionRow {
    pub id_digest: Vec<u8>,
    pub agent: Option<String>,
    pub ip: Option<String>,
    pub created_at: i64,
    pub seen_at: Option<i64>,
}

/// Returns the session with this digest, unless it has expired.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32], now: i64) -> Result<Option<SessionRow>, Error> {
    const SQL: &str = "SELECT data, expires_at FROM sessions WHERE id_digest = $1 AND expires_at > $2";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Returns the signed-in sessions of this user, most recently seen first.
pub async fn list_by_user(conn: &mut Engine<'_>, user: Uuid, now: i64) -> Result<Vec<ListedSessionRow>, Error> {
    const SQL: &str = "SELECT id_digest, agent, ip, created_at, seen_at FROM sessions \
        WHERE user_id = $1 AND expires_at > $2 AND pending = $3 ORDER BY COALESCE(seen_at, created_at) DESC, id_digest";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).bind(now).bind(false).fetch_all(c).await?))
}

/// Inserts a session. Returns `false` if the id is in use.
pub async fn insert(tx: &mut Tx<'_>, new: &NewSessionRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO sessions (id_digest, user_id, data, agent, ip, pending, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id_digest) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(new.digest.as_slice())
        .bind(new.user_id)
        .bind(&new.data)
        .bind(&new.agent)
        .bind(&new.ip)
        .bind(new.pending)
        .bind(new.created_at)
        .bind(new.expires_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Overwrites a session's data, last-seen time, and expiry. Does not recreate a session that was ended meanwhile.
pub async fn update(
    tx: &mut Tx<'_>,
    digest: &[u8; 32],
    data: &str,
    seen_at: Option<i64>,
    expires_at: i64,
) -> Result<(), Error> {
    const SQL: &str = "UPDATE sessions SET data = $2, seen_at = $3, expires_at = $4 WHERE id_digest = $1";
    with_engine!(tx, c => {
        sqlx::query(SQL).bind(digest.as_slice()).bind(data).bind(seen_at).bind(expires_at).execute(c).await?;
    });
    Ok(())
}

/// Ends a session.
pub async fn delete(tx: &mut Tx<'_>, digest: &[u8; 32]) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM sessions WHERE id_digest = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(digest.as_slice()).execute(c).await?; });
    Ok(())
}

/// Ends a session of this user. Returns `false` if the user has no such session.
pub async fn delete_by_user(tx: &mut Tx<'_>, user: Uuid, digest: &[u8; 32]) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM sessions WHERE id_digest = $1 AND user_id = $2";
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(digest.as_slice()).bind(user).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Ends every other session of this user, including those that wait for the second factor. Returns the number of ended
/// sessions.
pub async fn delete_others(tx: &mut Tx<'_>, user: Uuid, but: &[u8; 32]) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_digest <> $2";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(user).bind(but.as_slice()).execute(c).await?.rows_affected()))
}

/// Ends all sessions of a user. Returns the number of ended sessions.
pub async fn end_all(tx: &mut Tx<'_>, user: Uuid) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(user).execute(c).await?.rows_affected()))
}

/// Deletes sessions that expired by `now`, at most `limit`. Returns the number of deleted rows.
pub async fn sweep(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str =
        "DELETE FROM sessions WHERE id_digest IN (SELECT id_digest FROM sessions WHERE expires_at <= $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(now).bind(limit).execute(c).await?.rows_affected()))
}

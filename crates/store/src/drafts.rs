//! Form drafts: input of forms that were submitted after the session had expired, stored by the SHA-256 of the value in
//! the browser's cookie.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// A form draft's row.
#[derive(Clone)]
pub struct DraftRow {
    pub user_id: Uuid,
    pub id: Uuid,
    pub digest: [u8; 32],
    pub path: String,
    pub sealed: Vec<u8>,
    pub expires_at: i64,
}

/// Stores a draft and replaces the user's previous one. Returns `false` if the user does not exist or is disabled.
pub async fn save(tx: &mut Tx<'_>, draft: &DraftRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO form_drafts (user_id, id, digest, path, sealed, expires_at) \
        SELECT users.id, $2, $3, $4, $5, $6 FROM users WHERE users.id = $1 AND users.active \
        ON CONFLICT (user_id) DO UPDATE SET id = excluded.id, digest = excluded.digest, path = excluded.path, \
        sealed = excluded.sealed, expires_at = excluded.expires_at";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(draft.user_id)
        .bind(draft.id)
        .bind(draft.digest.as_slice())
        .bind(&draft.path)
        .bind(&draft.sealed)
        .bind(draft.expires_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Returns whether this browser has a draft of this user for the form at this path.
pub async fn exists(conn: &mut Engine<'_>, digest: &[u8; 32], user: Uuid, path: &str, now: i64) -> Result<bool, Error> {
    const SQL: &str =
        "SELECT COUNT(*) FROM form_drafts WHERE digest = $1 AND user_id = $2 AND path = $3 AND expires_at > $4";
    let found: i64 = with_engine!(conn, c => sqlx::query_scalar(SQL)
        .bind(digest.as_slice())
        .bind(user)
        .bind(path)
        .bind(now)
        .fetch_one(c)
        .await?);
    Ok(found > 0)
}

/// Returns the id and the encrypted contents of this browser's draft of this user for the form at this path.
pub async fn find(
    conn: &mut Engine<'_>,
    digest: &[u8; 32],
    user: Uuid,
    path: &str,
    now: i64,
) -> Result<Option<(Uuid, Vec<u8>)>, Error> {
    const SQL: &str =
        "SELECT id, sealed FROM form_drafts WHERE digest = $1 AND user_id = $2 AND path = $3 AND expires_at > $4";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL)
        .bind(digest.as_slice())
        .bind(user)
        .bind(path)
        .bind(now)
        .fetch_optional(c)
        .await?))
}

/// Deletes a draft. Returns `false` if it no longer exists or was replaced by a newer one.
pub async fn delete(tx: &mut Tx<'_>, digest: &[u8; 32], user: Uuid, path: &str) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM form_drafts WHERE digest = $1 AND user_id = $2 AND path = $3";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(digest.as_slice())
        .bind(user)
        .bind(path)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Deletes drafts that expired by `now`, at most `limit`. Returns the number of deleted rows.
pub async fn sweep(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str =
        "DELETE FROM form_drafts WHERE user_id IN (SELECT user_id FROM form_drafts WHERE expires_at <= $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(now).bind(limit).execute(c).await?.rows_affected()))
}

//! Token revocation: revoked tokens, and other events that invalidate tokens issued before them.

use super::{Engine, Error, Tx, with_engine};
use keyward_domain::ids::SubjectId;
use uuid::Uuid;

/// An individually revoked token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RevokedRow {
    pub jti: Uuid,
    /// Microseconds since the epoch.
    pub expires_at: i64,
}

/// A subject whose tokens are denied if they were issued before a time.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CutoffRow {
    /// A [`SubjectId`]: `key:<id>` or `grant:<id>`.
    pub holder: String,
    /// Microseconds since the epoch.
    pub issued_before: i64,
}

/// Revokes a token that expires at `expires_at`. Returns `false` if it is already revoked.
///
/// # Errors
/// If the query fails.
pub async fn revoke(tx: &mut Tx<'_>, jti: Uuid, expires_at: i64) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO revoked_tokens (jti, expires_at) VALUES ($1, $2) ON CONFLICT (jti) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(jti).bind(expires_at).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Returns whether this token is revoked.
///
/// # Errors
/// If the query fails.
pub async fn is_revoked(conn: &mut Engine<'_>, jti: Uuid) -> Result<bool, Error> {
    const SQL: &str = "SELECT 1 FROM revoked_tokens WHERE jti = $1";
    let found: Option<i32> = with_engine!(conn, c => sqlx::query_scalar(SQL).bind(jti).fetch_optional(c).await?);
    Ok(found.is_some())
}

/// Returns the revoked tokens that have not expired at `now`.
///
/// # Errors
/// If the query fails.
pub async fn list_unexpired(conn: &mut Engine<'_>, now: i64) -> Result<Vec<RevokedRow>, Error> {
    const SQL: &str = "SELECT jti, expires_at FROM revoked_tokens WHERE expires_at > $1 ORDER BY jti";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(now).fetch_all(c).await?))
}

/// Invalidates the tokens of a key or a grant that were issued before this time. For resource servers that verify
/// tokens offline.
///
/// # Errors
/// If the query fails.
pub async fn cut_off(tx: &mut Tx<'_>, subject: SubjectId, issued_before: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO token_cutoffs (holder, issued_before) VALUES ($1, $2) ON CONFLICT (holder) DO UPDATE \
        SET issued_before = CASE WHEN token_cutoffs.issued_before < excluded.issued_before THEN excluded.issued_before \
        ELSE token_cutoffs.issued_before END";
    with_engine!(tx, c => { sqlx::query(SQL).bind(subject.to_string()).bind(issued_before).execute(c).await?; });
    Ok(())
}

/// Returns the cutoffs after this time.
///
/// # Errors
/// If the query fails.
pub async fn cutoffs(conn: &mut Engine<'_>, after: i64) -> Result<Vec<CutoffRow>, Error> {
    const SQL: &str = "SELECT holder, issued_before FROM token_cutoffs WHERE issued_before > $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(after).fetch_all(c).await?))
}

/// An id, and the time at which its object last changed.
type Changed = (Uuid, i64);

/// Returns the deactivated or deleted keys that changed after this time.
///
/// # Errors
/// If the query fails.
pub async fn stopped_keys(conn: &mut Engine<'_>, after: i64) -> Result<Vec<Changed>, Error> {
    const SQL: &str =
        "SELECT id, updated_at FROM keys WHERE (NOT active OR deleted_at IS NOT NULL) AND updated_at > $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(after).fetch_all(c).await?))
}

/// Returns the projects that were archived after this time.
///
/// # Errors
/// If the query fails.
pub async fn archived_projects(conn: &mut Engine<'_>, after: i64) -> Result<Vec<Changed>, Error> {
    const SQL: &str = "SELECT id, archived_at FROM projects WHERE archived_at > $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(after).fetch_all(c).await?))
}

/// Returns the longest token lifetime that the policy has ever allowed, in seconds.
///
/// # Errors
/// If the query fails.
pub async fn longest_life(conn: &mut Engine<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT token_life_ever FROM policy WHERE id = 1";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

/// Deletes tokens that expired by `now`, and cutoffs at or before `before`, at most `limit` of each. Returns the number
/// of deleted rows.
///
/// # Errors
/// If the query fails.
pub async fn sweep(tx: &mut Tx<'_>, now: i64, before: i64, limit: i64) -> Result<u64, Error> {
    const TOKENS: &str =
        "DELETE FROM revoked_tokens WHERE jti IN (SELECT jti FROM revoked_tokens WHERE expires_at <= $1 LIMIT $2)";
    const CUTOFFS: &str = "DELETE FROM token_cutoffs WHERE holder IN (SELECT holder FROM token_cutoffs WHERE issued_before <= $1 LIMIT $2)";
    let tokens = with_engine!(tx, c => sqlx::query(TOKENS).bind(now).bind(limit).execute(c).await?.rows_affected());
    let cutoffs =
        with_engine!(tx, c => sqlx::query(CUTOFFS).bind(before).bind(limit).execute(c).await?.rows_affected());
    Ok(tokens + cutoffs)
}

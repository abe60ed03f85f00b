//! One-time links, stored by the SHA-256 of their token.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// A one-time link's row.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct LinkRow {
    pub purpose: String,
    pub email: Option<String>,
    pub user_id: Option<Uuid>,
    pub next: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
}

/// Inserts a link.
pub async fn insert(tx: &mut Tx<'_>, digest: &[u8; 32], link: &LinkRow) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO one_time_links (digest, purpose, email, user_id, next, created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    with_engine!(tx, c => {
        sqlx::query(SQL)
            .bind(digest.as_slice())
            .bind(&link.purpose)
            .bind(&link.email)
            .bind(link.user_id)
            .bind(&link.next)
            .bind(link.created_at)
            .bind(link.expires_at)
            .execute(c)
            .await?;
    });
    Ok(())
}

/// Returns the link if it is neither used nor expired.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32], now: i64) -> Result<Option<LinkRow>, Error> {
    const SQL: &str = "SELECT purpose, email, user_id, next, created_at, expires_at FROM one_time_links \
        WHERE digest = $1 AND expires_at > $2 AND purpose <> 'told'";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Consumes the link. Of two concurrent calls only one succeeds. Returns `None` if the link was used, has expired, or
/// never existed.
pub async fn consume(tx: &mut Tx<'_>, digest: &[u8; 32], now: i64) -> Result<Option<LinkRow>, Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE digest = $1 AND expires_at > $2 AND purpose <> 'told' \
        RETURNING purpose, email, user_id, next, created_at, expires_at";
    Ok(with_engine!(tx, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Counts the emails sent to this address since `since`: its links that are not used yet, and its project invitations.
pub async fn count_since(conn: &mut Engine<'_>, email: &str, since: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM one_time_links WHERE email = $1 AND created_at > $2) \
        + (SELECT COUNT(*) FROM invitations WHERE email = $1 AND created_at > $2)";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(email).bind(since).fetch_one(c).await?))
}

/// Deletes a user's links of this purpose.
pub async fn end_for_user(tx: &mut Tx<'_>, purpose: &str, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE purpose = $1 AND user_id = $2";
    with_engine!(tx, c => { sqlx::query(SQL).bind(purpose).bind(user).execute(c).await?; });
    Ok(())
}

/// Deletes the links that would create an account with this address.
pub async fn end_for_email(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE purpose IN ('sign_up', 'invitation') AND email = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(email).execute(c).await?; });
    Ok(())
}

/// Disables the links that would create an account with this address, but keeps their rows, so that the emails still
/// count in [`count_since`].
pub async fn replace_for_email(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE one_time_links SET purpose = 'told' WHERE purpose IN ('sign_up', 'invitation') AND email = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(email).execute(c).await?; });
    Ok(())
}

/// Deletes links that expired by `now`, at most `limit`. Returns the number of deleted rows.
pub async fn sweep(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE digest IN (SELECT digest FROM one_time_links WHERE expires_at <= $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(now).bind(limit).execute(c).await?.rows_affected()))
}

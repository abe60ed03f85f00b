//! Links that work once, by the SHA-256 of what they carry.

use super::{Conn, Error, Tx, on};
use uuid::Uuid;

/// A link's row.
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
    on!(tx, c => {
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

/// The link, if it has not been used and has not ended.
pub async fn by_digest(conn: &mut Conn<'_>, digest: &[u8; 32], now: i64) -> Result<Option<LinkRow>, Error> {
    const SQL: &str = "SELECT purpose, email, user_id, next, created_at, expires_at FROM one_time_links \
        WHERE digest = $1 AND expires_at > $2 AND purpose <> 'told'";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// Uses the link up. Of two at once one gets it; `None`: it was used, has ended, or never was.
pub async fn take(tx: &mut Tx<'_>, digest: &[u8; 32], now: i64) -> Result<Option<LinkRow>, Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE digest = $1 AND expires_at > $2 AND purpose <> 'told' \
        RETURNING purpose, email, user_id, next, created_at, expires_at";
    Ok(on!(tx, c => sqlx::query_as(SQL).bind(digest.as_slice()).bind(now).fetch_optional(c).await?))
}

/// How many letters this address was sent since then: its links that have not been used, and its invitations into projects.
pub async fn count_since(conn: &mut Conn<'_>, email: &str, since: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT (SELECT COUNT(*) FROM one_time_links WHERE email = $1 AND created_at > $2) \
        + (SELECT COUNT(*) FROM invitations WHERE email = $1 AND created_at > $2)";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).bind(email).bind(since).fetch_one(c).await?))
}

/// Ends a person's other links of this purpose.
pub async fn end_for_user(tx: &mut Tx<'_>, purpose: &str, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE purpose = $1 AND user_id = $2";
    on!(tx, c => { sqlx::query(SQL).bind(purpose).bind(user).execute(c).await?; });
    Ok(())
}

/// Ends the other links that would make an account with this address.
pub async fn end_for_email(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE purpose IN ('sign_up', 'invitation') AND email = $1";
    on!(tx, c => { sqlx::query(SQL).bind(email).execute(c).await?; });
    Ok(())
}

/// Ends the links that would make an account with this address, and keeps their rows: their letters still count.
pub async fn replace_for_email(tx: &mut Tx<'_>, email: &str) -> Result<(), Error> {
    const SQL: &str =
        "UPDATE one_time_links SET purpose = 'told' WHERE purpose IN ('sign_up', 'invitation') AND email = $1";
    on!(tx, c => { sqlx::query(SQL).bind(email).execute(c).await?; });
    Ok(())
}

/// Removes links that ended before `now`, at most `limit`; says how many.
pub async fn sweep(tx: &mut Tx<'_>, now: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM one_time_links WHERE digest IN (SELECT digest FROM one_time_links WHERE expires_at <= $1 LIMIT $2)";
    Ok(on!(tx, c => sqlx::query(SQL).bind(now).bind(limit).execute(c).await?.rows_affected()))
}

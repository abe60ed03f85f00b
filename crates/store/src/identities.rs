//! Identities of users at OpenID Connect providers.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// Returns the user with this issuer and subject.
pub async fn find_user(conn: &mut Engine<'_>, issuer: &str, subject: &str) -> Result<Option<Uuid>, Error> {
    const SQL: &str = "SELECT user_id FROM identities WHERE issuer = $1 AND subject = $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(issuer).bind(subject).fetch_optional(c).await?))
}

/// Returns whether a user has an identity at any provider.
pub async fn has_any(conn: &mut Engine<'_>, user: Uuid) -> Result<bool, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM identities WHERE user_id = $1";
    let count: i64 = with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).fetch_one(c).await?);
    Ok(count > 0)
}

/// Links an identity to a user. Returns `false`, and inserts nothing, if the identity is already linked.
pub async fn insert(tx: &mut Tx<'_>, issuer: &str, subject: &str, user: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO identities (issuer, subject, user_id, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (issuer, subject) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(issuer)
        .bind(subject)
        .bind(user)
        .bind(now)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

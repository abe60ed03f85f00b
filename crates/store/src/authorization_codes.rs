//! Authorization codes (RFC 6749 §4.1.2), stored by their SHA-256.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// An authorization code's row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CodeRow {
    pub grant_id: Uuid,
    /// The `client_id` of the request.
    pub client_said: String,
    /// The `redirect_uri` of the request, unchanged.
    pub redirect_uri: String,
    /// The PKCE code challenge (RFC 7636, S256): base64url of the SHA-256 of the verifier.
    pub challenge: String,
    pub expires_at: i64,
    pub used_at: Option<i64>,
}

/// Inserts an unused code.
pub async fn insert(tx: &mut Tx<'_>, digest: &[u8; 32], code: &CodeRow) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO authorization_codes (digest, grant_id, client_said, redirect_uri, challenge, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    with_engine!(tx, c => {
        sqlx::query(SQL)
            .bind(digest.as_slice())
            .bind(code.grant_id)
            .bind(&code.client_said)
            .bind(&code.redirect_uri)
            .bind(&code.challenge)
            .bind(code.expires_at)
            .execute(c)
            .await?;
    });
    Ok(())
}

/// Returns the code with this digest, used or not.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32]) -> Result<Option<CodeRow>, Error> {
    const SQL: &str = "SELECT grant_id, client_said, redirect_uri, challenge, expires_at, used_at FROM authorization_codes \
        WHERE digest = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(c).await?))
}

/// Marks a code as used. Of two concurrent calls only one succeeds. Returns `false` if the code was already used.
pub async fn mark_used(tx: &mut Tx<'_>, digest: &[u8; 32], now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE authorization_codes SET used_at = $2 WHERE digest = $1 AND used_at IS NULL";
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(digest.as_slice()).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Returns unredeemed grants whose authorization code or device code has expired, at most `limit`.
pub async fn list_unredeemed_grants(conn: &mut Engine<'_>, now: i64, limit: i64) -> Result<Vec<Uuid>, Error> {
    const SQL: &str = "SELECT g.id FROM grants g WHERE g.ended_at IS NULL AND (g.id IN \
        (SELECT a.grant_id FROM authorization_codes a WHERE a.used_at IS NULL AND a.expires_at <= $1) OR g.id IN \
        (SELECT d.grant_id FROM device_codes d WHERE d.state = 'allowed' AND d.expires_at <= $1)) ORDER BY g.id LIMIT $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(now).bind(limit).fetch_all(c).await?))
}

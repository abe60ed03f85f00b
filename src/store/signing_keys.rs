//! What this Keyward signs with: the private half sealed, the public half in clear.

use super::{Conn, Error, Tx, on};
use uuid::Uuid;

/// A signing key's row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SigningKeyRow {
    pub id: Uuid,
    /// Raw Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// Nonce and ciphertext of the 32-byte seed, bound to `id`.
    pub sealed: Vec<u8>,
}

/// The newest key of a purpose.
pub async fn newest(conn: &mut Conn<'_>, purpose: &str) -> Result<Option<SigningKeyRow>, Error> {
    const SQL: &str =
        "SELECT id, public_key, sealed FROM signing_keys WHERE purpose = $1 ORDER BY generation DESC LIMIT 1";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(purpose).fetch_optional(c).await?))
}

/// The public halves of a purpose's keys with their ids, the newest first.
pub async fn public_halves(conn: &mut Conn<'_>, purpose: &str) -> Result<Vec<(Uuid, Vec<u8>)>, Error> {
    const SQL: &str = "SELECT id, public_key FROM signing_keys WHERE purpose = $1 ORDER BY generation DESC";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(purpose).fetch_all(c).await?))
}

/// Inserts the first key of a purpose. `false`: another node was faster, and nothing was inserted.
pub async fn insert_first(tx: &mut Tx<'_>, purpose: &str, key: &SigningKeyRow, now: i64) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO signing_keys (id, purpose, generation, public_key, sealed, created_at) \
        VALUES ($1, $2, 1, $3, $4, $5) ON CONFLICT (purpose, generation) DO NOTHING";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(key.id)
        .bind(purpose)
        .bind(&key.public_key)
        .bind(&key.sealed)
        .bind(now)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

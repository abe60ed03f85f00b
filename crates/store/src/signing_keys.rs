//! Signing keys: the private half encrypted, the public half in plain form.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// A signing key's row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct SigningKeyRow {
    pub id: Uuid,
    /// The purpose of the key, which implies the algorithm.
    pub purpose: String,
    /// Counts from 1 for each purpose.
    pub generation: i64,
    /// The raw 32 bytes of an Ed25519 key, or an `RSAPublicKey` (RFC 8017).
    pub public_key: Vec<u8>,
    /// Nonce and ciphertext of the 32-byte seed, or of PKCS #8, bound to `id`.
    pub sealed: Vec<u8>,
    /// The time from which the key signs, in microseconds since the epoch.
    pub signs_from: i64,
}

/// Returns the newest key of a purpose.
pub async fn newest(conn: &mut Engine<'_>, purpose: &str) -> Result<Option<SigningKeyRow>, Error> {
    const SQL: &str = "SELECT id, purpose, generation, public_key, sealed, signs_from FROM signing_keys WHERE purpose = $1 \
        ORDER BY generation DESC LIMIT 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(purpose).fetch_optional(c).await?))
}

/// Returns the newest key of two purposes, which share one sequence of generations.
pub async fn newest_of(conn: &mut Engine<'_>, [one, two]: [&str; 2]) -> Result<Option<SigningKeyRow>, Error> {
    const SQL: &str = "SELECT id, purpose, generation, public_key, sealed, signs_from FROM signing_keys \
        WHERE purpose IN ($1, $2) ORDER BY generation DESC, signs_from DESC LIMIT 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(one).bind(two).fetch_optional(c).await?))
}

/// Returns all keys of two purposes, newest first.
pub async fn all_of(conn: &mut Engine<'_>, [one, two]: [&str; 2]) -> Result<Vec<SigningKeyRow>, Error> {
    const SQL: &str = "SELECT id, purpose, generation, public_key, sealed, signs_from FROM signing_keys \
        WHERE purpose IN ($1, $2) ORDER BY generation DESC, signs_from DESC";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(one).bind(two).fetch_all(c).await?))
}

/// Returns the ids and public keys of a purpose, newest first.
pub async fn public_halves(conn: &mut Engine<'_>, purpose: &str) -> Result<Vec<(Uuid, Vec<u8>)>, Error> {
    const SQL: &str = "SELECT id, public_key FROM signing_keys WHERE purpose = $1 ORDER BY generation DESC";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(purpose).fetch_all(c).await?))
}

/// Inserts a key. Returns `false`, and inserts nothing, if another node already inserted this generation.
pub async fn insert(tx: &mut Tx<'_>, key: &SigningKeyRow, now: i64) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO signing_keys (id, purpose, generation, public_key, sealed, created_at, signs_from) \
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (purpose, generation) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(key.id)
        .bind(&key.purpose)
        .bind(key.generation)
        .bind(&key.public_key)
        .bind(&key.sealed)
        .bind(now)
        .bind(key.signs_from)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Removes a key with its private half. Returns `false` if there is no key with this id.
pub async fn remove(tx: &mut Tx<'_>, id: Uuid) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM signing_keys WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).execute(c).await?.rows_affected());
    Ok(done == 1)
}

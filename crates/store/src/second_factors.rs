//! Second factors (TOTP, RFC 6238) and recovery codes of users.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// A user's second factor.
#[derive(Clone, sqlx::FromRow)]
pub struct SecondFactorRow {
    /// The TOTP secret, encrypted and bound to the user's id.
    pub sealed: Vec<u8>,
    pub created_at: i64,
}

/// Returns the second factor of this user, if any.
pub async fn find_by_user(conn: &mut Engine<'_>, user: Uuid) -> Result<Option<SecondFactorRow>, Error> {
    const SQL: &str = "SELECT sealed, created_at FROM second_factors WHERE user_id = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).fetch_optional(c).await?))
}

/// Enables the second factor, with the time step of the code that confirmed it. Returns `false`, and changes nothing,
/// if one exists.
pub async fn insert(tx: &mut Tx<'_>, user: Uuid, sealed: &[u8], step: i64, now: i64) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO second_factors (user_id, sealed, last_step, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (user_id) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(user)
        .bind(sealed)
        .bind(step)
        .bind(now)
        .execute(c).await?
        .rows_affected());
    Ok(done == 1)
}

/// Consumes the code of this time step. Returns `false` if this step or a later one was already consumed.
pub async fn consume_step(tx: &mut Tx<'_>, user: Uuid, step: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE second_factors SET last_step = $2 WHERE user_id = $1 AND last_step < $2";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(user).bind(step).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Disables the second factor and deletes its recovery codes. Returns `false` if there was none.
pub async fn delete(tx: &mut Tx<'_>, user: Uuid) -> Result<bool, Error> {
    const CODES: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
    const SQL: &str = "DELETE FROM second_factors WHERE user_id = $1";
    with_engine!(tx, c => { sqlx::query(CODES).bind(user).execute(c).await?; });
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(user).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Replaces all recovery codes.
pub async fn replace_codes(tx: &mut Tx<'_>, user: Uuid, digests: &[[u8; 32]]) -> Result<(), Error> {
    const DELETE: &str = "DELETE FROM recovery_codes WHERE user_id = $1";
    const INSERT: &str = "INSERT INTO recovery_codes (user_id, digest) VALUES ($1, $2)";
    with_engine!(tx, c => { sqlx::query(DELETE).bind(user).execute(c).await?; });
    for digest in digests {
        with_engine!(tx, c => { sqlx::query(INSERT).bind(user).bind(digest.as_slice()).execute(c).await?; });
    }
    Ok(())
}

/// Consumes a recovery code. Returns `false` if it does not exist or was already used.
pub async fn consume_code(tx: &mut Tx<'_>, user: Uuid, digest: &[u8; 32], now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND digest = $2 AND used_at IS NULL";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(user)
        .bind(digest.as_slice())
        .bind(now)
        .execute(c).await?
        .rows_affected());
    Ok(done == 1)
}

/// Counts the unused recovery codes.
pub async fn codes_left(conn: &mut Engine<'_>, user: Uuid) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).fetch_one(c).await?))
}

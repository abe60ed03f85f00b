//! What only the demo writes: the states of a key that no form brings about by itself.

use super::{Error, Tx, on};
use uuid::Uuid;

/// Sets the instant from which a key is accepted. `false`: there is no such key.
pub async fn schedule(tx: &mut Tx<'_>, key: Uuid, not_before: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET not_before = $2 WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(key).bind(not_before).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Stops a key as an administrator does, with the reason that its owner reads. `false`: there is no such key.
pub async fn hold(tx: &mut Tx<'_>, key: Uuid, note: &str, by: &str, at: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET active = $2, held = $3, note = $4, note_by = $5, note_at = $6, updated_at = $6 \
        WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(key)
        .bind(false)
        .bind(true)
        .bind(note)
        .bind(by)
        .bind(at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

//! Writes for demo data: key states that no form produces directly.

use super::{
    Error, Tx,
    keys::{NewKeyRow, encode_list},
    with_engine,
};
use keyward_domain::{fold::fold, time::Timestamp};
use sqlx::QueryBuilder;
use uuid::Uuid;

/// Sets the time from which a key is accepted. Returns `false` if the key does not exist.
pub async fn schedule(tx: &mut Tx<'_>, key: Uuid, not_before: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET not_before = $2 WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(key).bind(not_before).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Deactivates a key as an administrator does, with a reason that its owner can read. Returns `false` if the key does
/// not exist.
pub async fn deactivate_as_administrator(
    tx: &mut Tx<'_>,
    key: Uuid,
    note: &str,
    by: &str,
    at: i64,
) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET active = $2, held = $3, note = $4, note_by = $5, note_at = $6, updated_at = $6 \
        WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL)
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

/// A key to insert together with its state.
#[derive(Clone, Debug)]
pub struct KeyWithState {
    pub key: NewKeyRow,
    pub active: bool,
    pub deleted_at: Option<i64>,
    pub updated_at: i64,
    pub last_used_at: Option<i64>,
}

/// Keys in one statement, with twenty-three parameters each. SQLite accepts 32,766 parameters, PostgreSQL 65,535.
const ROWS: usize = 500;

/// Inserts many keys.
pub async fn insert_keys(tx: &mut Tx<'_>, keys: &[KeyWithState]) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO keys (id, project_id, name, environment, digest, preview, scopes, issued_to, networks, \
        not_before, expires_at, rate_limit, active, deleted_at, created_by, created_by_name, created_at, updated_at, \
        last_used_at, name_folded, issued_to_folded, description, description_folded) ";
    for rows in keys.chunks(ROWS) {
        with_engine!(tx, c => {
            let mut sql = QueryBuilder::new(SQL);
            sql.push_values(rows, |mut row, laid| {
                let (key, fields) = (&laid.key, &laid.key.fields);
                row.push_bind(key.id)
                    .push_bind(key.project_id)
                    .push_bind(&fields.name)
                    .push_bind(key.environment)
                    .push_bind(key.digest.as_slice())
                    .push_bind(&key.preview)
                    .push_bind(encode_list(&fields.scopes))
                    .push_bind(&fields.issued_to)
                    .push_bind(encode_list(&fields.networks.to_strings()))
                    .push_bind(fields.not_before.map(Timestamp::micros))
                    .push_bind(fields.expires_at.map(Timestamp::micros))
                    .push_bind(fields.rate_limit.map(String::from))
                    .push_bind(laid.active)
                    .push_bind(laid.deleted_at)
                    .push_bind(key.created_by)
                    .push_bind(&key.created_by_name)
                    .push_bind(key.created_at)
                    .push_bind(laid.updated_at)
                    .push_bind(laid.last_used_at)
                    .push_bind(fold(&fields.name))
                    .push_bind(fields.issued_to.as_deref().map(fold))
                    .push_bind(&fields.description)
                    .push_bind(fields.folded_description());
            });
            sql.build().execute(c).await?;
        });
    }
    Ok(())
}

//! User accounts: rows, lookups by id and email address, profiles, and password hashes.

use super::{Engine, Error, Tx, folding, with_engine};
use keyward_domain::{email::Email, fold::fold};
use uuid::Uuid;

/// A user's row.
#[derive(Clone, sqlx::FromRow)]
pub struct UserRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    /// Argon2id hash as a PHC string. Empty if the account has no password.
    pub password_hash: String,
    pub admin: bool,
    pub active: bool,
    /// IANA name of the time zone that the user chose.
    pub zone: Option<String>,
}

/// A user to insert.
#[derive(Clone)]
pub struct NewUserRow {
    pub id: Uuid,
    pub email: Email,
    pub name: String,
    pub password_hash: String,
    pub admin: bool,
    pub created_at: i64,
}

/// Returns whether the instance has no users yet.
pub async fn is_empty(conn: &mut Engine<'_>) -> Result<bool, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM users LIMIT 1) AS anybody";
    let count: i64 = with_engine!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?);
    Ok(count == 0)
}

/// Returns the user with this email address. Rows of earlier releases, which store the domain as U-labels, match too.
/// If both spellings exist, the row with A-labels wins.
pub async fn by_email(conn: &mut Engine<'_>, email: &Email) -> Result<Option<UserRow>, Error> {
    const SQL: &str = "SELECT id, email, name, password_hash, admin, active, zone FROM users \
        WHERE email = $1 OR email = $2 ORDER BY CASE WHEN email = $1 THEN 0 ELSE 1 END LIMIT 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(email.as_str()).bind(email.unicode()).fetch_optional(c).await?))
}

/// Returns the user with this id.
pub async fn by_id(conn: &mut Engine<'_>, id: Uuid) -> Result<Option<UserRow>, Error> {
    const SQL: &str = "SELECT id, email, name, password_hash, admin, active, zone FROM users WHERE id = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// Inserts a user. Returns `false`, and inserts nothing, if the address is in use in either spelling of its domain.
pub async fn insert(tx: &mut Tx<'_>, user: &NewUserRow) -> Result<bool, Error> {
    if by_email(tx, &user.email).await?.is_some() {
        return Ok(false);
    }
    const SQL: &str = "INSERT INTO users (id, email, name, password_hash, admin, active, created_at, name_folded) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(user.id)
        .bind(user.email.as_str())
        .bind(&user.name)
        .bind(&user.password_hash)
        .bind(user.admin)
        .bind(true)
        .bind(user.created_at)
        .bind(fold(&user.name))
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Overwrites a user's profile: name and time zone. Returns `false` if the user does not exist.
pub async fn set_profile(tx: &mut Tx<'_>, id: Uuid, name: &str, zone: Option<&str>) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET name = $2, zone = $3, name_folded = $4 WHERE id = $1";
    const FOLD: &str = "UPDATE users SET name_folded = $2 WHERE id = $1 AND name_folded = ''";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(id)
        .bind(name)
        .bind(zone)
        .bind(fold(name))
        .execute(c).await?
        .rows_affected());
    if done == 1 {
        folding::refill(tx, FOLD, id, name).await?;
    }
    Ok(done == 1)
}

/// Replaces a password hash. Returns `false` if the stored hash is no longer `before`, the one that was verified.
pub async fn set_password(tx: &mut Tx<'_>, id: Uuid, before: &str, hash: &str) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2";
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(before).bind(hash).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Replaces a user's password hash unconditionally. Returns `false` if the user does not exist.
pub async fn reset_password(tx: &mut Tx<'_>, id: Uuid, password_hash: &str) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(password_hash).execute(c).await?.rows_affected());
    Ok(done == 1)
}

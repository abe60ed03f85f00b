//! Keys: rows, and the queries over them.

use super::{Conn, Error, Tx, on, words};
use uuid::Uuid;

/// A key's row, with its project's name and archive state beside it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub project_name: String,
    pub project_archived_at: Option<i64>,
    pub token_life_max: i64,
    pub name: String,
    pub environment: String,
    pub preview: String,
    scopes: String,
    pub issued_to: Option<String>,
    pub not_before: Option<i64>,
    pub expires_at: Option<i64>,
    pub active: bool,
    pub deleted_at: Option<i64>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
}

impl KeyRow {
    /// The scopes it was given.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column holds something else than a list of words.
    pub fn scopes(&self) -> Result<Vec<String>, Error> {
        words(&self.scopes, "list of a key's scopes")
    }
}

/// A key that is to be.
#[derive(Clone, Debug)]
pub struct NewKeyRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub name: String,
    pub environment: &'static str,
    pub digest: [u8; 32],
    pub preview: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub expires_at: Option<i64>,
    pub form_number: Option<Uuid>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
}

macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.project_id, p.name AS project_name, p.archived_at AS project_archived_at, p.token_life_max, ",
            "k.name, k.environment, k.preview, k.scopes, k.issued_to, k.not_before, k.expires_at, k.active, k.deleted_at, ",
            "k.created_by, k.created_by_name, k.created_at, k.last_used_at ",
            "FROM keys k JOIN projects p ON p.id = k.project_id ",
            $rest
        )
    };
}

/// Whether a user is a member of the key's project: the one condition under which a person sees a key.
macro_rules! seen_by {
    ($user:literal) => {
        concat!("k.project_id IN (SELECT m.project_id FROM members m WHERE m.user_id = ", $user, ")")
    };
}

/// The key with this id.
pub async fn by_id(conn: &mut Conn<'_>, id: Uuid) -> Result<Option<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.id = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// The key whose secret has this digest.
pub async fn by_digest(conn: &mut Conn<'_>, digest: &[u8; 32]) -> Result<Option<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.digest = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(c).await?))
}

/// Inserts a key. `false`: a key was made with that form number before, and nothing was inserted.
pub async fn insert(tx: &mut Tx<'_>, key: &NewKeyRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO keys (id, project_id, name, environment, digest, preview, scopes, issued_to, expires_at, \
        active, form_number, created_by, created_by_name, created_at, updated_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) ON CONFLICT (form_number) DO NOTHING";
    let scopes = serde_json::json!(key.scopes).to_string();
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(key.id)
        .bind(key.project_id)
        .bind(&key.name)
        .bind(key.environment)
        .bind(key.digest.as_slice())
        .bind(&key.preview)
        .bind(scopes)
        .bind(&key.issued_to)
        .bind(key.expires_at)
        .bind(true)
        .bind(key.form_number)
        .bind(key.created_by)
        .bind(&key.created_by_name)
        .bind(key.created_at)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Takes the key's row until commit: what is read of it next is what the change starts from. On SQLite there is one writer.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM keys WHERE id = $1 FOR UPDATE";
    if let super::Engine::Postgres(c) = tx.engine() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// Sets whether a key is accepted. `false`: there is no such key, or it is deleted.
pub async fn set_active(tx: &mut Tx<'_>, id: Uuid, active: bool, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET active = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(active).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Marks a key as deleted, or (with `None`) takes the mark away. `false`: there is no such key.
pub async fn set_deleted(tx: &mut Tx<'_>, id: Uuid, deleted_at: Option<i64>, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET deleted_at = $2, updated_at = $3 WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(deleted_at).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// What can be edited of a key; never its secret.
#[derive(Clone, Debug)]
pub struct Edit {
    pub name: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub expires_at: Option<i64>,
}

/// Overwrites what can be edited. `false`: there is no such key, or it is deleted.
pub async fn edit(tx: &mut Tx<'_>, id: Uuid, edit: &Edit, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE keys SET name = $2, scopes = $3, issued_to = $4, expires_at = $5, updated_at = $6 \
        WHERE id = $1 AND deleted_at IS NULL";
    let scopes = serde_json::json!(edit.scopes).to_string();
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(id)
        .bind(&edit.name)
        .bind(scopes)
        .bind(&edit.issued_to)
        .bind(edit.expires_at)
        .bind(now)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Notes when a key was last used, if that is later than what is known.
pub async fn set_last_used(tx: &mut Tx<'_>, id: Uuid, at: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    on!(tx, c => { sqlx::query(SQL).bind(id).bind(at).execute(c).await?; });
    Ok(())
}

/// Deleted keys whose time to be restored ended before `before`, at most `limit`.
pub async fn to_purge(conn: &mut Conn<'_>, before: i64, limit: i64) -> Result<Vec<KeyRow>, Error> {
    const SQL: &str =
        select_keys!("WHERE k.deleted_at IS NOT NULL AND k.deleted_at <= $1 ORDER BY k.deleted_at LIMIT $2");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(before).bind(limit).fetch_all(c).await?))
}

/// Removes a deleted key for good. `false`: it is not there, or was restored meanwhile.
pub async fn purge(tx: &mut Tx<'_>, id: Uuid, before: i64) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM keys WHERE id = $1 AND deleted_at IS NOT NULL AND deleted_at <= $2";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(before).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Where a page of the list begins: after the key with this rank and id, both for the instant `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    pub rank: i64,
    pub id: Uuid,
}

/// A row of the list with its rank: 0 active, 1 scheduled, 2 expired, 3 inactive.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedRow {
    pub rank: i64,
    #[sqlx(flatten)]
    pub key: KeyRow,
}

/// Keys of the projects that a user is a member of: those in use first, the newest first among them.
pub async fn kept_page(
    conn: &mut Conn<'_>,
    user: Uuid,
    now: i64,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<ListedRow>, Error> {
    const SQL: &str = concat!(
        "SELECT * FROM (SELECT CAST(CASE WHEN NOT k.active THEN 3 WHEN k.not_before > $2 THEN 1 WHEN k.expires_at <= $2 THEN 2 \
         ELSE 0 END AS BIGINT) AS rank, ",
        "k.id, k.project_id, p.name AS project_name, p.archived_at AS project_archived_at, p.token_life_max, k.name, ",
        "k.environment, k.preview, k.scopes, k.issued_to, k.not_before, k.expires_at, k.active, k.deleted_at, k.created_by, ",
        "k.created_by_name, k.created_at, k.last_used_at FROM keys k JOIN projects p ON p.id = k.project_id ",
        "WHERE k.deleted_at IS NULL AND ",
        seen_by!("$1"),
        ") AS listed WHERE rank > $3 OR (rank = $3 AND id < $4) ORDER BY rank, id DESC LIMIT $5"
    );
    // Before the first page: a rank below all of them.
    let After { rank, id } = after.unwrap_or(After { rank: -1, id: Uuid::max() });
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(user).bind(now).bind(rank).bind(id).bind(limit).fetch_all(c).await?))
}

/// Keys of the projects that a user is a member of that were deleted after `ended`, the newest key first.
pub async fn deleted_page(
    conn: &mut Conn<'_>,
    user: Uuid,
    after: Option<Uuid>,
    ended: i64,
    limit: i64,
) -> Result<Vec<KeyRow>, Error> {
    const SQL: &str = concat!(
        select_keys!("WHERE k.deleted_at > $4 AND k.id < $2 AND "),
        seen_by!("$1"),
        " ORDER BY k.id DESC LIMIT $3"
    );
    let after = after.unwrap_or(Uuid::max());
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(user).bind(after).bind(limit).bind(ended).fetch_all(c).await?))
}

/// How many keys a list holds on all its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    pub kept: i64,
    pub deleted: i64,
    /// Active keys that expire in the given time.
    pub expiring: i64,
}

/// Counts the keys that a user sees; `soon` is the end of what counts as expiring, `ended` the instant before which a deleted key
/// is gone.
pub async fn counts(conn: &mut Conn<'_>, user: Uuid, now: i64, soon: i64, ended: i64) -> Result<Counts, Error> {
    const SQL: &str = concat!(
        "SELECT COUNT(CASE WHEN k.deleted_at IS NULL THEN 1 END) AS kept, ",
        "COUNT(CASE WHEN k.deleted_at > $4 THEN 1 END) AS deleted, ",
        "COUNT(CASE WHEN k.deleted_at IS NULL AND k.active AND k.expires_at > $2 AND k.expires_at <= $3 THEN 1 END) \
         AS expiring FROM keys k WHERE ",
        seen_by!("$1")
    );
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(user).bind(now).bind(soon).bind(ended).fetch_one(c).await?))
}

/// The keys of a project for the command line, newest first; all projects if `None`.
pub async fn of_project(conn: &mut Conn<'_>, project: Option<Uuid>) -> Result<Vec<KeyRow>, Error> {
    const ALL: &str = select_keys!("WHERE k.deleted_at IS NULL ORDER BY k.id DESC");
    const ONE: &str = select_keys!("WHERE k.deleted_at IS NULL AND k.project_id = $1 ORDER BY k.id DESC");
    Ok(match project {
        None => on!(conn, c => sqlx::query_as(ALL).fetch_all(c).await?),
        Some(id) => on!(conn, c => sqlx::query_as(ONE).bind(id).fetch_all(c).await?),
    })
}

//! The instance's catalogue of scopes.

use super::{Conn, Error, Tx, on};

/// A scope of the catalogue, with what stands on it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CatalogueRow {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    /// `owner` or `operator`.
    pub granted_by: String,
    /// Keys that hold it and are not deleted.
    pub keys: i64,
    /// Projects that offer it.
    pub projects: i64,
    /// No new key is given it.
    pub retired: bool,
}

/// What can be said of a scope.
#[derive(Clone, Debug)]
pub struct Scope {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    pub granted_by: &'static str,
}

/// The scopes of a key, or of a grant, stand as a JSON array of words without quotes in them: it holds a scope if taking out the quoted name changes it.
/// (`LIKE` would take `_` for any character, and on SQLite no notice of case.)
macro_rules! held {
    ($name:literal) => {
        concat!("REPLACE(k.scopes, '\"' || ", $name, " || '\"', '') <> k.scopes")
    };
}

macro_rules! select_scopes {
    ($rest:literal) => {
        concat!(
            "SELECT s.name, s.description, s.in_default, s.granted_by, ",
            "(SELECT COUNT(*) FROM keys k WHERE k.deleted_at IS NULL AND ",
            held!("s.name"),
            ") AS keys, (SELECT COUNT(*) FROM projects p WHERE s.retired_at IS NULL AND ((NOT p.own_scopes AND s.in_default) OR (p.own_scopes AND s.name IN \
             (SELECT o.scope FROM project_scopes o WHERE o.project_id = p.id)))) AS projects, s.retired_at IS NOT NULL AS retired FROM scopes s ",
            $rest
        )
    };
}

/// All scopes, in the order in which forms offer them.
pub async fn all(conn: &mut Conn<'_>) -> Result<Vec<CatalogueRow>, Error> {
    const SQL: &str = select_scopes!("ORDER BY s.position, s.name");
    Ok(on!(conn, c => sqlx::query_as(SQL).fetch_all(c).await?))
}

/// The scope with this name.
pub async fn by_name(conn: &mut Conn<'_>, name: &str) -> Result<Option<CatalogueRow>, Error> {
    const SQL: &str = select_scopes!("WHERE s.name = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(name).fetch_optional(c).await?))
}

/// What keeps a scope from being removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Uses {
    /// Keys that hold it and are not deleted.
    pub keys: i64,
    /// Deleted keys that hold it and can still be restored.
    pub deleted: i64,
    /// Projects that chose it as one of their own.
    pub projects: i64,
    /// Grants that have it and hold.
    pub grants: i64,
}

/// Who uses a scope at an instant.
pub async fn uses(conn: &mut Conn<'_>, name: &str, now: i64) -> Result<Uses, Error> {
    const SQL: &str = concat!(
        "SELECT COUNT(CASE WHEN k.deleted_at IS NULL THEN 1 END) AS keys, \
         COUNT(CASE WHEN k.deleted_at IS NOT NULL THEN 1 END) AS deleted, \
         (SELECT COUNT(*) FROM project_scopes o WHERE o.scope = $1) AS projects, \
         (SELECT COUNT(*) FROM grants k WHERE k.ended_at IS NULL AND k.until > $2 AND ",
        held!("$1"),
        ") AS grants FROM keys k WHERE ",
        held!("$1")
    );
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(name).bind(now).fetch_one(c).await?))
}

/// Adds a scope behind the others. `false`: the name is taken, and nothing was added.
pub async fn insert(tx: &mut Tx<'_>, scope: &Scope) -> Result<bool, Error> {
    // Before the built-in ones, which stand behind all others. Without a condition SQLite would read ON as the condition of a join.
    const SQL: &str = "INSERT INTO scopes (name, description, in_default, granted_by, position) \
        SELECT $1, $2, $3, $4, COALESCE(MAX(position), 0) + 1 FROM scopes WHERE name NOT LIKE 'keyward:%' \
        ON CONFLICT (name) DO NOTHING";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(&scope.name)
        .bind(&scope.description)
        .bind(scope.in_default)
        .bind(scope.granted_by)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Overwrites what is said of a scope. `false`: there is none of this name.
pub async fn edit(tx: &mut Tx<'_>, scope: &Scope) -> Result<bool, Error> {
    const SQL: &str = "UPDATE scopes SET description = $2, in_default = $3, granted_by = $4 WHERE name = $1";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(&scope.name)
        .bind(&scope.description)
        .bind(scope.in_default)
        .bind(scope.granted_by)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Removes a scope. `false`: there is none of this name.
pub async fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM scopes WHERE name = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(name).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Retires a scope, or (with `None`) offers it again. `false`: it is so already, or there is none of this name.
pub async fn set_retired(tx: &mut Tx<'_>, name: &str, at: Option<i64>) -> Result<bool, Error> {
    const RETIRE: &str = "UPDATE scopes SET retired_at = $2 WHERE name = $1 AND retired_at IS NULL";
    const OFFER: &str = "UPDATE scopes SET retired_at = $2 WHERE name = $1 AND retired_at IS NOT NULL";
    let sql = if at.is_some() { RETIRE } else { OFFER };
    let done = on!(tx, c => sqlx::query(sql).bind(name).bind(at).execute(c).await?.rows_affected());
    Ok(done == 1)
}

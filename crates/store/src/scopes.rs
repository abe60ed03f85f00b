//! The instance's scope catalog.

use super::{Engine, Error, Tx, decode_list, with_engine};

/// A scope of the catalog, with usage counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogRow {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    /// `owner` or `operator`.
    pub granted_by: String,
    /// Keys that have the scope and are not deleted.
    pub keys: i64,
    /// Projects that offer the scope.
    pub projects: i64,
    /// Whether the scope is retired: new keys cannot get it.
    pub retired: bool,
}

/// A scope of the catalog, without counts.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CatalogScopeRow {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    /// `owner` or `operator`.
    pub granted_by: String,
    /// Whether the scope is retired: new keys cannot get it.
    pub retired: bool,
}

/// A scope to insert or to edit.
#[derive(Clone, Debug)]
pub struct Scope {
    pub name: String,
    pub description: String,
    pub in_default: bool,
    pub granted_by: &'static str,
}

macro_rules! select_scopes {
    ($rest:literal) => {
        concat!(
            "SELECT s.name, s.description, s.in_default, s.granted_by, s.retired_at IS NOT NULL AS retired FROM scopes s ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct OfferedRow {
    name: String,
    description: String,
    in_default: bool,
    granted_by: String,
    retired: bool,
    /// Projects that have it in their own selection.
    projects: i64,
}

/// Counts the keys for each distinct scope list, for deleted keys or for the others.
async fn count_scope_lists(conn: &mut Engine<'_>, deleted: bool) -> Result<Vec<(Vec<String>, i64)>, Error> {
    const LIVE: &str = "SELECT k.scopes, COUNT(*) AS keys FROM keys k WHERE k.deleted_at IS NULL AND LENGTH(k.scopes) <= 1000 \
        GROUP BY k.scopes UNION ALL SELECT k.scopes, COUNT(*) AS keys FROM keys k WHERE k.deleted_at IS NULL \
        AND LENGTH(k.scopes) > 1000 GROUP BY k.scopes";
    const DELETED: &str = "SELECT k.scopes, COUNT(*) AS keys FROM keys k WHERE k.deleted_at > 0 GROUP BY k.scopes";
    let sql = if deleted { DELETED } else { LIVE };
    let rows: Vec<(String, i64)> = with_engine!(conn, c => sqlx::query_as(sql).fetch_all(c).await?);
    rows.iter().map(|(list, keys)| Ok((decode_list(list, "list of a key's scopes")?, *keys))).collect()
}

/// Counts the keys that have a scope.
fn count_keys_with(lists: &[(Vec<String>, i64)], name: &str) -> i64 {
    lists.iter().filter(|(scopes, _)| scopes.iter().any(|it| it == name)).map(|(_, keys)| keys).sum()
}

/// Counts the keys that have a scope and are not deleted. Reads one index entry for each key of the instance.
pub async fn key_count(conn: &mut Engine<'_>, name: &str) -> Result<i64, Error> {
    Ok(count_keys_with(&count_scope_lists(conn, false).await?, name))
}

/// Returns all scopes with their counts, in the order of forms. Reads one index entry for each key of the instance;
/// writes that need no counts use [`list`].
pub async fn list_with_counts(conn: &mut Engine<'_>) -> Result<Vec<CatalogRow>, Error> {
    const SCOPES: &str = "SELECT s.name, s.description, s.in_default, s.granted_by, s.retired_at IS NOT NULL AS retired, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM project_scopes o JOIN projects p ON p.id = o.project_id \
        WHERE o.scope = s.name AND p.own_scopes LIMIT 10001) AS chosen) AS projects FROM scopes s ORDER BY s.position, s.name";
    const DEFAULT: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM projects WHERE NOT own_scopes LIMIT 10001) AS counted";
    let rows: Vec<OfferedRow> = with_engine!(conn, c => sqlx::query_as(SCOPES).fetch_all(c).await?);
    let usual: i64 = with_engine!(conn, c => sqlx::query_scalar(DEFAULT).fetch_one(c).await?);
    let lists = count_scope_lists(conn, false).await?;
    let rows = rows.into_iter().map(|row| CatalogRow {
        keys: count_keys_with(&lists, &row.name),
        projects: match (row.retired, row.in_default) {
            (true, _) => 0,
            (false, true) => row.projects + usual,
            (false, false) => row.projects,
        },
        name: row.name,
        description: row.description,
        in_default: row.in_default,
        granted_by: row.granted_by,
        retired: row.retired,
    });
    Ok(rows.collect())
}

/// Returns all scopes in the order of forms.
pub async fn list(conn: &mut Engine<'_>) -> Result<Vec<CatalogScopeRow>, Error> {
    const SQL: &str = select_scopes!("ORDER BY s.position, s.name");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).fetch_all(c).await?))
}

/// Returns the scope with this name.
pub async fn by_name(conn: &mut Engine<'_>, name: &str) -> Result<Option<CatalogScopeRow>, Error> {
    const SQL: &str = select_scopes!("WHERE s.name = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(name).fetch_optional(c).await?))
}

/// The uses that prevent the removal of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uses {
    /// Keys that have the scope and are not deleted.
    pub keys: i64,
    /// Deleted keys that have the scope and can still be restored.
    pub deleted: i64,
    /// Projects that have the scope in their own selection.
    pub projects: i64,
    /// Valid grants that have the scope.
    pub grants: i64,
}

/// Counts the uses of a scope at `now`.
pub async fn uses(conn: &mut Engine<'_>, name: &str, now: i64) -> Result<Uses, Error> {
    const PROJECTS: &str = "SELECT COUNT(*) FROM project_scopes o WHERE o.scope = $1";
    // The scopes of a grant are a JSON array of words without quotes in them. It contains a scope if removing the
    // quoted name changes it. (`LIKE` would treat `_` as a wildcard, and would ignore case on SQLite.)
    const GRANTS: &str = "SELECT COUNT(*) FROM grants g WHERE g.ended_at IS NULL AND g.until > $2 \
        AND REPLACE(g.scopes, '\"' || $1 || '\"', '') <> g.scopes";
    Ok(Uses {
        keys: count_keys_with(&count_scope_lists(conn, false).await?, name),
        deleted: count_keys_with(&count_scope_lists(conn, true).await?, name),
        projects: with_engine!(conn, c => sqlx::query_scalar(PROJECTS).bind(name).fetch_one(c).await?),
        grants: with_engine!(conn, c => sqlx::query_scalar(GRANTS).bind(name).bind(now).fetch_one(c).await?),
    })
}

/// Appends a scope to the catalog. Returns `false`, and adds nothing, if the name is in use.
pub async fn insert(tx: &mut Tx<'_>, scope: &Scope) -> Result<bool, Error> {
    // The position is before the built-in scopes, which come last. Without the WHERE clause, SQLite would parse ON as a
    // join condition.
    const SQL: &str = "INSERT INTO scopes (name, description, in_default, granted_by, position) \
        SELECT $1, $2, $3, $4, COALESCE(MAX(position), 0) + 1 FROM scopes WHERE name NOT LIKE 'keyward:%' \
        ON CONFLICT (name) DO NOTHING";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(&scope.name)
        .bind(&scope.description)
        .bind(scope.in_default)
        .bind(scope.granted_by)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Overwrites a scope. Returns `false` if there is no scope with this name.
pub async fn edit(tx: &mut Tx<'_>, scope: &Scope) -> Result<bool, Error> {
    const SQL: &str = "UPDATE scopes SET description = $2, in_default = $3, granted_by = $4 WHERE name = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(&scope.name)
        .bind(&scope.description)
        .bind(scope.in_default)
        .bind(scope.granted_by)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Removes a scope. Returns `false` if there is no scope with this name.
pub async fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM scopes WHERE name = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(name).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Retires a scope, or offers it again if `at` is `None`. Returns `false` if it is already in that state or there is no
/// scope with this name.
pub async fn set_retired(tx: &mut Tx<'_>, name: &str, at: Option<i64>) -> Result<bool, Error> {
    const RETIRE: &str = "UPDATE scopes SET retired_at = $2 WHERE name = $1 AND retired_at IS NULL";
    const OFFER: &str = "UPDATE scopes SET retired_at = $2 WHERE name = $1 AND retired_at IS NOT NULL";
    let sql = if at.is_some() { RETIRE } else { OFFER };
    let done = with_engine!(tx, c => sqlx::query(sql).bind(name).bind(at).execute(c).await?.rows_affected());
    Ok(done == 1)
}

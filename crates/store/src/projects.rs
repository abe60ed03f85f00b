//! Projects, memberships, and the scopes that a project offers.

use super::{Engine, Error, Tx, folding, with_engine};
use keyward_domain::{fold::fold, scope::GrantedBy};
use uuid::Uuid;

/// A project's row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ProjectRow {
    pub id: Uuid,
    pub name: String,
    /// JSON.
    pub config: String,
    /// Seconds.
    pub token_life_max: i64,
    /// Whether the project has its own selection of scopes. Otherwise it offers the default set.
    pub own_scopes: bool,
    pub created_at: i64,
    pub archived_at: Option<i64>,
}

/// A project with the role of one member.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MembershipRow {
    #[sqlx(flatten)]
    pub project: ProjectRow,
    pub role: String,
}

/// A scope that a project offers.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ScopeRow {
    pub name: String,
    pub description: String,
    /// `owner` or `operator`.
    pub granted_by: String,
}

impl ScopeRow {
    /// Returns whether only project owners may grant the scope to a key.
    pub fn is_for_owners(&self) -> bool {
        self.granted_by == GrantedBy::Owner.as_str()
    }
}

/// Returns all projects, by name.
pub async fn list(conn: &mut Engine<'_>) -> Result<Vec<ProjectRow>, Error> {
    const SQL: &str = "SELECT id, name, config, token_life_max, own_scopes, created_at, archived_at FROM projects ORDER BY name_folded, id";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).fetch_all(c).await?))
}

/// A project as an option in a selection.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct NamedProjectRow {
    pub id: Uuid,
    pub name: String,
}

/// Returns projects by name, at most `limit`.
pub async fn names(conn: &mut Engine<'_>, limit: i64) -> Result<Vec<NamedProjectRow>, Error> {
    const SQL: &str = "SELECT id, name FROM projects ORDER BY name_folded, id LIMIT $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(limit).fetch_all(c).await?))
}

/// Returns the project with this id.
pub async fn by_id(conn: &mut Engine<'_>, id: Uuid) -> Result<Option<ProjectRow>, Error> {
    const SQL: &str =
        "SELECT id, name, config, token_life_max, own_scopes, created_at, archived_at FROM projects WHERE id = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// Returns the ids of the projects with exactly this name.
pub async fn ids_by_name(conn: &mut Engine<'_>, name: &str) -> Result<Vec<Uuid>, Error> {
    // The folded name selects the index. It is empty in a row of a previous release.
    const SQL: &str = "SELECT id FROM projects WHERE name_folded IN ($1, '') AND name = $2 ORDER BY id";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(fold(name)).bind(name).fetch_all(c).await?))
}

/// Returns the projects that a user is a member of, by name.
pub async fn list_by_user(conn: &mut Engine<'_>, user: Uuid) -> Result<Vec<MembershipRow>, Error> {
    const SQL: &str = "SELECT p.id, p.name, p.config, p.token_life_max, p.own_scopes, p.created_at, p.archived_at, m.role \
        FROM members m JOIN projects p ON p.id = m.project_id WHERE m.user_id = $1 ORDER BY p.name_folded, p.id";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).fetch_all(c).await?))
}

/// Returns a user's role in a project, if any.
pub async fn role(conn: &mut Engine<'_>, project: Uuid, user: Uuid) -> Result<Option<String>, Error> {
    const SQL: &str = "SELECT role FROM members WHERE project_id = $1 AND user_id = $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(project).bind(user).fetch_optional(c).await?))
}

/// Returns the scopes that a project offers: its own selection, or the default set. Retired scopes are not offered.
pub async fn list_offered_scopes(conn: &mut Engine<'_>, project: Uuid) -> Result<Vec<ScopeRow>, Error> {
    const SQL: &str = "SELECT s.name, s.description, s.granted_by FROM scopes s JOIN projects p ON p.id = $1 \
        WHERE s.retired_at IS NULL AND ((NOT p.own_scopes AND s.in_default) OR (p.own_scopes AND s.name IN \
        (SELECT o.scope FROM project_scopes o WHERE o.project_id = p.id))) ORDER BY s.position, s.name";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(project).fetch_all(c).await?))
}

/// Inserts a project with an empty config and the default set of scopes.
pub async fn insert(tx: &mut Tx<'_>, id: Uuid, name: &str, token_life_max: i64, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO projects (id, name, config, token_life_max, own_scopes, created_at, name_folded) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    with_engine!(tx, c => {
        sqlx::query(SQL)
            .bind(id)
            .bind(name)
            .bind("{}")
            .bind(token_life_max)
            .bind(false)
            .bind(now)
            .bind(fold(name))
            .execute(c)
            .await?;
    });
    Ok(())
}

/// Adds a user to a project.
pub async fn add_member(tx: &mut Tx<'_>, project: Uuid, user: Uuid, role: &str, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO members (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
    with_engine!(tx, c => { sqlx::query(SQL).bind(project).bind(user).bind(role).bind(now).execute(c).await?; });
    Ok(())
}

/// Totals of a project for the list of a user's projects.
#[derive(Clone, Copy, Debug, sqlx::FromRow)]
pub struct CountsRow {
    pub id: Uuid,
    /// Keys that are not deleted.
    pub keys: i64,
    /// The keys among them that are currently valid.
    pub active: i64,
    pub members: i64,
}

/// Returns the totals of each project that a user is a member of, each up to
/// [`COUNT_MAX`](keyward_domain::count::COUNT_MAX) + 1.
pub async fn counts(conn: &mut Engine<'_>, user: Uuid, now: i64) -> Result<Vec<CountsRow>, Error> {
    const SQL: &str = "SELECT m.project_id AS id, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM keys k WHERE k.project_id = m.project_id AND k.deleted_at IS NULL LIMIT 10001) AS held) \
        AS keys, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM keys k WHERE k.project_id = m.project_id AND k.deleted_at IS NULL AND k.active \
        AND (k.not_before IS NULL OR k.not_before <= $2) AND (k.expires_at IS NULL OR k.expires_at > $2) LIMIT 10001) AS good) \
        AS active, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM members o WHERE o.project_id = m.project_id LIMIT 10001) AS joined) AS members \
        FROM members m WHERE m.user_id = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).bind(now).fetch_all(c).await?))
}

/// Counts the keys of a project that are not deleted.
pub async fn key_count(conn: &mut Engine<'_>, project: Uuid) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM keys WHERE project_id = $1 AND deleted_at IS NULL";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(project).fetch_one(c).await?))
}

/// Counts the keys of a project that are not deleted, up to [`COUNT_MAX`](keyward_domain::count::COUNT_MAX) + 1.
pub async fn count_keys_capped(conn: &mut Engine<'_>, project: Uuid) -> Result<i64, Error> {
    const SQL: &str =
        "SELECT COUNT(*) FROM (SELECT 1 FROM keys WHERE project_id = $1 AND deleted_at IS NULL LIMIT 10001) AS counted";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(project).fetch_one(c).await?))
}

/// Replaces a project's config (JSON). Returns `false` if the config is no longer `before` or the project does not
/// exist.
pub async fn set_config(tx: &mut Tx<'_>, id: Uuid, before: &str, config: &str) -> Result<bool, Error> {
    const SQL: &str = "UPDATE projects SET config = $3 WHERE id = $1 AND config = $2";
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(before).bind(config).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Renames a project. Returns `false` if its name is no longer `before` or the project does not exist.
pub async fn rename(tx: &mut Tx<'_>, id: Uuid, before: &str, name: &str) -> Result<bool, Error> {
    const SQL: &str = "UPDATE projects SET name = $3, name_folded = $4 WHERE id = $1 AND name = $2";
    const FOLD: &str = "UPDATE projects SET name_folded = $2 WHERE id = $1 AND name_folded = ''";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(id)
        .bind(before)
        .bind(name)
        .bind(fold(name))
        .execute(c).await?
        .rows_affected());
    if done == 1 {
        folding::refill(tx, FOLD, id, name).await?;
    }
    Ok(done == 1)
}

/// Archives a project, or unarchives it if `at` is `None`. Returns `false` if it is already in that state or does not
/// exist.
pub async fn set_archived(tx: &mut Tx<'_>, id: Uuid, at: Option<i64>) -> Result<bool, Error> {
    const ARCHIVE: &str = "UPDATE projects SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL";
    const UNARCHIVE: &str = "UPDATE projects SET archived_at = $2 WHERE id = $1 AND archived_at IS NOT NULL";
    let sql = if at.is_some() { ARCHIVE } else { UNARCHIVE };
    let done = with_engine!(tx, c => sqlx::query(sql).bind(id).bind(at).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Sets the maximum lifetime of a project's tokens, in seconds. Returns `false` if it is no longer `before`.
pub async fn set_token_life(tx: &mut Tx<'_>, id: Uuid, before: i64, seconds: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE projects SET token_life_max = $3 WHERE id = $1 AND token_life_max = $2";
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(before).bind(seconds).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Locks the project's row until commit. SQLite needs no lock because it has one writer.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM projects WHERE id = $1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// Returns the project's own selection of scopes, whether or not it is in use.
pub async fn list_selected_scopes(conn: &mut Engine<'_>, id: Uuid) -> Result<Vec<String>, Error> {
    const SQL: &str = "SELECT scope FROM project_scopes WHERE project_id = $1 ORDER BY scope";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(id).fetch_all(c).await?))
}

/// Sets the scopes that a project offers; `None` selects the default set.
pub async fn set_scopes(tx: &mut Tx<'_>, id: Uuid, scopes: Option<&[String]>) -> Result<(), Error> {
    const OWN: &str = "UPDATE projects SET own_scopes = $2 WHERE id = $1";
    const CLEAR: &str = "DELETE FROM project_scopes WHERE project_id = $1";
    const ADD: &str = "INSERT INTO project_scopes (project_id, scope) VALUES ($1, $2)";
    with_engine!(tx, c => { sqlx::query(OWN).bind(id).bind(scopes.is_some()).execute(c).await?; });
    with_engine!(tx, c => { sqlx::query(CLEAR).bind(id).execute(c).await?; });
    for scope in scopes.unwrap_or_default() {
        with_engine!(tx, c => { sqlx::query(ADD).bind(id).bind(scope).execute(c).await?; });
    }
    Ok(())
}

/// Returns the distinct scope lists of a project's keys that are not deleted, each with the number of keys that have
/// it.
pub async fn held_scopes(conn: &mut Engine<'_>, id: Uuid) -> Result<Vec<(Vec<String>, i64)>, Error> {
    const SQL: &str = "SELECT scopes, COUNT(*) FROM keys WHERE project_id = $1 AND deleted_at IS NULL GROUP BY scopes";
    let lists: Vec<(String, i64)> = with_engine!(conn, c => sqlx::query_as(SQL).bind(id).fetch_all(c).await?);
    lists.iter().map(|(list, keys)| Ok((super::decode_list(list, "list of a key's scopes")?, *keys))).collect()
}

/// Records that an administrator views a project. Returns `false` if a view after `since` is already recorded.
pub async fn record_view(tx: &mut Tx<'_>, user: Uuid, project: Uuid, now: i64, since: i64) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO looks (user_id, project_id, at) VALUES ($1, $2, $3) \
        ON CONFLICT (user_id, project_id) DO UPDATE SET at = $3 WHERE looks.at <= $4";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(user)
        .bind(project)
        .bind(now)
        .bind(since)
        .execute(c).await?
        .rows_affected());
    Ok(done == 1)
}

/// Returns the time at which an administrator last viewed a project.
pub async fn find_last_view(conn: &mut Engine<'_>, user: Uuid, project: Uuid) -> Result<Option<i64>, Error> {
    const SQL: &str = "SELECT at FROM looks WHERE user_id = $1 AND project_id = $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).bind(project).fetch_optional(c).await?))
}

//! Projects, members, and the scopes that a project offers.

use super::{Conn, Error, Tx, on};
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
    pub created_at: i64,
    pub archived_at: Option<i64>,
}

/// A project with a member's role in it.
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
}

/// All projects, by name.
pub async fn all(conn: &mut Conn<'_>) -> Result<Vec<ProjectRow>, Error> {
    const SQL: &str =
        "SELECT id, name, config, token_life_max, created_at, archived_at FROM projects ORDER BY name, id";
    Ok(on!(conn, c => sqlx::query_as(SQL).fetch_all(c).await?))
}

/// The project with this id.
pub async fn by_id(conn: &mut Conn<'_>, id: Uuid) -> Result<Option<ProjectRow>, Error> {
    const SQL: &str = "SELECT id, name, config, token_life_max, created_at, archived_at FROM projects WHERE id = $1";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// The projects that a user is a member of, by name.
pub async fn of_user(conn: &mut Conn<'_>, user: Uuid) -> Result<Vec<MembershipRow>, Error> {
    const SQL: &str = "SELECT p.id, p.name, p.config, p.token_life_max, p.created_at, p.archived_at, m.role \
        FROM members m JOIN projects p ON p.id = m.project_id WHERE m.user_id = $1 ORDER BY p.name, p.id";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(user).fetch_all(c).await?))
}

/// A user's role in a project, if any.
pub async fn role(conn: &mut Conn<'_>, project: Uuid, user: Uuid) -> Result<Option<String>, Error> {
    const SQL: &str = "SELECT role FROM members WHERE project_id = $1 AND user_id = $2";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).bind(project).bind(user).fetch_optional(c).await?))
}

/// The scopes that a project offers: its own, or the default set.
pub async fn offered(conn: &mut Conn<'_>, project: Uuid) -> Result<Vec<ScopeRow>, Error> {
    const SQL: &str = "SELECT s.name, s.description FROM scopes s JOIN projects p ON p.id = $1 \
        WHERE (NOT p.own_scopes AND s.in_default) OR (p.own_scopes AND s.name IN \
        (SELECT o.scope FROM project_scopes o WHERE o.project_id = p.id)) ORDER BY s.position, s.name";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(project).fetch_all(c).await?))
}

/// Inserts a project with an empty config and the default set of scopes.
pub async fn insert(tx: &mut Tx<'_>, id: Uuid, name: &str, token_life_max: i64, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO projects (id, name, config, token_life_max, own_scopes, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6)";
    on!(tx, c => {
        sqlx::query(SQL).bind(id).bind(name).bind("{}").bind(token_life_max).bind(false).bind(now).execute(c).await?;
    });
    Ok(())
}

/// Makes a user a member of a project.
pub async fn join(tx: &mut Tx<'_>, project: Uuid, user: Uuid, role: &str, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO members (project_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
    on!(tx, c => { sqlx::query(SQL).bind(project).bind(user).bind(role).bind(now).execute(c).await?; });
    Ok(())
}

/// Overwrites a project's config (JSON). `false`: there is no such project.
pub async fn set_config(tx: &mut Tx<'_>, id: Uuid, config: &str) -> Result<bool, Error> {
    const SQL: &str = "UPDATE projects SET config = $2 WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(config).execute(c).await?.rows_affected());
    Ok(done == 1)
}

//! Project members.

use super::{Engine, Error, Tx, with_engine};
use uuid::Uuid;

/// A member, with name and email address.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MemberRow {
    pub user_id: Uuid,
    pub name: String,
    pub email: String,
    pub role: String,
    pub created_at: i64,
}

/// Returns the members of a project: owners first, then operators, then viewers, each by name.
pub async fn list(conn: &mut Engine<'_>, project: Uuid) -> Result<Vec<MemberRow>, Error> {
    const SQL: &str = "SELECT m.user_id, u.name, u.email, m.role, m.created_at FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.project_id = $1 \
        ORDER BY CASE m.role WHEN 'owner' THEN 0 WHEN 'operator' THEN 1 ELSE 2 END, u.name_folded, u.id";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(project).fetch_all(c).await?))
}

/// Returns one member of a project.
pub async fn find(conn: &mut Engine<'_>, project: Uuid, user: Uuid) -> Result<Option<MemberRow>, Error> {
    const SQL: &str = "SELECT m.user_id, u.name, u.email, m.role, m.created_at FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.project_id = $1 AND m.user_id = $2";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(project).bind(user).fetch_optional(c).await?))
}

/// Counts the other owners of a project who can sign in.
pub async fn other_owners(conn: &mut Engine<'_>, project: Uuid, user: Uuid) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.project_id = $1 AND m.role = 'owner' AND u.active AND m.user_id <> $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(project).bind(user).fetch_one(c).await?))
}

/// Changes a member's role. Returns `false` if the role is no longer `before`.
pub async fn set_role(tx: &mut Tx<'_>, project: Uuid, user: Uuid, before: &str, role: &str) -> Result<bool, Error> {
    const SQL: &str = "UPDATE members SET role = $4 WHERE project_id = $1 AND user_id = $2 AND role = $3";
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(project)
        .bind(user)
        .bind(before)
        .bind(role)
        .execute(c).await?
        .rows_affected());
    Ok(done == 1)
}

/// Removes a member from a project. Returns `false` if the user was not a member.
pub async fn remove(tx: &mut Tx<'_>, project: Uuid, user: Uuid) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM members WHERE project_id = $1 AND user_id = $2";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(project).bind(user).execute(c).await?.rows_affected());
    Ok(done == 1)
}

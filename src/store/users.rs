//! People as administrators look after them. Passwords are never read here.

use super::{Conn, Error, Tx, on};
use crate::domain::email::Email;
use uuid::Uuid;

/// A person with what hangs on them.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub admin: bool,
    pub active: bool,
    pub created_at: i64,
    pub last_sign_in_at: Option<i64>,
    /// Projects that they are a member of.
    pub projects: i64,
    /// Keys that they made and that are not deleted.
    pub keys: i64,
    /// What the list is sorted by.
    pub title: String,
}

macro_rules! select_people {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.email, u.name, u.admin, u.active, u.created_at, u.last_sign_in_at, LOWER(u.name) AS title, \
             (SELECT COUNT(*) FROM members m WHERE m.user_id = u.id) AS projects, \
             (SELECT COUNT(*) FROM keys k WHERE k.created_by = u.id AND k.deleted_at IS NULL) AS keys FROM users u ",
            $rest
        )
    };
}

/// Whether somebody is looked for. $1: what stands in the name or address, with `%` around it, in lower case.
macro_rules! found {
    () => {
        r"(LOWER(u.name) LIKE $1 ESCAPE '\' OR u.email LIKE $1 ESCAPE '\')"
    };
}

/// A pattern for `LIKE` that finds this text wherever it stands.
pub fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.trim().to_lowercase().chars().filter(|c| *c != '\0') {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    if pattern.len() > 1 {
        pattern.push('%');
    }
    pattern
}

/// People whose name or address fits the pattern, by name, after that one; at most `limit`.
pub async fn page(
    conn: &mut Conn<'_>,
    pattern: &str,
    after: (&str, Uuid),
    limit: i64,
) -> Result<Vec<PersonRow>, Error> {
    const SQL: &str = concat!(
        "SELECT * FROM (",
        select_people!("WHERE "),
        found!(),
        ") AS people WHERE title > $2 OR (title = $2 AND id > $3) ORDER BY title, id LIMIT $4"
    );
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(pattern).bind(after.0).bind(after.1).bind(limit).fetch_all(c).await?))
}

/// How many people fit the pattern.
pub async fn count(conn: &mut Conn<'_>, pattern: &str) -> Result<i64, Error> {
    const SQL: &str = concat!("SELECT COUNT(*) FROM users u WHERE ", found!());
    Ok(on!(conn, c => sqlx::query_scalar(SQL).bind(pattern).fetch_one(c).await?))
}

/// The person with this id.
pub async fn by_id(conn: &mut Conn<'_>, id: Uuid) -> Result<Option<PersonRow>, Error> {
    const SQL: &str = select_people!("WHERE u.id = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// The person with this address, as [`super::accounts::by_email`] finds them.
pub async fn by_email(conn: &mut Conn<'_>, email: &Email) -> Result<Option<PersonRow>, Error> {
    const SQL: &str =
        select_people!("WHERE u.email = $1 OR u.email = $2 ORDER BY CASE WHEN u.email = $1 THEN 0 ELSE 1 END LIMIT 1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(email.as_str()).bind(email.unicode()).fetch_optional(c).await?))
}

/// Takes a person's row until commit.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM users WHERE id = $1 FOR UPDATE";
    if let super::Engine::Postgres(c) = tx.engine() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// A person, to be chosen or named.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NamedRow {
    pub id: Uuid,
    pub name: String,
    pub email: String,
}

/// Everybody who owns a project, by name.
pub async fn owners(conn: &mut Conn<'_>) -> Result<Vec<NamedRow>, Error> {
    const SQL: &str = "SELECT u.id, u.name, u.email FROM users u WHERE u.id IN \
        (SELECT m.user_id FROM members m WHERE m.role = 'owner') ORDER BY LOWER(u.name), u.id";
    Ok(on!(conn, c => sqlx::query_as(SQL).fetch_all(c).await?))
}

/// Everybody else who can sign in, by name, at most `limit`.
pub async fn others(conn: &mut Conn<'_>, but: Uuid, limit: i64) -> Result<Vec<NamedRow>, Error> {
    const SQL: &str = "SELECT u.id, u.name, u.email FROM users u WHERE u.active AND u.id <> $1 \
        ORDER BY LOWER(u.name), u.id LIMIT $2";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(but).bind(limit).fetch_all(c).await?))
}

/// Administrators who can sign in.
pub async fn administrators(conn: &mut Conn<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM users WHERE admin AND active";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

/// A project of somebody's.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct TheirProjectRow {
    pub id: Uuid,
    pub name: String,
    pub archived_at: Option<i64>,
    pub role: String,
    pub keys: i64,
    /// Owners besides them who can sign in.
    pub other_owners: i64,
}

/// The projects that a person is a member of, by name.
pub async fn projects(conn: &mut Conn<'_>, user: Uuid) -> Result<Vec<TheirProjectRow>, Error> {
    const SQL: &str = "SELECT p.id, p.name, p.archived_at, m.role, \
        (SELECT COUNT(*) FROM keys k WHERE k.project_id = p.id AND k.deleted_at IS NULL) AS keys, \
        (SELECT COUNT(*) FROM members o JOIN users u ON u.id = o.user_id WHERE o.project_id = p.id AND o.role = 'owner' \
         AND o.user_id <> $1 AND u.active) AS other_owners \
        FROM members m JOIN projects p ON p.id = m.project_id WHERE m.user_id = $1 ORDER BY LOWER(p.name), p.id";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(user).fetch_all(c).await?))
}

/// The keys that a person made and that are accepted unless they have expired, in the order of their ids.
pub async fn live_keys(conn: &mut Conn<'_>, user: Uuid) -> Result<Vec<Uuid>, Error> {
    const SQL: &str = "SELECT id FROM keys WHERE created_by = $1 AND deleted_at IS NULL AND active ORDER BY id";
    Ok(on!(conn, c => sqlx::query_scalar(SQL).bind(user).fetch_all(c).await?))
}

/// Sets whether a person can sign in. `false`: there is no such person.
pub async fn set_active(tx: &mut Tx<'_>, id: Uuid, active: bool) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET active = $2 WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(active).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Sets whether a person is an administrator. `false`: there is no such person.
pub async fn set_admin(tx: &mut Tx<'_>, id: Uuid, admin: bool) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET admin = $2 WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(admin).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Removes a person with their sessions and memberships. `false`: there is no such person.
pub async fn delete(tx: &mut Tx<'_>, id: Uuid) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM users WHERE id = $1";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Ends all sessions of a person, and says how many there were.
pub async fn end_sessions(tx: &mut Tx<'_>, id: Uuid) -> Result<u64, Error> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1";
    Ok(on!(tx, c => sqlx::query(SQL).bind(id).execute(c).await?.rows_affected()))
}

/// Notes that a person has signed in.
pub async fn signed_in(tx: &mut Tx<'_>, id: Uuid, now: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE users SET last_sign_in_at = $2 WHERE id = $1";
    on!(tx, c => { sqlx::query(SQL).bind(id).bind(now).execute(c).await?; });
    Ok(())
}

/// Makes a person an owner of a project, whatever they were in it.
pub async fn make_owner(tx: &mut Tx<'_>, project: Uuid, user: Uuid, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO members (project_id, user_id, role, created_at) VALUES ($1, $2, 'owner', $3) \
        ON CONFLICT (user_id, project_id) DO UPDATE SET role = 'owner'";
    on!(tx, c => { sqlx::query(SQL).bind(project).bind(user).bind(now).execute(c).await?; });
    Ok(())
}

/// Makes a member an operator.
pub async fn make_operator(tx: &mut Tx<'_>, project: Uuid, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "UPDATE members SET role = 'operator' WHERE project_id = $1 AND user_id = $2";
    on!(tx, c => { sqlx::query(SQL).bind(project).bind(user).execute(c).await?; });
    Ok(())
}

/// Ends a membership.
pub async fn leave(tx: &mut Tx<'_>, project: Uuid, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM members WHERE project_id = $1 AND user_id = $2";
    on!(tx, c => { sqlx::query(SQL).bind(project).bind(user).execute(c).await?; });
    Ok(())
}

/// Archives a project. `false`: it is archived already, or there is none.
pub async fn archive(tx: &mut Tx<'_>, project: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE projects SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL";
    let done = on!(tx, c => sqlx::query(SQL).bind(project).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

#[cfg(test)]
mod tests {
    use super::pattern;

    #[test]
    fn what_is_typed_is_looked_for_as_it_stands() {
        for (typed, like) in
            [("", "%"), ("  ", "%"), (" Maren ", "%maren%"), ("50%_a\\b", r"%50\%\_a\\b%"), ("a\0b", "%ab%")]
        {
            assert_eq!(pattern(typed), like, "{typed:?}");
        }
    }
}

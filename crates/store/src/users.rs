//! User management for administrators. Never reads password hashes.

use super::{Engine, Error, Tx, like, with_engine};
use keyward_domain::{email::Email, people::PersonChoice};
use uuid::Uuid;

/// A user with related totals.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PersonRow {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub admin: bool,
    pub active: bool,
    pub created_at: i64,
    pub last_sign_in_at: Option<i64>,
    /// Projects that the user is a member of.
    pub projects: i64,
    /// Keys that the user created and that are not deleted.
    pub keys: i64,
    /// The sort value of the list.
    pub title: String,
}

macro_rules! select_people {
    ($rest:literal) => {
        concat!(
            "SELECT u.id, u.email, u.name, u.admin, u.active, u.created_at, u.last_sign_in_at, u.name_folded AS title, \
             (SELECT COUNT(*) FROM (SELECT 1 FROM members m WHERE m.user_id = u.id LIMIT 10001) AS joined) AS projects, \
             (SELECT COUNT(*) FROM (SELECT 1 FROM keys k WHERE k.created_by = u.id AND k.deleted_at IS NULL LIMIT 10001) AS made) \
             AS keys FROM users u ",
            $rest
        )
    };
}

/// Matches a search text. $1 and $2: patterns for the folded name and for the email address.
macro_rules! found {
    () => {
        "(u.name_folded LIKE $1 ESCAPE '!' OR u.email LIKE $2 ESCAPE '!')"
    };
}

/// Returns the users with this text in their name or email address, by name, after the cursor, at most `limit`. An
/// empty text matches all users.
pub async fn page(conn: &mut Engine<'_>, text: &str, after: (&str, Uuid), limit: i64) -> Result<Vec<PersonRow>, Error> {
    const ALL: &str = select_people!(
        "WHERE u.name_folded >= $1 AND (u.name_folded > $1 OR u.id > $2) ORDER BY u.name_folded, u.id LIMIT $3"
    );
    const FOUND: &str = concat!(
        select_people!("WHERE u.name_folded >= $3 AND (u.name_folded > $3 OR u.id > $4) AND "),
        found!(),
        " ORDER BY u.name_folded, u.id LIMIT $5"
    );
    let (title, id) = after;
    let text = text.trim();
    Ok(match text {
        "" => with_engine!(conn, c => sqlx::query_as(ALL).bind(title).bind(id).bind(limit).fetch_all(c).await?),
        text => with_engine!(conn, c => sqlx::query_as(FOUND)
            .bind(like::folded(text))
            .bind(like::lower(text))
            .bind(title)
            .bind(id)
            .bind(limit)
            .fetch_all(c)
            .await?),
    })
}

/// Counts the users with this text in their name or email address, up to
/// [`COUNT_MAX`](keyward_domain::count::COUNT_MAX) + 1.
pub async fn count(conn: &mut Engine<'_>, text: &str) -> Result<i64, Error> {
    const ALL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM users LIMIT 10001) AS counted";
    const FOUND: &str =
        concat!("SELECT COUNT(*) FROM (SELECT 1 FROM users u WHERE ", found!(), " LIMIT 10001) AS counted");
    let text = text.trim();
    Ok(match text {
        "" => with_engine!(conn, c => sqlx::query_scalar(ALL).fetch_one(c).await?),
        text => with_engine!(conn, c => sqlx::query_scalar(FOUND)
            .bind(like::folded(text))
            .bind(like::lower(text))
            .fetch_one(c)
            .await?),
    })
}

/// Returns the user with this id.
pub async fn by_id(conn: &mut Engine<'_>, id: Uuid) -> Result<Option<PersonRow>, Error> {
    const SQL: &str = select_people!("WHERE u.id = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// Returns the user with this email address, as in [`super::accounts::by_email`].
pub async fn by_email(conn: &mut Engine<'_>, email: &Email) -> Result<Option<PersonRow>, Error> {
    const SQL: &str =
        select_people!("WHERE u.email = $1 OR u.email = $2 ORDER BY CASE WHEN u.email = $1 THEN 0 ELSE 1 END LIMIT 1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(email.as_str()).bind(email.unicode()).fetch_optional(c).await?))
}

/// Locks a user's row until commit.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM users WHERE id = $1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// A user as an option in a selection, or for display.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct NamedRow {
    pub id: Uuid,
    pub name: String,
    pub email: String,
}

impl From<NamedRow> for PersonChoice {
    fn from(row: NamedRow) -> Self {
        Self { id: row.id.into(), name: row.name, email: row.email }
    }
}

/// Returns users who own a project, by name, at most `limit`.
pub async fn owners(conn: &mut Engine<'_>, limit: i64) -> Result<Vec<NamedRow>, Error> {
    const SQL: &str = "SELECT u.id, u.name, u.email FROM users u WHERE EXISTS \
        (SELECT 1 FROM members m WHERE m.user_id = u.id AND m.role = 'owner') ORDER BY u.name_folded, u.id LIMIT $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(limit).fetch_all(c).await?))
}

/// Returns the other users who can sign in, by name, at most `limit`.
pub async fn others(conn: &mut Engine<'_>, but: Uuid, limit: i64) -> Result<Vec<NamedRow>, Error> {
    const SQL: &str = "SELECT u.id, u.name, u.email FROM users u WHERE u.active AND u.id <> $1 \
        ORDER BY u.name_folded, u.id LIMIT $2";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(but).bind(limit).fetch_all(c).await?))
}

/// Counts the administrators who can sign in.
pub async fn administrators(conn: &mut Engine<'_>) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM users WHERE admin AND active";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).fetch_one(c).await?))
}

/// A project of a user.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UserProjectRow {
    pub id: Uuid,
    pub name: String,
    pub archived_at: Option<i64>,
    pub role: String,
    pub keys: i64,
    /// Other owners who can sign in.
    pub other_owners: i64,
}

/// Returns the projects that a user is a member of, by name.
pub async fn projects(conn: &mut Engine<'_>, user: Uuid) -> Result<Vec<UserProjectRow>, Error> {
    const SQL: &str = "SELECT p.id, p.name, p.archived_at, m.role, \
        (SELECT COUNT(*) FROM (SELECT 1 FROM keys k WHERE k.project_id = p.id AND k.deleted_at IS NULL LIMIT 10001) AS held) AS keys, \
        (SELECT COUNT(*) FROM members o JOIN users u ON u.id = o.user_id WHERE o.project_id = p.id AND o.role = 'owner' \
         AND o.user_id <> $1 AND u.active) AS other_owners \
        FROM members m JOIN projects p ON p.id = m.project_id WHERE m.user_id = $1 ORDER BY p.name_folded, p.id";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).fetch_all(c).await?))
}

/// Returns the active keys that a user created, including expired ones, by project, at most `limit`.
pub async fn live_keys(conn: &mut Engine<'_>, user: Uuid, limit: i64) -> Result<Vec<Uuid>, Error> {
    const SQL: &str =
        "SELECT id FROM keys WHERE created_by = $1 AND deleted_at IS NULL AND active ORDER BY project_id, id LIMIT $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).bind(limit).fetch_all(c).await?))
}

/// Counts the keys of [`live_keys`], up to [`COUNT_MAX`](keyward_domain::count::COUNT_MAX) + 1.
pub async fn live_key_count(conn: &mut Engine<'_>, user: Uuid) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM keys WHERE created_by = $1 AND deleted_at IS NULL AND active \
        LIMIT 10001) AS counted";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).fetch_one(c).await?))
}

/// Counts the keys of [`live_keys`], without a bound. Reads one index entry for each key that the user created.
pub async fn exact_live_key_count(conn: &mut Engine<'_>, user: Uuid) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM keys WHERE created_by = $1 AND deleted_at IS NULL AND active";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).fetch_one(c).await?))
}

/// A user whose keys are being deactivated.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct KeyStopRow {
    pub user_id: Uuid,
    /// The reason that is shown to the owners of the keys.
    pub reason: String,
    /// The name of the administrator at the time of the request.
    pub stopped_by: String,
}

/// Records that more keys of a user must be deactivated than one write can process.
pub async fn insert_key_stop(tx: &mut Tx<'_>, stop: &KeyStopRow, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO key_stops (user_id, reason, stopped_by, created_at) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason, stopped_by = excluded.stopped_by";
    with_engine!(tx, c => {
        sqlx::query(SQL).bind(stop.user_id).bind(&stop.reason).bind(&stop.stopped_by).bind(now).execute(c).await?;
    });
    Ok(())
}

/// Returns the users whose keys are being deactivated, oldest first, at most `limit`.
pub async fn key_stops(conn: &mut Engine<'_>, limit: i64) -> Result<Vec<KeyStopRow>, Error> {
    const SQL: &str = "SELECT user_id, reason, stopped_by FROM key_stops ORDER BY created_at, user_id LIMIT $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(limit).fetch_all(c).await?))
}

/// Locks the row of a user whose keys are being deactivated until commit. Another node then waits and finds the
/// remaining keys.
pub async fn lock_key_stop(tx: &mut Tx<'_>, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM key_stops WHERE user_id = $1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).bind(user).execute(c).await?;
    }
    Ok(())
}

/// Returns the user's entry if the user's keys are being deactivated.
pub async fn key_stop(conn: &mut Engine<'_>, user: Uuid) -> Result<Option<KeyStopRow>, Error> {
    const SQL: &str = "SELECT user_id, reason, stopped_by FROM key_stops WHERE user_id = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).fetch_optional(c).await?))
}

/// Records that the deactivation of a user's keys is complete.
pub async fn delete_key_stop(tx: &mut Tx<'_>, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM key_stops WHERE user_id = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(user).execute(c).await?; });
    Ok(())
}

/// Sets whether a user can sign in. Returns `false` if the user does not exist.
pub async fn set_active(tx: &mut Tx<'_>, id: Uuid, active: bool) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET active = $2 WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(active).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Sets whether a user is an administrator. Returns `false` if the user does not exist.
pub async fn set_admin(tx: &mut Tx<'_>, id: Uuid, admin: bool) -> Result<bool, Error> {
    const SQL: &str = "UPDATE users SET admin = $2 WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(admin).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Deletes a user with all sessions and memberships. Returns `false` if the user does not exist.
pub async fn delete(tx: &mut Tx<'_>, id: Uuid) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM users WHERE id = $1";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Records that a user has signed in.
pub async fn record_sign_in(tx: &mut Tx<'_>, id: Uuid, now: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE users SET last_sign_in_at = $2 WHERE id = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(id).bind(now).execute(c).await?; });
    Ok(())
}

/// Makes a user an owner of a project, regardless of the current role.
pub async fn make_owner(tx: &mut Tx<'_>, project: Uuid, user: Uuid, now: i64) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO members (project_id, user_id, role, created_at) VALUES ($1, $2, 'owner', $3) \
        ON CONFLICT (user_id, project_id) DO UPDATE SET role = 'owner'";
    with_engine!(tx, c => { sqlx::query(SQL).bind(project).bind(user).bind(now).execute(c).await?; });
    Ok(())
}

/// Makes a member an operator.
pub async fn make_operator(tx: &mut Tx<'_>, project: Uuid, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "UPDATE members SET role = 'operator' WHERE project_id = $1 AND user_id = $2";
    with_engine!(tx, c => { sqlx::query(SQL).bind(project).bind(user).execute(c).await?; });
    Ok(())
}

/// Ends a membership.
pub async fn remove_member(tx: &mut Tx<'_>, project: Uuid, user: Uuid) -> Result<(), Error> {
    const SQL: &str = "DELETE FROM members WHERE project_id = $1 AND user_id = $2";
    with_engine!(tx, c => { sqlx::query(SQL).bind(project).bind(user).execute(c).await?; });
    Ok(())
}

/// Archives a project. Returns `false` if it is already archived or does not exist.
pub async fn archive(tx: &mut Tx<'_>, project: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE projects SET archived_at = $2 WHERE id = $1 AND archived_at IS NULL";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(project).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

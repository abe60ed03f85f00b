//! Grants: the consent of users to clients. [`super::key_snapshot`] has their form for verification decisions.

use super::{Engine, Error, Tx, decode_list, keys::encode_list, with_engine};
use keyward_domain::ids::GrantId;
use uuid::Uuid;

/// A grant's row, with columns of its project.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct GrantRow {
    pub id: Uuid,
    pub user_id: Uuid,
    pub user_name: String,
    /// `None` for an unregistered client on the user's own computer.
    pub client_id: Option<Uuid>,
    pub client_name: String,
    pub project_id: Uuid,
    pub project_name: String,
    pub project_archived_at: Option<i64>,
    /// Seconds: the project's maximum, or the policy's if that is shorter.
    pub token_life_max: i64,
    scopes: String,
    pub until: i64,
    pub created_at: i64,
    pub last_used_at: Option<i64>,
    pub ended_at: Option<i64>,
}

impl GrantRow {
    /// Returns the granted scopes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column does not contain a list of words.
    pub fn scopes(&self) -> Result<Vec<String>, Error> {
        decode_list(&self.scopes, "list of a grant's scopes")
    }

    /// Returns whether the grant is valid at `now`.
    pub fn is_valid_at(&self, now: i64) -> bool {
        self.ended_at.is_none() && now < self.until
    }
}

/// A grant to insert.
#[derive(Clone, Debug)]
pub struct NewGrantRow {
    pub id: Uuid,
    /// Random. Takes the place of the digest of a key's secret.
    pub digest: [u8; 32],
    pub user_id: Uuid,
    pub user_name: String,
    pub client_id: Option<Uuid>,
    pub client_name: String,
    pub project_id: Uuid,
    pub scopes: Vec<String>,
    pub until: i64,
    pub created_at: i64,
}

macro_rules! select_grants {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.user_id, g.user_name, g.client_id, g.client_name, g.project_id, p.name AS project_name, \
             p.archived_at AS project_archived_at, (SELECT CASE WHEN l.token_life_max < p.token_life_max THEN l.token_life_max \
             ELSE p.token_life_max END FROM policy l WHERE l.id = 1) AS token_life_max, g.scopes, g.until, g.created_at, \
             g.last_used_at, g.ended_at FROM grants g JOIN projects p ON p.id = g.project_id WHERE ",
            $rest
        )
    };
}

/// Returns the grant with this id, valid or not.
pub async fn by_id(conn: &mut Engine<'_>, id: GrantId) -> Result<Option<GrantRow>, Error> {
    const SQL: &str = select_grants!("g.id = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(Uuid::from(id)).fetch_optional(c).await?))
}

/// Returns the valid grants of a user, newest first.
pub async fn list_by_user(conn: &mut Engine<'_>, user: Uuid, now: i64) -> Result<Vec<GrantRow>, Error> {
    const SQL: &str = select_grants!("g.user_id = $1 AND g.ended_at IS NULL AND g.until > $2 ORDER BY g.id DESC");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(user).bind(now).fetch_all(c).await?))
}

/// Returns the valid grants in a project, newest first, optionally those of one user.
pub async fn list_by_project(
    conn: &mut Engine<'_>,
    project: Uuid,
    user: Option<Uuid>,
    now: i64,
) -> Result<Vec<GrantRow>, Error> {
    const ALL: &str = select_grants!("g.project_id = $1 AND g.ended_at IS NULL AND g.until > $2 ORDER BY g.id DESC");
    const THEIRS: &str = select_grants!(
        "g.project_id = $1 AND g.ended_at IS NULL AND g.until > $2 AND g.user_id = $3 ORDER BY g.id DESC"
    );
    Ok(match user {
        None => with_engine!(conn, c => sqlx::query_as(ALL).bind(project).bind(now).fetch_all(c).await?),
        Some(user) => {
            with_engine!(conn, c => sqlx::query_as(THEIRS).bind(project).bind(now).bind(user).fetch_all(c).await?)
        }
    })
}

/// Returns the valid grants of a client, at most `limit`.
pub async fn list_by_client(conn: &mut Engine<'_>, client: Uuid, now: i64, limit: i64) -> Result<Vec<GrantRow>, Error> {
    const SQL: &str = select_grants!("g.client_id = $1 AND g.ended_at IS NULL AND g.until > $2 ORDER BY g.id LIMIT $3");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(client).bind(now).bind(limit).fetch_all(c).await?))
}

/// Counts the valid grants of a client.
pub async fn count_of_client(conn: &mut Engine<'_>, client: Uuid, now: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM grants WHERE client_id = $1 AND ended_at IS NULL AND until > $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(client).bind(now).fetch_one(c).await?))
}

/// Counts the valid grants of a user.
pub async fn count_of_user(conn: &mut Engine<'_>, user: Uuid, now: i64) -> Result<i64, Error> {
    const SQL: &str = "SELECT COUNT(*) FROM grants WHERE user_id = $1 AND ended_at IS NULL AND until > $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(user).bind(now).fetch_one(c).await?))
}

/// Inserts a grant.
pub async fn insert(tx: &mut Tx<'_>, new: &NewGrantRow) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO grants (id, digest, user_id, user_name, client_id, client_name, project_id, scopes, until, \
        created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    with_engine!(tx, c => {
        sqlx::query(SQL)
            .bind(new.id)
            .bind(new.digest.as_slice())
            .bind(new.user_id)
            .bind(&new.user_name)
            .bind(new.client_id)
            .bind(&new.client_name)
            .bind(new.project_id)
            .bind(encode_list(&new.scopes))
            .bind(new.until)
            .bind(new.created_at)
            .execute(c)
            .await?;
    });
    Ok(())
}

/// Revokes a grant. Returns `false` if it is already revoked.
pub async fn revoke(tx: &mut Tx<'_>, id: GrantId, now: i64) -> Result<bool, Error> {
    const SQL: &str = "UPDATE grants SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(Uuid::from(id)).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Reduces a grant to these scopes.
pub async fn set_scopes(tx: &mut Tx<'_>, id: GrantId, scopes: &[String]) -> Result<(), Error> {
    const SQL: &str = "UPDATE grants SET scopes = $2 WHERE id = $1";
    with_engine!(tx, c => { sqlx::query(SQL).bind(Uuid::from(id)).bind(encode_list(scopes)).execute(c).await?; });
    Ok(())
}

/// Deletes grants that ended before `before`, with their codes, at most `limit`. Returns the number of deleted grants.
pub async fn sweep(tx: &mut Tx<'_>, before: i64, limit: i64) -> Result<u64, Error> {
    const SQL: &str =
        "DELETE FROM grants WHERE id IN (SELECT id FROM grants WHERE COALESCE(ended_at, until) < $1 LIMIT $2)";
    Ok(with_engine!(tx, c => sqlx::query(SQL).bind(before).bind(limit).execute(c).await?.rows_affected()))
}

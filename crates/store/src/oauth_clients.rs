//! OAuth clients (RFC 6749 §2): programs that a project's owners registered. All are public clients, without a secret.

use super::{Engine, Error, Tx, decode_list, keys::encode_list, with_engine};
use keyward_domain::fold::fold;
use uuid::Uuid;

/// A client's row.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ClientRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub name: String,
    redirects: String,
    pub created_by_name: String,
    pub created_at: i64,
}

impl ClientRow {
    /// Returns the registered redirect URIs.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column does not contain a list of words.
    pub fn redirects(&self) -> Result<Vec<String>, Error> {
        decode_list(&self.redirects, "list of an application's redirect URIs")
    }
}

/// A client to insert.
#[derive(Clone, Debug)]
pub struct NewClientRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub name: String,
    pub redirects: Vec<String>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
}

macro_rules! select_clients {
    ($rest:literal) => {
        concat!(
            "SELECT id, project_id, name, redirects, created_by_name, created_at FROM oauth_clients WHERE removed_at IS NULL AND ",
            $rest
        )
    };
}

/// Returns the client with this id, unless it was removed.
pub async fn by_id(conn: &mut Engine<'_>, id: Uuid) -> Result<Option<ClientRow>, Error> {
    const SQL: &str = select_clients!("id = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// Locks the client's row until commit, which serializes the counting of its device authorizations. SQLite needs no
/// lock because it has one writer.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM oauth_clients WHERE id = $1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// Returns the clients of a project that were not removed, by name.
pub async fn list_by_project(conn: &mut Engine<'_>, project: Uuid) -> Result<Vec<ClientRow>, Error> {
    const SQL: &str = select_clients!("project_id = $1 ORDER BY id");
    let mut found: Vec<ClientRow> = with_engine!(conn, c => sqlx::query_as(SQL).bind(project).fetch_all(c).await?);
    found.sort_by_cached_key(|row| fold(&row.name));
    Ok(found)
}

/// Inserts a client.
pub async fn insert(tx: &mut Tx<'_>, new: &NewClientRow) -> Result<(), Error> {
    const SQL: &str = "INSERT INTO oauth_clients (id, project_id, name, redirects, created_by, created_by_name, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    with_engine!(tx, c => {
        sqlx::query(SQL)
            .bind(new.id)
            .bind(new.project_id)
            .bind(&new.name)
            .bind(encode_list(&new.redirects))
            .bind(new.created_by)
            .bind(&new.created_by_name)
            .bind(new.created_at)
            .execute(c)
            .await?;
    });
    Ok(())
}

/// Removes a client. Returns `false` if it does not exist, is already removed, or belongs to another project.
pub async fn remove(tx: &mut Tx<'_>, project: Uuid, id: Uuid, now: i64) -> Result<bool, Error> {
    const SQL: &str =
        "UPDATE oauth_clients SET removed_at = $3 WHERE id = $2 AND project_id = $1 AND removed_at IS NULL";
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(project).bind(id).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Returns removed clients that still have valid grants, at most `limit`.
pub async fn removed_with_grants(conn: &mut Engine<'_>, now: i64, limit: i64) -> Result<Vec<Uuid>, Error> {
    const SQL: &str = "SELECT c.id FROM oauth_clients c WHERE c.removed_at IS NOT NULL AND EXISTS (SELECT 1 FROM grants g \
        WHERE g.client_id = c.id AND g.ended_at IS NULL AND g.until > $1) LIMIT $2";
    Ok(with_engine!(conn, c => sqlx::query_scalar(SQL).bind(now).bind(limit).fetch_all(c).await?))
}

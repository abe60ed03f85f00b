//! Key snapshots: the columns of a key or a grant that a verification decision needs.

use super::{Engine, Error, decode_list, with_engine};
use keyward_domain::ids::SubjectId;
use uuid::Uuid;

/// The columns of a key or a grant, and of its project, that a verification decision needs.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeySnapshotRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub project_archived_at: Option<i64>,
    /// Seconds: the project's maximum, or the policy's if that is shorter.
    pub token_life_max: i64,
    pub name: String,
    pub environment: String,
    digest: Vec<u8>,
    scopes: String,
    networks: String,
    /// In the format of [`keyward_domain::rate::RateLimit`].
    pub rate_limit: Option<String>,
    pub issued_to: Option<String>,
    pub not_before: Option<i64>,
    pub expires_at: Option<i64>,
    pub active: bool,
    pub deleted_at: Option<i64>,
    /// Whether this is a grant, and the id that of a grant.
    pub is_grant: bool,
}

impl KeySnapshotRow {
    /// Returns the SHA-256 of the key's secret, or random bytes for a grant, which has no secret.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column does not contain a digest.
    pub fn digest(&self) -> Result<[u8; 32], Error> {
        self.digest.as_slice().try_into().map_err(|_| Error::Corrupt("digest of a key"))
    }

    /// Returns the key's scopes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column does not contain a list of words.
    pub fn scopes(&self) -> Result<Vec<String>, Error> {
        decode_list(&self.scopes, "list of a key's scopes")
    }

    /// Returns the networks from which the key may be used, in their stored form.
    ///
    /// # Errors
    /// Same as [`KeySnapshotRow::scopes`].
    pub fn networks(&self) -> Result<Vec<String>, Error> {
        decode_list(&self.networks, "list of a key's networks")
    }
}

macro_rules! select_facts {
    ($rest:literal) => {
        concat!(
            "SELECT k.id, k.project_id, p.archived_at AS project_archived_at, CASE WHEN l.token_life_max < p.token_life_max \
             THEN l.token_life_max ELSE p.token_life_max END AS token_life_max, k.name, k.environment, k.digest, k.scopes, k.networks, \
             k.rate_limit, k.issued_to, k.not_before, k.expires_at, k.active, k.deleted_at, FALSE AS is_grant \
             FROM keys k JOIN projects p ON p.id = k.project_id CROSS JOIN policy l ",
            $rest
        )
    };
}

/// Returns the snapshot of the key whose secret has this digest.
///
/// # Errors
/// If the query fails.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32]) -> Result<Option<KeySnapshotRow>, Error> {
    const SQL: &str = select_facts!("WHERE k.digest = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(c).await?))
}

/// Selects a grant in the form of a key. Its digest matches no secret. A revoked grant appears as deleted, and so does
/// a grant of a removed client, because revoking the grants of a client takes many writes.
macro_rules! select_granted {
    ($rest:literal) => {
        concat!(
            "SELECT g.id, g.project_id, p.archived_at AS project_archived_at, CASE WHEN l.token_life_max < p.token_life_max \
             THEN l.token_life_max ELSE p.token_life_max END AS token_life_max, g.client_name AS name, 'live' AS environment, g.digest, \
             g.scopes, '[]' AS networks, CAST(NULL AS TEXT) AS rate_limit, g.user_name AS issued_to, CAST(NULL AS BIGINT) AS not_before, \
             g.until AS expires_at, TRUE AS active, COALESCE(g.ended_at, c.removed_at) AS deleted_at, TRUE AS is_grant \
             FROM grants g JOIN projects p ON p.id = g.project_id LEFT JOIN oauth_clients c ON c.id = g.client_id \
             CROSS JOIN policy l ",
            $rest
        )
    };
}

/// Returns the snapshot of a key or a grant.
///
/// # Errors
/// If the query fails.
pub async fn by_id(conn: &mut Engine<'_>, subject: SubjectId) -> Result<Option<KeySnapshotRow>, Error> {
    const KEY: &str = select_facts!("WHERE k.id = $1");
    const GRANT: &str = select_granted!("WHERE g.id = $1");
    let sql = match subject {
        SubjectId::Key(_) => KEY,
        SubjectId::Grant(_) => GRANT,
    };
    Ok(with_engine!(conn, c => sqlx::query_as(sql).bind(Uuid::from(subject)).fetch_optional(c).await?))
}

/// Returns the snapshots of the keys after the id `after`, at most `limit`, ordered by id.
///
/// # Errors
/// If the query fails.
pub async fn page(conn: &mut Engine<'_>, after: Uuid, limit: i64) -> Result<Vec<KeySnapshotRow>, Error> {
    const SQL: &str = select_facts!("WHERE k.id > $1 ORDER BY k.id LIMIT $2");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(after).bind(limit).fetch_all(c).await?))
}

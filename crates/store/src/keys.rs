//! API keys: rows and queries.

mod list;

pub use list::{Counts, Direction, KeyCursor, KeyQuery, ListedRow, Visibility, counts, newest, page, search_end};

use super::{Engine, Error, Tx, decode_list, with_engine};
use keyward_domain::{
    fold::{fold, fold_unbounded},
    key::{Environment, Lifecycle, RESTORE_DAYS},
    network::Networks,
    rate::RateLimit,
    time::{DAY, Timestamp},
};
use serde::Serialize;
use uuid::Uuid;

/// A key's row, with the name and the archive state of its project.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub project_name: String,
    pub project_archived_at: Option<i64>,
    /// Seconds: the project's maximum, or the policy's if that is shorter.
    pub token_life_max: i64,
    pub name: String,
    pub environment: String,
    pub preview: String,
    scopes: String,
    networks: String,
    /// In the format of [`keyward_domain::rate::RateLimit`].
    pub rate_limit: Option<String>,
    pub issued_to: Option<String>,
    pub description: Option<String>,
    pub not_before: Option<i64>,
    pub expires_at: Option<i64>,
    pub active: bool,
    pub deleted_at: Option<i64>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
    /// Increases with every change of the key, except with its use.
    pub updated_at: i64,
    pub last_used_at: Option<i64>,
    /// Whether an administrator deactivated the key. Only an administrator can activate it again.
    pub held: bool,
    pub note: Option<String>,
    pub note_by: Option<String>,
    pub note_at: Option<i64>,
}

impl KeyRow {
    /// Returns the values that determine the key's status.
    pub fn lifecycle(&self) -> Lifecycle {
        Lifecycle {
            active: self.active,
            not_before: self.not_before.map(Timestamp::from_micros),
            expires_at: self.expires_at.map(Timestamp::from_micros),
            deleted_at: self.deleted_at.map(Timestamp::from_micros),
        }
    }

    /// Returns the key's environment.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column contains another value.
    pub fn environment(&self) -> Result<Environment, Error> {
        self.environment.parse().map_err(|_| Error::Corrupt("environment of a key"))
    }

    /// Returns the networks from which the key may be used.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column cannot be parsed.
    pub fn parse_networks(&self) -> Result<Networks, Error> {
        let words = self.networks()?;
        Networks::parse_list(words.iter().map(String::as_str)).map_err(|_| Error::Corrupt("list of a key's networks"))
    }

    /// Returns the key's rate limit.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column cannot be parsed.
    pub fn parse_rate_limit(&self) -> Result<Option<RateLimit>, Error> {
        let corrupt = |_| Error::Corrupt("rate limit of a key");
        self.rate_limit.as_deref().map(str::parse).transpose().map_err(corrupt)
    }

    /// Returns the fields that an edit can change.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if a column cannot be parsed.
    pub fn fields(&self) -> Result<KeyFields, Error> {
        Ok(KeyFields {
            name: self.name.clone(),
            scopes: self.scopes()?,
            issued_to: self.issued_to.clone(),
            description: self.description.clone(),
            networks: self.parse_networks()?,
            not_before: self.not_before.map(Timestamp::from_micros),
            expires_at: self.expires_at.map(Timestamp::from_micros),
            rate_limit: self.parse_rate_limit()?,
        })
    }

    /// Returns the time from which a deleted key cannot be restored, in microseconds since the epoch.
    pub fn purge_at(&self) -> Option<i64> {
        self.deleted_at.map(|at| Timestamp::from_micros(at).plus_seconds(RESTORE_DAYS * DAY).micros())
    }
}

impl KeyRow {
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
    /// Same as [`KeyRow::scopes`].
    pub fn networks(&self) -> Result<Vec<String>, Error> {
        decode_list(&self.networks, "list of a key's networks")
    }
}

/// The fields of a key that its creator chooses and that an edit can change. The secret is not one of them.
///
/// The audit log records them in this form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KeyFields {
    pub name: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub description: Option<String>,
    pub networks: Networks,
    pub not_before: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    pub rate_limit: Option<RateLimit>,
}

impl KeyFields {
    /// Returns the description for search. A search finds words on both sides of a line break.
    pub(super) fn folded_description(&self) -> Option<String> {
        self.description.as_deref().map(|text| fold_unbounded(&text.replace('\n', " ")))
    }
}

/// A key to insert.
#[derive(Clone, Debug)]
pub struct NewKeyRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub environment: &'static str,
    pub digest: [u8; 32],
    pub preview: String,
    pub fields: KeyFields,
    pub form_number: Option<Uuid>,
    /// SHA-256 of the API request that created the key with an idempotency key.
    pub request_digest: Option<[u8; 32]>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
}

/// Encodes a list of words for a text column, as JSON.
pub(super) fn encode_list(words: &[String]) -> String {
    serde_json::json!(words).to_string()
}

/// Lists the columns of a [`KeyRow`].
macro_rules! columns {
    () => {
        "k.id, k.project_id, p.name AS project_name, p.archived_at AS project_archived_at, \
         (SELECT CASE WHEN l.token_life_max < p.token_life_max THEN l.token_life_max ELSE p.token_life_max END FROM policy l \
         WHERE l.id = 1) AS token_life_max, k.name, \
         k.environment, k.preview, k.scopes, k.networks, k.rate_limit, k.issued_to, k.description, k.not_before, k.expires_at, k.active, k.deleted_at, k.created_by, \
         k.created_by_name, k.created_at, k.updated_at, k.last_used_at, k.held, k.note, k.note_by, k.note_at "
    };
}

use columns;

macro_rules! select_keys {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), "FROM keys k JOIN projects p ON p.id = k.project_id ", $rest)
    };
}

/// Returns the key with this id.
pub async fn by_id(conn: &mut Engine<'_>, id: Uuid) -> Result<Option<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.id = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// Returns the key whose secret has this digest.
pub async fn by_digest(conn: &mut Engine<'_>, digest: &[u8; 32]) -> Result<Option<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.digest = $1");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(c).await?))
}

/// Inserts a key. Returns `false`, and inserts nothing, if a key with this form number exists.
pub async fn insert(tx: &mut Tx<'_>, key: &NewKeyRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO keys (id, project_id, name, environment, digest, preview, scopes, issued_to, expires_at, \
        active, form_number, created_by, created_by_name, created_at, updated_at, networks, not_before, rate_limit, request_digest, \
        name_folded, issued_to_folded, description, description_folded) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
        ON CONFLICT (form_number) DO NOTHING";
    let fields = &key.fields;
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(key.id)
        .bind(key.project_id)
        .bind(&fields.name)
        .bind(key.environment)
        .bind(key.digest.as_slice())
        .bind(&key.preview)
        .bind(encode_list(&fields.scopes))
        .bind(&fields.issued_to)
        .bind(fields.expires_at.map(Timestamp::micros))
        .bind(true)
        .bind(key.form_number)
        .bind(key.created_by)
        .bind(&key.created_by_name)
        .bind(key.created_at)
        .bind(encode_list(&fields.networks.to_strings()))
        .bind(fields.not_before.map(Timestamp::micros))
        .bind(fields.rate_limit.map(String::from))
        .bind(key.request_digest.as_ref().map(<[u8; 32]>::as_slice))
        .bind(fold(&fields.name))
        .bind(fields.issued_to.as_deref().map(fold))
        .bind(&fields.description)
        .bind(fields.folded_description())
        .execute(c)
        .await?
        .rows_affected());
    tx.created_keys.push((key.id, key.digest));
    Ok(done == 1)
}

/// The key that was created with a form number, and the digest of the request.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CreatedKeyRow {
    pub id: Uuid,
    pub request_digest: Option<Vec<u8>>,
}

/// Returns the key that was created with this form number.
pub async fn find_by_form_number(conn: &mut Engine<'_>, form_number: Uuid) -> Result<Option<CreatedKeyRow>, Error> {
    const SQL: &str = "SELECT id, request_digest FROM keys WHERE form_number = $1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(form_number).fetch_optional(c).await?))
}

/// Locks the key's row until commit, so that a change starts from the values that are read next. SQLite needs no lock
/// because it has one writer.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM keys WHERE id = $1 FOR UPDATE";
    if let Engine::Postgres(c) = tx.reborrow() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// Sets `updated_at` to the time of the change, or to one microsecond after the previous change if the clock has not
/// advanced.
macro_rules! later {
    ($now:literal) => {
        concat!("updated_at = CASE WHEN updated_at < ", $now, " THEN ", $now, " ELSE updated_at + 1 END")
    };
}

/// Activates or deactivates a key. Returns `false` if the key does not exist or is deleted.
pub async fn set_active(tx: &mut Tx<'_>, id: Uuid, active: bool, now: i64) -> Result<bool, Error> {
    const SQL: &str = concat!("UPDATE keys SET active = $2, ", later!("$3"), " WHERE id = $1 AND deleted_at IS NULL");
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(active).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Marks a key as deleted, or restores it if `deleted_at` is `None`. Returns `false` if the key does not exist.
pub async fn set_deleted(tx: &mut Tx<'_>, id: Uuid, deleted_at: Option<i64>, now: i64) -> Result<bool, Error> {
    const SQL: &str = concat!("UPDATE keys SET deleted_at = $2, ", later!("$3"), " WHERE id = $1");
    let done =
        with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(deleted_at).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// An administrator's note on a key.
#[derive(Clone, Debug)]
pub struct NewNote {
    /// Whether only an administrator can activate the key again.
    pub held: bool,
    pub text: String,
    pub by: String,
}

/// Replaces the administrator's note on a key. Returns `false` if the key does not exist.
pub async fn set_note(tx: &mut Tx<'_>, id: Uuid, note: &NewNote, now: i64) -> Result<bool, Error> {
    const SQL: &str =
        concat!("UPDATE keys SET held = $2, note = $3, note_by = $4, note_at = $5, ", later!("$5"), " WHERE id = $1");
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(id)
        .bind(note.held)
        .bind(&note.text)
        .bind(&note.by)
        .bind(now)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Overwrites the editable fields. Returns `false` if the key does not exist or is deleted.
pub async fn edit(tx: &mut Tx<'_>, id: Uuid, fields: &KeyFields, now: i64) -> Result<bool, Error> {
    const SQL: &str = concat!(
        "UPDATE keys SET name = $2, scopes = $3, issued_to = $4, expires_at = $5, networks = $7, not_before = $8, rate_limit = $9, \
         name_folded = $10, issued_to_folded = $11, description = $12, description_folded = $13, ",
        later!("$6"),
        " WHERE id = $1 AND deleted_at IS NULL"
    );
    // See [`folding::refill`].
    const FOLD: &str = "UPDATE keys SET name_folded = $2, issued_to_folded = $3 WHERE id = $1 AND name_folded = '' AND deleted_at IS NULL";
    let (name_folded, issued_to_folded) = (fold(&fields.name), fields.issued_to.as_deref().map(fold));
    let done = with_engine!(tx, c => sqlx::query(SQL)
        .bind(id)
        .bind(&fields.name)
        .bind(encode_list(&fields.scopes))
        .bind(&fields.issued_to)
        .bind(fields.expires_at.map(Timestamp::micros))
        .bind(now)
        .bind(encode_list(&fields.networks.to_strings()))
        .bind(fields.not_before.map(Timestamp::micros))
        .bind(fields.rate_limit.map(String::from))
        .bind(&name_folded)
        .bind(&issued_to_folded)
        .bind(&fields.description)
        .bind(fields.folded_description())
        .execute(c)
        .await?
        .rows_affected());
    with_engine!(tx, c => { sqlx::query(FOLD).bind(id).bind(&name_folded).bind(&issued_to_folded).execute(c).await?; });
    Ok(done == 1)
}

/// Records the last use of a key, unless a later use is already stored.
pub async fn set_last_used(tx: &mut Tx<'_>, id: Uuid, at: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    with_engine!(tx, c => { sqlx::query(SQL).bind(id).bind(at).execute(c).await?; });
    Ok(())
}

/// Returns keys that were deleted at or before `before`, oldest deletion first, at most `limit`. With `before` at the
/// end of the restore period, these keys can no longer be restored.
pub async fn list_to_purge(conn: &mut Engine<'_>, before: i64, limit: i64) -> Result<Vec<KeyRow>, Error> {
    const SQL: &str =
        select_keys!("WHERE k.deleted_at IS NOT NULL AND k.deleted_at <= $1 ORDER BY k.deleted_at LIMIT $2");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(before).bind(limit).fetch_all(c).await?))
}

/// Deletes a deleted key permanently. Returns `false` if it does not exist or was restored meanwhile.
pub async fn purge(tx: &mut Tx<'_>, id: Uuid, before: i64) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM keys WHERE id = $1 AND deleted_at IS NOT NULL AND deleted_at <= $2";
    let done = with_engine!(tx, c => sqlx::query(SQL).bind(id).bind(before).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// An owner of a project.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnerRow {
    pub name: String,
    pub email: String,
}

/// Returns the owner of a project. If there are several, returns the one with the oldest membership.
pub async fn owner(conn: &mut Engine<'_>, project: Uuid) -> Result<Option<OwnerRow>, Error> {
    const SQL: &str = "SELECT u.name, u.email FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.project_id = $1 AND m.role = 'owner' ORDER BY m.created_at, u.id LIMIT 1";
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(project).fetch_optional(c).await?))
}

/// Returns the newest keys of a project that are not deleted, at most `limit`.
pub async fn list_newest_by_project(conn: &mut Engine<'_>, project: Uuid, limit: i64) -> Result<Vec<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.deleted_at IS NULL AND k.project_id = $1 ORDER BY k.id DESC LIMIT $2");
    Ok(with_engine!(conn, c => sqlx::query_as(SQL).bind(project).bind(limit).fetch_all(c).await?))
}

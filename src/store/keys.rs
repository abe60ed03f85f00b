//! Keys: rows, and the queries over them.

use super::{Conn, Error, Tx, on, words};
use crate::domain::{
    filter::{Ready, Sort},
    key::{Environment, Status},
};
use uuid::Uuid;

/// A key's row, with its project's name and archive state beside it.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct KeyRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub project_name: String,
    pub project_archived_at: Option<i64>,
    /// Seconds: the project's, or the policy's if that is shorter.
    pub token_life_max: i64,
    pub name: String,
    pub environment: String,
    pub preview: String,
    scopes: String,
    networks: String,
    /// As [`crate::domain::rate::RateLimit`] writes it.
    pub rate_limit: Option<String>,
    pub issued_to: Option<String>,
    pub not_before: Option<i64>,
    pub expires_at: Option<i64>,
    pub active: bool,
    pub deleted_at: Option<i64>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
    /// Later with every change of it, but for its use.
    pub updated_at: i64,
    pub last_used_at: Option<i64>,
    /// An administrator stopped it: only an administrator can start it again.
    pub held: bool,
    pub note: Option<String>,
    pub note_by: Option<String>,
    pub note_at: Option<i64>,
}

impl KeyRow {
    /// The scopes it was given.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if the column holds something else than a list of words.
    pub fn scopes(&self) -> Result<Vec<String>, Error> {
        words(&self.scopes, "list of a key's scopes")
    }

    /// The networks from which it may be used, as they were written.
    ///
    /// # Errors
    /// As [`KeyRow::scopes`].
    pub fn networks(&self) -> Result<Vec<String>, Error> {
        words(&self.networks, "list of a key's networks")
    }
}

/// A key that is to be.
#[derive(Clone, Debug)]
pub struct NewKeyRow {
    pub id: Uuid,
    pub project_id: Uuid,
    pub name: String,
    pub environment: &'static str,
    pub digest: [u8; 32],
    pub preview: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub networks: Vec<String>,
    pub not_before: Option<i64>,
    pub expires_at: Option<i64>,
    pub rate_limit: Option<String>,
    pub form_number: Option<Uuid>,
    /// SHA-256 of what a program asked that sent an idempotency key.
    pub request_digest: Option<[u8; 32]>,
    pub created_by: Option<Uuid>,
    pub created_by_name: String,
    pub created_at: i64,
}

/// A list of words as a text column holds it.
pub(super) fn list(words: &[String]) -> String {
    serde_json::json!(words).to_string()
}

/// The columns of a [`KeyRow`].
macro_rules! columns {
    () => {
        "k.id, k.project_id, p.name AS project_name, p.archived_at AS project_archived_at, \
         (SELECT CASE WHEN l.token_life_max < p.token_life_max THEN l.token_life_max ELSE p.token_life_max END FROM policy l \
         WHERE l.id = 1) AS token_life_max, k.name, \
         k.environment, k.preview, k.scopes, k.networks, k.rate_limit, k.issued_to, k.not_before, k.expires_at, k.active, k.deleted_at, k.created_by, \
         k.created_by_name, k.created_at, k.updated_at, k.last_used_at, k.held, k.note, k.note_by, k.note_at "
    };
}

macro_rules! select_keys {
    ($rest:literal) => {
        concat!("SELECT ", columns!(), "FROM keys k JOIN projects p ON p.id = k.project_id ", $rest)
    };
}

/// The key with this id.
pub async fn by_id(conn: &mut Conn<'_>, id: Uuid) -> Result<Option<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.id = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await?))
}

/// The key whose secret has this digest.
pub async fn by_digest(conn: &mut Conn<'_>, digest: &[u8; 32]) -> Result<Option<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.digest = $1");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(digest.as_slice()).fetch_optional(c).await?))
}

/// Inserts a key. `false`: a key was made with that form number before, and nothing was inserted.
pub async fn insert(tx: &mut Tx<'_>, key: &NewKeyRow) -> Result<bool, Error> {
    const SQL: &str = "INSERT INTO keys (id, project_id, name, environment, digest, preview, scopes, issued_to, expires_at, \
        active, form_number, created_by, created_by_name, created_at, updated_at, networks, not_before, rate_limit, request_digest) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18) \
        ON CONFLICT (form_number) DO NOTHING";
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(key.id)
        .bind(key.project_id)
        .bind(&key.name)
        .bind(key.environment)
        .bind(key.digest.as_slice())
        .bind(&key.preview)
        .bind(list(&key.scopes))
        .bind(&key.issued_to)
        .bind(key.expires_at)
        .bind(true)
        .bind(key.form_number)
        .bind(key.created_by)
        .bind(&key.created_by_name)
        .bind(key.created_at)
        .bind(list(&key.networks))
        .bind(key.not_before)
        .bind(&key.rate_limit)
        .bind(key.request_digest.as_ref().map(<[u8; 32]>::as_slice))
        .execute(c)
        .await?
        .rows_affected());
    tx.made.push((key.id, key.digest));
    Ok(done == 1)
}

/// The key that was made with a form number, and the digest of what was asked.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct MadeRow {
    pub id: Uuid,
    pub request_digest: Option<Vec<u8>>,
}

/// The key that was made with this form number.
pub async fn made_with(conn: &mut Conn<'_>, form_number: Uuid) -> Result<Option<MadeRow>, Error> {
    const SQL: &str = "SELECT id, request_digest FROM keys WHERE form_number = $1";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(form_number).fetch_optional(c).await?))
}

/// Takes the key's row until commit: what is read of it next is what the change starts from. On SQLite there is one writer.
pub async fn lock(tx: &mut Tx<'_>, id: Uuid) -> Result<(), Error> {
    const SQL: &str = "SELECT 1 FROM keys WHERE id = $1 FOR UPDATE";
    if let super::Engine::Postgres(c) = tx.engine() {
        sqlx::query(SQL).bind(id).execute(c).await?;
    }
    Ok(())
}

/// The instant of a change: later than that of the change before, even if the clock is not.
macro_rules! later {
    ($now:literal) => {
        concat!("updated_at = CASE WHEN updated_at < ", $now, " THEN ", $now, " ELSE updated_at + 1 END")
    };
}

/// Sets whether a key is accepted. `false`: there is no such key, or it is deleted.
pub async fn set_active(tx: &mut Tx<'_>, id: Uuid, active: bool, now: i64) -> Result<bool, Error> {
    const SQL: &str = concat!("UPDATE keys SET active = $2, ", later!("$3"), " WHERE id = $1 AND deleted_at IS NULL");
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(active).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Marks a key as deleted, or (with `None`) takes the mark away. `false`: there is no such key.
pub async fn set_deleted(tx: &mut Tx<'_>, id: Uuid, deleted_at: Option<i64>, now: i64) -> Result<bool, Error> {
    const SQL: &str = concat!("UPDATE keys SET deleted_at = $2, ", later!("$3"), " WHERE id = $1");
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(deleted_at).bind(now).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// What an administrator says of a key.
#[derive(Clone, Debug)]
pub struct NewNote {
    /// Whether only an administrator can start the key again.
    pub held: bool,
    pub text: String,
    pub by: String,
}

/// Writes what an administrator says of a key over what one said before. `false`: there is no such key.
pub async fn set_note(tx: &mut Tx<'_>, id: Uuid, note: &NewNote, now: i64) -> Result<bool, Error> {
    const SQL: &str =
        concat!("UPDATE keys SET held = $2, note = $3, note_by = $4, note_at = $5, ", later!("$5"), " WHERE id = $1");
    let done = on!(tx, c => sqlx::query(SQL)
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

/// What can be edited of a key; never its secret.
#[derive(Clone, Debug)]
pub struct Edit {
    pub name: String,
    pub scopes: Vec<String>,
    pub issued_to: Option<String>,
    pub networks: Vec<String>,
    pub not_before: Option<i64>,
    pub expires_at: Option<i64>,
    pub rate_limit: Option<String>,
}

/// Overwrites what can be edited. `false`: there is no such key, or it is deleted.
pub async fn edit(tx: &mut Tx<'_>, id: Uuid, edit: &Edit, now: i64) -> Result<bool, Error> {
    const SQL: &str = concat!(
        "UPDATE keys SET name = $2, scopes = $3, issued_to = $4, expires_at = $5, networks = $7, not_before = $8, rate_limit = $9, ",
        later!("$6"),
        " WHERE id = $1 AND deleted_at IS NULL"
    );
    let done = on!(tx, c => sqlx::query(SQL)
        .bind(id)
        .bind(&edit.name)
        .bind(list(&edit.scopes))
        .bind(&edit.issued_to)
        .bind(edit.expires_at)
        .bind(now)
        .bind(list(&edit.networks))
        .bind(edit.not_before)
        .bind(&edit.rate_limit)
        .execute(c)
        .await?
        .rows_affected());
    Ok(done == 1)
}

/// Notes when a key was last used, if that is later than what is known.
pub async fn set_last_used(tx: &mut Tx<'_>, id: Uuid, at: i64) -> Result<(), Error> {
    const SQL: &str = "UPDATE keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)";
    on!(tx, c => { sqlx::query(SQL).bind(id).bind(at).execute(c).await?; });
    Ok(())
}

/// Deleted keys whose time to be restored ended before `before`, at most `limit`.
pub async fn to_purge(conn: &mut Conn<'_>, before: i64, limit: i64) -> Result<Vec<KeyRow>, Error> {
    const SQL: &str =
        select_keys!("WHERE k.deleted_at IS NOT NULL AND k.deleted_at <= $1 ORDER BY k.deleted_at LIMIT $2");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(before).bind(limit).fetch_all(c).await?))
}

/// Removes a deleted key for good. `false`: it is not there, or was restored meanwhile.
pub async fn purge(tx: &mut Tx<'_>, id: Uuid, before: i64) -> Result<bool, Error> {
    const SQL: &str = "DELETE FROM keys WHERE id = $1 AND deleted_at IS NOT NULL AND deleted_at <= $2";
    let done = on!(tx, c => sqlx::query(SQL).bind(id).bind(before).execute(c).await?.rows_affected());
    Ok(done == 1)
}

/// Whose keys a list holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Of the projects that this user is a member of.
    By(Uuid),
    /// Of every project: for administrators.
    All,
}

impl Seen {
    fn user(self) -> Option<Uuid> {
        match self {
            Self::By(user) => Some(user),
            Self::All => None,
        }
    }
}

/// What a list is narrowed to, and the instants it is of.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    pub seen: Seen,
    /// `None`: whatever is not deleted.
    pub status: Option<Status>,
    pub project: Option<Uuid>,
    pub environment: Option<Environment>,
    /// Of projects that this user owns.
    pub owner: Option<Uuid>,
    pub view: Option<Ready>,
    /// In its name, its preview or whom it was issued to, in any case of letters.
    pub text: Option<&'a str>,
    /// Issued to just this name.
    pub issued_to: Option<&'a str>,
    /// A key that was last used before is [`Ready::Unused`].
    pub unused: i64,
    /// The instant for which statuses are.
    pub now: i64,
    /// A key that was deleted then or before is gone.
    pub ended: i64,
}

/// A status as [`listed!`] ranks it: the order of the list.
const fn rank(status: Status) -> i64 {
    match status {
        Status::Active => 0,
        Status::Scheduled => 1,
        Status::Expired => 2,
        Status::Inactive => 3,
        Status::Deleted => 4,
    }
}

/// The keys that somebody sees, each with its rank. $1: the user, none for an administrator; $2: now; $3: ended.
macro_rules! listed {
    () => {
        concat!(
            "(SELECT CAST(CASE WHEN k.deleted_at IS NOT NULL THEN 4 WHEN NOT k.active THEN 3 WHEN k.not_before > $2 THEN 1 \
             WHEN k.expires_at <= $2 THEN 2 ELSE 0 END AS BIGINT) AS rank, ",
            columns!(),
            "FROM keys k JOIN projects p ON p.id = k.project_id WHERE (k.deleted_at IS NULL OR k.deleted_at > $3) \
             AND ($1 IS NULL OR k.project_id IN (SELECT m.project_id FROM members m WHERE m.user_id = $1))) AS listed "
        )
    };
}

/// Whether a listed key is wanted. $4: the rank; $5: the project; $6: the environment; $7: the owner; $8: the ready view, for which
/// $9 is the end of being unused; $10 and $11: patterns of a text, in small letters and as it was typed (SQLite knows the small ones of
/// ASCII alone); $12: whom it was issued to; none of them, none asked for. What was made at the command line has no maker who could
/// leave.
macro_rules! wanted {
    () => {
        "(rank = $4 OR ($4 IS NULL AND rank < 4)) AND ($5 IS NULL OR project_id = $5) \
         AND ($6 IS NULL OR environment = $6) AND ($7 IS NULL OR project_id IN \
         (SELECT o.project_id FROM members o WHERE o.user_id = $7 AND o.role = 'owner')) \
         AND ($8 IS NULL OR ($8 = 'unused' AND rank < 4 AND COALESCE(last_used_at, created_at) < $9) \
         OR ($8 = 'endless' AND expires_at IS NULL) OR ($8 = 'left' AND created_by IS NOT NULL AND NOT EXISTS (SELECT 1 FROM members l \
         JOIN users u ON u.id = l.user_id WHERE l.project_id = listed.project_id AND l.user_id = listed.created_by AND u.active))) \
         AND ($10 IS NULL OR LOWER(name) LIKE $10 ESCAPE '!' OR name LIKE $11 ESCAPE '!' OR LOWER(preview) LIKE $10 ESCAPE '!' \
         OR LOWER(issued_to) LIKE $10 ESCAPE '!' OR issued_to LIKE $11 ESCAPE '!') AND ($12 IS NULL OR issued_to = $12)"
    };
}

/// Patterns for `LIKE` that find a text anywhere: as it was typed, and in small letters.
fn patterns(text: Option<&str>) -> (Option<String>, Option<String>) {
    let pattern = |text: &str| {
        let escaped: String =
            text.chars().flat_map(|c| matches!(c, '%' | '_' | '!').then_some('!').into_iter().chain([c])).collect();
        format!("%{escaped}%")
    };
    (text.map(pattern), text.map(|text| pattern(&text.to_lowercase())))
}

/// Where a page of the list begins: after the key with this place, title and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// What the list is sorted by, if that is a number, smallest first.
    pub place: i64,
    /// What it is sorted by, if that is a text.
    pub title: String,
    pub id: Uuid,
}

impl After {
    /// Before the first key of all.
    pub fn nothing() -> Self {
        Self { place: i64::MIN, title: String::new(), id: Uuid::max() }
    }
}

/// A row of the list, with where it stands.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct ListedRow {
    pub place: i64,
    pub title: String,
    #[sqlx(flatten)]
    pub key: KeyRow,
}

/// The keys that are wanted after that one, at most `limit`.
pub async fn page(
    conn: &mut Conn<'_>,
    wanted: &Wanted<'_>,
    sort: Sort,
    after: &After,
    limit: i64,
) -> Result<Vec<ListedRow>, Error> {
    // One statement for every order: what is not sorted by is the same in all rows. A negative last use sorts the latest first.
    const SQL: &str = concat!(
        "SELECT * FROM (SELECT listed.*, CAST(CASE $13 WHEN 'status' THEN rank WHEN 'used' THEN -COALESCE(last_used_at, -1) \
         WHEN 'expires' THEN COALESCE(expires_at, 9223372036854775807) ELSE 0 END AS BIGINT) AS place, \
         CASE $13 WHEN 'name' THEN LOWER(name) ELSE '' END AS title FROM ",
        listed!(),
        "WHERE ",
        wanted!(),
        ") AS placed WHERE place > $14 OR (place = $14 AND (title > $15 OR (title = $15 AND id < $16))) \
         ORDER BY place, title, id DESC LIMIT $17"
    );
    let (text, lower) = patterns(wanted.text);
    Ok(on!(conn, c => sqlx::query_as(SQL)
        .bind(wanted.seen.user())
        .bind(wanted.now)
        .bind(wanted.ended)
        .bind(wanted.status.map(rank))
        .bind(wanted.project)
        .bind(wanted.environment.map(Environment::as_str))
        .bind(wanted.owner)
        .bind(wanted.view.map(Ready::as_str))
        .bind(wanted.unused)
        .bind(lower.as_deref())
        .bind(text.as_deref())
        .bind(wanted.issued_to)
        .bind(sort.as_str())
        .bind(after.place)
        .bind(&after.title)
        .bind(after.id)
        .bind(limit)
        .fetch_all(c)
        .await?))
}

/// How many keys a list holds on all its pages, and how many there are besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Counts {
    /// Those that are wanted.
    pub total: i64,
    /// Active keys among these that expire in the given time.
    pub expiring: i64,
    /// Those not deleted, wanted or not.
    pub kept: i64,
    /// Those deleted, wanted or not.
    pub deleted: i64,
}

/// Counts the keys; `soon` is the end of what counts as expiring.
pub async fn counts(conn: &mut Conn<'_>, wanted: &Wanted<'_>, soon: i64) -> Result<Counts, Error> {
    const SQL: &str = concat!(
        "SELECT COUNT(CASE WHEN ",
        wanted!(),
        " THEN 1 END) AS total, COUNT(CASE WHEN rank = 0 AND expires_at <= $13 AND ",
        wanted!(),
        " THEN 1 END) AS expiring, COUNT(CASE WHEN rank < 4 THEN 1 END) AS kept, COUNT(CASE WHEN rank = 4 THEN 1 END) AS deleted \
         FROM ",
        listed!()
    );
    let (text, lower) = patterns(wanted.text);
    Ok(on!(conn, c => sqlx::query_as(SQL)
        .bind(wanted.seen.user())
        .bind(wanted.now)
        .bind(wanted.ended)
        .bind(wanted.status.map(rank))
        .bind(wanted.project)
        .bind(wanted.environment.map(Environment::as_str))
        .bind(wanted.owner)
        .bind(wanted.view.map(Ready::as_str))
        .bind(wanted.unused)
        .bind(lower.as_deref())
        .bind(text.as_deref())
        .bind(wanted.issued_to)
        .bind(soon)
        .fetch_one(c)
        .await?))
}

/// An owner of a project.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OwnerRow {
    pub name: String,
    pub email: String,
}

/// The owner of a project; of several, the one who has been it longest.
pub async fn owner(conn: &mut Conn<'_>, project: Uuid) -> Result<Option<OwnerRow>, Error> {
    const SQL: &str = "SELECT u.name, u.email FROM members m JOIN users u ON u.id = m.user_id \
        WHERE m.project_id = $1 AND m.role = 'owner' ORDER BY m.created_at, u.id LIMIT 1";
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(project).fetch_optional(c).await?))
}

/// The keys of a project for the command line, newest first; all projects if `None`.
pub async fn of_project(conn: &mut Conn<'_>, project: Option<Uuid>) -> Result<Vec<KeyRow>, Error> {
    const ALL: &str = select_keys!("WHERE k.deleted_at IS NULL ORDER BY k.id DESC");
    const ONE: &str = select_keys!("WHERE k.deleted_at IS NULL AND k.project_id = $1 ORDER BY k.id DESC");
    Ok(match project {
        None => on!(conn, c => sqlx::query_as(ALL).fetch_all(c).await?),
        Some(id) => on!(conn, c => sqlx::query_as(ONE).bind(id).fetch_all(c).await?),
    })
}

/// Deleted keys of a project, the newest first, that ended after `ended`; of all projects if `None`.
pub async fn deleted(conn: &mut Conn<'_>, project: Option<Uuid>, ended: i64) -> Result<Vec<KeyRow>, Error> {
    const SQL: &str = select_keys!("WHERE k.deleted_at > $2 AND ($1 IS NULL OR k.project_id = $1) ORDER BY k.id DESC");
    Ok(on!(conn, c => sqlx::query_as(SQL).bind(project).bind(ended).fetch_all(c).await?))
}

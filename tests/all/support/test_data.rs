//! Test data: creates records, and reads the database without the service.

use super::{TestServer, browser::Page};
use keyward::{
    domain::{
        ids::{KeyId, ProjectId},
        key::Key,
        secret::PlainSecret,
        transition::Transition,
    },
    service::{
        Error,
        actor::{Actor, Caller},
        keys::{KeyDraft, Keys, PatchDraft, Precondition, RestrictionsDraft},
    },
    store::{self, Engine, Pool, keys::KeyRow, write_queue::WriteOutcome},
};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// A created key with its secret.
pub struct CreatedKey {
    pub id: KeyId,
    pub project: ProjectId,
    pub secret: String,
}

/// Applies a transition to a key as a member of its project.
pub async fn change_key(keys: &Keys, member: &Caller, id: KeyId, transition: Transition) -> Result<Key, Error> {
    keys.transition(&Actor::User(member.clone()), id, transition, Precondition::default()).await
}

/// Applies a transition to a key as an administrator.
pub async fn change_any_key(
    keys: &Keys,
    administrator: &Caller,
    id: KeyId,
    transition: Transition,
    reason: &str,
) -> Result<Key, Error> {
    let actor = Actor::Administrator(administrator.clone());
    keys.transition(&actor, id, transition, Precondition::with_reason(reason)).await
}

/// The value of an edit form's field that stays as it is.
pub const KEEP: &str = "keep";

/// The fields of the edit form, which sends each of them.
#[derive(Clone, Debug)]
pub struct KeyEdit {
    /// The version of the key that the form started from.
    pub version: i64,
    pub name: String,
    /// [`KEEP`], or a choice as for a new key.
    pub expires: String,
    pub expires_on: String,
    pub scopes: Vec<String>,
    pub issued_to: String,
    /// `not_before` may be [`KEEP`] too.
    pub restrictions: RestrictionsDraft,
}

impl From<KeyEdit> for PatchDraft {
    fn from(edit: KeyEdit) -> Self {
        let RestrictionsDraft { networks, not_before, rate, per, burst } = edit.restrictions;
        let restrictions = Self {
            networks: Some(networks),
            not_before: (not_before != KEEP).then_some(not_before),
            rate: Some([rate, per, burst]),
            ..Self::default()
        };
        Self {
            name: Some(edit.name),
            scopes: Some(edit.scopes),
            expires: (edit.expires != KEEP).then_some((edit.expires, edit.expires_on)),
            issued_to: Some(edit.issued_to),
            ..restrictions
        }
    }
}

/// Converts into the actor of an operation: a [`Caller`] acts as a user.
pub trait AsActor {
    fn as_actor(&self) -> Actor;
}

impl AsActor for Caller {
    fn as_actor(&self) -> Actor {
        Actor::User(self.clone())
    }
}

impl AsActor for Actor {
    fn as_actor(&self) -> Actor {
        self.clone()
    }
}

impl<A: AsActor> AsActor for &A {
    fn as_actor(&self) -> Actor {
        (**self).as_actor()
    }
}

/// Operations on keys as the forms and the command line run them: they parse the text fields first.
pub trait KeyForms {
    async fn create_from(&self, by: &impl AsActor, draft: KeyDraft) -> Result<(Key, PlainSecret), Error>;
    async fn edit_from(&self, by: &impl AsActor, id: KeyId, edit: KeyEdit) -> Result<Key, Error>;
    async fn patch_from(&self, by: &impl AsActor, id: KeyId, draft: &PatchDraft) -> Result<Key, Error>;
    async fn get_for(&self, by: &impl AsActor, id: KeyId) -> Result<Key, Error>;
}

impl KeyForms for Keys {
    async fn create_from(&self, by: &impl AsActor, draft: KeyDraft) -> Result<(Key, PlainSecret), Error> {
        let actor = by.as_actor();
        let spec = draft.parse(&self.defaults(&actor, None).await?)?;
        self.create(&actor, spec).await
    }

    async fn edit_from(&self, by: &impl AsActor, id: KeyId, edit: KeyEdit) -> Result<Key, Error> {
        let (actor, version) = (by.as_actor(), edit.version);
        let defaults = self.defaults(&actor, None).await?;
        let patch = PatchDraft::from(edit).parse(&defaults.zone, defaults.now)?;
        self.edit(&actor, id, patch, Precondition::with_version(version)).await
    }

    async fn patch_from(&self, by: &impl AsActor, id: KeyId, draft: &PatchDraft) -> Result<Key, Error> {
        let actor = by.as_actor();
        let defaults = self.defaults(&actor, None).await?;
        self.edit(&actor, id, draft.parse(&defaults.zone, defaults.now)?, Precondition::default()).await
    }

    async fn get_for(&self, by: &impl AsActor, id: KeyId) -> Result<Key, Error> {
        self.get(&by.as_actor(), id).await
    }
}

impl TestServer {
    /// Returns the user's own project.
    pub async fn project_of(&self, caller: &Caller) -> ProjectId {
        self.app.keys.new_key_form(caller).await.expect("a form").projects[0].id
    }

    pub fn draft(&self, project: ProjectId, name: &str) -> KeyDraft {
        KeyDraft {
            environment: "live".into(),
            expires: "90d".into(),
            scopes: vec!["data:read".into(), "usage:read".into()],
            ..KeyDraft::new(project, self.app.context.new_id().into(), name)
        }
    }

    /// Creates a key in the user's own project, valid for 90 days, with the scopes `data:read` and `usage:read`.
    pub async fn create_key(&self, caller: &Caller, name: &str) -> CreatedKey {
        let project = self.project_of(caller).await;
        let (key, secret) = self.app.keys.create_from(caller, self.draft(project, name)).await.expect("a key is made");
        CreatedKey { id: key.id, project, secret: secret.expose().to_owned() }
    }

    /// Like [`Self::create_key`], but returns the ID or the error.
    pub async fn try_create_key(&self, caller: &Caller, name: &str) -> Result<KeyId, Error> {
        let project = self.app.keys.new_key_form(caller).await?.projects[0].id;
        Ok(self.app.keys.create_from(caller, self.draft(project, name)).await?.0.id)
    }

    /// Adds a user to a project.
    pub async fn add_member(&self, project: ProjectId, caller: &Caller, role: &'static str) {
        let (user, now) = (caller.user, self.app.context.now());
        let write = self.app.context.queue.write(move |tx| {
            Box::pin(async move {
                store::projects::add_member(tx, project.into(), user.into(), role, now.micros()).await?;
                Ok::<_, Error>(WriteOutcome::unaudited(()))
            })
        });
        write.await.expect("a member joins");
    }

    /// Formats an ID as a literal of the engine's SQL dialect.
    pub fn literal(&self, id: impl Into<Uuid>) -> String {
        let id: Uuid = id.into();
        match self.app.context.pool {
            Pool::Sqlite { .. } => format!("x'{}'", id.simple()),
            Pool::Postgres(_) => format!("'{id}'"),
        }
    }

    /// Executes one or more statements on the database, without the service.
    pub async fn execute_sql(&self, sql: &str) {
        let sql = sql.to_owned();
        let write = self.app.context.queue.write(move |tx| {
            let sql = AssertSqlSafe(sql.clone());
            Box::pin(async move {
                match &mut **tx {
                    Engine::Sqlite(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(|_| ()),
                    Engine::Postgres(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(|_| ()),
                }
                .map_err(store::Error::from)?;
                Ok::<_, Error>(WriteOutcome::unaudited(()))
            })
        });
        write.await.expect("the database takes it");
    }

    /// Returns the number that a query selects.
    pub async fn query_number(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        let mut reader = self.app.context.pool.acquire_reader().await.expect("a reader");
        match reader.conn() {
            Engine::Sqlite(c) => sqlx::query_scalar(sql).fetch_one(c).await,
            Engine::Postgres(c) => sqlx::query_scalar(sql).fetch_one(c).await,
        }
        .expect("a number")
    }

    /// Returns the texts that a query with one column selects.
    pub async fn query_texts(&self, sql: &str) -> Vec<String> {
        let sql = AssertSqlSafe(sql.to_owned());
        let mut reader = self.app.context.pool.acquire_reader().await.expect("a reader");
        match reader.conn() {
            Engine::Sqlite(c) => sqlx::query_scalar(sql).fetch_all(c).await,
            Engine::Postgres(c) => sqlx::query_scalar(sql).fetch_all(c).await,
        }
        .expect("texts")
    }

    /// Returns the byte strings that a query with one column selects.
    pub async fn query_blobs(&self, sql: &str) -> Vec<Vec<u8>> {
        let sql = AssertSqlSafe(sql.to_owned());
        let mut reader = self.app.context.pool.acquire_reader().await.expect("a reader");
        match reader.conn() {
            Engine::Sqlite(c) => sqlx::query_scalar(sql).fetch_all(c).await,
            Engine::Postgres(c) => sqlx::query_scalar(sql).fetch_all(c).await,
        }
        .expect("bytes")
    }

    pub async fn key_row(&self, id: KeyId) -> Option<KeyRow> {
        let mut reader = self.app.context.pool.acquire_reader().await.expect("a reader");
        store::keys::by_id(&mut reader.conn(), id.into()).await.expect("readable")
    }

    /// Returns all stored columns of a key as one text, for comparison.
    pub async fn stored_key(&self, id: KeyId) -> String {
        format!("{:?}", self.key_row(id).await)
    }

    /// Returns the number of events with this action in the audit log.
    pub async fn events(&self, action: &str) -> i64 {
        self.query_number(&format!("SELECT COUNT(*) FROM audit_events WHERE action = '{action}'")).await
    }
}

impl Page {
    /// Returns the nonce of the response's content security policy.
    pub fn nonce(&self) -> Option<&str> {
        self.header("content-security-policy").split("'nonce-").nth(1)?.split('\'').next()
    }

    /// Returns the body with the values that differ between responses masked: the nonce and these words.
    pub fn masked(&self, words: &[&str]) -> String {
        let mut text = self.text().to_owned();
        for word in words.iter().copied().chain(self.nonce()) {
            text = text.replace(word, "…");
        }
        text
    }

    /// Checks every member of a problem document (RFC 9457) and returns its reason code.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}: {}", self.status, self.text());
        let body = self.json();
        assert_eq!(body["status"], self.status, "{body}");
        for member in ["title", "code", "detail"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body}");
        }
        assert!(self.header("cache-control").contains("no-store"), "{body}");
        body["code"].as_str().expect("a code").to_owned()
    }
}

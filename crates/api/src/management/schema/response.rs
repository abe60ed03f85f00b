//! Response bodies of the management API.

use keyward_domain::{
    ids::{KeyId, ProjectId},
    key::{Environment, KeyView, Status},
    rate::RateLimit,
    scope::ScopeView,
    sensitive::RevealedSecret,
};
use keyward_service::projects::ProgramProject;
use serde::Serialize;

/// A key; never its secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Key {
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    key_id: KeyId,
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    project_id: ProjectId,
    name: String,
    /// The prefix of its secret and four characters.
    #[cfg_attr(test, schema(example = "kw_live_3fA9"))]
    preview: String,
    /// Which world it opens: it stands in the secret's prefix too.
    #[cfg_attr(test, schema(value_type = String, pattern = "^(live|test)$"))]
    environment: Environment,
    scopes: Vec<String>,
    /// At the instant of the answer.
    #[cfg_attr(test, schema(value_type = String, pattern = "^(deleted|inactive|scheduled|expired|active)$"))]
    status: Status,
    #[cfg_attr(test, schema(required))]
    issued_to: Option<String>,
    /// The networks from which it may be used, in CIDR notation; none: from anywhere.
    networks: Vec<String>,
    /// It is refused before then; null: it works at once.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    not_before: Option<String>,
    /// It is refused from then on; null: it never expires.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    expires_at: Option<String>,
    /// How often it may be used; null: as often as anybody likes.
    #[cfg_attr(test, schema(required, example = "100/minute,burst=20"))]
    rate_limit: Option<String>,
    #[cfg_attr(test, schema(format = "date-time"))]
    created_at: String,
    /// The name of the person or the key that made it, at that time.
    created_by: String,
    #[cfg_attr(test, schema(required, format = "date-time"))]
    last_used_at: Option<String>,
    /// Of a deleted key: from then on it cannot be restored.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    gone_at: Option<String>,
    /// Why an administrator stopped it: only an administrator can start it again.
    #[cfg_attr(test, schema(required))]
    stopped_because: Option<String>,
}

impl From<KeyView> for Key {
    fn from(key: KeyView) -> Self {
        let limit = key.rate_limit.and_then(|rate| {
            let burst = rate.burst.to_string();
            RateLimit::from_form(&rate.calls.to_string(), &rate.per, &burst).ok().flatten()
        });
        Self {
            key_id: key.id,
            project_id: key.project_id,
            name: key.name,
            preview: key.preview,
            environment: key.environment,
            scopes: key.scopes,
            status: key.status,
            issued_to: key.issued_to,
            networks: key.networks,
            not_before: key.not_before.map(|moment| moment.iso),
            expires_at: key.expires.map(|moment| moment.iso),
            rate_limit: limit.map(|limit| limit.to_string()),
            created_at: key.created.iso,
            created_by: key.created_by,
            last_used_at: key.last_used.map(|moment| moment.iso),
            gone_at: key.gone.map(|moment| moment.iso),
            stopped_because: key.note.filter(|note| note.held).map(|note| note.text),
        }
    }
}

/// A key that was just made, with its secret: the one answer that has it.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct MadeKey {
    /// 64 characters. It cannot be shown again.
    #[cfg_attr(test, schema(value_type = String, pattern = "^kw_(live|test)_[0-9A-Za-z]{56}$"))]
    pub secret: RevealedSecret,
    #[serde(flatten)]
    pub key: Key,
}

/// A page of keys, the newest first.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Keys {
    pub keys: Vec<Key>,
    /// Goes into `cursor` for the page that follows; null: there is none.
    #[cfg_attr(test, schema(required))]
    pub next_cursor: Option<String>,
    /// Keys that match, on all pages, as far as they were counted: at most 10,000.
    pub total: u64,
    /// Whether the total is exact; otherwise there can be more.
    pub total_is_exact: bool,
}

/// A project.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Project {
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    project_id: ProjectId,
    name: String,
    #[cfg_attr(test, schema(format = "date-time"))]
    created_at: String,
    /// While it is archived its keys and tokens are refused: no program reads true.
    archived: bool,
    /// Its keys that are not deleted.
    keys: u64,
    /// The longest life of its tokens, in seconds.
    token_life_max: i64,
    /// What its keys may be given.
    scopes: Vec<Scope>,
}

/// A scope that a project offers.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Scope {
    name: String,
    description: String,
}

impl From<ProgramProject> for Project {
    fn from(project: ProgramProject) -> Self {
        let scope = |ScopeView { name, description }| Scope { name: name.into(), description };
        Self {
            project_id: project.id,
            name: project.name,
            created_at: project.created.iso,
            archived: project.archived,
            keys: project.keys,
            token_life_max: project.token_life_max,
            scopes: project.scopes.into_iter().map(scope).collect(),
        }
    }
}

/// The projects that the token's key belongs to: one.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Projects {
    pub projects: Vec<Project>,
    /// Always null: there is no second page.
    #[cfg_attr(test, schema(required))]
    pub next_cursor: Option<String>,
}

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

/// A key without its secret.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Key {
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    key_id: KeyId,
    #[cfg_attr(test, schema(value_type = String, format = "uuid"))]
    project_id: ProjectId,
    name: String,
    /// The prefix of the secret and its first four characters.
    #[cfg_attr(test, schema(example = "kw_live_3fA9"))]
    preview: String,
    /// The environment, which is also in the prefix of the secret.
    #[cfg_attr(test, schema(value_type = String, pattern = "^(live|test)$"))]
    environment: Environment,
    scopes: Vec<String>,
    /// The status at the time of the response.
    #[cfg_attr(test, schema(value_type = String, pattern = "^(deleted|inactive|scheduled|expired|active)$"))]
    status: Status,
    #[cfg_attr(test, schema(required))]
    issued_to: Option<String>,
    /// Allowed networks in CIDR notation. Empty: any network.
    networks: Vec<String>,
    /// The key is denied before this time. null: valid immediately.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    not_before: Option<String>,
    /// The key is denied from this time. null: never expires.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    expires_at: Option<String>,
    /// The rate limit. null: no limit.
    #[cfg_attr(test, schema(required, example = "100/minute,burst=20"))]
    rate_limit: Option<String>,
    #[cfg_attr(test, schema(format = "date-time"))]
    created_at: String,
    /// The name of the user or key that created it, at that time.
    created_by: String,
    #[cfg_attr(test, schema(required, format = "date-time"))]
    last_used_at: Option<String>,
    /// For a deleted key: it cannot be restored from this time.
    #[cfg_attr(test, schema(required, format = "date-time"))]
    gone_at: Option<String>,
    /// The reason for which an administrator deactivated the key. Only an administrator can activate it again.
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

/// A new key with its secret, which only this response contains.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct CreatedKey {
    /// 64 characters. It cannot be retrieved again.
    #[cfg_attr(test, schema(value_type = String, pattern = "^kw_(live|test)_[0-9A-Za-z]{56}$"))]
    pub secret: RevealedSecret,
    #[serde(flatten)]
    pub key: Key,
}

/// A page of keys, newest first.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Keys {
    pub keys: Vec<Key>,
    /// The value of `cursor` for the next page. null: this is the last page.
    #[cfg_attr(test, schema(required))]
    pub next_cursor: Option<String>,
    /// Number of matching keys on all pages, counted up to 10,000.
    pub total: u64,
    /// Whether `total` is exact. If false, there can be more keys.
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
    /// Whether the project is archived. Keys and tokens of an archived project are denied, so no client reads true.
    archived: bool,
    /// Number of its keys that are not deleted.
    keys: u64,
    /// Maximum lifetime of its tokens, in seconds.
    token_life_max: i64,
    /// The scopes that its keys can have.
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

/// The project of the client’s key, as a list with one entry.
#[derive(Serialize)]
#[cfg_attr(test, derive(utoipa::ToSchema))]
pub struct Projects {
    pub projects: Vec<Project>,
    /// Always null: there is no second page.
    #[cfg_attr(test, schema(required))]
    pub next_cursor: Option<String>,
}

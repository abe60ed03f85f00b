//! A project in responses of the management API.

use keyward_domain::{ids::ProjectId, scope::ScopeView};
use keyward_service::projects::ProgramProject;
use serde::Serialize;

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

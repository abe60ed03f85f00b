//! Management API: `/v1/projects` and the keys of a project. One operation per file, except for the lifecycle
//! operations.
//!
//! A client authenticates with an access token whose audience is `/v1`, issued for a key that has the scope
//! `keyward:keys.read` or `keyward:keys.write`. The response for another project's object is byte for byte the response
//! for a missing one.

mod etag;
mod extractors;
pub mod keys;
pub mod projects;
pub mod schema;

use axum::http::{StatusCode, header};
use keyward_domain::ids::ProjectId;
use keyward_edge::problem::Problem;
use keyward_service::Error;

/// Parses an id of the path. An invalid id is a 404.
fn parse_id<T: std::str::FromStr + ToString>(text: &str) -> Result<T, Error> {
    // Ids have several notations. Only the canonical one is accepted, since no other is ever issued.
    text.parse().ok().filter(|id: &T| id.to_string() == text).ok_or(Error::NotFound)
}

/// Returns the path of a key.
fn key_location(project: ProjectId, key: impl std::fmt::Display) -> String {
    format!("/v1/projects/{project}/keys/{key}")
}

/// 422 for a body whose members are valid by themselves but not together.
fn invalid_body(words: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", words)
}

/// 422 for an invalid query.
fn invalid_query(words: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_query", words)
}

/// Responses are specific to the caller and must not be cached.
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// A project as the API returns it, for the command line.
pub fn project_json(project: keyward_service::projects::ProgramProject) -> serde_json::Value {
    serde_json::to_value(schema::Project::from(project)).unwrap_or_default()
}

/// A key as the API returns it, for the command line.
pub fn key_json(key: keyward_domain::key::Key) -> serde_json::Value {
    serde_json::to_value(schema::Key::from(key)).unwrap_or_default()
}

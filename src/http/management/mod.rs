//! Management by program: `/v1/projects`, and the keys in one. One verb a file, but for those of the state.
//!
//! Who asks is said by an access token whose audience is `/v1`, made of a key that has `keyward:keys.read` or `keyward:keys.write`.
//! What is another's is as good as missing, to the byte.

mod caller;
mod etag;
pub mod keys;
pub mod projects;
pub mod wire;

use super::problem::Problem;
use crate::{domain::ids::ProjectId, service::Error};
use axum::http::{StatusCode, header};

/// An id in an address. A text that is none names what is not there.
fn id<T: std::str::FromStr + ToString>(text: &str) -> Result<T, Error> {
    // An id can be written in other ways than ours; such an address was never given out.
    text.parse().ok().filter(|id: &T| id.to_string() == text).ok_or(Error::NotFound)
}

/// The address of a key.
fn address(project: ProjectId, key: impl std::fmt::Display) -> String {
    format!("/v1/projects/{project}/keys/{key}")
}

/// A body whose members are right one by one, and not together.
fn invalid_body(words: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_body", words)
}

/// A query that was not understood.
fn invalid_query(words: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_query", words)
}

/// Every answer is for the one who asked, and no cache keeps it.
const NO_STORE: (header::HeaderName, &str) = (header::CACHE_CONTROL, "no-store");

/// A project as the API shows it, for the command line.
pub fn wire_project(project: crate::service::projects::ProgramProject) -> serde_json::Value {
    serde_json::to_value(wire::Project::from(project)).unwrap_or_default()
}

/// A key as the API shows it, for the command line.
pub fn wire_key(key: crate::domain::key::KeyView) -> serde_json::Value {
    serde_json::to_value(wire::Key::from(key)).unwrap_or_default()
}

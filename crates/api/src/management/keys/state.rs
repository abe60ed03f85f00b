//! Lifecycle of a key: deactivate, activate, delete, restore. Each is idempotent. With `If-Match` it applies only to
//! that version of the key.

use super::key_response;
use crate::management::{etag, extractors::CanWrite, parse_id};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use keyward_domain::transition::Transition;
use keyward_edge::problem::Problem;
use keyward_service::{
    Services,
    actor::{Actor, ManagementClient},
    keys::Precondition,
};

/// The project id and the key id of the path.
type KeyPathParams = Path<(String, String)>;

/// Applies a transition to the key of the path, if it has one of the versions in `If-Match`.
async fn apply(
    app: &Services,
    program: ManagementClient,
    Path((project, key)): KeyPathParams,
    headers: &HeaderMap,
    transition: Transition,
) -> Result<Response, Problem> {
    let (project, key) = (parse_id(&project)?, parse_id(&key)?);
    let versions = etag::parse_if_match(headers)?;
    program.check_project(project)?;
    let precondition = Precondition { project: Some(project), versions, reason: None };
    let key = app.keys.transition(&Actor::Program(program), key, transition, precondition).await?;
    Ok(key_response(key))
}

/// `POST …/keys/{key}/deactivate`: the key is denied from the next request until it is activated.
pub async fn deactivate(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    path: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    apply(&app, program, path, &headers, Transition::Deactivate).await
}

/// `POST …/keys/{key}/activate`: the key is accepted again.
pub async fn activate(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    path: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    apply(&app, program, path, &headers, Transition::Activate).await
}

/// `DELETE …/keys/{key}`: the key is denied from the next request. It can be restored for seven days.
pub async fn delete(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    path: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    apply(&app, program, path, &headers, Transition::Delete).await
}

/// `POST …/keys/{key}/restore`: a deleted key returns to its previous state.
pub async fn restore(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    path: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    apply(&app, program, path, &headers, Transition::Restore).await
}

//! Lifecycle of a key: deactivate, activate, delete, restore. Each is idempotent. With `If-Match` it applies only to
//! that version of the key.

use super::key_response;
use crate::management::{etag, extractors::CanWrite, parse_id};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use keyward_edge::problem::Problem;
use keyward_service::{
    Services,
    keys::{IfMatch, KeyPath},
};

/// The project id and the key id of the path.
type KeyPathParams = Path<(String, String)>;

/// Returns the key of the path and the versions in `If-Match`.
fn parse_target(Path((project, key)): &KeyPathParams, headers: &HeaderMap) -> Result<(KeyPath, IfMatch), Problem> {
    Ok((KeyPath { project: parse_id(project)?, key: parse_id(key)? }, etag::parse_if_match(headers)?))
}

/// `POST …/keys/{key}/deactivate`: the key is denied from the next request until it is activated.
pub async fn deactivate(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    named: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = parse_target(&named, &headers)?;
    Ok(key_response(app.keys.deactivate_by_program(program, &at, versions).await?))
}

/// `POST …/keys/{key}/activate`: the key is accepted again.
pub async fn activate(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    named: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = parse_target(&named, &headers)?;
    Ok(key_response(app.keys.activate_by_program(program, &at, versions).await?))
}

/// `DELETE …/keys/{key}`: the key is denied from the next request. It can be restored for seven days.
pub async fn delete(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    named: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = parse_target(&named, &headers)?;
    Ok(key_response(app.keys.delete_by_program(program, &at, versions).await?))
}

/// `POST …/keys/{key}/restore`: a deleted key returns to its previous state.
pub async fn restore(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    named: KeyPathParams,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = parse_target(&named, &headers)?;
    Ok(key_response(app.keys.restore_by_program(program, &at, versions).await?))
}

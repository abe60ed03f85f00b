//! `PATCH /v1/projects/{id}/keys/{key}`: updates a key. Requires `If-Match` with the key's version.

use super::key_response;
use crate::management::{
    etag,
    extractors::CanWrite,
    invalid_body, parse_id,
    schema::{Expiry, KeyChanges},
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use keyward_edge::{json::Json, problem::Problem};
use keyward_service::{Services, actor::Actor, keys::Precondition};

pub async fn handle(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Json<KeyChanges>, Problem>,
) -> Result<Response, Problem> {
    let (project, key) = (parse_id(&project)?, parse_id(&key)?);
    // A missing key is a 404 even if the rest of the request is invalid.
    program.check_project(project)?;
    let actor = Actor::Program(program);
    let current = app.keys.get(&actor, key).await?;
    let versions = etag::require_if_match(&headers)?;
    let Json(changes) = body?;
    let expiry = changes.expiry().map_err(invalid_body)?;
    etag::check_version(versions.as_deref(), current.version)?;
    let patch = changes.parse(expiry.as_ref(), app.context.now())?;
    // The write compares the version again, because the key may change after this read.
    let precondition = Precondition { project: Some(project), versions, reason: None };
    let edited = app.keys.edit(&actor, key, patch, precondition).await;
    Ok(key_response(edited.map_err(|error| Expiry::rename_error(expiry.as_ref(), error))?))
}

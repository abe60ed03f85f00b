//! `PATCH /v1/projects/{id}/keys/{key}`: updates a key. Requires `If-Match` with the key's version.

use super::key_response;
use crate::management::{etag, extractors::CanWrite, invalid_body, parse_id, schema::KeyChanges};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use keyward_edge::{json::Json, problem::Problem};
use keyward_service::Services;

pub async fn handle(
    State(app): State<Services>,
    CanWrite(program): CanWrite,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Json<KeyChanges>, Problem>,
) -> Result<Response, Problem> {
    let (project, key) = (parse_id(&project)?, parse_id(&key)?);
    // A missing key is a 404 even if the rest of the request is invalid.
    app.keys.get_by_program(&program, project, key).await?;
    let versions = etag::require_if_match(&headers)?;
    let Json(requested) = body?;
    let changes = requested.try_into().map_err(invalid_body)?;
    Ok(key_response(app.keys.edit_by_program(&program, project, key, versions.as_deref(), &changes).await?))
}

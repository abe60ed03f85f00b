//! `PATCH /v1/projects/{id}/keys/{key}`: updates a key. Requires `If-Match` with the key's version.

use super::shown;
use crate::{
    http::{
        json::Json,
        management::{caller::Writes, etag, id, invalid_body, wire::KeyChanges},
        problem::Problem,
    },
    service::App,
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

pub async fn handle(
    State(app): State<App>,
    Writes(program): Writes,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Result<Json<KeyChanges>, Problem>,
) -> Result<Response, Problem> {
    let (project, key) = (id(&project)?, id(&key)?);
    // A missing key is a 404 even if the rest of the request is invalid.
    app.keys.get_by_program(&program, project, key).await?;
    let versions = etag::asked(&headers)?;
    let Json(said) = body?;
    let changes = said.try_into().map_err(invalid_body)?;
    Ok(shown(app.keys.edit_by_program(&program, project, key, versions.as_deref(), &changes).await?))
}

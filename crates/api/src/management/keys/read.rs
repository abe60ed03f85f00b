//! `GET /v1/projects/{id}/keys/{key}`: returns a key.

use super::key_response;
use crate::{
    etag::not_modified,
    management::{extractors::CanRead, parse_id},
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use keyward_edge::problem::Problem;
use keyward_service::Services;

pub async fn handle(
    State(app): State<Services>,
    CanRead(program): CanRead,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = app.keys.get_by_program(&program, parse_id(&project)?, parse_id(&key)?).await?;
    Ok(not_modified(&headers, key_response(key)))
}

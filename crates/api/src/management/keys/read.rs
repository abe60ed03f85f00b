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
use keyward_service::{Services, actor::Actor};

pub async fn handle(
    State(app): State<Services>,
    CanRead(program): CanRead,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (project, key) = (parse_id(&project)?, parse_id(&key)?);
    program.check_project(project)?;
    let key = app.keys.get(&Actor::Program(program), key).await?;
    Ok(not_modified(&headers, key_response(key)))
}

//! `GET /v1/projects/{id}/keys/{key}`: returns a key.

use super::key_response;
use crate::{
    http::{
        etag::not_modified,
        management::{extractors::CanRead, parse_id},
        problem::Problem,
    },
    service::Services,
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

pub async fn handle(
    State(app): State<Services>,
    CanRead(program): CanRead,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = app.keys.get_by_program(&program, parse_id(&project)?, parse_id(&key)?).await?;
    Ok(not_modified(&headers, key_response(key)))
}

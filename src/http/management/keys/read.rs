//! `GET /v1/projects/{id}/keys/{key}`: returns a key.

use super::shown;
use crate::{
    http::{
        etag::not_modified,
        management::{caller::Reads, id},
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
    Reads(program): Reads,
    Path((project, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let key = app.keys.get_by_program(&program, id(&project)?, id(&key)?).await?;
    Ok(not_modified(&headers, shown(key)))
}

//! `GET /v1/projects/{id}/keys/{key}`.

use super::shown;
use crate::{
    http::{
        management::{caller::Reads, id},
        problem::Problem,
    },
    service::App,
};
use axum::{
    extract::{Path, State},
    response::Response,
};

pub async fn handle(
    State(app): State<App>,
    Reads(program): Reads,
    Path((project, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    Ok(shown(app.keys.get_by_program(&program, id(&project)?, id(&key)?).await?))
}

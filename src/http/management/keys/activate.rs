//! `POST /v1/projects/{id}/keys/{key}/activate`: it is accepted again.

use super::shown;
use crate::{
    http::{
        management::{caller::Writes, id},
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
    Writes(program): Writes,
    Path((project, key)): Path<(String, String)>,
) -> Result<Response, Problem> {
    Ok(shown(app.keys.activate_by_program(&program, id(&project)?, id(&key)?).await?))
}

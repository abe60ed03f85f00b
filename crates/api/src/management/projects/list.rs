//! `GET /v1/projects`: lists the one project that the token's key belongs to.

use crate::management::{NO_STORE, extractors::CanRead, schema::Projects};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use keyward_edge::problem::Problem;
use keyward_service::Services;

pub async fn handle(State(app): State<Services>, CanRead(program): CanRead) -> Result<Response, Problem> {
    let project = app.projects.get_by_program(&program, program.project).await?;
    Ok(([NO_STORE], Json(Projects { projects: vec![project.into()], next_cursor: None })).into_response())
}

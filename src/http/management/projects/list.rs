//! `GET /v1/projects`: lists the one project that the token's key belongs to.

use crate::{
    http::{
        management::{NO_STORE, caller::Reads, wire::Projects},
        problem::Problem,
    },
    service::App,
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};

pub async fn handle(State(app): State<App>, Reads(program): Reads) -> Result<Response, Problem> {
    let project = app.projects.of_program(&program, program.project).await?;
    Ok(([NO_STORE], Json(Projects { projects: vec![project.into()], next_cursor: None })).into_response())
}

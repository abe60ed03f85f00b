//! `GET /v1/projects/{id}`: returns a project.

use crate::{
    http::{
        management::{NO_STORE, caller::Reads, id, wire::Project},
        problem::Problem,
    },
    service::App,
};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};

pub async fn handle(
    State(app): State<App>,
    Reads(program): Reads,
    Path(project): Path<String>,
) -> Result<Response, Problem> {
    let project = app.projects.of_program(&program, id(&project)?).await?;
    Ok(([NO_STORE], Json(Project::from(project))).into_response())
}

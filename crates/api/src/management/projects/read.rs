//! `GET /v1/projects/{id}`: returns a project.

use crate::management::{NO_STORE, extractors::CanRead, parse_id, schema::Project};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use keyward_edge::problem::Problem;
use keyward_service::Services;

pub async fn handle(
    State(app): State<Services>,
    CanRead(program): CanRead,
    Path(project): Path<String>,
) -> Result<Response, Problem> {
    let project = app.projects.get_by_program(&program, parse_id(&project)?).await?;
    Ok(([NO_STORE], Json(Project::from(project))).into_response())
}

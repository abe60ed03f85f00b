//! `DELETE /v1/projects/{id}/keys/{key}`: it is refused from the next request on; for seven days it can be restored.

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
    Ok(shown(app.keys.delete_by_program(&program, id(&project)?, id(&key)?).await?))
}

//! The state of a key: four verbs that differ in a word, each no error the second time.

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

/// The project and the key, as the address names them.
type Named = Path<(String, String)>;

/// `POST …/keys/{key}/deactivate`: it is refused from the next request on, until it is activated.
pub async fn deactivate(
    State(app): State<App>,
    Writes(program): Writes,
    Path((project, key)): Named,
) -> Result<Response, Problem> {
    Ok(shown(app.keys.deactivate_by_program(&program, id(&project)?, id(&key)?).await?))
}

/// `POST …/keys/{key}/activate`: it is accepted again.
pub async fn activate(
    State(app): State<App>,
    Writes(program): Writes,
    Path((project, key)): Named,
) -> Result<Response, Problem> {
    Ok(shown(app.keys.activate_by_program(&program, id(&project)?, id(&key)?).await?))
}

/// `DELETE …/keys/{key}`: it is refused from the next request on; for seven days it can be restored.
pub async fn delete(
    State(app): State<App>,
    Writes(program): Writes,
    Path((project, key)): Named,
) -> Result<Response, Problem> {
    Ok(shown(app.keys.delete_by_program(&program, id(&project)?, id(&key)?).await?))
}

/// `POST …/keys/{key}/restore`: a deleted key has the state again that it had.
pub async fn restore(
    State(app): State<App>,
    Writes(program): Writes,
    Path((project, key)): Named,
) -> Result<Response, Problem> {
    Ok(shown(app.keys.restore_by_program(&program, id(&project)?, id(&key)?).await?))
}

//! Lifecycle of a key: deactivate, activate, delete, restore. Each is idempotent. With `If-Match` it applies only to
//! that version of the key.

use super::shown;
use crate::{
    http::{
        management::{caller::Writes, etag, id},
        problem::Problem,
    },
    service::{
        App,
        keys::{At, Versions},
    },
};
use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

/// The project id and the key id of the path.
type Named = Path<(String, String)>;

/// Returns the key of the path and the versions in `If-Match`.
fn asked(Path((project, key)): &Named, headers: &HeaderMap) -> Result<(At, Versions), Problem> {
    Ok((At { project: id(project)?, key: id(key)? }, etag::if_said(headers)?))
}

/// `POST …/keys/{key}/deactivate`: the key is denied from the next request until it is activated.
pub async fn deactivate(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.deactivate_by_program(program, &at, versions).await?))
}

/// `POST …/keys/{key}/activate`: the key is accepted again.
pub async fn activate(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.activate_by_program(program, &at, versions).await?))
}

/// `DELETE …/keys/{key}`: the key is denied from the next request. It can be restored for seven days.
pub async fn delete(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.delete_by_program(program, &at, versions).await?))
}

/// `POST …/keys/{key}/restore`: a deleted key returns to its previous state.
pub async fn restore(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.restore_by_program(program, &at, versions).await?))
}

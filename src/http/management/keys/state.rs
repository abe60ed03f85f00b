//! The state of a key: four verbs that differ in a word, each no error the second time. With `If-Match` they are done in that state
//! of the key alone.

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

/// The project and the key, as the address names them.
type Named = Path<(String, String)>;

/// What the address names, and in which states of it.
fn asked(Path((project, key)): &Named, headers: &HeaderMap) -> Result<(At, Versions), Problem> {
    Ok((At { project: id(project)?, key: id(key)? }, etag::if_said(headers)?))
}

/// `POST …/keys/{key}/deactivate`: it is refused from the next request on, until it is activated.
pub async fn deactivate(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.deactivate_by_program(program, &at, versions).await?))
}

/// `POST …/keys/{key}/activate`: it is accepted again.
pub async fn activate(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.activate_by_program(program, &at, versions).await?))
}

/// `DELETE …/keys/{key}`: it is refused from the next request on; for seven days it can be restored.
pub async fn delete(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.delete_by_program(program, &at, versions).await?))
}

/// `POST …/keys/{key}/restore`: a deleted key has the state again that it had.
pub async fn restore(
    State(app): State<App>,
    Writes(program): Writes,
    named: Named,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (at, versions) = asked(&named, &headers)?;
    Ok(shown(app.keys.restore_by_program(program, &at, versions).await?))
}

//! The audit log for programs and for other machines: its public keys, and the export.

use super::{AppState, pages, problem::Problem, sessions::Visit};
use crate::service::{App, Error, moments::rfc3339};
use axum::{
    Router,
    body::Body,
    extract::{Query, Request, State},
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;

/// The public halves of the keys that sign checkpoints, as a JWK set: to be fetched once, and kept elsewhere.
pub async fn keys(State(app): State<App>) -> Result<Response, Problem> {
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(app.audit.jwks().await?)).into_response())
}

/// The export, beside the page that leads to it.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router.route("/admin/audit/export", get(export))
}

/// The days that are asked for, as the page's filter has them.
#[derive(Deserialize)]
struct Days {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// The log as lines of JSON, as they are read from the database; to anybody but an administrator there is no such page.
async fn export(State(state): State<AppState>, request: Request) -> Result<Response, Problem> {
    let caller = request.extensions().get::<Visit>().and_then(|visit| visit.caller.clone());
    let Some(caller) = caller else { return Ok(pages::missing(State(state), request).await) };
    let days = match Query::<Days>::try_from_uri(request.uri()) {
        Ok(Query(days)) => days,
        Err(_) => Days { from: String::new(), to: String::new() },
    };
    let pieces = match state.app.audit.export(&caller, &days.from, &days.to).await {
        Ok(pieces) => pieces,
        Err(Error::NotFound) => return Ok(pages::missing(State(state), request).await),
        Err(error) => return Err(error.into()),
    };
    let day = rfc3339(state.app.ground.now()).chars().take(10).collect::<String>();
    let name = format!("attachment; filename=\"keyward-audit-{day}.ndjson\"");
    let head = [(header::CONTENT_TYPE, "application/x-ndjson".to_owned()), (header::CONTENT_DISPOSITION, name)];
    Ok((head, Body::from_stream(pieces)).into_response())
}

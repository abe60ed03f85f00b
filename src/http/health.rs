//! `/healthz`: the process lives. `/readyz`: it can answer.

use super::{AppState, problem::Problem};
use axum::{
    body::Bytes,
    http::{HeaderValue, Response, StatusCode, header},
};
use std::time::Duration;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers `GET /healthz`: whoever can be asked lives.
pub fn lives() -> Response<Bytes> {
    said(br#"{"status":"alive"}"#)
}

/// Answers `GET /readyz`: the database answers, and has every migration of this program.
///
/// # Errors
/// 503 `not_ready`, with which part is not.
pub async fn is_ready(state: &AppState) -> Result<Response<Bytes>, Problem> {
    let not_ready = |what: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", what);
    match tokio::time::timeout(PATIENCE, state.app.ground.pool.is_current()).await {
        Ok(Ok(true)) => Ok(said(br#"{"status":"ready"}"#)),
        Ok(Ok(false)) => Err(not_ready("The database lacks migrations of this program.")),
        Ok(Err(error)) => {
            tracing::warn!(%error, "readiness.database_failed");
            Err(not_ready("The database does not answer."))
        }
        Err(_) => Err(not_ready("The database does not answer in time.")),
    }
}

fn said(words: &'static [u8]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(words));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

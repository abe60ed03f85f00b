//! Health checks: liveness (`/healthz`) and readiness (`/readyz`).

use super::{EdgeState, problem::Problem};
use axum::{
    body::Bytes,
    http::{HeaderValue, Response, StatusCode, header},
};
use keyward_store::{self as store, Kind, WriteTrouble};
use std::time::Duration;

/// Time limit for the database check of `/readyz`.
const PATIENCE: Duration = Duration::from_secs(2);

/// Responds to `GET /healthz`. A process that can respond is alive, so nothing is checked.
pub fn liveness() -> Response<Bytes> {
    json_response(br#"{"status":"alive"}"#)
}

/// Responds to `GET /readyz`: the database responds, has every migration of this program, and accepts writes.
///
/// # Errors
/// 503 `not_ready`; the detail names the failing part.
pub async fn readiness(state: &EdgeState) -> Result<Response<Bytes>, Problem> {
    let not_ready = |what: &str| Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", what);
    match tokio::time::timeout(PATIENCE, state.context.pool.is_current()).await {
        Ok(Ok(true)) => match state.context.queue.trouble() {
            None => Ok(json_response(br#"{"status":"ready"}"#)),
            Some(trouble) => Err(not_ready(trouble_detail(trouble))),
        },
        Ok(Ok(false)) => Err(not_ready("The database lacks migrations of this version.")),
        Ok(Err(error)) => {
            tracing::warn!(%error, "readiness.database_failed");
            Err(not_ready(match error {
                store::Error::FileReplaced(_) => "The database file was removed or replaced.",
                _ => "The database does not respond.",
            }))
        }
        Err(_) => Err(not_ready("The database does not respond in time.")),
    }
}

fn trouble_detail(trouble: WriteTrouble) -> &'static str {
    match trouble {
        WriteTrouble::Stalled => "A database write takes too long.",
        WriteTrouble::Failing(Kind::Full) => "Database writes fail: no space left.",
        WriteTrouble::Failing(Kind::Io) => "Database writes fail: disk or file error.",
        WriteTrouble::Failing(Kind::Damaged) => "Database writes fail: the database file is damaged.",
        WriteTrouble::Failing(Kind::Unavailable) => "Database writes fail: the database does not respond.",
        WriteTrouble::Failing(Kind::Contended) => "Database writes fail: blocked by another transaction.",
        WriteTrouble::Failing(Kind::Fault) => "The last database write failed.",
    }
}

fn json_response(words: &'static [u8]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(words));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

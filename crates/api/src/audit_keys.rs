//! Public keys of the audit log's checkpoints.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use keyward_edge::problem::Problem;
use keyward_service::Services;

/// The public keys that sign checkpoints, as a JWK set. An auditor fetches it once and keeps it on another system.
pub async fn jwk_set(State(app): State<Services>) -> Result<Response, Problem> {
    Ok(([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(app.audit.jwks().await?)).into_response())
}

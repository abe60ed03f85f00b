//! `GET /.well-known/revoked-tokens`: the signed revocation list, for APIs that verify tokens offline.

use crate::etag::not_modified;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use keyward_edge::problem::Problem;
use keyward_service::Services;

/// `Cache-Control` of the list: caches may store it for 5 seconds.
const CACHE_POLICY: HeaderValue = HeaderValue::from_static("public, max-age=5");

/// Returns the list, or 304 if the client has it (RFC 9110 section 13.1.2).
pub async fn revoked_tokens(State(app): State<Services>, headers: HeaderMap) -> Result<Response, Problem> {
    let list = app.tokens.revocation_list().await?;
    let mut response = ([(header::CONTENT_TYPE, "application/jwt")], list.jwt.to_string()).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, CACHE_POLICY);
    if let Ok(etag) = HeaderValue::from_str(&list.etag) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    Ok(not_modified(&headers, response))
}

//! Fallback responses: unknown paths (404), wrong methods (405), wrong hosts (421), and errors of the middleware.

use crate::{
    oauth_error::OAuthError,
    problem::{Problem, default_for_status},
};
use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Path prefixes of the API. Nothing under them reads a cookie or responds with a page.
pub const API_PREFIXES: [&str; 6] = ["/v1/", "/oauth/", "/authentication/", "/pops/", "/sdk/", "/.well-known/"];

/// The path prefix of the OAuth endpoints, whose errors have the format of RFC 6749.
const OAUTH_PREFIX: &str = "/oauth/";

/// Returns an error response without a handler: a problem document, or an RFC 6749 error under the OAuth prefix.
pub fn error_response(path: &str, status: StatusCode, code: &'static str, words: &str) -> Response {
    match path.starts_with(OAUTH_PREFIX) {
        true => OAuthError::from_status(status, words).into_response(),
        false => Problem::new(status, code, words).into_response(),
    }
}

/// Fills in the body of every error response that is not JSON, which is those of the router and the layers: a problem
/// document, or an RFC 6749 error under the OAuth prefix.
pub async fn fill_error_bodies(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status();
    // OAuth errors are JSON with their own structure.
    let json_types = ["application/problem+json", "application/json"];
    let complete_types = if path.starts_with(OAUTH_PREFIX) { &json_types[1..] } else { &json_types[..] };
    let is_complete =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| complete_types.iter().any(|it| kind == it));
    if is_complete || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, detail) = default_for_status(status);
    let (mut parts, _) = response.into_parts();
    let (filled_parts, body) = error_response(&path, status, code, detail).into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.extensions.extend(filled_parts.extensions);
    // Not `extend`, which would add a second content type.
    for (name, value) in &filled_parts.headers {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::new(body))
}

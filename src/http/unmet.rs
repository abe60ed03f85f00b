//! Fallback responses: unknown paths (404), wrong methods (405), wrong hosts (421), and errors of the middleware.

use super::{
    oauth::OAuthError,
    problem::{Problem, of_status},
};
use axum::{
    body::Body,
    extract::Request,
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// The path prefix of the OAuth endpoints, whose errors have the format of RFC 6749.
const OAUTH: &str = "/oauth/";

/// Returns an error response without a handler: a problem document, or an RFC 6749 error under the OAuth prefix.
pub fn answer(path: &str, status: StatusCode, code: &'static str, words: &str) -> Response {
    match path.starts_with(OAUTH) {
        true => OAuthError::of_status(status, words).into_response(),
        false => Problem::new(status, code, words).into_response(),
    }
}

/// Fills in the body of every error response that is not JSON, which is those of the router and the layers: a problem
/// document, or an RFC 6749 error under the OAuth prefix.
pub async fn fill(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status();
    // OAuth errors are JSON with their own structure.
    let said = ["application/problem+json", "application/json"];
    let said = if path.starts_with(OAUTH) { &said[1..] } else { &said[..] };
    let is_said = response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| said.iter().any(|it| kind == it));
    if is_said || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (code, detail) = of_status(status);
    let (mut parts, _) = response.into_parts();
    let (filled_parts, body) = answer(&path, status, code, detail).into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    // Not `extend`, which would add a second content type.
    for (name, value) in &filled_parts.headers {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::new(body))
}

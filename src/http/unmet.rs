//! Errors that no handler has met: of addresses that are none, methods that are not taken, hosts that are not ours, and layers.

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

/// The addresses whose errors are those of RFC 6749.
const OAUTH: &str = "/oauth/";

/// What a program is told of an error that no handler has met: at the addresses of OAuth in the shape of RFC 6749.
pub fn answer(path: &str, status: StatusCode, code: &'static str, words: &str) -> Response {
    match path.starts_with(OAUTH) {
        true => OAuthError::of_status(status, words).into_response(),
        false => Problem::new(status, code, words).into_response(),
    }
}

/// Puts a problem document into every error that says nothing in JSON: what layers and the router itself answer with. At the addresses
/// of OAuth it is an error of RFC 6749.
pub async fn fill(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let status = response.status();
    // The errors of OAuth are JSON of their own shape.
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
    // Not `extend`: it would put a second content type beside the first.
    for (name, value) in &filled_parts.headers {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::new(body))
}

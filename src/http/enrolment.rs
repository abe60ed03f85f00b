//! Whoever must have a second factor and has none does nothing else first.

use super::forms::see;
use crate::error::{AppError, ErrorKind};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

/// The page on which a second factor is turned on.
const PAGE: &str = "/settings/security/second-factor";
/// What is answered all the same: that page with what it asks, and the ways out.
const OPEN: [&str; 8] = [
    PAGE,
    "/logout",
    "/api/security/begin",
    "/api/security/turn_on",
    "/api/session/confirm",
    "/api/session/instance",
    "/api/session/me",
    "/api/session/sign_out",
];

/// Whether the path is one that somebody without their second factor may ask for.
pub fn is_open(path: &str) -> bool {
    OPEN.contains(&path.trim_end_matches('/'))
}

/// Leads a person to the page, from which they come back to where they wanted; a script learns why it gets nothing.
pub fn lead(request: &Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        let words = "Set up a second factor first: the policy of this Keyward asks it of you.";
        let error = AppError::new(ErrorKind::Forbidden, words);
        let mut response = Response::new(Body::from(serde_json::to_vec(&error).unwrap_or_default()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return response;
    }
    if !request.method().is_safe() {
        return see(PAGE);
    }
    let here = request.uri().path_and_query().map_or("/", |it| it.as_str());
    if matches!(here, "/" | "/keys") {
        return see(PAGE);
    }
    let next: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
    see(&format!("{PAGE}?next={next}"))
}

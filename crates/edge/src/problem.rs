//! Errors of the program interfaces: RFC 9457 problem documents with a stable `code`.

use axum::{
    body::{Body, Bytes},
    http::{self, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Problem document (RFC 9457).
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    #[serde(serialize_with = "number")]
    pub status: StatusCode,
    pub title: &'static str,
    /// Stable error code for programs.
    pub code: &'static str,
    /// Description of the error and its solution.
    pub detail: String,
    /// Invalid members of the request body, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InvalidParam>,
    #[serde(skip)]
    pub headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// Invalid member of the request body.
#[derive(Clone, Debug, Serialize)]
pub struct InvalidParam {
    pub name: String,
    pub detail: String,
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            title: status.canonical_reason().unwrap_or("Error"),
            code,
            detail: detail.into(),
            errors: Vec::new(),
            headers: Vec::new(),
        }
    }

    pub fn header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }
}

impl Problem {
    /// Converts the problem into a response with a complete body.
    pub fn into_http_response(self) -> http::Response<Bytes> {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = http::Response::new(body.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(self.headers);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.into_http_response().map(Body::from)
    }
}

/// Returns the code and message for a status that a layer or the router set.
pub fn default_for_status(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        404 => ("not_found", "This path does not exist. See /docs/api for the available paths."),
        405 => (
            "method_not_allowed",
            "This path does not support the request method. See the Allow header for the supported methods.",
        ),
        408 => ("request_timeout", "The request timed out. Send it again."),
        413 => ("body_too_large", "The request body is too large for this path."),
        503 => ("busy", "The response took too long. Try again in a moment."),
        400..500 => ("bad_request", "The request could not be read."),
        _ => ("internal", "An internal error occurred. Try again."),
    }
}

/// Response after a panic. The panic message is only in the log, never in the response.
pub fn panic_problem() -> Problem {
    tracing::error!("request.panicked");
    let words = "An internal error occurred. Try again in a moment.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", words)
}

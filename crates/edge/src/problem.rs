//! Errors of the program interfaces: RFC 9457 problem documents with a stable `code`.

use super::{failure::Failure, storage::log_error};
use axum::{
    body::{Body, Bytes},
    http::{self, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use keyward_core::Error;
use serde::Serialize;
use std::sync::Arc;

/// Problem document (RFC 9457).
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub title: &'static str,
    /// Stable error code for programs.
    pub code: &'static str,
    /// Description of the error and its solution.
    pub detail: String,
    /// Invalid members of the request body, by name.
    pub errors: Vec<InvalidParam>,
    pub headers: Vec<(header::HeaderName, HeaderValue)>,
    /// The failure behind the problem. It is logged when the problem becomes a response, and is never in the response.
    pub cause: Option<Arc<Error>>,
}

/// The members of a problem document, in their order.
#[derive(Serialize)]
struct Document<'p> {
    status: u16,
    title: &'static str,
    code: &'static str,
    detail: &'p str,
    #[serde(skip_serializing_if = "<[InvalidParam]>::is_empty")]
    errors: &'p [InvalidParam],
    /// Only of a failure (5xx). The other documents are the same for each request, so that, for example, the response
    /// to a missing key cannot be told from the one to a key without access.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'p str>,
}

/// Invalid member of the request body.
#[derive(Clone, Debug, Serialize)]
pub struct InvalidParam {
    pub name: String,
    pub detail: String,
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
            cause: None,
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
    /// Returns the body. `request_id`: the id of the request, for a failure.
    pub(super) fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let document = Document {
            status: self.status.as_u16(),
            title: self.title,
            code: self.code,
            detail: &self.detail,
            errors: &self.errors,
            request_id: request_id.filter(|_| self.status.is_server_error()),
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// Converts the problem into a response with a complete body, and logs its cause. `request_id`: the id of a request
    /// without a span, that is, of a request on the fast path.
    pub fn into_http_response(self, request_id: Option<&str>) -> http::Response<Bytes> {
        if let Some(cause) = &self.cause {
            log_error(cause, request_id);
        }
        let mut response = http::Response::new(self.body(request_id).into());
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
        let failure = self.status.is_server_error().then(|| Failure::Problem(self.clone()));
        let mut response = self.into_http_response(None).map(Body::from);
        if let Some(failure) = failure {
            response.extensions_mut().insert(failure);
        }
        response
    }
}

/// Returns the code and message for a status that a layer or the router set.
pub fn default_for_status(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        403 => ("forbidden", "You do not have permission to do this."),
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

/// Response after a panic. The panic message is only in the log, never in the response. `request_id`: the id of a
/// request without a span.
pub fn panic_problem(request_id: Option<&str>) -> Problem {
    tracing::error!(request.id = request_id, "request.panicked");
    let words = "An internal error occurred. Try again in a moment.";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_name_the_request() {
        let body = |status, id| {
            let problem = Problem::new(status, "a_code", "What happened.");
            String::from_utf8(problem.body(id)).unwrap()
        };
        assert_eq!(
            body(StatusCode::INTERNAL_SERVER_ERROR, Some("req_1")),
            r#"{"status":500,"title":"Internal Server Error","code":"a_code","detail":"What happened.","request_id":"req_1"}"#
        );
        let without = r#"{"status":404,"title":"Not Found","code":"a_code","detail":"What happened."}"#;
        assert_eq!(body(StatusCode::NOT_FOUND, Some("req_1")), without);
        assert_eq!(body(StatusCode::NOT_FOUND, None), without);
    }

    #[test]
    fn the_cause_is_not_in_the_response() {
        let problem = Problem::from(Error::Internal("the reason for the log"));
        let response = problem.into_http_response(Some("req_2"));
        let body = String::from_utf8(response.body().to_vec()).unwrap();
        assert!(body.contains(r#""request_id":"req_2""#) && !body.contains("reason"), "{body}");
    }
}

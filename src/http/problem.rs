//! Errors of the program interfaces: RFC 9457 problem documents, each with a stable `code`.

use super::oauth::OAuthError;
use crate::service;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// A problem document.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    #[serde(serialize_with = "number")]
    pub status: StatusCode,
    pub title: &'static str,
    /// Stable; what a program compares.
    pub code: &'static str,
    /// What happened and what to do.
    pub detail: String,
    /// Which member of the body is wrong, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Wrong>,
    #[serde(skip)]
    pub headers: Vec<(header::HeaderName, HeaderValue)>,
}

/// A wrong member.
#[derive(Clone, Debug, Serialize)]
pub struct Wrong {
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
    /// The answer, with a body that is there at once.
    pub fn whole(self) -> http::Response<Bytes> {
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
        self.whole().map(Body::from)
    }
}

impl From<service::Error> for Problem {
    fn from(error: service::Error) -> Self {
        use service::Error;
        match error {
            Error::NotFound => Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here for you."),
            Error::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, "forbidden", why),
            Error::StepUp => {
                Self::new(StatusCode::FORBIDDEN, "step_up_required", "Confirm on a page that it is you, and try again.")
            }
            Error::Stopped { reason } => Self::new(StatusCode::FORBIDDEN, "forbidden", Error::stopped(&reason)),
            Error::Invalid(fields) => {
                let errors = fields.into_iter().map(|f| Wrong { name: f.name.to_owned(), detail: f.message }).collect();
                let problem =
                    Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "Some members are wrong: see errors.");
                Self { errors, ..problem }
            }
            Error::Program(why) => super::management::refused(why),
            Error::Conflict(why) => Self::new(StatusCode::CONFLICT, "conflict", why),
            Error::BadCredentials { .. } => {
                Self::new(StatusCode::UNAUTHORIZED, "bad_credentials", "E-mail or password is wrong.")
            }
            Error::Paused { seconds } => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "paused", format!("Try again in {seconds} seconds."))
                    .header(header::RETRY_AFTER, &seconds.to_string())
            }
            Error::Busy => Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Try again in a moment.")
                .header(header::RETRY_AFTER, "1"),
            Error::Store(_) | Error::Internal(_) => {
                tracing::error!(%error, "request.failed");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side. Try again.")
            }
        }
    }
}

/// The words for a status that a layer or the router answered with.
pub fn of_status(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        404 => ("not_found", "There is no such address here. See the README for those there are."),
        405 => ("method_not_allowed", "This address does not take that method; the Allow header says which it takes."),
        408 => ("request_timeout", "The request did not arrive in time. Send it again."),
        413 => ("body_too_large", "The body is larger than this address takes."),
        503 => ("busy", "The answer took too long. Try again in a moment."),
        400..500 => ("bad_request", "The request could not be read."),
        _ => ("internal", "Something went wrong on our side. Try again."),
    }
}

/// The addresses whose errors are those of RFC 6749.
const OAUTH: &str = "/oauth/";

/// What a program is told of an error that no handler has met: at the addresses of OAuth in the shape of RFC 6749.
pub fn unmet(path: &str, status: StatusCode, code: &'static str, words: &str) -> Response {
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
    let (filled_parts, body) = unmet(&path, status, code, detail).into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    // Not `extend`: it would put a second content type beside the first.
    for (name, value) in &filled_parts.headers {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::new(body))
}

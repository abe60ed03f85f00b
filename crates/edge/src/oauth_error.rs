//! OAuth error responses (RFC 6749 section 5.2), extended with a stable reason code.

use crate::{
    failure::{Failure, message_for_status},
    problem_from_error::status_of,
    rate_limit_headers,
    storage::log_error,
};
use axum::{
    body::Body as ResponseBody,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use keyward_core::{Error, ErrorDescription, Kind};
use keyward_verify::{tokens::ExchangeDenyReason, verify::DenyReason};
use serde::Serialize;
use std::sync::Arc;

/// The challenge for a client that is not authenticated (RFC 7617).
const BASIC: &str = r#"Basic realm="oauth", charset="UTF-8""#;

/// An OAuth error response.
#[derive(Clone, Debug)]
pub struct OAuthError {
    status: StatusCode,
    body: Body,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The failure behind the error. It is logged when the error becomes a response, and is never in the response.
    cause: Option<Arc<Error>>,
}

#[derive(Clone, Debug, Serialize)]
struct Body {
    error: &'static str,
    error_description: String,
    /// Extension: the reason code, as in the verify API.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl OAuthError {
    fn new(status: StatusCode, error: &'static str, words: &str) -> Self {
        Self {
            status,
            body: Body { error, error_description: sanitize_description(words), code: None },
            headers: Vec::new(),
            cause: None,
        }
    }

    /// 400 with a registered error code.
    pub fn bad_request(error: &'static str, words: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, words)
    }

    pub fn invalid_request(words: &str) -> Self {
        Self::bad_request("invalid_request", words)
    }

    pub fn invalid_scope(words: &str) -> Self {
        Self::bad_request("invalid_scope", words)
    }

    /// 400 `invalid_target` (RFC 8707 section 2).
    pub fn invalid_target(words: &str) -> Self {
        Self::bad_request("invalid_target", words)
    }

    /// A request that fails before its handler: wrong method, body too large, body timeout, or a server error.
    pub fn from_status(status: StatusCode, words: &str) -> Self {
        match status {
            StatusCode::SERVICE_UNAVAILABLE => {
                Self::temporarily_unavailable(status, words).with_header(header::RETRY_AFTER, "1")
            }
            status if status.is_server_error() => Self::new(status, "server_error", words),
            status => Self::new(status, "invalid_request", words),
        }
    }

    /// 401: the client is not authenticated.
    pub fn invalid_client(words: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", words).with_header(header::WWW_AUTHENTICATE, BASIC)
    }

    /// 401: the bearer token of the request is invalid (RFC 6750 section 3.1).
    pub fn invalid_token(words: &str) -> Self {
        const BEARER: &str = r#"Bearer realm="oauth", error="invalid_token""#;
        Self::new(StatusCode::UNAUTHORIZED, "invalid_token", words).with_header(header::WWW_AUTHENTICATE, BEARER)
    }

    /// Adds a stable reason code.
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.body.code = Some(code);
        self
    }

    fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// The key that authenticates the client is denied.
    pub fn from_denied_key(refused: &DenyReason) -> Self {
        match refused {
            DenyReason::RateLimited(left) => {
                let mut error = Self::temporarily_unavailable(StatusCode::TOO_MANY_REQUESTS, &refused.to_string());
                let mut headers = HeaderMap::new();
                rate_limit_headers::write_headers(left, true, &mut headers);
                error.headers.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
                error.with_code(refused.code())
            }
            refused => Self::invalid_client(&refused.to_string()).with_code(refused.code()),
        }
    }

    /// The token is not issued. `bad`: the error code if the credential from which the token is derived is denied.
    pub fn from_exchange(refused: &ExchangeDenyReason, bad: &'static str) -> Self {
        let words = refused.to_string();
        let error = match refused {
            ExchangeDenyReason::Key(limited @ DenyReason::RateLimited(_)) => return Self::from_denied_key(limited),
            ExchangeDenyReason::Key(_) | ExchangeDenyReason::Token(_) | ExchangeDenyReason::TooOften => {
                Self::bad_request(bad, &words)
            }
            ExchangeDenyReason::Scope(_) | ExchangeDenyReason::MixedScopes => Self::invalid_scope(&words),
            ExchangeDenyReason::Target => Self::invalid_target(&words),
        };
        error.with_code(refused.code())
    }

    /// 429 with `Retry-After`. Retrying earlier with other parameters does not help.
    pub fn too_many_requests(words: &str, seconds: i64) -> Self {
        let mut error = Self::temporarily_unavailable(StatusCode::TOO_MANY_REQUESTS, words);
        error.headers.push((header::RETRY_AFTER, seconds.into()));
        error
    }

    fn temporarily_unavailable(status: StatusCode, words: &str) -> Self {
        Self::new(status, "temporarily_unavailable", words)
    }
}

impl From<Error> for OAuthError {
    fn from(error: Error) -> Self {
        let ErrorDescription { kind, for_programs, retry_after, .. } = error.describe();
        let mut response = match kind {
            Kind::Unavailable => Self::temporarily_unavailable(status_of(kind), &for_programs),
            Kind::StorageFull | Kind::Internal => Self::new(status_of(kind), "server_error", &for_programs),
            // An endpoint that expects one of these handles it. Here it is a bug.
            Kind::NotFound
            | Kind::Forbidden
            | Kind::ReauthenticationRequired
            | Kind::BadCredentials
            | Kind::AccessLost
            | Kind::Invalid
            | Kind::Conflict
            | Kind::Stale
            | Kind::TooManyAttempts => {
                return Self::from(Error::failed("an OAuth endpoint did not expect an error", error));
            }
        };
        if let Some(seconds) = retry_after {
            response.headers.push((header::RETRY_AFTER, seconds.into()));
        }
        Self { cause: error.is_failure().then(|| Arc::new(error)), ..response }
    }
}

impl OAuthError {
    /// Returns the body. `request_id`: the id of the request, for a failure.
    pub(crate) fn body(&self, request_id: Option<&str>) -> Vec<u8> {
        let description = message_for_status(&self.body.error_description, self.status, request_id);
        serde_json::to_vec(&Body { error_description: description, ..self.body.clone() }).unwrap_or_default()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        if let Some(cause) = &self.cause {
            log_error(cause, None);
        }
        let mut response = Response::new(ResponseBody::from(self.body(None)));
        *response.status_mut() = self.status;
        if self.status.is_server_error() {
            response.extensions_mut().insert(Failure::OAuth(self.clone()));
        }
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().extend(self.headers);
        no_store(response)
    }
}

/// Forbids caching (RFC 6749 section 5.1).
pub fn no_store(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Replaces the characters that a description must not contain. Allowed: %x20-21 / %x23-5B / %x5D-7E.
pub(crate) fn sanitize_description(words: &str) -> String {
    words.chars().map(|c| if matches!(c, ' ' | '!' | '#'..='[' | ']'..='~') { c } else { '\'' }).collect()
}

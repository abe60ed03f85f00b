//! Request parameters (RFC 6749 appendix B): a form in the body, never the query. Each parameter at most once,
//! except `resource` (RFC 8707 section 2) and `audience` (RFC 8693 section 2.1).

use axum::{
    extract::{FromRequest, Request},
    http::header,
    response::{IntoResponse, Response},
};
use keyward_edge::body;
use keyward_edge::oauth_error::OAuthError;
use zeroize::Zeroizing;

/// Maximum size of a form in bytes: enough for two tokens of maximum length.
const FORM_MAX: usize = 32 * 1024;

/// The submitted parameters. No `Debug`, because they can contain secrets.
pub struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Returns the value of a parameter. An empty value counts as absent (RFC 6749 section 3.2).
    ///
    /// # Errors
    /// `invalid_request` if the parameter is repeated.
    pub fn get(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.0.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let value = values.next().filter(|value| !value.is_empty());
        match values.next() {
            None => Ok(value),
            Some(_) => Err(OAuthError::invalid_request(&format!("The parameter {name} occurs more than once."))),
        }
    }

    /// Returns the value of a required parameter, as [`Form::get`].
    ///
    /// # Errors
    /// `invalid_request` if the parameter is missing or repeated.
    pub fn require(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.get(name)?.ok_or_else(|| OAuthError::invalid_request(&format!("The parameter {name} is missing.")))
    }

    /// Returns the different values of a parameter that may be repeated, without empty values.
    pub fn distinct(&self, name: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for (_, value) in self.0.iter().filter(|(it, value)| it == name && !value.is_empty()) {
            if !values.contains(&value.as_str()) {
                values.push(value.as_str());
            }
        }
        values
    }
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response> {
        let refuse = |words: &str| OAuthError::invalid_request(words).into_response();
        if request.uri().query().is_some_and(|query| !query.is_empty()) {
            return Err(refuse("Send parameters in the body, not in the URL. URLs are logged."));
        }
        let kind = request.headers().get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
        let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        if !kind.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") {
            return Err(refuse("Send a form with Content-Type: application/x-www-form-urlencoded."));
        }
        let body = body::read_limited(request.into_body(), FORM_MAX).await;
        let body = body.map_err(|problem| OAuthError::from_status(problem.status, &problem.detail).into_response())?;
        let pairs = url::form_urlencoded::parse(&body);
        Ok(Self(pairs.map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned()))).collect()))
    }
}

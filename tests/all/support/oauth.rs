//! OAuth client, directly on the router.

use super::{
    TestServer,
    browser::{Browser, Page, form},
    test_data::CreatedKey,
};
use axum::http::Request;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Grant type and token type identifiers (RFC 8693 section 3, and Keyward's own).
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
pub const KEY: &str = "urn:keyward:token-type:key";

/// Encodes a value for HTTP Basic (RFC 6749 section 2.3.1).
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns the `Authorization` header for client authentication with a key.
pub fn basic(made: &CreatedKey) -> String {
    let id = encoded(&format!("key:{}", made.id));
    format!("Basic {}", STANDARD.encode(format!("{id}:{}", encoded(&made.secret))))
}

/// Posts a form, with this `Authorization` header if it is not empty.
pub async fn post(program: &mut Browser, path: &str, authorization: &str, fields: &[(&str, &str)]) -> Page {
    let mut request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    program.send(request, form(fields)).await
}

/// Requests a token with the client credentials grant and a key as the client.
pub async fn token(bench: &TestServer, made: &CreatedKey, fields: &[(&str, &str)]) -> Page {
    let fields = [&[("grant_type", "client_credentials")], fields].concat();
    post(&mut bench.browser(), "/oauth/token", &basic(made), &fields).await
}

/// Sends a token exchange request (RFC 8693).
pub async fn exchange(bench: &TestServer, subject: &str, kind: &str, fields: &[(&str, &str)]) -> Page {
    let own_fields = [("grant_type", EXCHANGE), ("subject_token", subject), ("subject_token_type", kind)];
    post(&mut bench.browser(), "/oauth/token", "", &[&own_fields, fields].concat()).await
}

impl Page {
    /// Checks a successful token response and returns its access token.
    pub fn token(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text());
        assert_eq!((self.header("cache-control"), self.header("pragma")), ("no-store", "no-cache"));
        let body = self.json();
        assert_eq!(body["token_type"], "Bearer", "{body}");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Checks an error response (RFC 6749 section 5.2) and returns its error code.
    pub fn oauth_error(&self) -> String {
        assert!(self.status >= 400, "{}", self.text());
        assert_eq!((self.header("content-type"), self.header("cache-control")), ("application/json", "no-store"));
        let body = self.json();
        let words = body["error_description"].as_str().expect("words");
        assert!(
            !words.is_empty() && words.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\'),
            "{words}"
        );
        assert_eq!(self.status == 401, self.header("www-authenticate").starts_with("Basic "), "{}", self.text());
        body["error"].as_str().expect("an error").to_owned()
    }
}

/// Decodes the claims of a token.
pub fn claims(token: &str) -> Value {
    super::forged_tokens::parts(token).1
}

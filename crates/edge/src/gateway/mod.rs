//! Gateway endpoint `/v1/auth`: authorizes a request on behalf of a reverse proxy.
//!
//! The gateway sends a subrequest for each request of its clients: nginx with `auth_request`, Caddy and Traefik with
//! forward auth, Envoy with `ext_authz` over HTTP. The result is in the status and the headers of the response.

mod challenge;
mod credential;
mod request;

use super::{EdgeState, metrics::DecisionSource, problem::Problem, rate_limit_headers};
use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Uri, header},
};
use credential::FoundCredential;
use keyward_verify::{
    tokens::{Accepted, TokenDenyReason},
    verify::DenyReason,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use request::GatewayRequest;
use std::net::IpAddr;
use uuid::Uuid;

const CODE: &str = "x-keyward-code";
const KEY_ID: HeaderName = HeaderName::from_static("x-keyward-key-id");
const PROJECT_ID: HeaderName = HeaderName::from_static("x-keyward-project-id");
const SCOPES: HeaderName = HeaderName::from_static("x-keyward-scopes");
const ISSUED_TO: HeaderName = HeaderName::from_static("x-keyward-issued-to");
/// Percent-encodes all characters except the unreserved ones of RFC 3986 section 2.3.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Responds to a gateway request. `ip` is the client address, determined through trusted proxies. The request body is
/// not read.
///
/// # Errors
/// A problem with its code in a header, which the gateway can pass on without the body.
pub async fn respond(
    state: &EdgeState,
    ip: Option<IpAddr>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response<Bytes>, Problem> {
    decide(state, ip, uri, headers).await.map_err(|problem| {
        let code = problem.code;
        problem.header(HeaderName::from_static(CODE), code)
    })
}

async fn decide(
    state: &EdgeState,
    ip: Option<IpAddr>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Response<Bytes>, Problem> {
    let parameter = state.config.programs.query.as_deref();
    let request = GatewayRequest::parse(uri, headers, parameter)?;
    let found = credential::find(uri, headers, parameter);
    let (presented, in_query) = match &found {
        FoundCredential::One { text, in_query } => (text, *in_query),
        FoundCredential::None => return Err(challenge::missing_credential(&request)),
        FoundCredential::Several => return Err(challenge::several_credentials(&request)),
    };
    let decision = state.tokens.check_credential(presented, &request.verify_request(ip)).await?;
    state.metrics.record_decision(DecisionSource::Auth, &decision);
    match decision {
        Ok(accepted) => Ok(accepted_response(&accepted, in_query)),
        Err(TokenDenyReason::Key(DenyReason::RateLimited(limit))) => {
            let status = if request.limited_is_403 { StatusCode::FORBIDDEN } else { StatusCode::TOO_MANY_REQUESTS };
            Err(rate_limit_headers::problem(status, &limit))
        }
        Err(refused) => Err(challenge::denied(&refused, &request)),
    }
}

/// Builds the 200 response. Its headers identify the key for the API behind the gateway.
fn accepted_response(accepted: &Accepted, in_query: bool) -> Response<Bytes> {
    let facts = &accepted.verified.snapshot;
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    let mut put = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    put(KEY_ID, Uuid::from(facts.subject()).to_string());
    put(PROJECT_ID, facts.project.to_string());
    put(SCOPES, accepted.scopes().collect::<Vec<_>>().join(" "));
    if let Some(name) = facts.issued_to.as_deref() {
        put(ISSUED_TO, utf8_percent_encode(name, ENCODED).to_string());
    }
    if let Some(left) = &accepted.verified.quota {
        rate_limit_headers::write_headers(left, false, headers);
    }
    // RFC 6750 section 2.3 requires `private` for a credential in the query.
    let stored = if in_query { "no-store, private" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(stored));
    response
}

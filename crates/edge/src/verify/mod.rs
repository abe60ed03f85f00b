//! Verify endpoints: `POST /v1/keys/verify` and `POST /v1/keys/verify:batch`.

mod request;
mod response;

use super::{EdgeState, body, json, metrics::DecisionSource, problem::Problem};
use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use keyward_verify::tokens::TokenDecision;
use request::{Batch, Credential, VerifyBody};

/// Maximum body size of a single request, in bytes.
const ONE_MAX: usize = 64 * 1024;
/// Maximum body size of a batch request, in bytes: room for 1,000 tokens with their restrictions.
const BATCH_MAX: usize = 2 * 1024 * 1024;
/// Maximum number of keys in a batch.
pub const KEYS_MAX: usize = 1_000;
/// Initial capacity of a response, in bytes. Most responses fit.
const RESPONSE_CAPACITY: usize = 512;
/// Number of keys after which the task yields the thread. A new token costs 50 microseconds.
const KEYS_PER_YIELD: usize = 64;

/// Verifies one credential. A well-formed request gets 200, whatever the decision.
pub async fn one<B>(state: &EdgeState, headers: &HeaderMap, body: B) -> Result<Response<Bytes>, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    json::check_media_type(headers)?;
    let body = body::read_limited(body, ONE_MAX).await?;
    let request: VerifyBody<'_> = json::parse(&body)?;
    let decision = decide(state, &request, DecisionSource::Verify).await?;
    let mut out = Vec::with_capacity(RESPONSE_CAPACITY);
    response::write_decision(&mut out, &decision);
    Ok(json_response(out))
}

/// Verifies each credential in order. An internal error for one fails the whole batch, so that no caller takes a
/// partial result as complete.
pub async fn batch<B>(state: &EdgeState, headers: &HeaderMap, body: B) -> Result<Response<Bytes>, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    json::check_media_type(headers)?;
    let body = body::read_limited(body, BATCH_MAX).await?;
    let Batch { keys } = json::parse(&body)?;
    let mut out = Vec::with_capacity(RESPONSE_CAPACITY * keys.len());
    // The frame is not a serialized struct, which would need all decisions at once: each one is written and dropped, and
    // the task can yield in between.
    out.extend_from_slice(br#"{"results":["#);
    for (at, request) in keys.iter().enumerate() {
        if at > 0 {
            out.push(b',');
            if at % KEYS_PER_YIELD == 0 {
                tokio::task::yield_now().await;
            }
        }
        let decision = decide(state, request, DecisionSource::Batch).await?;
        response::write_decision(&mut out, &decision);
    }
    out.extend_from_slice(b"]}");
    Ok(json_response(out))
}

async fn decide(state: &EdgeState, request: &VerifyBody<'_>, place: DecisionSource) -> Result<TokenDecision, Problem> {
    let (question, tokens) = (request.verify_request(), &state.tokens);
    let decision = match &request.credential {
        Credential::KeyOrToken(text) => tokens.check_credential(text, &question).await?,
        Credential::Token(text) => tokens.check_token(text, &question).await?,
    };
    state.metrics.record_decision(place, &decision);
    Ok(decision)
}

fn json_response(body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

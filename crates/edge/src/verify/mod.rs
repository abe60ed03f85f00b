//! Verify endpoints: `POST /v1/keys/verify` and `POST /v1/keys/verify:batch`.

mod answer;
mod asked;

use super::{EdgeState, body, json, metrics::Place, problem::Problem};
use asked::{Asked, Batch, Presented};
use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use keyward_verify::tokens::Checked;

/// Maximum body size of a single request, in bytes.
const ONE_MAX: usize = 64 * 1024;
/// Maximum body size of a batch request, in bytes: room for 1,000 tokens with their restrictions.
const BATCH_MAX: usize = 2 * 1024 * 1024;
/// Maximum number of keys in a batch.
pub const KEYS_MAX: usize = 1_000;
/// Initial capacity of a response, in bytes. Most responses fit.
const ROOM: usize = 512;
/// Number of keys after which the task yields the thread. A new token costs 50 microseconds.
const TURN: usize = 64;

/// Verifies one credential. A well-formed request gets 200, whatever the decision.
pub async fn one<B>(state: &EdgeState, headers: &HeaderMap, body: B) -> Result<Response<Bytes>, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    json::is_json(headers)?;
    let body = body::read(body, ONE_MAX).await?;
    let asked: Asked<'_> = json::read(&body)?;
    let decision = decide(state, &asked, Place::Verify).await?;
    let mut out = Vec::with_capacity(ROOM);
    answer::write(&mut out, &decision);
    Ok(answered(out))
}

/// Verifies each credential in order. An internal error for one fails the whole batch, so that no caller takes a
/// partial result as complete.
pub async fn batch<B>(state: &EdgeState, headers: &HeaderMap, body: B) -> Result<Response<Bytes>, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    json::is_json(headers)?;
    let body = body::read(body, BATCH_MAX).await?;
    let Batch { keys } = json::read(&body)?;
    let mut out = Vec::with_capacity(ROOM * keys.len());
    out.extend_from_slice(br#"{"results":["#);
    for (at, asked) in keys.iter().enumerate() {
        if at > 0 {
            out.push(b',');
            if at % TURN == 0 {
                tokio::task::yield_now().await;
            }
        }
        let decision = decide(state, asked, Place::Batch).await?;
        answer::write(&mut out, &decision);
    }
    out.extend_from_slice(b"]}");
    Ok(answered(out))
}

async fn decide(state: &EdgeState, asked: &Asked<'_>, place: Place) -> Result<Checked, Problem> {
    let (question, tokens) = (asked.question(), &state.tokens);
    let decision = match &asked.presented {
        Presented::Either(text) => tokens.presented(text, &question).await?,
        Presented::Token(text) => tokens.token(text, &question).await?,
    };
    state.metrics.decided(place, &decision);
    Ok(decision)
}

fn answered(body: Vec<u8>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

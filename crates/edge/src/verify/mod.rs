//! `POST /v1/keys/verify`: is this key good? And `POST /v1/keys/verify:batch`: are these?

mod answer;
mod asked;

use super::{EdgeState, body, json, metrics::Place, problem::Problem};
use asked::{Asked, Batch, Presented};
use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use keyward_verify::tokens::Checked;

/// The largest body of one question, in bytes.
const ONE_MAX: usize = 64 * 1024;
/// The largest body of many: a thousand tokens with their questions.
const BATCH_MAX: usize = 2 * 1024 * 1024;
/// Keys in one question.
pub const KEYS_MAX: usize = 1_000;
/// Room for an answer: most take no more.
const ROOM: usize = 512;
/// Keys after which others have their turn on this thread: a token that is new costs fifty microseconds.
const TURN: usize = 64;

/// Decides on one; the answer to a well-formed question is 200, whatever the decision.
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

/// Decides on each, in their order. A fault of ours on one is a fault on all: nobody takes a part for the whole.
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

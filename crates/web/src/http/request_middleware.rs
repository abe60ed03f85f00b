//! Request middleware of pages, forms, and the slower API endpoints: checks the host, assigns the request id, opens the
//! span of the request, logs the request, and sets the security headers.

use super::{
    AppState,
    body::{ENCODED, is_unencoded},
    client::Client,
    client::Peer,
    error_page::{self, RequestInfo},
    failure, headers as response_headers, request_id,
    request_span::RequestSpan,
};
use crate::service::actor::Origin;
use axum::{
    body::HttpBody as _,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::time::Instant;
use tracing::Instrument as _;

/// Characters of a `User-Agent` that are stored.
const AGENT_MAX: usize = 200;

/// The outermost middleware of the routers.
pub async fn handle_request(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let config = &state.app.config;
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let headers = request.headers();
    let client = Client::from_headers(config, peer, headers);
    let has_encoded_body = !request.body().is_end_stream() && !is_unencoded(headers);
    let encoded = || has_encoded_body.then_some((StatusCode::UNSUPPORTED_MEDIA_TYPE, ENCODED.0, ENCODED.1));
    let refusal = client.check_host(&state.edge, request.version(), request.uri(), headers).err().or_else(encoded);
    let (ip, id) = (client.ip, state.edge.ids.for_request(&client, headers));
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    let origin = Origin {
        ip,
        agent: agent.map(|agent| agent.chars().take(AGENT_MAX).collect()),
        request_id: id.to_str().ok().map(ToOwned::to_owned),
        // Only browser requests have a time zone; see `sessions`.
        zone: None,
    };
    // The span has the route, never the requested path: a query can contain a setup code.
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let span = RequestSpan::new(request.method(), &route, ip, origin.request_id.as_deref().unwrap_or_default());
    request.extensions_mut().insert(origin);
    request.extensions_mut().insert(span.clone());
    let mut response = match refusal {
        None => next.run(request).instrument(span.span()).await,
        Some((status, code, words)) => error_page::respond(status, code, words, &RequestInfo::of(&request)),
    };
    if let Ok(id) = id.to_str() {
        response = failure::add_request_id(response, id);
    }
    if has_encoded_body && response.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        response.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    response_headers::harden(response.headers_mut(), config);
    let took = started.elapsed();
    state.edge.count(&route, response.status(), took);
    span.finish(response.status(), took);
    response.headers_mut().insert(request_id::NAME, id);
    response
}

//! Fast path in front of the routers: the performance-critical endpoints and those for operations (health, metrics).
//!
//! Their paths are matched without a router and their responses have few headers. All other requests go to the routers.
//!
//! If an internal listener is configured, these endpoints are available there, for any host, and not on the public
//! listener.

mod http_service;
mod response_body;

pub use http_service::HttpService;
pub use response_body::ResponseBody;

use super::{
    EdgeState,
    body::with_timeout,
    client::{Client, check_single_host},
    gateway, headers, health, logged, metrics,
    problem::{Problem, default_for_status, panic_problem},
    request_id, verify,
};
use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header},
};
use futures::FutureExt as _;
use std::{
    net::{IpAddr, SocketAddr},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

/// Time limit for a response. It includes a sign-in, which waits at most 5 s for its turn to hash the password.
pub const RESPONSE_TIME: Duration = Duration::from_secs(30);

/// Endpoint of the fast path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    Verify,
    Batch,
    Auth,
    Metrics,
    Health,
    Ready,
}

impl Endpoint {
    /// Returns the endpoint with this path.
    pub fn from_path(path: &str) -> Option<Self> {
        match path {
            "/v1/keys/verify" => Some(Self::Verify),
            "/v1/auth" => Some(Self::Auth),
            "/v1/keys/verify:batch" => Some(Self::Batch),
            "/metrics" => Some(Self::Metrics),
            "/healthz" => Some(Self::Health),
            "/readyz" => Some(Self::Ready),
            path if path.starts_with("/v1/auth/") => Some(Self::Auth),
            _ => None,
        }
    }

    /// Returns the path as it appears in the route table.
    const fn path(self) -> &'static str {
        match self {
            Self::Verify => "/v1/keys/verify",
            Self::Batch => "/v1/keys/verify:batch",
            Self::Auth => "/v1/auth",
            Self::Metrics => "/metrics",
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
        }
    }

    /// Returns the value of `Allow` if the endpoint does not support the method.
    fn allow_if_unsupported(self, method: &Method) -> Option<&'static str> {
        match self {
            Self::Auth => None,
            Self::Verify | Self::Batch => (*method != Method::POST).then_some("POST"),
            Self::Metrics | Self::Health | Self::Ready => {
                (*method != Method::GET && *method != Method::HEAD).then_some("GET,HEAD")
            }
        }
    }

    /// Whether the endpoint serves monitoring. It accepts any host and works while the server is at its connection
    /// limit.
    pub const fn is_health(self) -> bool {
        matches!(self, Self::Metrics | Self::Health | Self::Ready)
    }
}

/// Listener that received a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    Public,
    Internal,
}

/// Responds to a request to a fast-path endpoint. `address` is `None` on the internal listener if no endpoint matches:
/// the response is 404.
pub async fn respond<B>(
    state: &EdgeState,
    side: Listener,
    address: Option<Endpoint>,
    peer: Option<SocketAddr>,
    request: Request<B>,
) -> Response<Bytes>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let config = &state.config;
    let client = Client::from_headers(config, peer.map(|peer| peer.ip()), &parts.headers);
    let id = state.ids.for_request(&client, &parts.headers);
    let work = async {
        if side == Listener::Public {
            // Probes use a pod's address or localhost. The responses do not depend on the host.
            let host = match address.is_some_and(Endpoint::is_health) {
                true => check_single_host(&parts.headers),
                false => client.check_host(state, parts.version, &parts.uri, &parts.headers),
            };
            host.map_err(|(status, code, words)| Problem::new(status, code, words))?;
        }
        let here = side == Listener::Internal || !config.programs.internal;
        let address = address.filter(|_| here).ok_or_else(|| status_problem(StatusCode::NOT_FOUND))?;
        if let Some(allowed) = address.allow_if_unsupported(&parts.method) {
            return Err(status_problem(StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, allowed));
        }
        dispatch(state, address, client.ip, &parts.uri, &parts.headers, body).await
    };
    let answer = with_timeout(RESPONSE_TIME, AssertUnwindSafe(work).catch_unwind()).await;
    let id_text = id.to_str().ok();
    let mut response = match answer {
        Some(Ok(Ok(response))) => response,
        Some(Ok(Err(problem))) => problem.into_http_response(id_text),
        Some(Err(_)) => panic_problem(id_text).into_http_response(id_text),
        None => status_problem(StatusCode::SERVICE_UNAVAILABLE).into_http_response(id_text),
    };
    finish(state, &mut response);
    let took = started.elapsed();
    state.count(address.map_or("", Endpoint::path), response.status(), took);
    // Requests are counted in the metrics. A log line for each would be thousands of lines per second without more
    // information.
    tracing::debug!(
        http.method = logged::loggable_method(&parts.method),
        http.route = address.map_or("(none)", Endpoint::path),
        http.status = response.status().as_u16(),
        client.ip = client.ip.map(tracing::field::display),
        request.id = id_text,
        micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response.headers_mut().insert(request_id::NAME, id);
    response
}

async fn dispatch<B>(
    state: &EdgeState,
    address: Endpoint,
    ip: Option<IpAddr>,
    uri: &Uri,
    headers: &HeaderMap,
    body: B,
) -> Result<Response<Bytes>, Problem>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    // The futures of rare requests are boxed: otherwise every request would move the largest of them.
    match address {
        Endpoint::Verify => verify::one(state, headers, body).await,
        Endpoint::Batch => Box::pin(verify::batch(state, headers, body)).await,
        Endpoint::Auth => gateway::respond(state, ip, uri, headers).await,
        Endpoint::Metrics => Ok(metrics::scrape(state)),
        Endpoint::Health => Ok(health::liveness()),
        Endpoint::Ready => Box::pin(health::readiness(state)).await,
    }
}

/// Returns the default problem document of a status.
fn status_problem(status: StatusCode) -> Problem {
    let (code, words) = default_for_status(status);
    Problem::new(status, code, words)
}

/// Adds the final headers. A 200 response is read by programs and not rendered, so it gets at most two; other responses
/// get the default security headers.
fn finish(state: &EdgeState, response: &mut Response<Bytes>) {
    const NOSNIFF: (HeaderName, HeaderValue) = (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if response.status() == StatusCode::OK {
        response.headers_mut().insert(NOSNIFF.0, NOSNIFF.1);
        if state.config.public_url.is_https() {
            let hsts = HeaderValue::from_static(headers::HSTS);
            response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, hsts);
        }
    } else {
        headers::harden(response.headers_mut(), &state.config);
    }
}

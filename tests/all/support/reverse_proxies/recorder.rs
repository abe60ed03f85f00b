//! Recording server: stores each request that it receives.

use super::loopback_servers;
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// A received request.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The client's socket address. Requests with the same address used the same connection.
    pub peer: SocketAddr,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: String,
}

impl RecordedRequest {
    /// Returns all values of a header.
    pub fn header_values(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().expect("plain")).collect()
    }
}

type SharedRequests = Arc<Mutex<Vec<RecordedRequest>>>;

/// The server. It runs until the test ends.
pub struct Recorder {
    pub at: SocketAddr,
    seen: SharedRequests,
}

impl Recorder {
    pub async fn start() -> Self {
        let (at, listener) = loopback_servers::bind_free_port().await;
        let seen = SharedRequests::default();
        let router = Router::new().fallback(record_and_respond).with_state(seen.clone());
        tokio::spawn(async move {
            let service = router.into_make_service_with_connect_info::<SocketAddr>();
            axum::serve(listener, service).await.expect("it serves");
        });
        Self { at, seen }
    }

    /// Returns and removes the requests since the previous call.
    pub fn take(&self) -> Vec<RecordedRequest> {
        std::mem::take(&mut self.seen.lock().expect("no panic"))
    }
}

/// Keyward's response to a key without scopes and without `issued_to`.
const IDENTITY: [(&str, &str); 3] =
    [("x-keyward-key-id", "k"), ("x-keyward-project-id", "p"), ("x-keyward-scopes", "")];

/// Handles a request. As the API: responds with 200, or with the status in the path (`/answers/403`). As Keyward
/// (`/v1/auth`): responds with 200, or with 401 without an `Authorization` header.
async fn record_and_respond(
    State(kept): State<SharedRequests>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let status = uri.path().strip_prefix("/answers/").and_then(|code| code.parse().ok()).unwrap_or(StatusCode::OK);
    let (body, keyward) = (String::from_utf8_lossy(&body).into_owned(), uri.path() == "/v1/auth");
    let presented = headers.contains_key("authorization");
    kept.lock().expect("no panic").push(RecordedRequest { peer, method, uri, headers, body });
    match (keyward, presented) {
        (true, true) => IDENTITY.into_response(),
        (true, false) => (StatusCode::UNAUTHORIZED, "Keyward's own words").into_response(),
        (false, _) => (status, [("x-of-the-api", "yes")], "the API's own words").into_response(),
    }
}

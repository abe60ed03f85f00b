//! Connection limits over real sockets: connections for each client, timeouts, and the end of a connection.

use crate::support::{Engine, TestServer, raw_client::Client, socket_requests};
use axum::{Router, body::Body, response::IntoResponse as _, routing::get};
use futures::StreamExt as _;
use keyward::http::serve::{Limits, serve_with_limits};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, oneshot},
    task::JoinHandle,
};

/// A timeout that no step of these tests reaches, even on a slow machine.
const LONG: Duration = Duration::from_secs(60);

struct Server {
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

async fn start(router: Router, limits: Limits) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(serve_with_limits(listener, router, limits, async {
        let _ = stopped.await;
    }));
    Server { at, stop, ended }
}

/// State of the handler of `/slow`.
struct Slow {
    /// Releases one request.
    go: Notify,
    /// Has one permit for each request that has arrived.
    arrived: Semaphore,
}

impl Slow {
    /// Waits until `requests` more requests have arrived.
    async fn arrived(&self, requests: u32) {
        let arrived = tokio::time::timeout(LONG, self.arrived.acquire_many(requests)).await;
        arrived.expect("they arrive").expect("it is open").forget();
    }
}

/// Returns a router with `/healthz`, `/`, and `/slow`, which responds after a notification.
fn slow_router() -> (Router, Arc<Slow>) {
    let shared = Arc::new(Slow { go: Notify::new(), arrived: Semaphore::new(0) });
    let slow = {
        let shared = shared.clone();
        move || async move {
            shared.arrived.add_permits(1);
            shared.go.notified().await;
            "slow"
        }
    };
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/healthz", get(|| async { "alive" }))
        .route("/slow", get(slow));
    (router, shared)
}

/// Connects a client and sends its request to `/slow`.
async fn slow_client(server: &Server, from: u8) -> Client {
    let mut client = Client::connect_from(from, server.at).await;
    client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client
}

#[tokio::test]
async fn a_client_that_takes_nothing_of_its_response_is_disconnected() {
    struct Ended(Option<oneshot::Sender<()>>);
    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.take().expect("once").send(());
        }
    }
    let (ended, dropped) = oneshot::channel();
    let ended = Arc::new(std::sync::Mutex::new(Some(Ended(Some(ended)))));
    let handler = move || async move {
        let ended = ended.lock().expect("no panic").take();
        let endless = futures::stream::repeat(vec![b'x'; 64 * 1024]).map(move |piece| {
            let _ = &ended;
            Ok::<_, std::io::Error>(piece)
        });
        Body::from_stream(endless).into_response()
    };
    let limits = Limits { write: Duration::from_millis(300), ..Limits::default() };
    let server = start(Router::new().route("/", get(handler)), limits).await;
    let mut client = Client::connect(server.at).await;
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::timeout(LONG, dropped).await.expect("the response is given up").expect("dropped");
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let (router, slow) = slow_router();
    let server = start(router, Limits { per_address: 2, ..Limits::default() }).await;
    let mut busy = [slow_client(&server, 2).await, slow_client(&server, 2).await];
    // Before their requests arrive, a third connection would replace the oldest one.
    slow.arrived(2).await;
    let mut third = Client::connect_from(2, server.at).await;
    assert!(third.is_closed().await, "beyond the limit of the address");
    let mut other = Client::connect_from(3, server.at).await;
    assert_eq!(other.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 200);
    // A connection that is idle is closed in favor of a new one.
    slow.go.notify_one();
    slow.go.notify_one();
    for client in &mut busy {
        assert_eq!(client.response().await.status, 200);
    }
    let mut fourth = Client::connect_from(2, server.at).await;
    assert_eq!(fourth.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 200);
    let [first, second] = &mut busy;
    assert!(
        tokio::time::timeout(LONG, async {
            tokio::select! { it = first.is_closed() => it, it = second.is_closed() => it }
        })
        .await
        .expect("one of them is closed")
    );
}

#[tokio::test]
async fn silent_connections_do_not_keep_others_out() {
    let (router, _slow) = slow_router();
    let server = start(router, Limits { connections: 4, reserve: 1, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(Client::connect(server.at).await);
    }
    for _ in 0..4 {
        let mut client = Client::connect(server.at).await;
        let response = client.request("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!((response.status, response.has_close()), (200, false));
        silent.push(client);
    }
    assert!(silent[0].is_closed().await, "the one that was silent longest made room");
}

#[tokio::test]
async fn clients_that_connect_at_the_same_time_take_the_places_of_idle_ones() {
    let (router, _slow) = slow_router();
    let server = start(router, Limits { connections: 4, reserve: 1, ..Limits::default() }).await;
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut idle = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(server.at).await;
        assert_eq!(client.request(request).await.status, 200);
        idle.push(client);
    }
    let mut new = Vec::new();
    for _ in 0..4 {
        new.push(Client::connect(server.at).await);
    }
    for client in &mut new {
        let response = client.request(request).await;
        assert_eq!((response.status, response.has_close()), (200, false));
    }
    for client in &mut idle {
        assert!(client.is_closed().await, "an idle connection made room");
    }
}

#[tokio::test]
async fn health_responds_while_all_connections_are_busy() {
    let (router, slow) = slow_router();
    let server = start(router, Limits { connections: 2, reserve: 2, ..Limits::default() }).await;
    let mut busy = [slow_client(&server, 2).await, slow_client(&server, 3).await];
    slow.arrived(2).await;
    for (path, status) in [("/healthz", 200), ("/", 503), ("/healthz", 200)] {
        let mut client = Client::connect(server.at).await;
        let response = client.request(&format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert_eq!((response.status, response.has_close()), (status, true), "{path}");
    }
    slow.go.notify_one();
    slow.go.notify_one();
    for client in &mut busy {
        assert_eq!(client.response().await.status, 200);
    }
}

#[tokio::test]
async fn incomplete_heads_do_not_delay_the_end() {
    let (router, _slow) = slow_router();
    let server = start(router, Limits::default()).await;
    let _silent = Client::connect(server.at).await;
    let mut half = Client::connect(server.at).await;
    half.send("GET / HTTP/1.1\r\nHos").await;
    let mut second = Client::connect(server.at).await;
    assert_eq!(second.request("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.status, 200);
    second.send("GET / HTTP/1.1\r\nHos").await;
    // The listener has accepted all three connections, because the last one got its response.
    server.stop.send(()).expect("it runs");
    tokio::time::timeout(Duration::from_secs(8), server.ended).await.expect("at once").expect("in order");
    assert!(half.is_closed().await && second.is_closed().await);
}

/// The body follows its head in a separate packet, as over a network. The response announces whether the connection
/// stays open, and the connection behaves accordingly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_request_keeps_or_closes_the_connection() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let port = socket_requests::listen(&bench, crate::support::config(crate::support::URL)).await;
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    for round in 0..40 {
        let path = ["/v1/keys/verify", "/oauth/token", "/nowhere", "/login", "/healthz", "/v1/auth"][round % 6];
        let body = "x".repeat(2_000);
        client
            .send(&format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nContent-Type: text/plain\r\nContent-Length: 2000\r\n\r\n"))
            .await;
        tokio::time::sleep(Duration::from_millis(if round % 2 == 0 { 0 } else { 10 })).await;
        client.send(&body).await;
        let response = client.response().await;
        assert!((400..500).contains(&response.status), "{path}: {}", response.status);
        assert!(!response.has_close(), "{path}: a small body is read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_a_large_body_arrives_and_announces_the_close() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let port = socket_requests::listen(&bench, crate::support::config(crate::support::URL)).await;
    let large = "x".repeat(6 * 1024 * 1024);
    for (path, kind) in [
        ("/login", "application/x-www-form-urlencoded"),
        ("/v1/keys/verify", "application/json"),
        ("/oauth/token", "application/x-www-form-urlencoded"),
    ] {
        let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
        client
            .send(&format!(
                "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nOrigin: {url}\r\nContent-Type: {kind}\r\n\
                 Content-Length: {}\r\n\r\n{large}",
                large.len(),
                url = crate::support::URL,
            ))
            .await;
        let response = client.response().await;
        assert_eq!((response.status, response.has_close()), (413, true), "{path}");
        assert!(client.is_closed().await, "{path}");
    }
    // If the client sends `Expect: 100-continue`, its body is not read, and the response announces the close.
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    let response = client
        .request("POST /v1/keys/verify HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nExpect: 100-continue\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n")
        .await;
    assert_eq!((response.status, response.has_close()), (415, true));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn framing_that_proxies_read_differently_is_refused() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let port = socket_requests::listen(&bench, crate::support::config(crate::support::URL)).await;
    let host = "Host: 127.0.0.1:3000";
    let chunked = format!(
        "POST /v1/keys/verify HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let smuggled = format!("GET /healthz HTTP/1.1\r\n{host}\r\n\r\n");
    for request in [
        format!("GET /healthz HTTP/1.1\n{host}\r\n\r\n"),
        format!("GET /healthz HTTP/1.1\r\n{host}\nX: y\r\n\r\n"),
        format!("POST /v1/keys/verify HTTP/1.1\r\n{host}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!(
            "POST /v1/keys/verify HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        format!("POST /v1/keys/verify HTTP/1.1\r\n{host}\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nabcde"),
        format!("{chunked}2;\n{{}}\r\n0\r\n\r\n"),
        // A parser that ends the line at LF reads the second request as data of a chunk.
        format!("{chunked}2;\nxx\r\n{:x}\r\n0\r\n\r\n{smuggled}\r\n0\r\n\r\n", 5 + smuggled.len()),
        format!("{chunked}2\r\n{{}}\r\n0\r\nX: y\n\r\n{smuggled}"),
    ] {
        let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
        assert_eq!(client.request("GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:3000\r\n\r\n").await.status, 200);
        let response = client.request(&request).await;
        assert_eq!((response.status, response.has_close()), (400, true), "{request:?}");
        assert!(client.is_closed().await, "{request:?}");
    }
    let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
    for _ in 0..2 {
        let body = "{}";
        let chunked = client
            .request(&format!(
                "POST /v1/keys/verify HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n\
                 1\r\n{{\r\n1;x=y\r\n}}\r\n0\r\n\r\n"
            ))
            .await;
        let plain = client
            .request(&format!(
                "POST /v1/keys/verify HTTP/1.1\r\n{host}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ))
            .await;
        assert_eq!((chunked.status, &chunked.body), (plain.status, &plain.body));
        assert!(!chunked.has_close() && !plain.has_close());
    }
}

/// The start of the next request is unknown, so the response announces the close (RFC 9112 section 9.6).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_body_is_refused_with_400_and_announces_the_close() {
    let bench = TestServer::new(Engine::Sqlite).await;
    // Without a user the sign-in page redirects to the setup.
    bench.create_user("maren@pelagic.example", false).await;
    let port = socket_requests::listen(&bench, crate::support::config(crate::support::URL)).await;
    let trailers = format!("1\r\na\r\n0\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    let bodies = ["zz\r\n", "fffffffffffffffff\r\n", "1\r\nab\r\n0\r\n\r\n", "1\r\na\r\nzz\r\n", &trailers];
    for (path, kind) in [
        ("/login", "application/x-www-form-urlencoded"),
        ("/v1/keys/verify", "application/json"),
        ("/oauth/token", "application/x-www-form-urlencoded"),
    ] {
        for (number, body) in bodies.iter().enumerate() {
            let mut client = Client::connect(([127, 0, 0, 1], port).into()).await;
            let response = client
                .request(&format!(
                    "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nOrigin: {url}\r\nAccept: text/html\r\nContent-Type: {kind}\r\n\
                     Transfer-Encoding: chunked\r\n\r\n{body}",
                    url = crate::support::URL,
                ))
                .await;
            assert_eq!(
                (response.status, response.has_close()),
                (400, true),
                "{path}, body {number}: {}",
                response.body
            );
            assert!(!response.body.contains("too long"), "{path}, body {number}");
        }
    }
}

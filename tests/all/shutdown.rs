//! Graceful shutdown: in bounded time, whatever clients and the database do, and with an error for data that was not
//! written.

use crate::support::{
    Engine,
    change_feed::wait_until,
    database,
    node::{self, Node},
    proxy::{Link, Proxy},
};
use keyward::store::{Location, Pool};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const DATABASE: &str = "sqlite:keyward.db";
/// Less than the time that requests in progress get, on any machine.
const AT_ONCE: Duration = Duration::from_secs(9);
/// The grace period of Kubernetes. The server takes at most 25 s.
const IN_TIME: Duration = Duration::from_secs(30);

/// Neither half a request head nor a silent connection is a request in progress.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_request_does_not_delay_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Node::start(folder.path(), DATABASE, &[]);
    let mut half = TcpStream::connect(&server.address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nHost: ").await.unwrap();
    let silent = TcpStream::connect(&server.address).await.unwrap();
    // Connections are accepted in order, so the earlier ones are accepted when this response arrives.
    assert_eq!(server.get("/healthz").await.0, 200);
    server.signal("TERM");
    let (status, error, took) = server.end();
    assert!(status.success() && took < AT_ONCE, "{took:?}: {error}");
    drop((half, silent));
}

/// Starts a request and leaves it in progress: its handler waits for the body.
async fn start_request(server: &Node) -> TcpStream {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let head = format!(
        "POST /v1/keys/verify HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n\
         Content-Length: 11\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut status_line = [0; 25];
    stream.read_exact(&mut status_line).await.unwrap();
    assert!(status_line.starts_with(b"HTTP/1.1 100"), "{}", String::from_utf8_lossy(&status_line));
    stream
}

/// A request in progress is completed, although its body arrives after the signal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_progress_is_completed() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Node::start(folder.path(), DATABASE, &[]);
    let mut stream = start_request(&server).await;
    server.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    stream.write_all(br#"{"key":"x"}"#).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("malformed"), "{answer}");
    assert!(server.end().0.success());
}

/// SIGHUP stops the server as SIGTERM does: usage counters are written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hang_up_is_an_orderly_end() {
    let folder = tempfile::tempdir().unwrap();
    let key = node::first_key(folder.path(), DATABASE, &["data:read"]);
    let mut server = Node::start(folder.path(), DATABASE, &[]);
    for _ in 0..7 {
        assert!(server.verify(key["secret"].as_str().unwrap()).await.1.contains(r#""valid":true"#));
    }
    server.signal("HUP");
    let (status, error, _) = server.end();
    assert!(status.success(), "{status}: {error}");
    let pool = Pool::open(&Location::Sqlite(folder.path().join("keyward.db"))).await.unwrap();
    let Pool::Sqlite { write, .. } = &pool else { unreachable!("it is SQLite") };
    // The calls are merged or in a pending flush. In each entry of a flush the calls are the fourth value.
    let merged: i64 = sqlx::query_scalar("SELECT COALESCE(SUM(calls), 0) FROM usage").fetch_one(write).await.unwrap();
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COALESCE(SUM(json_extract(entry.value, '$[3]')), 0) FROM usage_flushes, json_each(usage_flushes.calls) AS entry",
    )
    .fetch_one(write)
    .await
    .unwrap();
    assert_eq!(merged + waiting, 7);
}

/// If a flush cannot be written, the server exits with an error that reports it, in time, even if a request in progress
/// does not end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unwritten_data_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let key = node::first_key(folder.path(), DATABASE, &["data:read"]);
    let mut server = Node::start(folder.path(), DATABASE, &[]);
    // Another process holds the write lock and does not release it, so nothing can be written.
    let pool = Pool::open(&Location::Sqlite(folder.path().join("keyward.db"))).await.unwrap();
    let Pool::Sqlite { write, .. } = &pool else { unreachable!("it is SQLite") };
    let mut holder = write.acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *holder).await.unwrap();
    for _ in 0..3 {
        assert!(server.verify(key["secret"].as_str().unwrap()).await.1.contains(r#""valid":true"#));
    }
    let endless = start_request(&server).await;
    server.signal("TERM");
    let (status, error, took) = server.end();
    drop(endless);
    assert!(!status.success() && error.contains("the usage counts of 3 calls were not written"), "{status}: {error}");
    assert!(took < IN_TIME, "{took:?}");
    sqlx::query("ROLLBACK").execute(&mut *holder).await.unwrap();
}

/// If PostgreSQL does not respond, the server exits anyway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_postgres_does_not_keep_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let Location::Postgres(url) = database(Engine::Postgres, &folder).await else {
        unreachable!("the engine was chosen")
    };
    let (before, server_address, after) = crate::postgres_faults::split(&url);
    let proxy = Proxy::start(server_address.to_owned()).await;
    let url = format!("{before}{}{after}", proxy.address);
    node::command(folder.path(), DATABASE, &["admin", "create-key-file", "keyward.key"]).unwrap();
    let key = node::first_key(folder.path(), &url, &["data:read"]);
    let mut server = Node::start(folder.path(), &url, &["--key-file", "keyward.key"]);
    wait_until("the key is verified", async || {
        server.verify(key["secret"].as_str().unwrap()).await.1.contains(r#""valid":true"#)
    })
    .await;
    proxy.set(Link::Silent);
    server.signal("TERM");
    let (_, error, took) = server.end();
    assert!(took < IN_TIME, "{took:?}: {error}");
}

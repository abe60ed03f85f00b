//! Requests over a socket, for behavior that only a real connection shows.

use super::{TestServer, browser::Page};
use keyward::{
    config::Config,
    http::{AppState, http_service, serve::serve},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// Starts a listener for this service with these settings. Returns its port.
pub async fn listen(bench: &TestServer, config: Config) -> u16 {
    let service = http_service(AppState::new(bench.app.with_config(config)));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(serve(listener, service, std::future::pending()));
    port
}

/// Sends a request with exactly these lines and returns the response.
pub async fn send_request(port: u16, what: &str, headers: &[&str], body: &str) -> Page {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let text = format!("{what} HTTP/1.1\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    stream.write_all(text.as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    // The server may close the connection after it denies the request.
    let _ = stream.read_to_end(&mut answer).await;
    parse_response(&answer)
}

/// Parses a response without its connection-specific headers.
pub fn parse_response(answer: &[u8]) -> Page {
    let at = answer.windows(4).position(|it| it == b"\r\n\r\n").expect("a head and a body");
    let head = std::str::from_utf8(&answer[..at]).expect("a plain head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|it| it.split(' ').nth(1)).and_then(|it| it.parse().ok()).expect("a status");
    let mut headers = axum::http::HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !["connection", "date", "transfer-encoding"].contains(&name) {
            let name: axum::http::HeaderName = name.parse().expect("a name");
            headers.append(name, value.parse().expect("a value"));
        }
    }
    Page { status, headers, bytes: answer[at + 4..].to_vec() }
}

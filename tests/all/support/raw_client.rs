//! HTTP client on a socket: sends exactly the given bytes and keeps its connection open.

use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// Timeout, longer than any response takes on a slow machine.
const LONG: Duration = Duration::from_secs(60);

/// An HTTP/1.1 client with one connection.
pub struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A response with a `Content-Length`.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Response {
    /// Returns the value of a header, or an empty string.
    pub fn header(&self, name: &str) -> &str {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value).next().unwrap_or_default()
    }

    /// Returns whether the response announces the end of the connection.
    pub fn has_close(&self) -> bool {
        self.header("connection").eq_ignore_ascii_case("close")
    }
}

impl Client {
    pub async fn connect(at: SocketAddr) -> Self {
        Self::connect_from(1, at).await
    }

    /// Connects from 127.0.0.`from`.
    pub async fn connect_from(from: u8, at: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(([127, 0, 0, from], 0).into()).expect("an address of loopback");
        let stream = socket.connect(at).await.expect("it listens");
        stream.set_nodelay(true).expect("an option");
        Self { stream, read: Vec::new() }
    }

    pub async fn send(&mut self, text: &str) {
        let sent = tokio::time::timeout(LONG, self.stream.write_all(text.as_bytes()));
        sent.await.expect("it is read").expect("it is sent");
    }

    pub async fn request(&mut self, text: &str) -> Response {
        self.send(text).await;
        self.response().await
    }

    /// Returns the next response.
    pub async fn response(&mut self) -> Response {
        tokio::time::timeout(LONG, self.read_response()).await.expect("a response in time")
    }

    async fn read_response(&mut self) -> Response {
        let end = loop {
            match self.read.windows(4).position(|it| it == b"\r\n\r\n") {
                Some(end) => break end,
                None => self.read_more().await,
            }
        };
        let head = String::from_utf8(self.read[..end].to_vec()).expect("a plain head");
        let mut response = Response { status: 0, head, body: String::new() };
        response.status = response.head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        let length = response.header("content-length").parse::<usize>().unwrap_or_default();
        while self.read.len() < end + 4 + length {
            self.read_more().await;
        }
        response.body = String::from_utf8(self.read[end + 4..end + 4 + length].to_vec()).expect("a plain body");
        self.read.drain(..end + 4 + length);
        response
    }

    async fn read_more(&mut self) {
        let read = self.stream.read_buf(&mut self.read).await.expect("it is readable");
        assert!(read > 0, "the connection ended after {:?}", String::from_utf8_lossy(&self.read));
    }

    /// Waits until the connection ends. Returns `false` if data arrives first.
    pub async fn is_closed(&mut self) -> bool {
        let read = tokio::time::timeout(LONG, self.stream.read_buf(&mut self.read)).await;
        read.expect("an end in time").unwrap_or_default() == 0 && self.read.is_empty()
    }
}

//! Servers on loopback: Keyward itself, and ones that answer as Keyward never should.

use axum::Router;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// Keyward on a port, until it is stopped.
pub struct Served {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Served {
    pub fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let ended = tokio::spawn(keyward::http::serve::serve(listener, router, stopped));
        Self { stop, ended }
    }

    /// Done when nothing listens there any more.
    pub async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.ended.await.expect("an orderly end");
    }
}

/// A free port, and its listener.
pub async fn free() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    (listener.local_addr().expect("an address"), listener)
}

/// An address that nobody listens at.
pub async fn nobody() -> SocketAddr {
    free().await.0
}

/// What a server does with every connection.
#[derive(Clone, Copy, Debug)]
pub enum Manner {
    /// Takes it, and never says a word.
    Silent,
    /// Says this, whatever it is asked, and closes.
    Says(&'static str),
    /// Says this at once, and then a byte of the rest each 0.3 s.
    Drips(&'static str, &'static str),
}

/// A server with these manners, for as long as the test runs.
pub async fn ill_mannered(manner: Manner) -> SocketAddr {
    let (address, listener) = free().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(converse(stream, manner));
        }
    });
    address
}

async fn converse(mut stream: TcpStream, manner: Manner) {
    let mut heard = [0; 16 * 1024];
    // A connection that is closed with something unread takes the answer with it. The requests of these tests come in one piece.
    let _ = stream.read(&mut heard).await;
    match manner {
        Manner::Silent => {}
        Manner::Says(words) => {
            let _ = stream.write_all(words.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        Manner::Drips(head, rest) => {
            let _ = stream.write_all(head.as_bytes()).await;
            for byte in rest.bytes() {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let _ = stream.write_all(&[byte]).await;
            }
        }
    }
    while stream.read(&mut heard).await.is_ok_and(|n| n > 0) {}
}

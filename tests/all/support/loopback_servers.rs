//! Servers on loopback: Keyward, and servers with invalid responses.

use axum::Router;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

/// A Keyward server on a port. It runs until it is stopped.
pub struct RunningServer {
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl RunningServer {
    pub fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = oneshot::channel();
        let stopped = async {
            let _ = stopped.await;
        };
        let ended = tokio::spawn(keyward::http::serve::serve(listener, router, stopped));
        Self { stop, ended }
    }

    /// Stops the server and waits until the port is closed.
    pub async fn stop(self) {
        self.stop.send(()).expect("it runs");
        self.ended.await.expect("an orderly end");
    }
}

/// Returns the address of a free port and its listener.
pub async fn bind_free_port() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    (listener.local_addr().expect("an address"), listener)
}

/// Returns an address without a listener.
pub async fn closed_port() -> SocketAddr {
    bind_free_port().await.0
}

/// Response behavior of a server, for each connection.
#[derive(Clone, Copy, Debug)]
pub enum FaultyBehavior {
    /// Accepts the connection and sends nothing.
    Silent,
    /// Sends this text after any request, then closes the connection.
    Responds(&'static str),
    /// Sends the first text immediately, then the second one at 1 byte per 0.3 s.
    Trickles(&'static str, &'static str),
}

/// Starts a server with this behavior. It runs until the test ends.
pub async fn start_faulty_server(manner: FaultyBehavior) -> SocketAddr {
    let (address, listener) = bind_free_port().await;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve_connection(stream, manner));
        }
    });
    address
}

async fn serve_connection(mut stream: TcpStream, manner: FaultyBehavior) {
    let mut buffer = [0; 16 * 1024];
    // Closing a connection with unread data would discard the response. The requests of these tests fit in one read.
    let _ = stream.read(&mut buffer).await;
    match manner {
        FaultyBehavior::Silent => {}
        FaultyBehavior::Responds(words) => {
            let _ = stream.write_all(words.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
        FaultyBehavior::Trickles(head, rest) => {
            let _ = stream.write_all(head.as_bytes()).await;
            for byte in rest.bytes() {
                tokio::time::sleep(Duration::from_millis(300)).await;
                let _ = stream.write_all(&[byte]).await;
            }
        }
    }
    while stream.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
}

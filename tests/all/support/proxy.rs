//! TCP proxy that simulates network faults: it can stop forwarding or refuse connections.

use std::net::SocketAddr;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// State of the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Bytes are forwarded.
    Up,
    /// Connections stay open, and no bytes are forwarded.
    Silent,
    /// Connections are closed, and new ones are refused.
    Refused,
}

/// A proxy in front of one address.
pub struct Proxy {
    pub address: SocketAddr,
    link: watch::Sender<Link>,
    task: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub async fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (link, links) = watch::channel(Link::Up);
        let task = tokio::spawn(run(listener, address, target, links));
        Self { address, link, task }
    }

    pub fn set(&self, link: Link) {
        self.link.send_replace(link);
    }
}

async fn run(listener: TcpListener, address: SocketAddr, target: String, mut links: watch::Receiver<Link>) {
    let mut listener = Some(listener);
    loop {
        let accepted = async {
            match &listener {
                Some(listener) => listener.accept().await.map(|(stream, _)| stream),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stream = accepted => {
                if let Ok(stream) = stream {
                    tokio::spawn(pass(stream, target.clone(), links.clone()));
                }
            }
            changed = links.changed() => {
                if changed.is_err() {
                    return;
                }
                match *links.borrow_and_update() {
                    Link::Refused => listener = None,
                    Link::Up | Link::Silent => {}
                }
                let is_refused = *links.borrow() == Link::Refused;
                if !is_refused && listener.is_none() {
                    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
                    socket.set_reuseaddr(true).expect("an option");
                    socket.bind(address).expect("the same port");
                    listener = Some(socket.listen(64).expect("it listens again"));
                }
            }
        }
    }
}

/// Handles one connection: forwards bytes while the link is up, waits while it is silent, and ends when it refuses.
async fn pass(mut client: TcpStream, target: String, mut links: watch::Receiver<Link>) {
    let mut server = None;
    loop {
        let link = *links.borrow_and_update();
        match link {
            Link::Refused => return,
            Link::Silent => {
                if links.changed().await.is_err() {
                    return;
                }
            }
            Link::Up => {
                if server.is_none() {
                    server = TcpStream::connect(&target).await.ok();
                }
                let Some(server) = &mut server else { return };
                tokio::select! {
                    _ = copy_bidirectional(&mut client, server) => return,
                    changed = links.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}

//! Listening sockets of one server. A host name can resolve to several addresses.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::atomic::{AtomicUsize, Ordering},
    task::Poll,
};
use tokio::net::{TcpListener, TcpStream};

/// One or more listening sockets.
#[derive(Debug)]
pub struct Listeners {
    sockets: Vec<TcpListener>,
    /// Index of the socket that is polled first. It rotates, so that a busy socket does not starve the others.
    next: AtomicUsize,
}

impl From<TcpListener> for Listeners {
    fn from(socket: TcpListener) -> Self {
        Self { sockets: vec![socket], next: AtomicUsize::new(0) }
    }
}

impl Listeners {
    /// Binds all addresses.
    ///
    /// With port 0 the first address gets a free port and the others use the same one. An address that this machine
    /// does not have (for example IPv6) is skipped if another one can be bound.
    ///
    /// # Errors
    /// If an address is in use, or no address can be bound.
    pub async fn bind(addresses: &[SocketAddr]) -> io::Result<Self> {
        let (mut sockets, mut failed) = (Vec::<TcpListener>::new(), None);
        for address in addresses {
            let mut address = *address;
            if let (0, Some(first)) = (address.port(), sockets.first()) {
                address.set_port(first.local_addr()?.port());
            }
            match TcpListener::bind(address).await {
                Ok(socket) => sockets.push(socket),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                Err(error) => failed = Some(error),
            }
        }
        match sockets.is_empty() {
            true => Err(failed.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into())),
            false => Ok(Self { sockets, next: AtomicUsize::new(0) }),
        }
    }

    /// Returns the address of the first socket.
    ///
    /// # Errors
    /// If the system call fails.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.sockets[0].local_addr()
    }

    /// Accepts the next connection on any socket.
    ///
    /// # Errors
    /// If the system cannot accept a connection, for example because too many files are open.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|context| {
            let first = self.next.fetch_add(1, Ordering::Relaxed);
            for at in 0..self.sockets.len() {
                let socket = &self.sockets[first.wrapping_add(at) % self.sockets.len()];
                if let Poll::Ready(accepted) = socket.poll_accept(context) {
                    return Poll::Ready(accepted);
                }
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_address_accepts_on_one_port() {
        let addresses: Vec<SocketAddr> = vec!["127.0.0.1:0".parse().unwrap(), "127.0.0.2:0".parse().unwrap()];
        let listeners = Listeners::bind(&addresses).await.unwrap();
        let port = listeners.local_addr().unwrap().port();
        for ip in ["127.0.0.1", "127.0.0.2", "127.0.0.1"] {
            let client = TcpStream::connect((ip, port)).await.unwrap();
            let (_, peer) = listeners.accept().await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap(), "{ip}");
        }
        let used: Vec<SocketAddr> = vec![format!("127.0.0.3:{port}").parse().unwrap(), listeners.local_addr().unwrap()];
        assert_eq!(Listeners::bind(&used).await.unwrap_err().kind(), io::ErrorKind::AddrInUse);
        // Documentation address, which no machine has (RFC 5737).
        let foreign: SocketAddr = "192.0.2.1:0".parse().unwrap();
        assert!(Listeners::bind(&[foreign]).await.is_err());
        assert!(Listeners::bind(&[foreign, addresses[0]]).await.is_ok(), "another address will do");
    }
}

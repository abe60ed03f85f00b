//! HTTP client of the command line: the proxy of the environment, and trusted certificates.

use super::cli::{BINARY, err};
use crate::support::{
    loopback_servers::{FaultyBehavior, bind_free_port, closed_port, start_faulty_server},
    tls,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    net::SocketAddr,
    process::Command,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<p>Welcome!</p>";
/// Part of the error message for [`HTML`]: there was a response.
const RESPONDED: &str = "is not from Keyward";
const KEY: &str = "kw_live_never_to_be_seen_by_a_proxy";
/// Status line of a proxy that opens a tunnel, and of one that requires authentication.
const OPEN: &str = "HTTP/1.1 200 Connection established";
const AUTHENTICATE: &str = "HTTP/1.1 407 Proxy Authentication Required";

/// A TLS server that responds with [`HTML`], and its certificate.
struct TlsServer {
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl TlsServer {
    async fn start() -> Self {
        let (acceptor, pem) = tls::self_signed(false, &["keys.example", "127.0.0.1", "0.0.0.0"]);
        let (address, listener) = bind_free_port().await;
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(respond(acceptor.clone(), stream));
            }
        });
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("trusted.pem"), pem).unwrap();
        std::fs::write(folder.path().join("other.pem"), tls::self_signed(false, &["other.example"]).1).unwrap();
        Self { address, folder }
    }

    /// Runs a command on this server, and returns its error message.
    fn run(&self, url: &str, variables: &[(&str, &str)]) -> String {
        let mut command = Command::new(BINARY);
        command.args(["keys", "list", "--url", url]).current_dir(self.folder.path()).env_clear();
        command.env("KEYWARD_KEY", KEY).env("SSL_CERT_FILE", "trusted.pem").envs(variables.iter().copied());
        let message = err(&tokio::task::block_in_place(|| command.output()).expect("it runs"));
        assert!(!message.contains(KEY) && !message.contains("hunter2"), "{message}");
        message
    }
}

/// A proxy that records the requests for tunnels, and opens each of them to the same server.
struct Proxy {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn start(status: &'static str, server: SocketAddr) -> Self {
        let (address, listener) = bind_free_port().await;
        let requests = Arc::default();
        tokio::spawn(forward(listener, status, server, Arc::clone(&requests)));
        Self { address, requests }
    }

    fn url(&self) -> String {
        format!("http://ann:hunter2@{}", self.address)
    }

    fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

async fn forward(listener: TcpListener, status: &'static str, server: SocketAddr, requests: Arc<Mutex<Vec<String>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let requests = Arc::clone(&requests);
        tokio::spawn(async move {
            let head = read_head(&mut stream).await;
            requests.lock().unwrap().push(head);
            let _ = stream.write_all(format!("{status}\r\n\r\n").as_bytes()).await;
            if status == OPEN {
                let mut server = TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
            }
        });
    }
}

async fn respond(acceptor: TlsAcceptor, stream: TcpStream) {
    // The client may reject the certificate.
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    read_head(&mut stream).await;
    let _ = stream.write_all(HTML.as_bytes()).await;
    let _ = stream.flush().await;
    // Closing a connection with unread data would discard the response.
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
}

/// Reads a request up to the end of its head.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n")
        && let Ok(byte) = stream.read_u8().await
    {
        head.push(byte);
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_proxy_of_the_environment_receives_only_host_and_port() {
    let server = TlsServer::start().await;
    let proxy = Proxy::start(OPEN, server.address).await;
    let authorization = format!("proxy-authorization: Basic {}\r\n", STANDARD.encode("ann:hunter2"));
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let message = server.run("https://keys.example", &[(variable, &proxy.url())]);
        assert!(message.contains(RESPONDED), "{variable}: {message}");
        let requests = proxy.take_requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        let head = requests[0].replace("Proxy-Authorization", "proxy-authorization");
        assert!(head.starts_with("CONNECT keys.example:443 HTTP/1.1\r\n"), "{head}");
        assert!(head.contains(&authorization) && !head.contains(KEY) && !head.contains("oauth"), "{head}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn excluded_hosts_and_this_machine_are_reached_without_the_proxy() {
    let server = TlsServer::start().await;
    let proxy = Proxy::start(OPEN, server.address).await;
    let proxy_url = proxy.url();
    let plain = start_faulty_server(FaultyBehavior::Responds(HTML)).await;
    // A connection to this address goes to this machine, but it is not a loopback address.
    let unspecified = format!("https://0.0.0.0:{}", server.address.port());
    let variables = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"].map(|variable| (variable, proxy_url.as_str()));
    assert!(server.run(&unspecified, &variables).contains(RESPONDED));
    assert_eq!(proxy.take_requests().len(), 1);
    for (url, excluded) in [
        (unspecified, "keys.example,0.0.0.0"),
        (format!("https://{}", server.address), ""),
        (format!("http://{plain}"), ""),
    ] {
        let message = server.run(&url, &[&variables[..], &[("NO_PROXY", excluded)]].concat());
        assert!(message.contains(RESPONDED), "{url}: {message}");
        assert!(proxy.take_requests().is_empty(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_opens_no_tunnel_is_reported() {
    let server = TlsServer::start().await;
    let proxy = Proxy::start(AUTHENTICATE, server.address).await;
    let message = server.run("https://keys.example", &[("HTTPS_PROXY", &proxy.url())]);
    assert!(message.contains("tunnel error: proxy authorization required"), "{message}");
    let nothing = format!("http://{}", closed_port().await);
    let message = server.run("https://keys.example", &[("HTTPS_PROXY", &nothing)]);
    assert!(message.contains("tunnel error") && message.contains("refused"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_certificate_is_explained() {
    let server = TlsServer::start().await;
    let proxy = Proxy::start(OPEN, server.address).await;
    let (address, localhost) =
        (format!("https://{}", server.address), format!("https://localhost:{}", server.address.port()));
    let proxy_url = proxy.url();
    let untrusted = "is not signed by an authority that this machine trusts";
    /// The URL, the environment variables, and the expected error.
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let cases: [Case; 4] = [
        (&address, &[("SSL_CERT_FILE", "other.pem")], untrusted),
        ("https://keys.example", &[("SSL_CERT_FILE", "other.pem"), ("HTTPS_PROXY", &proxy_url)], untrusted),
        (&localhost, &[], "the certificate of localhost is for other names"),
        (&address, &[("SSL_CERT_FILE", "missing.pem")], "no certificate authorities are installed"),
    ];
    for (url, variables, reason) in cases {
        let message = server.run(url, variables);
        assert!(message.contains(reason), "{url}: {message}");
    }
}

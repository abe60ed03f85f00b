//! Gateway processes: the examples in `examples/gateways/`, each with Keyward and a small API.

pub mod checks;
mod recorder;

use super::{
    Engine, TestServer, config, database,
    loopback_servers::{self, RunningServer},
    test_data::CreatedKey,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use keyward::{config::Config, service::actor::Caller};
pub use recorder::Recorder;
use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// Generates the tests that every gateway must pass.
macro_rules! gateway {
    ($name:ident $gateway:ident $(#[$attribute:meta])?) => {
        gateway! { $name $gateway $(#[$attribute])?; admits refuses limits networks forwards_few_headers fails_closed keeps_identity passes_preflights accepts_uploads }
    };
    ($name:ident $gateway:ident; $($check:ident)+) => {
        mod $name {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $check() {
                super::checks::$check(super::$gateway).await;
            }
        )+}
    };
    ($name:ident $gateway:ident #[$attribute:meta]; $($check:ident)+) => {
        mod $name {$(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            #[$attribute]
            async fn $check() {
                super::checks::$check(super::$gateway).await;
            }
        )+}
    };
}

/// Values in the examples that a test replaces: the ports of the gateway, Keyward, and the API, and the project.
const PLACEHOLDERS: [&str; 4] = ["8080", "3000", "9000", "01890a5d-ac96-774b-bcce-b302099a8057"];
/// Keyward's public URL in the examples.
const PUBLIC_URL: &str = "https://keys.example.com";
/// Timeout for a gateway that does not respond.
const BROKEN: Duration = Duration::from_secs(60);
/// Interval between two readiness checks.
const PAUSE: Duration = Duration::from_millis(20);

/// A gateway.
#[derive(Clone, Copy)]
pub struct Gateway {
    /// The example file.
    pub file: &'static str,
    /// Builds the command that starts the gateway: in its own folder, with a copy of the file, listening on the
    /// address.
    pub command: fn(&Path, &Path, SocketAddr) -> Command,
    /// Query of the request to `/v1/auth`, before the project.
    pub query: &'static str,
    /// Statuses of the response when Keyward is unavailable.
    pub unavailable_statuses: &'static [u16],
    /// The gateway forwards the client's `Host` header. This requires `KEYWARD_INTERNAL_LISTEN`.
    pub any_host: bool,
    /// The gateway can remove headers by a pattern, not only by their exact names.
    pub patterns: bool,
    /// The gateway replaces a loopback client address with the address of the machine.
    pub hides_loopback: bool,
}

/// A running gateway and its API. Dropping it stops both.
pub struct GatewayProcess {
    pub api: Recorder,
    at: SocketAddr,
    child: Child,
    _folder: TempDir,
}

/// A response to a client.
#[derive(Debug)]
pub struct GatewayResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl GatewayResponse {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("plain"))
    }
}

impl GatewayProcess {
    /// Starts the gateway with its example file, in which only [`PLACEHOLDERS`] are replaced, and sends one request
    /// without a credential.
    pub async fn new(gateway: &Gateway, keyward: SocketAddr, project: &str) -> Self {
        let (api, folder) = (Recorder::start().await, tempfile::tempdir().expect("a folder"));
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/gateways").join(gateway.file);
        let example = std::fs::read_to_string(example).expect("the example");
        let copy = folder.path().join(gateway.file);
        // The port is free when it is selected. If another process takes it, the gateway ends and the next attempt uses
        // another port.
        for _ in 0..5 {
            let at = loopback_servers::closed_port().await;
            let [ours, keywards, apis] = [at, keyward, api.at].map(|it| it.port().to_string());
            let text = PLACEHOLDERS.iter().zip([&*ours, &*keywards, &*apis, project]).fold(
                example.clone(),
                |text, (from, to)| {
                    assert!(text.contains(from), "{} has no {from}", gateway.file);
                    text.replace(from, to)
                },
            );
            std::fs::write(&copy, text).expect("a copy");
            let mut command = (gateway.command)(folder.path(), &copy, at);
            let log = std::fs::File::create(folder.path().join("log")).expect("a log");
            command.current_dir(folder.path()).stdin(Stdio::null()).stdout(log.try_clone().expect("twice")).stderr(log);
            let mut child = command.spawn().unwrap_or_else(|error| {
                panic!("{command:?}: {error}. `.ci/need nginx caddy` prints how to install what is missing")
            });
            if listens(&mut child, at).await {
                let stage = Self { api, at, child, _folder: folder };
                // Traefik listens before it has read its configuration.
                while stage.send(&["GET /"], "").await.status == 404 {
                    tokio::time::sleep(PAUSE).await;
                }
                return stage;
            }
        }
        panic!("{}: {}", gateway.file, std::fs::read_to_string(folder.path().join("log")).expect("a log"));
    }

    /// Sends a request from 127.0.0.1. The first line is a method and a path, the others are headers.
    pub async fn send(&self, lines: &[&str], body: &str) -> GatewayResponse {
        self.send_from(1, lines, body).await
    }

    /// Sends a request from 127.0.0.`from`.
    pub async fn send_from(&self, from: u8, lines: &[&str], body: &str) -> GatewayResponse {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.bind(SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, from), 0).into()).expect("an address of loopback");
        let mut stream = socket.connect(self.at).await.expect("the gateway listens");
        let head = lines[1..].iter().fold(format!("{} HTTP/1.1\r\n", lines[0]), |head, line| head + line + "\r\n");
        let more = format!("Host: api.example.com\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &more + body).as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        tokio::time::timeout(BROKEN, stream.read_to_end(&mut answer)).await.expect("it answers").expect("readable");
        parse_response(&String::from_utf8_lossy(&answer))
    }
}

impl Drop for GatewayProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until the gateway listens. Returns `false` if its process ends.
async fn listens(child: &mut Child, at: SocketAddr) -> bool {
    let until = async {
        while child.try_wait().expect("its state").is_none() {
            if TcpStream::connect(at).await.is_ok() {
                return true;
            }
            tokio::time::sleep(PAUSE).await;
        }
        false
    };
    tokio::time::timeout(BROKEN, until).await.expect("it listens or ends")
}

fn parse_response(text: &str) -> GatewayResponse {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
    let pair = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.parse::<HeaderName>().ok()?, HeaderValue::from_str(value.trim()).ok()?))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(pair) {
        headers.append(name, value);
    }
    GatewayResponse { status, headers, body: body.to_owned() }
}

/// A gateway in front of a complete Keyward with one project.
pub struct GatewayFixture {
    pub bench: TestServer,
    pub owner: Caller,
    pub gateway: GatewayProcess,
    pub at: SocketAddr,
    pub served: RunningServer,
}

impl GatewayFixture {
    pub async fn new(gateway: &Gateway) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let location = database(Engine::Sqlite, &folder).await;
        let mut settings =
            Config { trusted_proxies: vec!["127.0.0.1/32".parse().expect("a network")], ..config(PUBLIC_URL) };
        if gateway.any_host {
            settings.hosts.push("api.example.com".into());
        }
        let bench = TestServer::with_config(location, folder, settings).await;
        let owner = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        let (at, listener) = loopback_servers::bind_free_port().await;
        let served = RunningServer::start(listener, bench.router.clone());
        let stage = GatewayProcess::new(gateway, at, &project.to_string()).await;
        Self { bench, owner, gateway: stage, at, served }
    }

    /// Creates a key of the project. `set` is the `SET` clause of an SQL update that changes the key before its first
    /// use.
    pub async fn create_key(&self, set: &str) -> CreatedKey {
        let made = self.bench.create_key(&self.owner, "Gateway").await;
        if !set.is_empty() {
            self.bench.execute_sql(&format!("UPDATE keys SET {set} WHERE id = {}", self.bench.literal(made.id))).await;
        }
        made
    }
}

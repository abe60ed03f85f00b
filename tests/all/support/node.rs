//! Server process: the binary in its own process, which a test can signal, and CLI commands on the same database.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

pub const BINARY: &str = env!("CARGO_BIN_EXE_keyward");
/// Upper bound that ends a test after a fault. It is not a measurement.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process. Dropping it kills the process.
pub struct Node {
    pub child: Child,
    pub address: String,
}

/// A response: its status and its complete text.
pub type Response = (u16, String);

impl Node {
    /// Starts `keyward serve` in this folder.
    ///
    /// # Panics
    /// If the server does not start, with its standard error.
    pub fn start(folder: &Path, database: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
        Self::start_by(command, folder, database).expect("it starts")
    }

    /// Starts a command that runs `keyward serve`.
    ///
    /// # Errors
    /// The standard error of the process, if it ends instead.
    pub fn start_by(mut command: Command, folder: &Path, database: &str) -> Result<Self, String> {
        command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("KEYWARD_DATABASE_URL", database).env("KEYWARD_LOG", "warn");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it can be run");
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("readable");
        let Some(address) = line.trim().split("http://").nth(1).map(ToOwned::to_owned) else {
            let mut error = String::new();
            child.stderr.take().expect("a pipe").read_to_string(&mut error).expect("text");
            let _ = child.wait();
            return Err(error);
        };
        // Drains standard output: a full pipe would block the process.
        std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Ok(Self { child, address })
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().expect("kill runs").success());
    }

    /// Waits until the process ends. Returns its exit status, its standard error, and the duration.
    pub fn end(&mut self) -> (ExitStatus, String, Duration) {
        let started = Instant::now();
        let mut pipe = self.child.stderr.take().expect("it was not taken before");
        let reading = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = pipe.read_to_string(&mut text);
            text
        });
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return (status, reading.join().expect("text"), started.elapsed());
            }
            assert!(started.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends one request over a new connection.
    pub async fn request(&self, head: &str, body: &str) -> Response {
        let text = format!(
            "{head}\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let call = async {
            let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
            stream.write_all(text.as_bytes()).await.expect("it is sent");
            let mut answer = Vec::new();
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        let answer = tokio::time::timeout(PATIENCE, call).await.expect("an answer in time");
        (answer.get(9..12).and_then(|it| it.parse().ok()).unwrap_or(0), answer)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(&format!("GET {path} HTTP/1.1"), "").await
    }

    /// Exchanges a key for an access token with all scopes of the management API that the key permits.
    pub async fn management_token(&self, secret: &str) -> String {
        let body = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token_type=urn:keyward:token-type:key\
             &subject_token={secret}&scope=keyward:keys.write%20keyward:keys.read"
        );
        let form = "POST /oauth/token HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded";
        let (status, answer) = self.request(form, &body).await;
        assert_eq!(status, 200, "{answer}");
        let token = answer.split("\"access_token\":\"").nth(1).and_then(|it| it.split('"').next());
        token.expect("a token").to_owned()
    }

    /// Sends a request to the management API with an access token.
    pub async fn post(&self, path: &str, token: &str, body: &str) -> Response {
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer {token}");
        self.request(&head, body).await
    }

    pub async fn verify(&self, secret: &str) -> Response {
        let body = serde_json::json!({ "key": secret }).to_string();
        self.request("POST /v1/keys/verify HTTP/1.1\r\nContent-Type: application/json", &body).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a CLI command. Returns its standard output, or its standard error if it fails.
pub fn command(folder: &Path, database: &str, arguments: &[&str]) -> Result<String, String> {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("KEYWARD_DATABASE_URL", database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be run");
    let mut input = child.stdin.take().expect("a pipe");
    let _ = std::io::Write::write_all(&mut input, super::PASSWORD.as_bytes());
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

/// Creates the user `maren@pelagic.example` and a key in their project with these scopes. Returns `key_id`,
/// `project_id`, and `secret`.
pub fn first_key(folder: &Path, database: &str, scopes: &[&str]) -> Value {
    let person = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"];
    command(folder, database, &person).expect("a person");
    key(folder, database, "Gateway", scopes)
}

/// Creates another key.
pub fn key(folder: &Path, database: &str, name: &str, scopes: &[&str]) -> Value {
    let scopes: Vec<_> = scopes.iter().flat_map(|it| ["--scope", it]).collect();
    let create = ["keys", "create", "--project", "maren’s project", "--name", name, "--json"];
    let made = command(folder, database, &[&create[..], &scopes].concat()).expect("a key");
    serde_json::from_str(&made).expect("JSON")
}

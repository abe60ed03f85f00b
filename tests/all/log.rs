//! The log of a running server: optional JSON lines, request ids, and which requests are logged.

use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
};

/// Starts a server, sends these requests, and stops it. Returns the request ids of the responses and the log.
fn logged(arguments: &[&str], requests: &[&str]) -> (Vec<String>, String) {
    let (responses, log) = responses(arguments, requests);
    let id = |response: &String| {
        let id = response.lines().find_map(|line| line.strip_prefix("x-request-id: "));
        id.expect("an id").to_owned()
    };
    (responses.iter().map(id).collect(), log)
}

/// Starts a server, sends these requests, and stops it. Returns the responses and the log.
fn responses(arguments: &[&str], requests: &[&str]) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(env!("CARGO_BIN_EXE_keyward"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(arguments)
        .current_dir(folder.path())
        .env_clear()
        .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("it speaks");
    let address = line.trim().rsplit("http://").next().expect("an address").to_owned();
    let mut responses = Vec::new();
    for request in requests {
        let mut stream = TcpStream::connect(&address).expect("it answers");
        write!(stream, "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("read");
        responses.push(answer);
    }
    // SIGTERM: a graceful shutdown.
    let stopped = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
    assert!(stopped.success());
    let mut log = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut log).expect("read");
    assert!(child.wait().expect("it ends").success());
    (responses, log)
}

/// Cookies without a session, which any client can send, do not fill the log.
#[test]
fn unknown_sessions_are_not_logged() {
    let cookies = ["AAAAAAAAAAAAAAAAAAAAAA", "no session id"];
    let requests = cookies.map(|cookie| format!("GET /keys HTTP/1.1\r\nCookie: keyward={cookie}\r\nX-Rest:"));
    let (_, log) = logged(&["--log", "warn"], &requests.each_ref().map(String::as_str));
    assert!(!log.contains("suspicious"), "{log}");
}

#[test]
fn json_logs_are_one_object_a_line_with_request_ids() {
    let requests = ["GET /.well-known/jwks.json", "GET /v1/auth?scope=a", "GET /login"];
    let (ids, log) = logged(&["--log-format", "json", "--log", "debug"], &requests);
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect();
    for line in &lines {
        for member in ["timestamp", "level", "target", "message"] {
            assert!(line[member].is_string(), "{member}: {line}");
        }
    }
    for ((id, request), (route, status)) in
        ids.iter().zip(requests).zip([("/.well-known/jwks.json", 200), ("/v1/auth", 401), ("/login", 303)])
    {
        let line = lines.iter().find(|line| line["request.id"] == id.as_str()).unwrap_or_else(|| panic!("{request}"));
        assert_eq!((&line["http.route"], &line["http.status"]), (&route.into(), &status.into()), "{line}");
        assert_eq!((&line["http.method"], &line["client.ip"]), (&"GET".into(), &"127.0.0.1".into()), "{line}");
        assert!(line["micros"].is_u64(), "{line}");
    }
    assert!(lines.iter().any(|line| line["message"] == "server.stopping"));
}

/// A page requests about ten assets.
#[test]
fn assets_are_logged_for_debugging_alone() {
    // The folder has a hash in its name.
    let page = responses(&[], &["GET /setup"]).0.remove(0);
    let (_, rest) = page.split_once("/pkg/").expect("an asset");
    let folder = rest.split('/').next().expect("a folder");
    let asset = format!("GET /pkg/{folder}/keyward.css");
    let requests = [asset.as_str(), "GET /pkg/nothing", "GET /login"];
    let (ids, log) = logged(&[], &requests);
    assert!(!log.contains(&ids[0]) && log.contains(&ids[1]) && log.contains(&ids[2]), "{log}");
    let (ids, log) = logged(&["--log", "debug"], &requests);
    assert!(ids.iter().all(|id| log.contains(id)), "{log}");
}

#[test]
fn the_hot_path_is_logged_for_debugging_alone() {
    let requests = ["GET /v1/auth", "GET /healthz", "GET /login"];
    let (ids, log) = logged(&[], &requests);
    assert!(!log.contains(&ids[0]) && !log.contains(&ids[1]), "{log}");
    assert!(log.contains(&ids[2]) && log.contains("/login"), "{log}");
    let (ids, log) = logged(&["--log", "debug"], &requests);
    assert!(ids.iter().all(|id| log.contains(id)), "{log}");
}

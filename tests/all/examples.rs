//! The programs in `examples/verify/`, run against Keyward and against servers with other responses.

use crate::support::{
    Engine, TestServer,
    loopback_servers::{self, FaultyBehavior, RunningServer},
    test_data::change_key,
};
use keyward::domain::transition::Transition;
use std::{
    ffi::OsStr,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};
use tokio::process::Command;

/// Time limit for a program. A program that runs longer hangs.
const HANG_TIMEOUT: Duration = Duration::from_secs(120);
/// Number of attempts until a program gets a response within its time limit of one second.
const TRIES: usize = 30;
/// The test vector of `docs/reference/secret-format.md`: well-formed, but not the secret of an existing key.
const VECTOR: &str = "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ";
const FILES: [&str; 4] = ["verify.mjs", "verify.py", "verify.go", "verify.rs"];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/verify").join(name)
}

/// Returns the path of a program, or `None` if this machine does not have it.
fn which(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn interpreted(language: &str, name: &str) -> Vec<PathBuf> {
    let Some(path) = which(language) else {
        panic!("{language} is missing: `.ci/need {language}` prints how to install it")
    };
    vec![path, file(name)]
}

fn node() -> Option<Vec<PathBuf>> {
    Some(interpreted("node", "verify.mjs"))
}

fn python() -> Option<Vec<PathBuf>> {
    Some(interpreted("python3", "verify.py"))
}

/// Cargo builds the examples with the tests.
fn rust() -> Option<Vec<PathBuf>> {
    let built = Path::new(env!("CARGO_BIN_EXE_keyward")).with_file_name("examples").join("verify");
    assert!(built.is_file(), "not built yet: `cargo build --example verify`");
    Some(vec![built])
}

/// Builds the Go example once. Returns `None` if this machine does not have Go.
fn go() -> Option<Vec<PathBuf>> {
    static BUILT: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let go = which("go")?;
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("verify");
        let mut build = std::process::Command::new(go);
        build.args([OsStr::new("build"), OsStr::new("-o"), program.as_os_str(), file("verify.go").as_os_str()]);
        build.env("GOCACHE", folder.path().join("cache")).env("GOPATH", folder.path()).env("GOPROXY", "off");
        let output = build.output().expect("go starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some((folder, program))
    });
    built.as_ref().map(|(_, program)| vec![program.clone()])
}

/// Runs a program. Returns whether it reports the key as valid, and its output.
async fn run_example(
    command: &[PathBuf],
    server: SocketAddr,
    project: &str,
    key: &str,
    scopes: &[&str],
) -> (bool, String) {
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]).args(scopes).kill_on_drop(true).stdin(Stdio::null());
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        program.env_remove(proxy);
    }
    program.env("KEYWARD_URL", format!("http://{server}")).env("KEYWARD_PROJECT", project).env("KEYWARD_KEY", key);
    let output = tokio::time::timeout(HANG_TIMEOUT, program.output()).await.expect("it ends").expect("it starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let also = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!stdout.contains(key) && !also.contains(key), "the key is not repeated: {stdout}{also}");
    let code = output.status.code();
    assert!(code == Some(0) || code == Some(1), "{code:?}: {stdout}{also}");
    (code == Some(0), stdout + &also)
}

/// Calls [`run_example`] with a responsive server, and repeats it when a busy machine exceeds the limit of one second.
async fn run_until_available(
    command: &[PathBuf],
    server: SocketAddr,
    project: &str,
    key: &str,
    scopes: &[&str],
) -> (bool, String) {
    for _ in 0..TRIES {
        let (valid, output) = run_example(command, server, project, key, scopes).await;
        if valid || !output.contains("unavailable") {
            return (valid, output);
        }
    }
    panic!("{command:?} gets no response in {TRIES} tries");
}

/// The responses of Keyward.
async fn follows_keyward(language: &str, command: Option<Vec<PathBuf>>) {
    let Some(command) = command else { return println!("not run: {language} is not on this machine") };
    let (address, listener) = loopback_servers::bind_free_port().await;
    let bench = TestServer::with_url(Engine::Sqlite, &format!("http://{address}")).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let (good, stopped) = (bench.create_key(&maren, "Good").await, bench.create_key(&maren, "Stopped").await);
    change_key(&bench.app.keys, &maren, stopped.id, Transition::Deactivate).await.expect("deactivated");
    let jonas = bench.create_user("jonas@pelagic.example", false).await;
    let foreign = bench.create_key(&jonas, "Of another project").await;
    let served = RunningServer::start(listener, bench.router.clone());

    let project = good.project.to_string();
    for (secret, scopes, expected) in [
        (good.secret.as_str(), &["data:read"][..], "true"),
        (&good.secret, &[], "true"),
        (&good.secret, &["data:read", "data:write"], "missing_scope"),
        (&stopped.secret, &["data:read"], "inactive"),
        (&foreign.secret, &["data:read"], "wrong_project"),
        (VECTOR, &["data:read"], "unknown"),
        ("kw_live_short", &["data:read"], "malformed"),
    ] {
        let (valid, output) = run_until_available(&command, address, &project, secret, scopes).await;
        assert_eq!(valid, expected == "true", "{expected}: {output}");
        assert!(output.contains(expected), "{expected}: {output}");
    }
    // An empty project does not mean any project.
    let (valid, output) = run_example(&command, address, "", &good.secret, &["data:read"]).await;
    assert!(!valid && output.contains("unavailable"), "{output}");
    served.stop().await;
    let (valid, output) = run_example(&command, address, &project, &good.secret, &["data:read"]).await;
    assert!(!valid && output.contains("unavailable"), "{output}");
    println!("run: {language}");
}

/// A positive response that differs from Keyward's is not accepted.
async fn fails_closed(language: &str, command: Option<Vec<PathBuf>>) {
    let Some(command) = command else { return println!("not run: {language} is not on this machine") };
    let elsewhere = loopback_servers::start_faulty_server(FaultyBehavior::Responds(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"valid\":true}",
    ))
    .await;
    let redirects =
        ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"].map(|status| {
            let to = format!("Location: http://{elsewhere}/v1/keys/verify");
            FaultyBehavior::Responds(
                format!("HTTP/1.1 {status}\r\n{to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").leak(),
            )
        });
    let answers = [
        ("500 Internal Server Error", r#"{"valid":true}"#),
        ("201 Created", r#"{"valid":true}"#),
        ("429 Too Many Requests", r#"{"valid":true}"#),
        ("200 OK", "<html>valid</html>"),
        ("200 OK", r#"{"valid":"true"}"#),
        ("200 OK", r#"{"valid":1}"#),
        ("200 OK", r#"{"valid":true"#),
        ("200 OK", "[true]"),
        ("200 OK", "true"),
        ("200 OK", "null"),
        ("200 OK", "{}"),
        ("200 OK", ""),
    ]
    .map(|(status, body)| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}", body.len());
        FaultyBehavior::Responds(format!("{head}\r\nConnection: close\r\n\r\n{body}").leak())
    });
    let broken = [
        FaultyBehavior::Silent,
        FaultyBehavior::Responds(""),
        FaultyBehavior::Responds("SSH-2.0-OpenSSH_9.2p1\r\n"),
        FaultyBehavior::Responds(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"valid\":true}",
        ),
    ];
    let (valid, output) = run_until_available(&command, elsewhere, "any", VECTOR, &[]).await;
    assert!(valid, "what the others are compared with is taken for Keyward: {output}");
    for manner in redirects.into_iter().chain(answers).chain(broken) {
        let (valid, output) =
            run_example(&command, loopback_servers::start_faulty_server(manner).await, "any", VECTOR, &[]).await;
        assert!(!valid, "{manner:?}: {output}");
        assert!(output.contains("unavailable"), "{manner:?}: {output}");
    }
    println!("run: {language}");
}

/// The limit of one second applies to the whole response, not to each of its parts.
async fn times_out_on_slow_response(command: Option<Vec<PathBuf>>) {
    let Some(command) = command else { return println!("not run: it is not on this machine") };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\nConnection: close\r\n\r\n";
    let drips = loopback_servers::start_faulty_server(FaultyBehavior::Trickles(head, r#"{"valid":true}"#)).await;
    let (valid, output) = run_example(&command, drips, "any", VECTOR, &[]).await;
    assert!(!valid && output.contains("unavailable"), "{output}");
}

macro_rules! languages {
    ($($language:ident)+) => {$(
        mod $language {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn follows_keyward() {
                super::follows_keyward(stringify!($language), super::$language()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn fails_closed() {
                super::fails_closed(stringify!($language), super::$language()).await;
            }
        }
    )+};
}

languages! { node python go rust }

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_is_for_the_whole_answer() {
    // Python's standard library has only a limit for each wait. The Python example documents this.
    for command in [node(), go(), rust()] {
        times_out_on_slow_response(command).await;
    }
}

#[test]
fn each_is_under_thirty_lines() {
    for name in FILES {
        let lines = std::fs::read_to_string(file(name)).expect("readable").lines().count();
        assert!((10..30).contains(&lines), "{name}: {lines}");
    }
}

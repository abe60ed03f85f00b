//! The programs in `examples/verify/`, run against Keyward and against servers with other responses.

use crate::support::{
    Bench, Engine,
    listen::{self, Manner, Served},
};
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
const HANGS: Duration = Duration::from_secs(120);
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
    let Some(path) = which(language) else { panic!("{language} is missing: `.ci/need {language}` says how to get it") };
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
async fn ask(command: &[PathBuf], server: SocketAddr, project: &str, key: &str, scopes: &[&str]) -> (bool, String) {
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]).args(scopes).kill_on_drop(true).stdin(Stdio::null());
    program.stdout(Stdio::piped()).stderr(Stdio::piped());
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        program.env_remove(proxy);
    }
    program.env("KEYWARD_URL", format!("http://{server}")).env("KEYWARD_PROJECT", project).env("KEYWARD_KEY", key);
    let output = tokio::time::timeout(HANGS, program.output()).await.expect("it ends").expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let also = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains(key) && !also.contains(key), "the key is not repeated: {said}{also}");
    let code = output.status.code();
    assert!(code == Some(0) || code == Some(1), "{code:?}: {said}{also}");
    (code == Some(0), said + &also)
}

/// Calls [`ask`] with a responsive server, and repeats it when a busy machine exceeds the limit of one second.
async fn heard(command: &[PathBuf], server: SocketAddr, project: &str, key: &str, scopes: &[&str]) -> (bool, String) {
    for _ in 0..TRIES {
        let (valid, said) = ask(command, server, project, key, scopes).await;
        if valid || !said.contains("unavailable") {
            return (valid, said);
        }
    }
    panic!("{command:?} hears no answer in {TRIES} tries");
}

/// The responses of Keyward.
async fn follows_keyward(language: &str, command: Option<Vec<PathBuf>>) {
    let Some(command) = command else { return println!("not run: {language} is not on this machine") };
    let (address, listener) = listen::free().await;
    let bench = Bench::at(Engine::Sqlite, &format!("http://{address}")).await;
    let maren = bench.person("maren@pelagic.example", false).await;
    let (good, stopped) = (bench.key(&maren, "Good").await, bench.key(&maren, "Stopped").await);
    bench.app.keys.deactivate(&maren, stopped.id).await.expect("deactivated");
    let jonas = bench.person("jonas@pelagic.example", false).await;
    let foreign = bench.key(&jonas, "Of another project").await;
    let served = Served::start(listener, bench.router.clone());

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
        let (valid, said) = heard(&command, address, &project, secret, scopes).await;
        assert_eq!(valid, expected == "true", "{expected}: {said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
    // An empty project does not mean any project.
    let (valid, said) = ask(&command, address, "", &good.secret, &["data:read"]).await;
    assert!(!valid && said.contains("unavailable"), "{said}");
    served.stop().await;
    let (valid, said) = ask(&command, address, &project, &good.secret, &["data:read"]).await;
    assert!(!valid && said.contains("unavailable"), "{said}");
    println!("run: {language}");
}

/// A positive response that differs from Keyward's is not accepted.
async fn fails_closed(language: &str, command: Option<Vec<PathBuf>>) {
    let Some(command) = command else { return println!("not run: {language} is not on this machine") };
    let elsewhere = listen::ill_mannered(Manner::Says(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"valid\":true}",
    ))
    .await;
    let redirects =
        ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"].map(|status| {
            let to = format!("Location: http://{elsewhere}/v1/keys/verify");
            Manner::Says(format!("HTTP/1.1 {status}\r\n{to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").leak())
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
        Manner::Says(format!("{head}\r\nConnection: close\r\n\r\n{body}").leak())
    });
    let broken = [
        Manner::Silent,
        Manner::Says(""),
        Manner::Says("SSH-2.0-OpenSSH_9.2p1\r\n"),
        Manner::Says("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"valid\":true}"),
    ];
    let (valid, said) = heard(&command, elsewhere, "any", VECTOR, &[]).await;
    assert!(valid, "what the others are compared with is taken for Keyward: {said}");
    for manner in redirects.into_iter().chain(answers).chain(broken) {
        let (valid, said) = ask(&command, listen::ill_mannered(manner).await, "any", VECTOR, &[]).await;
        assert!(!valid, "{manner:?}: {said}");
        assert!(said.contains("unavailable"), "{manner:?}: {said}");
    }
    println!("run: {language}");
}

/// The limit of one second applies to the whole response, not to each of its parts.
async fn waits_for_no_drip(command: Option<Vec<PathBuf>>) {
    let Some(command) = command else { return println!("not run: it is not on this machine") };
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 14\r\nConnection: close\r\n\r\n";
    let drips = listen::ill_mannered(Manner::Drips(head, r#"{"valid":true}"#)).await;
    let (valid, said) = ask(&command, drips, "any", VECTOR, &[]).await;
    assert!(!valid && said.contains("unavailable"), "{said}");
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
        waits_for_no_drip(command).await;
    }
}

#[test]
fn each_is_under_thirty_lines() {
    for name in FILES {
        let lines = std::fs::read_to_string(file(name)).expect("readable").lines().count();
        assert!((10..30).contains(&lines), "{name}: {lines}");
    }
}

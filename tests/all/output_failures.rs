//! Output failures of every command: the reader has closed the pipe, or the file system is full.

use super::cli::{BINARY, PASSWORD, Server, json, keyward, out, run};
use sqlx::Connection as _;
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

/// A database with two administrators, a key, a deleted key and a second factor. Each command gets a copy.
struct CommandFixture {
    folder: tempfile::TempDir,
    project: String,
    key: String,
    deleted: String,
}

const MAREN: &str = "maren@pelagic.example";
const FILES: [&str; 2] = ["keyward.db", "keyward.key"];

impl CommandFixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for email in [MAREN, "jonas@pelagic.example"] {
            out(&run(at, &["admin", "create-user", "--email", email, "--password-stdin", "--admin"], PASSWORD));
        }
        let create = ["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"];
        let (key, deleted) = (json(&keyward(at, &create)), json(&keyward(at, &create)));
        let id = |key: &serde_json::Value, name: &str| key[name].as_str().unwrap().to_owned();
        let (project, key, deleted) = (id(&key, "project_id"), id(&key, "key_id"), id(&deleted, "key_id"));
        out(&keyward(at, &["keys", "delete", &deleted]));
        // The first start generates the signing keys.
        assert!(Server::start(at, 1).stop(), "it ends with success");
        let url = format!("sqlite:{}", at.join("keyward.db").display());
        let mut db = sqlx::SqliteConnection::connect(&url).await.unwrap();
        let sql = "INSERT INTO second_factors SELECT id, x'00', 0, 0 FROM users";
        sqlx::query(sql).execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        Self { folder, project, key, deleted }
    }

    fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        for file in FILES {
            std::fs::copy(self.folder.path().join(file), copy.path().join(file)).unwrap();
        }
        copy
    }

    /// Arguments with which each command prints something. `serve` has tests of its own.
    fn arguments(&self) -> BTreeMap<&'static str, Vec<&str>> {
        let (project, key) = (self.project.as_str(), self.key.as_str());
        let (at, named) = (vec!["--project", project], vec!["--email", MAREN]);
        BTreeMap::from([
            ("admin create-user", vec!["--email", "ann@pelagic.example", "--password-stdin"]),
            ("admin second-factor-off", named.clone()),
            ("admin reset-link", named.clone()),
            ("admin list-users", vec![]),
            ("admin disable-user", named.clone()),
            ("admin enable-user", named.clone()),
            ("admin make-admin", named.clone()),
            ("admin unmake-admin", named),
            ("admin create-key-file", vec!["other.key"]),
            ("admin rotate-token-key", vec![]),
            ("audit verify", vec![]),
            ("audit export", vec![]),
            ("audit key", vec![]),
            ("keys create", [&at[..], &["--name", "Job"]].concat()),
            ("keys edit", vec![key, "--name", "Other"]),
            ("keys list", vec![]),
            ("keys show", vec![key]),
            ("keys deactivate", vec![key]),
            ("keys activate", vec![key]),
            ("keys delete", vec![key]),
            ("keys restore", vec![&self.deleted]),
            ("migrate", vec![]),
            ("projects list", vec![]),
            ("projects show", at.clone()),
            ("projects create", vec!["--name", "Buoys", "--owner", MAREN]),
            ("projects rename", [&at[..], &["--name", "Buoys"]].concat()),
            ("projects archive", at.clone()),
            ("projects members", at.clone()),
            ("projects config", at),
            ("demo", vec!["--keys", "1", "--database-url", "sqlite:demo.db"]),
            ("bench-create", vec!["--clients", "1", "--seconds", "0"]),
            ("bench-empty", vec!["--listen", "127.0.0.1:0"]),
        ])
    }
}

/// Commands that print a secret once, with the error text when printing fails.
const SECRETS: [(&str, &str); 3] =
    [("keys create", "keyward keys delete "), ("admin reset-link", "repeat the command"), ("demo", "password")];

/// Commands that change nothing, or make changes for a measurement only.
const READS: [&str; 13] = [
    "admin list-users",
    "audit verify",
    "audit export",
    "audit key",
    "keys list",
    "keys show",
    "migrate",
    "projects list",
    "projects show",
    "projects members",
    "projects config",
    "bench-create",
    "bench-empty",
];

/// Collects the full names of the commands that have no subcommands.
fn leaf_commands(command: &clap::Command, path: &str, found: &mut Vec<String>) {
    for it in command.get_subcommands() {
        let name = format!("{path} {}", it.get_name()).trim_start().to_owned();
        if it.has_subcommands() { leaf_commands(it, &name, found) } else { found.push(name) }
    }
}

fn spawn(folder: &Path, arguments: &[&str], stdout: Stdio) -> Child {
    let mut child = Command::new(BINARY)
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().expect("a pipe").write_all(PASSWORD.as_bytes());
    child
}

/// Waits for a command to end. The test fails if the command does not end in 120 s.
fn end(mut child: Child) -> Output {
    let limit = Instant::now() + Duration::from_secs(120);
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > limit {
            let _ = child.kill();
            panic!("the command did not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().expect("it ended")
}

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

/// Returns a pipe whose reader is closed.
fn closed() -> Stdio {
    std::io::pipe().expect("a pipe").1.into()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn output_that_cannot_be_written_is_an_error_and_a_closed_pipe_is_not() {
    let stage = CommandFixture::new().await;
    let table = stage.arguments();
    let mut names = Vec::new();
    leaf_commands(&keyward::cli::command(), "", &mut names);
    names.retain(|name| name != "serve");
    let listed: Vec<_> = table.keys().map(ToString::to_string).collect();
    names.sort();
    assert_eq!(names, listed, "each command has arguments in the table of this test");

    for (name, arguments) in &table {
        let all: Vec<_> = name.split(' ').chain(arguments.iter().copied()).collect();
        let secret = SECRETS.iter().find(|(command, _)| command == name);

        let folder = stage.copy();
        let output = end(spawn(folder.path(), &all, full()));
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {message}");
        assert!(message.contains("standard output could not be written: No space left on device"), "{name}: {message}");
        assert!(secret.is_none_or(|(_, advice)| message.contains(advice)), "{name}: {message}");
        let is_change = secret.is_none() && !READS.contains(name);
        assert_eq!(message.contains("the change was made"), is_change, "{name}: {message}");
        if *name == "keys edit" {
            assert!(out(&keyward(folder.path(), &["keys", "show", &stage.key])).contains("name        Other"));
        }

        let folder = stage.copy();
        let output = end(spawn(folder.path(), &all, closed()));
        let printed = stderr(&output);
        match secret {
            None => assert_eq!((output.status.code(), printed.as_str()), (Some(0), ""), "{name}"),
            Some((_, advice)) => {
                assert_eq!(output.status.code(), Some(1), "{name}: {printed}");
                assert!(printed.contains(advice), "{name}: {printed}");
            }
        }
    }
}

/// The error names the key whose secret was lost, on a running server too. A change that the server has committed is
/// reported as made.
#[test]
fn a_secret_that_was_not_printed_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    out(&run(at, &["admin", "create-user", "--email", MAREN, "--password-stdin"], PASSWORD));
    let server = Server::start(at, 1);
    let create = ["keys", "create", "--project", "maren’s project", "--name", "Manager", "--json"];
    let scopes = ["--scope", "keyward:keys.read", "--scope", "keyward:keys.write"];
    let manager = json(&keyward(at, &[&create[..], &scopes].concat()));
    std::fs::write(at.join("secret"), manager["secret"].as_str().unwrap()).unwrap();
    let url = format!("http://{}", server.address);
    let remote = ["keys", "create", "--name", "Lost", "--url", &url, "--secret-file", "secret"];
    let output = end(spawn(at, &remote, closed()));
    let printed = stderr(&output);
    let listed = json(&keyward(at, &["keys", "list", "--json", "--text", "Lost"]));
    let id = listed[0]["key_id"].as_str().unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains(&format!("keyward keys delete {id}")), "{printed}");

    let remote = ["keys", "edit", id, "--name", "Found", "--url", &url, "--secret-file", "secret"];
    let output = end(spawn(at, &remote, full()));
    let printed = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("the change was made") && printed.contains("No space left on device"), "{printed}");
    assert!(out(&keyward(at, &["keys", "show", id])).contains("name        Found"));
}

#[test]
fn the_exit_code_has_the_result_without_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    out(&run(at, &["admin", "create-user", "--email", MAREN, "--password-stdin"], PASSWORD));
    let export = out(&keyward(at, &["audit", "export"]));
    std::fs::write(at.join("export"), export.replacen("user.created", "user.deleted", 1)).unwrap();
    let output = end(spawn(at, &["audit", "verify", "--file", "export"], closed()));
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(!stderr(&output).is_empty());
}

#[test]
fn help_and_version_report_output_that_was_not_written() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--help"][..], &["keys", "create", "--help"], &["--version"]] {
        let output = end(spawn(folder.path(), arguments, full()));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains("No space left on device"), "{arguments:?}: {}", stderr(&output));
        let output = end(spawn(folder.path(), arguments, closed()));
        assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}");
    }
}

//! Command-line errors when the database, its file, or the server is not usable: the exit code is 1, the message names
//! the cause and the remedy, and it contains no secret.

use super::cli::{BINARY, PASSWORD, err, json, keyward, out, run};
use crate::support::loopback_servers::{FaultyBehavior, closed_port, start_faulty_server};
use sqlx::Connection as _;
use std::{
    path::Path,
    process::{Command, Output},
};

/// One command of each kind that opens the database.
const COMMANDS: [&[&str]; 7] = [
    &["admin", "list-users"],
    &["audit", "verify"],
    &["audit", "export"],
    &["keys", "list"],
    &["projects", "list"],
    &["bench-create", "--seconds", "0"],
    &["serve", "--listen", "127.0.0.1:0"],
];

/// Returns the error message of a failing command on this database.
fn fails(folder: &Path, database: &str, command: &[&str]) -> String {
    let output = keyward(folder, &[&["--database-url", database], command].concat());
    let message = err(&output);
    assert_eq!(output.status.code(), Some(1), "{command:?}: {message}");
    assert!(!message.contains("panicked") && !message.contains("hunter2"), "{command:?}: {message}");
    message
}

#[test]
fn a_database_file_that_cannot_serve_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("folder.db")).unwrap();
    std::fs::write(at.join("text.db"), "not a database, and long enough to have a header ".repeat(40)).unwrap();
    std::fs::write(at.join("file"), "").unwrap();
    for command in COMMANDS {
        for (database, advice) in [
            ("folder.db", "is a folder: set --database-url"),
            ("text.db", "The database file text.db is damaged, or is not a Keyward database"),
            // No user can create a file in `/sys`, and a file cannot contain other files.
            ("/sys/keyward.db", "needs write access to /sys/keyward.db"),
            ("file/keyward.db", "the folder file of the database"),
        ] {
            if command[0] != "serve" && !at.join(database).exists() {
                let message = fails(at, &format!("sqlite:{database}"), command);
                assert!(message.contains(&format!("there is no database at {database}")), "{command:?}: {message}");
                continue;
            }
            let printed = fails(at, &format!("sqlite:{database}"), command);
            assert!(printed.contains(database) && printed.contains(advice), "{command:?}: {printed}");
        }
    }
    assert_eq!(std::fs::read_to_string(at.join("text.db")).unwrap().len(), 49 * 40, "it was left as it is");
}

/// A page in the middle of the file is overwritten: the file opens, and a later read fails.
#[test]
fn a_damaged_page_is_reported_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    out(&run(at, &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD));
    let mut bytes = std::fs::read(at.join("keyward.db")).unwrap();
    bytes[8192..].fill(0x5a);
    std::fs::write(at.join("keyward.db"), bytes).unwrap();
    let message = fails(at, "sqlite:keyward.db", &["admin", "list-users"]);
    assert!(
        message.contains("The database file keyward.db is damaged") && message.contains("restore the newest backup"),
        "{message}"
    );
}

/// Overwrites the page of the table `head`, which is first read when a change appends its event.
pub async fn damage_head(file: &Path) {
    let mut reader = sqlx::SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let size: i64 = sqlx::query_scalar("PRAGMA page_size").fetch_one(&mut reader).await.unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = 'head'";
    let page: i64 = sqlx::query_scalar(root).fetch_one(&mut reader).await.unwrap();
    reader.close().await.unwrap();
    let (from, to) = (usize::try_from((page - 1) * size).unwrap(), usize::try_from(page * size).unwrap());
    let mut bytes = std::fs::read(file).unwrap();
    bytes[from..to].fill(0x5a);
    std::fs::write(file, bytes).unwrap();
}

/// The overwritten page is first read when a change appends its event: the whole batch fails.
#[tokio::test]
async fn a_damaged_page_of_a_lost_batch_is_reported_with_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    out(&run(at, &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD));
    let created = keyward(at, &["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"]);
    let key = json(&created)["key_id"].as_str().unwrap().to_owned();
    damage_head(&at.join("keyward.db")).await;
    let message = fails(at, "sqlite:keyward.db", &["keys", "deactivate", &key]);
    assert!(message.contains("the change was not written"), "{message}");
    assert!(
        message.contains("The database file keyward.db is damaged") && message.contains("restore the newest backup"),
        "{message}"
    );
}

#[tokio::test]
async fn a_database_that_another_process_keeps_locked_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    out(&run(at, &["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"], PASSWORD));
    let created = keyward(at, &["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"]);
    let key = json(&created)["key_id"].as_str().unwrap().to_owned();
    let url = format!("sqlite:{}", at.join("keyward.db").display());
    let mut other = sqlx::SqliteConnection::connect(&url).await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let printed = fails(at, "sqlite:keyward.db", &["keys", "deactivate", &key]);
    assert!(printed.contains("Another process has locked keyward.db"), "{printed}");
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    out(&keyward(at, &["keys", "deactivate", &key]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_that_cannot_serve_is_named_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let keyward::store::Location::Postgres(url) =
        crate::support::database(crate::support::Engine::Postgres, &folder).await
    else {
        unreachable!("the engine is PostgreSQL")
    };
    let at = folder.path();
    let right: url::Url = url.parse().unwrap();
    let mut wrong_password = right.clone();
    wrong_password.set_password(Some("hunter2hunter2")).unwrap();
    let mut no_database = right.clone();
    no_database.set_path("/nowhere");
    let mut no_server = wrong_password.clone();
    no_server.set_port(Some(closed_port().await.port())).unwrap();
    let command = &["admin", "list-users"];
    for (url, advice) in [
        (wrong_password, "Check the user and the password in --database-url"),
        (no_database, "Create the database postgres://"),
        (no_server, "Check that PostgreSQL runs at postgres://"),
    ] {
        let message = tokio::task::block_in_place(|| fails(at, url.as_str(), command));
        assert!(message.contains(advice), "{advice}: {message}");
        assert!(!message.contains(right.password().unwrap_or("hunter2")), "{message}");
    }
}

fn on_server(folder: &Path, url: &str) -> Output {
    Command::new(BINARY)
        .args(["keys", "list", "--url", url])
        .current_dir(folder)
        .env_clear()
        .env("KEYWARD_KEY", "hunter2hunter2")
        .output()
        .expect("it runs")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_serve_is_named_with_what_to_do() {
    const HTML: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<p>Welcome!</p>";
    let folder = tempfile::tempdir().unwrap();
    for (address, advice) in [
        (closed_port().await, "check the address in --url"),
        (start_faulty_server(FaultyBehavior::Silent).await, "no response within 10 s"),
        (start_faulty_server(FaultyBehavior::Responds("")).await, "check the address in --url"),
        (start_faulty_server(FaultyBehavior::Responds("HTTP/1.1 200 OK\r\n")).await, "check the address in --url"),
        (start_faulty_server(FaultyBehavior::Responds(HTML)).await, "is not from Keyward. Check the address in --url"),
    ] {
        let url = format!("http://{address}");
        let output = tokio::task::block_in_place(|| on_server(folder.path(), &url));
        let printed = err(&output);
        assert_eq!(output.status.code(), Some(1), "{printed}");
        assert!(
            printed.contains(&url) && printed.contains(advice) && !printed.contains("hunter2"),
            "{advice}: {printed}"
        );
    }
}

#[test]
fn a_key_file_that_others_can_change_draws_a_warning() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(super::cli::Server::start(at, 1).stop());
    std::fs::set_permissions(at.join("keyward.key"), std::fs::Permissions::from_mode(0o666)).unwrap();
    let output = keyward(at, &["admin", "rotate-token-key"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{message}");
    assert!(
        message.contains("the key file keyward.key has mode 0666") && message.contains("chmod 600 keyward.key"),
        "{message}"
    );

    let (_, log) = super::environment::serve(at, &[("KEYWARD_DATABASE_URL".to_owned(), "sqlite:keyward.db")]);
    assert!(log.contains("WARN") && log.contains("the key file keyward.key has mode 0666"), "{log}");
}

/// For every fault of the key file, no message advises to create a new file: it could not decrypt the database.
#[test]
fn a_key_file_that_does_not_open_the_database_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(super::cli::Server::start(at, 1).stop());
    std::fs::rename(at.join("keyward.key"), at.join("kept.key")).unwrap();
    for wrong in ["another", "damaged", "missing"] {
        match wrong {
            "another" => drop(out(&keyward(at, &["admin", "create-key-file", "keyward.key"]))),
            "damaged" => std::fs::write(at.join("keyward.key"), "short").unwrap(),
            _ => std::fs::remove_file(at.join("keyward.key")).unwrap(),
        }
        for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["admin", "rotate-token-key"]] {
            let message = err(&keyward(at, command));
            assert!(message.contains("keyward.key") && message.contains("restore the"), "{wrong}: {message}");
            assert!(
                message.contains("Do not create a new one") && !message.contains("create-key-file"),
                "{wrong}: {message}"
            );
        }
    }
    std::fs::rename(at.join("kept.key"), at.join("keyward.key")).unwrap();
    out(&keyward(at, &["admin", "rotate-token-key"]));
}

#[test]
fn a_server_listens_on_a_host_name() {
    let folder = tempfile::tempdir().unwrap();
    let server = super::cli::Server::start_with(folder.path(), &["--listen", "localhost:0"]);
    assert!(server.address.starts_with("localhost:"), "{}", server.address);
    assert!(server.verify("kw_live_x").contains(r#""valid":false"#));
    let port = server.address.rsplit(':').next().unwrap();
    assert!(std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_ok(), "every address of the name");
    let message = err(&keyward(folder.path(), &["serve", "--listen", "no-such-host.invalid:0"]));
    assert!(message.contains("cannot listen on no-such-host.invalid:0") && message.contains("--listen"), "{message}");
}

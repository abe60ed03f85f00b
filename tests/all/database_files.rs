//! SQLite database files: concurrent opening, restored backups, partial copies, and removal under a running server.

use crate::support::{
    Engine, database,
    node::{self, Node},
};
use keyward::store::{Location, Pool};
use std::{fs, path::Path};

const DATABASE: &str = "sqlite:keyward.db";

/// Checks that eight concurrent calls of [`Pool::open`] on one new file all get a migrated database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_open_a_new_database_at_once() {
    for round in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(folder.path().join("keyward.db"));
        let open = async |location: Location| {
            let pool = Pool::open(&location).await?;
            let is_current = pool.is_current().await?;
            pool.close().await;
            Ok::<_, keyward::store::Error>(is_current)
        };
        let all = (0..8).map(|_| tokio::spawn(open(location.clone()))).collect::<Vec<_>>();
        for task in all {
            let opened = task.await.unwrap();
            assert!(matches!(opened, Ok(true)), "round {round}: {opened:?}");
        }
    }
}

/// The same with processes: each of six concurrent commands would create the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_commands_make_one_database() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let person = |n: usize| {
            let path = path.clone();
            tokio::task::spawn_blocking(move || {
                let email = format!("person{n}@pelagic.example");
                node::command(&path, DATABASE, &["admin", "create-user", "--email", &email, "--password-stdin"])
            })
        };
        for task in (0..6).map(person).collect::<Vec<_>>() {
            task.await.unwrap().expect("a person is made");
        }
    }
}

/// Copies the named files without change. A file that does not exist in `from` is removed from `to`.
fn copy(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        let (from, to) = (from.join(name), to.join(name));
        let _ = fs::remove_file(&to);
        if from.exists() {
            fs::copy(from, to).unwrap();
        }
    }
}

const ALL: [&str; 3] = ["keyward.db", "keyward.db-wal", "keyward.db-shm"];

fn failure_output(folder: &Path, arguments: &[&str]) -> String {
    failure_output_on(folder, DATABASE, arguments)
}

fn failure_output_on(folder: &Path, database: &str, arguments: &[&str]) -> String {
    let mut command = std::process::Command::new(node::BINARY);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(arguments);
    match Node::start_by(command, folder, database) {
        Ok(_) => panic!("it starts"),
        Err(error) => error,
    }
}

fn stop(mut server: Node) {
    server.signal("TERM");
    let (status, error, _) = server.end();
    assert!(status.success(), "{error}");
}

/// A server refuses to start on an older backup, so that it does not accept a key that was revoked after the backup.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_database_is_refused() {
    let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (folder, backup) = (folder.path(), backup.path());
    let key = node::first_key(folder, DATABASE, &["data:read"]);
    let (id, secret) = (key["key_id"].as_str().unwrap(), key["secret"].as_str().unwrap());
    stop(Node::start(folder, DATABASE, &[]));
    copy(folder, backup, &ALL);
    let server = Node::start(folder, DATABASE, &[]);
    node::command(folder, DATABASE, &["keys", "deactivate", id]).unwrap();
    stop(server);

    copy(backup, folder, &ALL);
    let error = failure_output(folder, &[]);
    assert!(error.contains("older") && error.contains("--accept-older-database"), "{error}");
    // New events give the backup as many events as the record knows. It is still a different history.
    node::command(folder, DATABASE, &["keys", "list"]).unwrap();
    node::key(folder, DATABASE, "Other", &["data:read"]);
    node::key(folder, DATABASE, "Another", &["data:read"]);
    let error = failure_output(folder, &[]);
    assert!(error.contains("differs from the one") && error.contains("--accept-older-database"), "{error}");
    let server = Node::start(folder, DATABASE, &["--accept-older-database"]);
    assert!(server.verify(secret).await.1.contains(r#""valid":true"#), "as the backup has it");
    stop(server);
    stop(Node::start(folder, DATABASE, &[]));
}

/// A server refuses a copy of the database file without its write-ahead log: recent writes may be in the log only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_without_the_log_is_refused() {
    let (folder, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (folder, copied) = (folder.path(), copied.path());
    node::first_key(folder, DATABASE, &["data:read"]);
    let mut server = Node::start(folder, DATABASE, &[]);
    node::key(folder, DATABASE, "Only in the log", &["data:read"]);
    crate::support::change_feed::wait_until("the record is written", async || {
        let text = fs::read_to_string(folder.join("keyward.key.seen")).unwrap_or_default();
        let states: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        states[0]["change"].as_i64().is_some_and(|change| change >= 2)
    })
    .await;
    copy(folder, copied, &["keyward.db", "keyward.key", "keyward.key.seen"]);
    server.child.kill().unwrap();
    let error = failure_output(copied, &[]);
    assert!(error.contains("older") && error.contains("-wal"), "{error}");
}

/// A missing database beside its key file is an error. Without `--new`, no command creates a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vanished_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stop(Node::start(folder, DATABASE, &[]));
    for name in ALL {
        let _ = fs::remove_file(folder.join(name));
    }
    let error = failure_output(folder, &[]);
    assert!(error.contains("keyward.key") && error.contains("--new"), "{error}");
    assert!(!folder.join("keyward.db").exists(), "nothing was made");
    let person = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"];
    let error = node::command(folder, DATABASE, &person).unwrap_err();
    assert!(error.contains("keyward.key") && error.contains("start the server once with --new"), "{error}");
    assert!(!folder.join("keyward.db").exists(), "nothing was made by the command either");
    fs::write(folder.join("keyward.db"), "").unwrap();
    let error = failure_output(folder, &[]);
    assert!(error.contains("missing or empty"), "{error}");
    let error = node::command(folder, DATABASE, &person).unwrap_err();
    assert!(error.contains("missing or empty"), "{error}");
    stop(Node::start(folder, DATABASE, &["--new"]));
    node::command(folder, DATABASE, &person).unwrap();
    stop(Node::start(folder, DATABASE, &[]));
}

/// A migrated database without events is not the one that the record describes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_events_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    stop(Node::start(folder, DATABASE, &[]));
    for name in ALL {
        let _ = fs::remove_file(folder.join(name));
    }
    Pool::open(&Location::Sqlite(folder.join("keyward.db"))).await.unwrap().close().await;
    let person = ["admin", "create-user", "--email", "maren@pelagic.example", "--password-stdin"];
    // Two attempts, because a refused start must not leave events behind.
    for _ in 0..2 {
        let error = failure_output(folder, &[]);
        assert!(error.contains("no audit events") && error.contains("--new"), "{error}");
        let error = node::command(folder, DATABASE, &person).unwrap_err();
        assert!(error.contains("no audit events") && error.contains("--new"), "{error}");
    }
    stop(Node::start(folder, DATABASE, &["--new"]));
    node::command(folder, DATABASE, &person).unwrap();
    stop(Node::start(folder, DATABASE, &[]));
}

/// The same on PostgreSQL, where the URL names another, new database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_database_without_events_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Location::Postgres(url) = database(Engine::Postgres, &folder).await else {
        unreachable!("the engine was chosen")
    };
    let Location::Postgres(new) = database(Engine::Postgres, &folder).await else {
        unreachable!("the engine was chosen")
    };
    let folder = folder.path();
    node::command(folder, DATABASE, &["admin", "create-key-file", "keyward.key"]).unwrap();
    let with_key_file = ["--key-file", "keyward.key"];
    for _ in 0..2 {
        stop(Node::start(folder, &url, &with_key_file));
    }
    let error = failure_output_on(folder, &new, &with_key_file);
    assert!(error.contains("no audit events") && error.contains("--new"), "{error}");
    stop(Node::start(folder, &new, &["--key-file", "keyward.key", "--new"]));
    stop(Node::start(folder, &new, &with_key_file));
}

/// A server whose database files were removed reports the removal. It does not write to the deleted files.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removed_database_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    node::first_key(folder, DATABASE, &["data:read"]);
    let server = Node::start(folder, DATABASE, &[]);
    assert_eq!(server.get("/readyz").await.0, 200);
    for name in ALL {
        let _ = fs::remove_file(folder.join(name));
    }
    let (status, answer) = server.get("/readyz").await;
    assert!(status == 503 && answer.contains("removed"), "{answer}");
    let form = "POST /login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\nOrigin: http://";
    let form = format!("{form}{}", server.address);
    let (status, answer) = server.request(&form, "email=maren%40pelagic.example&password=the+tide+turns+at+nine").await;
    assert_eq!(status, 503, "{answer}");
    assert!(!folder.join("keyward.db").exists(), "no empty one is made in its place");
}

/// A server reports the removal of the `-shm` or `-wal` file.
///
/// Without these files, another process does not share memory with the server. Its writes are lost or invisible.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn removed_files_beside_the_database_are_reported() {
    for removed in ["keyward.db-shm", "keyward.db-wal"] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        node::first_key(folder, DATABASE, &["data:read"]);
        let server = Node::start(folder, DATABASE, &[]);
        assert_eq!(server.get("/readyz").await.0, 200);
        fs::remove_file(folder.join(removed)).unwrap();
        let (status, answer) = server.get("/readyz").await;
        assert!(status == 503 && answer.contains("removed"), "{removed}: {answer}");
    }
}

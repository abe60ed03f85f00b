//! A full disk, or a database that cannot grow: writes fail with a reason and succeed again once there is space.

use crate::support::{
    Engine, TestServer,
    change_feed::wait_until,
    database,
    node::{self, BINARY, Node},
};
use keyward::{
    domain::ids::KeyId,
    service::{
        Error,
        clock::{Clock as _, ManualClock, SystemClock},
    },
    store::{
        self, Kind, Location, Pool, WriteTrouble,
        change_log::{Change, Topic},
        write_queue::WriteOutcome,
    },
};
use std::{fs, io::Write as _, path::Path, process::Command, sync::Arc, time::Duration};
use uuid::Uuid;

/// SQLite refuses to extend the file in the middle of a batch.
///
/// The batch is lost with the reason. The next batch is written on a new connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_does_not_fit_spoils_no_other() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let Pool::Sqlite { write, .. } = &bench.app.context.pool else { unreachable!("it is SQLite") };
    let mut conn = write.acquire().await.unwrap();
    // The limit applies to this connection only. A new connection finds space.
    let pages: i64 = sqlx::query_scalar("PRAGMA page_count").fetch_one(&mut *conn).await.unwrap();
    let limit = sqlx::AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(limit).execute(&mut *conn).await.unwrap();
    drop(conn);
    let mut made: Vec<KeyId> = Vec::new();
    let error = loop {
        assert!(made.len() < 2_000, "the file never was full");
        match bench.try_create_key(&maren, &format!("Key {}", made.len())).await {
            Ok(id) => made.push(id),
            Err(error) => break error,
        }
    };
    assert!(matches!(&error, Error::Store(error) if error.kind() == Kind::Full), "{error}");
    wait_until("writes succeed again", async || bench.app.context.queue.trouble().is_none()).await;
    made.push(bench.try_create_key(&maren, "After").await.unwrap());
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, i64::try_from(made.len()).unwrap());
    assert_eq!(bench.app.context.queue.lost_batches(), 1);
}

/// Returns whether a test may mount a file system in its own mount namespace.
fn can_mount() -> bool {
    let mount = ["--mount", "--map-root-user", "mount", "-t", "tmpfs", "tmpfs", "/mnt"];
    Command::new("unshare").args(mount).output().is_ok_and(|output| output.status.success())
}

/// Writes a file until the file system is full.
fn fill(path: &Path) {
    let mut file = fs::File::create(path).expect("a file");
    while file.write_all(&[0; 4096]).is_ok() {}
    while file.write_all(&[0]).is_ok() {}
}

/// A first start on a full disk reports the reason, whichever file SQLite could not extend: database, log, or index.
#[test]
fn a_first_start_on_a_full_disk_reports_it() {
    if !can_mount() {
        eprintln!("skipped: this machine lets no test mount a file system");
        return;
    }
    for size in ["4k", "8k", "16k", "32k", "48k", "64k", "128k"] {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("disk")).unwrap();
        let mut command = Command::new("unshare");
        let script = format!("mount -t tmpfs -o size={size} tmpfs disk && exec \"$0\" \"$@\"");
        command.args(["--mount", "--map-root-user", "sh", "-c", &script]);
        command.args([BINARY, "serve", "--listen", "127.0.0.1:0"]);
        let error = match Node::start_by(command, folder.path(), "sqlite:disk/keyward.db") {
            Ok(_) => panic!("{size}: it starts"),
            Err(error) => error,
        };
        assert!(error.contains("The file system of disk/keyward.db is full"), "{size}: {error}");
    }
}

/// A server on a small disk that fills up and is freed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_on_a_full_disk_reports_it_and_recovers() {
    if !can_mount() {
        eprintln!("skipped: this machine lets no test mount a file system");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (seed, disk) = (folder.path().join("seed"), folder.path().join("disk"));
    fs::create_dir(&seed).unwrap();
    fs::create_dir(&disk).unwrap();
    let made = node::first_key(&seed, "sqlite:keyward.db", &["keyward:keys.write", "keyward:keys.read", "data:read"]);
    let (secret, project) = (made["secret"].as_str().unwrap(), made["project_id"].as_str().unwrap());
    let mut command = Command::new("unshare");
    let script = "mount -t tmpfs -o size=6m tmpfs disk && cp seed/* disk && exec \"$0\" \"$@\"";
    command.args(["--mount", "--map-root-user", "sh", "-c", script]);
    command.args([BINARY, "serve", "--listen", "127.0.0.1:0"]);
    let mut server = Node::start_by(command, folder.path(), "sqlite:disk/keyward.db").expect("it starts");
    let inside =
        Path::new("/proc").join(server.child.id().to_string()).join("root").join(disk.strip_prefix("/").unwrap());

    let (token, keys) = (server.management_token(secret).await, format!("/v1/projects/{project}/keys"));
    let create = async |name: String| {
        server.post(&keys, &token, &format!(r#"{{"name": "{name}", "scopes": ["data:read"]}}"#)).await
    };
    assert_eq!(create("Before".into()).await.0, 201);

    let ballast = inside.join("ballast");
    fill(&ballast);
    let mut refused = None;
    for n in 0..3_000 {
        let (status, answer) = create(format!("Key {n}")).await;
        if status != 201 {
            refused = Some((status, answer));
            break;
        }
    }
    let (status, answer) = refused.expect("the disk is full");
    assert!(status == 507 && answer.contains("storage_full") && answer.contains("no space left"), "{answer}");
    // A small write in the background can still fit, and ends the failure until the next write.
    wait_until("the full disk is reported", async || {
        let _ = create("Too large".into()).await;
        let (status, answer) = server.get("/readyz").await;
        status == 503 && answer.contains("no space left")
    })
    .await;
    wait_until("the gauge shows the failure", async || {
        let _ = create("Too large".into()).await;
        server.get("/metrics").await.1.contains("\nkeyward_writes_failing 1\n")
    })
    .await;
    assert!(server.verify(secret).await.1.contains(r#""valid":true"#), "keys are still verified");

    fs::remove_file(&ballast).unwrap();
    wait_until("it is ready again", async || server.get("/readyz").await.0 == 200).await;
    let (status, answer) = create("After".into()).await;
    assert_eq!(status, 201, "{answer}");
    assert!(server.get("/metrics").await.1.contains("\nkeyward_writes_failing 0\n"));
    server.signal("TERM");
    let (status, error, _) = server.end();
    assert!(status.success(), "{error}");
}

/// The health of the write queue after a batch that failed and after a batch that succeeded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_another_process_holds_is_reported() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let other = crate::support::open_context(&bench.location, bench.clock.clone()).await;
    let Pool::Sqlite { write, .. } = &other.pool else { unreachable!("it is SQLite") };
    let mut conn = write.acquire().await.unwrap();
    sqlx::query("BEGIN IMMEDIATE").execute(&mut *conn).await.unwrap();
    let error = bench.try_create_key(&maren, "Waits").await.unwrap_err();
    assert!(matches!(&error, Error::Store(error) if error.kind() == Kind::Contended), "{error}");
    assert_eq!(bench.app.context.queue.trouble(), Some(WriteTrouble::Failing(Kind::Contended)));
    sqlx::query("ROLLBACK").execute(&mut *conn).await.unwrap();
    wait_until("writes succeed again", async || bench.app.context.queue.trouble().is_none()).await;
    bench.try_create_key(&maren, "After").await.unwrap();
}

/// Each probe finds the damaged page again, so the server is not ready between two probes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_to_a_damaged_database_keep_failing() {
    let folder = tempfile::tempdir().unwrap();
    let location = database(Engine::Sqlite, &folder).await;
    let Location::Sqlite(file) = &location else { unreachable!("the engine was chosen") };
    crate::cli_faults::damage_head(file).await;
    let context = crate::support::open_context(&location, Arc::new(ManualClock::at(SystemClock.now()))).await;
    let write = context.queue.write(|_| {
        let change = Change { topic: Topic::Key, id: Uuid::nil() };
        Box::pin(async move { Ok::<_, store::Error>(WriteOutcome::unaudited(()).notify(change)) })
    });
    assert_eq!(write.await.unwrap_err().kind(), Kind::Damaged);
    // The queue probes once a second.
    for _ in 0..30 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(context.queue.trouble(), Some(WriteTrouble::Failing(Kind::Damaged)));
    }
    assert_eq!(context.queue.lost_batches(), 1, "a probe that fails is no lost batch");
}

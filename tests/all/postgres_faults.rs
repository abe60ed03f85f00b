//! PostgreSQL faults: a server that freezes, does not respond or refuses connections, and nodes that freeze in a
//! transaction.

use crate::support::{
    Engine, TestServer, URL,
    change_feed::{start_change_feed, wait_until},
    database,
    node::{self, Node},
    proxy::{Link, Proxy},
};
use keyward::{
    service::Error,
    store::{self, Kind, Location, Pool, WriteTrouble},
};
use sqlx::{Connection as _, PgConnection, migrate::Migrate as _};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Time limit for tests that would hang for minutes without the feature under test.
const PATIENCE: Duration = Duration::from_secs(60);

/// Splits a database URL: the part before host and port, host and port, and the part after them.
pub fn split(url: &str) -> (&str, &str, &str) {
    let at = url.rfind('@').expect("a user") + 1;
    let end = at + url[at..].find('/').expect("a database");
    (&url[..at], &url[at..end], &url[end..])
}

/// A service whose database connections go through a proxy.
async fn behind_a_proxy() -> (TestServer, Proxy) {
    let folder = tempfile::tempdir().unwrap();
    let Location::Postgres(url) = database(Engine::Postgres, &folder).await else {
        unreachable!("the engine was chosen")
    };
    let (before, server, after) = split(&url);
    let proxy = Proxy::start(server.to_owned()).await;
    let location = Location::Postgres(format!("{before}{}{after}", proxy.address));
    (TestServer::on_database(location, folder, URL).await, proxy)
}

/// A node freezes in a transaction while it holds the lock that every write takes. The database server ends its
/// session, and other nodes can write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_frozen_node_keeps_no_lock() {
    let bench = TestServer::new(Engine::Postgres).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let frozen = Pool::open(&bench.location).await.unwrap();
    let Pool::Postgres(node) = &frozen else { unreachable!("it is PostgreSQL") };
    let mut frozen = node.acquire().await.unwrap();
    sqlx::query("BEGIN").execute(&mut *frozen).await.unwrap();
    sqlx::query("SELECT * FROM head FOR UPDATE").execute(&mut *frozen).await.unwrap();
    let started = Instant::now();
    tokio::time::timeout(PATIENCE, bench.try_create_key(&maren, "Beside it"))
        .await
        .expect("it waits without end")
        .unwrap();
    println!("the other node wrote after {:?}", started.elapsed());
    assert!(sqlx::query("COMMIT").execute(&mut *frozen).await.is_err(), "the session was ended");
}

/// Returns whether a session holds the lock that every write takes.
async fn is_head_locked(conn: &mut PgConnection) -> bool {
    let taken = sqlx::query("SELECT id FROM head FOR UPDATE NOWAIT").execute(conn).await;
    taken.is_err_and(|error| error.as_database_error().is_some_and(|it| it.code().as_deref() == Some("55P03")))
}

/// Two processes share one database, and one of them is stopped in the middle of a write. The other process revokes a
/// key anyway, and the stopped one writes again when it continues.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_stopped_process_does_not_keep_another_one_from_writing() {
    let folder = tempfile::tempdir().unwrap();
    let Location::Postgres(url) = database(Engine::Postgres, &folder).await else {
        unreachable!("the engine was chosen")
    };
    let path = folder.path();
    node::command(path, "sqlite:keyward.db", &["admin", "create-key-file", "keyward.key"]).unwrap();
    let manager = node::first_key(path, &url, &["keyward:keys.write", "keyward:keys.read", "data:read"]);
    let leaked = node::key(path, &url, "Leaked", &["data:read"]);
    let (manager, project) = (manager["secret"].as_str().unwrap(), manager["project_id"].as_str().unwrap());
    let (id, leaked) = (leaked["key_id"].as_str().unwrap(), leaked["secret"].as_str().unwrap());
    let keys = format!("/v1/projects/{project}/keys");
    let stopped = Arc::new(Node::start(path, &url, &["--key-file", "keyward.key"]));
    let other = Node::start(path, &url, &["--key-file", "keyward.key"]);
    let (its_token, token) = (stopped.management_token(manager).await, other.management_token(manager).await);
    assert!(other.verify(leaked).await.1.contains(r#""valid":true"#));

    let create = r#"{"name": "One of many", "scopes": ["data:read"]}"#;
    let write = |_| {
        let (node, keys, token) = (stopped.clone(), keys.clone(), its_token.clone());
        tokio::spawn(async move {
            for _ in 0..100_000 {
                node.post(&keys, &token, create).await;
            }
        })
    };
    let writers: Vec<_> = (0..4).map(write).collect();
    let mut conn = PgConnection::connect(&url).await.unwrap();
    let mut rounds = 0;
    loop {
        assert!(rounds < 200, "it was never stopped in a write");
        rounds += 1;
        tokio::time::sleep(Duration::from_millis(50 + rounds % 13)).await;
        stopped.signal("STOP");
        // By now the statements that it had sent are complete. A background write of the other process takes less time
        // than the two checks.
        tokio::time::sleep(Duration::from_millis(100)).await;
        if is_head_locked(&mut conn).await {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if is_head_locked(&mut conn).await {
                break;
            }
        }
        stopped.signal("CONT");
    }
    writers.iter().for_each(tokio::task::JoinHandle::abort);

    let begun = Instant::now();
    let (status, answer) = other.post(&format!("{keys}/{id}/deactivate"), &token, "").await;
    let took = begun.elapsed();
    println!("stopped in a write in round {rounds}; the other node revoked the key after {took:?}");
    assert_eq!(status, 200, "{answer}");
    assert!(took < Duration::from_secs(30), "{took:?}");
    assert!(other.verify(leaked).await.1.contains(r#""code":"inactive""#));
    stopped.signal("CONT");
    wait_until("it writes again", async || stopped.post(&keys, &its_token, create).await.0 == 201).await;
    wait_until("it refuses the key too", async || stopped.verify(leaked).await.1.contains(r#""code":"inactive""#))
        .await;
}

/// Every connection of a node sets the timeouts after which the server ends idle transactions and dead connections.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_every_connection_has_limits_of_time() {
    let bench = TestServer::new(Engine::Postgres).await;
    let Pool::Postgres(node) = &bench.app.context.pool else { unreachable!("it is PostgreSQL") };
    let mut conn = node.acquire().await.unwrap();
    for (name, value) in [
        ("idle_in_transaction_session_timeout", "5s"),
        ("lock_timeout", "8s"),
        ("statement_timeout", "30s"),
        ("tcp_user_timeout", "10000"),
        ("tcp_keepalives_idle", "5"),
        ("tcp_keepalives_interval", "2"),
        ("tcp_keepalives_count", "3"),
    ] {
        let sql = "SELECT current_setting($1)";
        let set: String = sqlx::query_scalar(sql).bind(name).fetch_one(&mut *conn).await.unwrap();
        // TCP settings are 0 on a Unix domain socket.
        assert!(set == value || name.starts_with("tcp_") && set == "0", "{name}: {set}");
    }
}

/// A node that is stopped during a migration holds sqlx's advisory lock. Other nodes wait for it for a limited time and
/// report the reason.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_lock_of_the_migrations_that_is_not_given_back_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let Location::Postgres(url) = database(Engine::Postgres, &folder).await else {
        unreachable!("the engine was chosen")
    };
    let mut stopped = PgConnection::connect(&url).await.unwrap();
    stopped.lock().await.unwrap();
    // A shorter timeout than the default of one minute.
    let location = Location::Postgres(format!("{url}?options=-c%20lock_timeout%3D500ms"));
    let opened = tokio::time::timeout(PATIENCE, Pool::open(&location)).await.expect("it waits without end");
    let error = opened.unwrap_err();
    assert!(matches!(error, store::Error::MigrationsLocked), "{error}");
    assert!(error.to_string().contains("another Keyward server that is starting"), "{error}");
    stopped.unlock().await.unwrap();
    Pool::open(&location).await.unwrap().close().await;
}

/// A lock is not released in time: the change is denied as busy, the node reports that it cannot write, and it
/// recovers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_lock_that_is_not_given_back_is_reported() {
    let bench = TestServer::new(Engine::Postgres).await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let Location::Postgres(url) = &bench.location else { unreachable!("it is PostgreSQL") };
    // A session of another program, without our timeouts.
    let mut other = PgConnection::connect(url).await.unwrap();
    sqlx::query("BEGIN").execute(&mut other).await.unwrap();
    sqlx::query("SELECT * FROM head FOR UPDATE").execute(&mut other).await.unwrap();
    let refused =
        tokio::time::timeout(PATIENCE, bench.try_create_key(&maren, "Waits")).await.expect("it waits without end");
    let error = refused.unwrap_err();
    assert!(matches!(&error, Error::Store(error) if error.kind() == Kind::Contended), "{error}");
    assert_eq!(bench.app.context.queue.trouble(), Some(WriteTrouble::Failing(Kind::Contended)));
    let page = bench.browser().get("/readyz").await;
    assert!(page.status == 503 && page.text().contains("blocked by another transaction"), "{}", page.text());
    sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
    wait_until("writes succeed again", async || bench.app.context.queue.trouble().is_none()).await;
    assert_eq!(bench.browser().get("/readyz").await.status, 200);
    bench.try_create_key(&maren, "After").await.unwrap();
}

/// A database that does not respond is detected once. From then on verify requests, writes and pages fail at once. The
/// node recovers by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_silence_opens_the_circuit_breaker() {
    let (bench, proxy) = behind_a_proxy().await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let key = bench.create_key(&maren, "Gateway").await;
    let hearing = start_change_feed(&bench.app).await;
    proxy.set(Link::Silent);
    wait_until("the breaker opens", async || !bench.app.context.pool.is_available()).await;
    // Cached snapshots are stale after a few seconds without changes from the feed.
    bench.clock.advance(5);
    wait_until("it stops hearing", async || !bench.app.verify.counts().is_fresh).await;
    let body = serde_json::json!({ "key": key.secret });
    let verify = async || bench.browser().json("/v1/keys/verify", &body).await;
    let many = async {
        for _ in 0..200 {
            let page = verify().await;
            assert_eq!((page.status, page.header("retry-after")), (503, "2"), "{}", page.text());
            assert!(page.text().contains("database_unavailable"), "{}", page.text());
        }
    };
    tokio::time::timeout(PATIENCE, many).await.expect("none of them waits for the database");
    let refused = tokio::time::timeout(PATIENCE, bench.try_create_key(&maren, "Now")).await.expect("it does not wait");
    assert!(matches!(refused.unwrap_err(), Error::Store(error) if error.kind() == Kind::Unavailable));
    let page = bench.browser().get("/metrics").await;
    assert!(page.text().contains("\nkeyward_database_available 0\n"), "{}", page.text());

    proxy.set(Link::Up);
    wait_until("the breaker closes", async || bench.app.context.pool.is_available()).await;
    wait_until("the key is verified", async || verify().await.text().contains(r#""valid":true"#)).await;
    wait_until("writes succeed", async || bench.app.context.queue.trouble().is_none()).await;
    bench.try_create_key(&maren, "After").await.unwrap();
    hearing.abort();
}

/// A refused connection is reported as such at once, by a running server and by a command.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_refused_connection_is_reported_as_that() {
    let (bench, proxy) = behind_a_proxy().await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let hearing = start_change_feed(&bench.app).await;
    proxy.set(Link::Refused);
    wait_until("the breaker opens", async || !bench.app.context.pool.is_available()).await;
    let error = bench.try_create_key(&maren, "Now").await.unwrap_err();
    assert!(
        matches!(&error, Error::Store(store::Error::NotWritten { .. } | store::Error::Unreachable(_))),
        "{error:?}"
    );
    assert!(error.to_string().contains("Connection refused"), "{error}");
    let begun = Instant::now();
    let error = Pool::open(&bench.location).await.unwrap_err();
    assert!(error.to_string().contains("Connection refused") && error.kind() == Kind::Unavailable, "{error}");
    assert!(begun.elapsed() < Duration::from_secs(9), "it was tried again until the time was over");
    proxy.set(Link::Up);
    wait_until("the breaker closes", async || bench.app.context.pool.is_available()).await;
    wait_until("writes succeed", async || bench.try_create_key(&maren, "After").await.is_ok()).await;
    hearing.abort();
}

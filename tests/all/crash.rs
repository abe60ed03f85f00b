//! Crash recovery: the server is killed (`kill -9`) at random moments under load, repeatedly, on the same database.
//!
//! The tests compare the stored usage counts with the requests and responses of the clients. They do not depend on
//! timing: a flush records the instant up to which it contains all counts. A response that a client received before
//! that instant, by the clock of the same machine, must be counted.

use crate::support::{Engine, TestServer};
use keyward::{
    domain::ids::KeyId,
    service::clock::{Clock as _, SystemClock},
    store::{self, Location, Pool, usage::CallsRow},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use uuid::Uuid;

const EMAIL: &str = "maren@pelagic.example";
/// Connections that send requests, with only the pause below between them.
const CONNECTIONS: u64 = 3;
const REST: Duration = Duration::from_millis(3);
/// Keys that are verified. The last one has a rate limit, which is so low that it is reached at once.
const KEYS: usize = 8;
const LIMITED: usize = KEYS - 1;
/// In one of this many rounds the test waits until all counts are written, and then requires an exact match.
const EXACT_EVERY: usize = 10;

/// Number of calls by key and outcome.
type Counts = BTreeMap<(Uuid, String), i64>;

/// A splitmix64 generator: small, and with the same output for the same seed.
struct SplitMix64(u64);

impl SplitMix64 {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// A running server process. It is killed when the value is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path, database: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_keyward"))
            .args(["serve", "--listen", "127.0.0.1:0", "--key-file", "keyward.key"])
            .current_dir(folder)
            .env_clear()
            .env("KEYWARD_DATABASE_URL", database)
            .env("KEYWARD_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut first_line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first_line).expect("it speaks");
        let address = first_line.trim().split("http://").nth(1).expect("the address").to_owned();
        Self { child, address }
    }

    async fn connect(&self) -> Connection {
        connect(&self.address).await.expect("it answers")
    }

    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A persistent connection.
struct Connection {
    stream: TcpStream,
    host: String,
}

async fn connect(address: &str) -> std::io::Result<Connection> {
    Ok(Connection { stream: TcpStream::connect(address).await?, host: address.to_owned() })
}

impl Connection {
    /// Sends a request and returns the status and the body of the response. An error means that the server is gone.
    async fn send(&mut self, head: &str, body: &str) -> std::io::Result<(u16, String)> {
        let request = format!("{head}\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}", self.host, body.len());
        self.stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        loop {
            if self.stream.read_buf(&mut answer).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            let text = String::from_utf8_lossy(&answer);
            let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
            let head = head.to_ascii_lowercase();
            let length = head
                .split("content-length: ")
                .nth(1)
                .map_or(0, |rest| rest.split("\r\n").next().expect("a number").parse::<usize>().expect("a number"));
            if body.len() >= length {
                return Ok((head[9..12].parse().expect("a status"), body.to_owned()));
            }
        }
    }

    /// Returns the outcome of a verification: `accepted`, or the reason code.
    /// While the database is not available, the request is repeated: a 503 is not a decision and is not counted.
    async fn verify(&mut self, secret: &str, scopes: &[&str]) -> std::io::Result<String> {
        const HEAD: &str = "POST /v1/keys/verify HTTP/1.1\r\nContent-Type: application/json";
        let body = json!({"key": secret, "scopes": scopes}).to_string();
        let answer = loop {
            match self.send(HEAD, &body).await? {
                (503, _) => tokio::time::sleep(REST).await,
                (_, answer) => break answer,
            }
        };
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        Ok(if answer["valid"] == true {
            "accepted".into()
        } else {
            answer["code"].as_str().expect("a code").to_owned()
        })
    }
}

struct Key {
    id: Uuid,
    secret: String,
}

/// The requests and responses of one round.
#[derive(Default)]
struct Round {
    stop: AtomicBool,
    /// Sent requests by key, counted before each is sent.
    sent: [AtomicU64; KEYS],
    /// Key, outcome, and the time of the response in microseconds since the epoch.
    responses: Mutex<Vec<(usize, String, i64)>>,
}

impl Round {
    /// Sends requests until `stop` is set or the server is gone.
    async fn send_requests(self: Arc<Self>, keys: Arc<Vec<Key>>, address: String, mut dice: SplitMix64) {
        let Ok(mut lane) = connect(&address).await else { return };
        while !self.stop.load(Ordering::SeqCst) {
            let at = usize::try_from(dice.below(KEYS as u64)).expect("small");
            let scopes: &[&str] = if dice.below(4) == 0 { &["no:such"] } else { &[] };
            self.sent[at].fetch_add(1, Ordering::SeqCst);
            let Ok(outcome) = lane.verify(&keys[at].secret, scopes).await else { return };
            self.responses.lock().expect("whole").push((at, outcome, SystemClock.now().micros()));
            tokio::time::sleep(REST).await;
        }
    }

    /// Returns the counts of the responses before this instant.
    fn responses_before(&self, keys: &[Key], instant: i64) -> Counts {
        let mut counts = Counts::new();
        for (key, outcome, at) in self.responses.lock().expect("whole").iter() {
            if *at < instant {
                *counts.entry((keys[*key].id, outcome.clone())).or_default() += 1;
            }
        }
        counts
    }

    /// Returns the number of calls with a key without a response.
    fn missing_responses(&self, keys: &[Key], key: Uuid) -> i64 {
        let at = keys.iter().position(|it| it.id == key).expect("one of ours");
        let received = self.responses.lock().expect("whole").iter().filter(|(key, ..)| *key == at).count();
        i64::try_from(self.sent[at].load(Ordering::SeqCst)).expect("small") - i64::try_from(received).expect("small")
    }
}

/// Returns the instant up to which the last flush is complete, and all counts. Closes its connections.
async fn stored(location: &Location) -> (i64, Counts) {
    const UNTIL: &str = "SELECT COALESCE(MAX(at), 0) FROM usage_writers";
    const ALL: &str = "SELECT key_id, outcome, calls, '' FROM usage \
        UNION ALL SELECT writer, '', 0, calls FROM usage_flushes";
    let pool = Pool::open(location).await.expect("the database opens");
    let mut reader = pool.acquire_reader().await.expect("a reader");
    // The order matters: the counts, read second, include at least all calls up to the instant.
    let (until, rows): (i64, Vec<(Uuid, String, i64, String)>) = match reader.conn() {
        store::Engine::Sqlite(c) => (
            sqlx::query_scalar(UNTIL).fetch_one(&mut *c).await.unwrap(),
            sqlx::query_as(ALL).fetch_all(c).await.unwrap(),
        ),
        store::Engine::Postgres(c) => (
            sqlx::query_scalar(UNTIL).fetch_one(&mut *c).await.unwrap(),
            sqlx::query_as(ALL).fetch_all(c).await.unwrap(),
        ),
    };
    drop(reader);
    pool.close().await;
    let mut counts = Counts::new();
    for (key, outcome, calls, flush) in rows {
        if flush.is_empty() {
            *counts.entry((key, outcome)).or_default() += calls;
        } else {
            for CallsRow(key, _, outcome, calls) in serde_json::from_str::<Vec<CallsRow>>(&flush).expect("a flush") {
                *counts.entry((key, outcome.into_owned())).or_default() += calls;
            }
        }
    }
    (until, counts)
}

/// Returns what `after` has in addition to `before`.
fn added(before: &Counts, after: &Counts) -> Counts {
    for (key, calls) in before {
        assert!(after.get(key).is_some_and(|now| now >= calls), "{key:?} lost what was stored");
    }
    let mut added = after.clone();
    for (key, calls) in &mut added {
        *calls -= before.get(key).unwrap_or(&0);
    }
    added.retain(|_, calls| *calls > 0);
    added
}

/// Checks the counts that a round stored: at most the number of sent requests, and at least the responses before the
/// last flush.
fn check(round: &Round, keys: &[Key], until: i64, added: &Counts) {
    let (due, received) = (round.responses_before(keys, until), round.responses_before(keys, i64::MAX));
    for (key, calls) in &due {
        assert!(
            added.get(key).is_some_and(|it| it >= calls),
            "{key:?}: {calls} were flushed, {:?} are there",
            added.get(key)
        );
    }
    for (key, calls) in added {
        let most = received.get(key).unwrap_or(&0) + round.missing_responses(keys, key.0);
        assert!(*calls <= most, "{key:?}: {calls} are there of {most}: something counted twice");
    }
    for key in keys {
        let all: i64 = added.iter().filter(|((id, _), _)| *id == key.id).map(|(_, calls)| calls).sum();
        let received: i64 = received.iter().filter(|((id, _), _)| *id == key.id).map(|(_, calls)| calls).sum();
        assert!(all <= received + round.missing_responses(keys, key.id), "{}: counted twice", key.id);
    }
}

fn sum(counts: &Counts) -> i64 {
    counts.values().sum()
}

async fn kill_repeatedly(engine: Engine, rounds: usize) {
    let seed = std::env::var("KEYWARD_TEST_SEED").ok().and_then(|text| text.parse().ok());
    let seed = seed.unwrap_or_else(|| u64::from_le_bytes(crate::support::random()));
    println!("seed {seed}: again with KEYWARD_TEST_SEED={seed}");
    let mut dice = SplitMix64(seed);

    let bench = TestServer::new(engine).await;
    let maren = bench.create_user(EMAIL, false).await;
    let mut keys = Vec::new();
    for n in 0..KEYS {
        let made = bench.create_key(&maren, &format!("Gateway {n}")).await;
        keys.push(Key { id: made.id.into(), secret: made.secret });
    }
    let switched = bench.create_key(&maren, "Switched").await;
    bench
        .execute_sql(&format!("UPDATE keys SET rate_limit = '20/day' WHERE id = {}", bench.literal(keys[LIMITED].id)))
        .await;
    let cookie = bench.signed_in(EMAIL).await.cookie.expect("a session");
    let TestServer { app, folder, location, .. } = bench;
    app.context.pool.close().await;
    let database = match &location {
        Location::Sqlite(_) => "sqlite:keyward.db".to_owned(),
        Location::Postgres(url) => url.clone(),
    };

    let keys = Arc::new(keys);
    let (mut base, mut exhausted, mut on) = (Counts::new(), false, Some(true));
    let (mut sent, mut received, mut written, mut flushed, mut switches) = (0, 0, 0, 0, 0);
    for n in 1..=rounds {
        let mut server = Server::start(folder.path(), &database);
        let mut door = server.connect().await;
        let is = door.verify(&switched.secret, &[]).await.expect("answered");
        if let Some(on) = on {
            assert_eq!(is, if on { "accepted" } else { "inactive" }, "round {n}: what was acknowledged holds");
        }
        switches += usize::from(on.is_some());
        let round = Arc::new(Round::default());
        let count = |key: usize, outcome: &str| {
            round.sent[key].fetch_add(1, Ordering::SeqCst);
            round.responses.lock().expect("whole").push((key, outcome.to_owned(), SystemClock.now().micros()));
        };
        if exhausted {
            let outcome = door.verify(&keys[LIMITED].secret, &[]).await.expect("answered");
            assert_eq!(outcome, "rate_limited", "round {n}: what was used of a day's limit was saved");
            count(LIMITED, &outcome);
        }
        exhausted = false;
        let lanes: Vec<_> = (0..CONNECTIONS)
            .map(|_| {
                tokio::spawn(round.clone().send_requests(
                    keys.clone(),
                    server.address.clone(),
                    SplitMix64(dice.below(u64::MAX)),
                ))
            })
            .collect();

        // Half of the kills are close to the time of the first flush.
        let moment = if dice.below(2) == 0 { dice.below(700) } else { 950 + dice.below(200) };
        let switch_at = dice.below(moment + 1);
        tokio::time::sleep(Duration::from_millis(switch_at)).await;
        on = switch(&mut door, &switched.id, is != "accepted", &cookie).await;
        tokio::time::sleep(Duration::from_millis(moment - switch_at)).await;

        let quiet = n % EXACT_EVERY == 0;
        if quiet {
            round.stop.store(true, Ordering::SeqCst);
            for lane in lanes {
                lane.await.expect("a lane");
            }
            loop {
                let outcome = door.verify(&keys[LIMITED].secret, &[]).await.expect("answered");
                count(LIMITED, &outcome);
                if outcome == "rate_limited" {
                    break;
                }
            }
            let all = round.responses_before(&keys, i64::MAX);
            let written = async {
                loop {
                    let (until, now) = stored(&location).await;
                    let came = without(&switched.id.into(), added(&base, &now));
                    check(&round, &keys, until, &came);
                    if came == all {
                        break;
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            // Not a measurement: a timeout that ends the test after a failure.
            tokio::time::timeout(Duration::from_secs(120), written).await.expect("all is written in the end");
            tokio::time::sleep(Duration::from_millis(dice.below(50))).await;
            server.kill();
            exhausted = true;
        } else {
            server.kill();
            for lane in lanes {
                lane.await.expect("a lane");
            }
        }

        let (until, now) = stored(&location).await;
        let came = without(&switched.id.into(), added(&base, &now));
        check(&round, &keys, until, &came);
        let all = round.responses_before(&keys, i64::MAX);
        assert!(!quiet || came == all, "round {n}: {came:?} is there of {all:?}");
        sent += round.sent.iter().map(|it| it.load(Ordering::SeqCst)).sum::<u64>();
        received += sum(&all);
        written += sum(&came);
        flushed += usize::from(!came.is_empty());
        base = now;
    }
    println!(
        "{rounds} kills: {sent} sent, {received} answered, {written} counted; {flushed} came after a flush, \
         {switches} after an acknowledged change"
    );
    assert!(written > 0 && received > 0 && switches > 1);

    // A server that is stopped with SIGTERM writes all counts.
    let mut server = Server::start(folder.path(), &database);
    let round = Arc::new(Round::default());
    let asking = tokio::spawn(round.clone().send_requests(keys.clone(), server.address.clone(), dice));
    tokio::time::sleep(Duration::from_millis(500)).await;
    round.stop.store(true, Ordering::SeqCst);
    asking.await.expect("a lane");
    assert!(Command::new("kill").arg(server.child.id().to_string()).status().expect("kill runs").success());
    assert!(server.child.wait().expect("it ends").success());
    let came = without(&switched.id.into(), added(&base, &stored(&location).await.1));
    assert_eq!(came, round.responses_before(&keys, i64::MAX));
}

/// Returns the counts of all keys except this one, which is not part of the load.
fn without(key: &Uuid, mut counts: Counts) -> Counts {
    counts.retain(|(id, _), _| id != key);
    counts
}

/// Activates or deactivates a key, and returns the acknowledged state, or `None` without a response.
async fn switch(door: &mut Connection, key: &KeyId, on: bool, cookie: &str) -> Option<bool> {
    let verb = if on { "activate" } else { "deactivate" };
    let head = format!(
        "POST /keys/{key}/{verb} HTTP/1.1\r\nAccept: text/html\r\nOrigin: http://{}\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded",
        door.host
    );
    let (status, body) = door.send(&head, &format!("id={key}")).await.ok()?;
    // The database is not available or busy: the change was not acknowledged.
    if status == 503 {
        return None;
    }
    assert_eq!(status, 303, "{body}");
    Some(on)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_kills_on_sqlite() {
    kill_repeatedly(Engine::Sqlite, 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_kills_on_postgres() {
    kill_repeatedly(Engine::Postgres, 10).await;
}

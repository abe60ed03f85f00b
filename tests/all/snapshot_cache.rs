//! The snapshot cache: a change holds from the next call, in every process. Unknown keys cause few database reads.

use crate::support::{
    TestServer,
    change_feed::{start_change_feed, wait_until},
    test_data::{CreatedKey, KeyForms as _, change_key},
};
use keyward::{
    config::{Config, KeyFile},
    domain::{
        ids::{KeyId, SubjectId},
        policy::PolicySaved,
        secret::{Mode, PlainSecret},
        transition::Transition,
    },
    service::{
        Error, Services,
        actor::{Actor, Caller},
        keys::{Keys, Precondition},
        random::{Random as _, SystemRandom},
        signer::Keyring,
        verify::{Decision, DenyReason, STALE_AFTER, VerifyRequest},
    },
    store::{
        Pool,
        change_feed::{Feed, FeedItem},
        change_log::Topic,
    },
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

const EMAIL: &str = "maren@pelagic.example";
const ROOT: &str = "root@keys.example";

fn code(decision: &Decision) -> &'static str {
    decision.as_ref().map_or_else(DenyReason::code, |_| "good")
}

async fn decide(app: &Services, secret: &str) -> Decision {
    app.verify.verify_secret(secret, &VerifyRequest::default()).await.expect("the store answers")
}

async fn verdict(app: &Services, secret: &str) -> &'static str {
    code(&decide(app, secret).await)
}

/// Returns a well-formed secret that belongs to no key.
fn unknown_secret() -> String {
    PlainSecret::generate(Mode::Live, |bytes| SystemRandom.fill(bytes)).expose().to_owned()
}

/// Sets the maximum token lifetime in the policy, in hours.
async fn token_life(app: &Services, root: &Caller, hours: u32) {
    let mut draft = app.policy.form(root).await.expect("a form").draft;
    (draft.token_life, draft.token_unit) = (hours.to_string(), "3600".into());
    let mut saved = app.policy.save(root, draft.clone(), "").await.expect("it can be saved");
    if let PolicySaved::NeedsConfirmation { confirms, .. } = saved {
        saved = app.policy.save(root, draft, &confirms).await.expect("it can be saved");
    }
    assert!(matches!(saved, PolicySaved::Saved));
}

/// Background calls while keys are changed. They load key snapshots into the cache all the time.
struct BackgroundCalls(Arc<AtomicBool>, Vec<JoinHandle<u64>>);

impl BackgroundCalls {
    fn start(app: &Services, secrets: &[String]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let call = |_| {
            let (app, secrets, stop) = (app.clone(), secrets.to_vec(), stop.clone());
            tokio::spawn(async move {
                let mut calls = 0;
                while !stop.load(Ordering::Relaxed) {
                    for secret in &secrets {
                        decide(&app, secret).await.ok();
                        calls += 1;
                    }
                    tokio::task::yield_now().await;
                }
                calls
            })
        };
        Self(stop.clone(), (0..3).map(call).collect())
    }

    async fn end(self) -> u64 {
        self.0.store(true, Ordering::Relaxed);
        let mut all = 0;
        for calls in self.1 {
            all += calls.await.expect("no call panics");
        }
        all
    }
}

async fn expire(bench: &TestServer, browser: &mut crate::support::browser::Browser, id: KeyId, expires: &str) {
    let (path, id) = (format!("/keys/{id}/edit"), id.to_string());
    let version = browser.get(&path).await.input("version").to_owned();
    let fields = [
        ("id", id.as_str()),
        ("version", &version),
        ("name", "Gateway"),
        ("expires", expires),
        ("scopes[]", "data:read"),
    ];
    let page = browser.post(&path, &fields).await;
    assert_eq!(page.status, 303, "{}", page.text());
    assert!(bench.key_row(id.parse().unwrap()).await.is_some());
}

on_both_engines! {
    /// A change through this process takes effect at the next call, while concurrent calls use the cache.
    async fn a_change_holds_at_the_next_call(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let root = bench.create_user(ROOT, true).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let (made, other) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Sonde").await);
        let app = &bench.app;
        let hearing = start_change_feed(app).await;
        let calls = BackgroundCalls::start(app, &[made.secret.clone(), other.secret.clone(), unknown_secret()]);
        for round in 0..100 {
            change_key(&app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
            assert_eq!(verdict(app, &made.secret).await, "inactive", "{round}");
            change_key(&app.keys, &maren, made.id, Transition::Activate).await.unwrap();
            assert_eq!(verdict(app, &made.secret).await, "good", "{round}");
            change_key(&app.keys, &maren, made.id, Transition::Delete).await.unwrap();
            assert_eq!(verdict(app, &made.secret).await, "deleted", "{round}");
            change_key(&app.keys, &maren, made.id, Transition::Restore).await.unwrap();
            assert_eq!(verdict(app, &made.secret).await, "good", "{round}");
            app.projects.archive(&Actor::User(maren.clone()), made.project, false).await.unwrap();
            for secret in [&made.secret, &other.secret] {
                assert_eq!(verdict(app, secret).await, "project_archived", "{round}");
            }
            app.projects.archive(&Actor::User(maren.clone()), made.project, true).await.unwrap();
            for secret in [&made.secret, &other.secret] {
                assert_eq!(verdict(app, secret).await, "good", "{round}");
            }
        }
        for hours in 1..=20 {
            token_life(app, &root, hours).await;
            assert_eq!(decide(app, &other.secret).await.unwrap().snapshot.token_life_max, i64::from(hours) * 3_600);
            expire(&bench, &mut browser, made.id, if hours % 2 == 0 { "7d" } else { "30d" }).await;
            let end = decide(app, &made.secret).await.unwrap().snapshot.lifecycle.expires_at;
            assert_eq!(end, bench.key_row(made.id).await.unwrap().lifecycle().expires_at);
            assert_eq!(decide(app, &made.secret).await.unwrap().snapshot.scopes, ["data:read"]);
        }
        assert!(calls.end().await > 100, "others called meanwhile");
        // A key that expires at `t` is denied at `t`, from the cache too.
        assert_eq!(verdict(app, &made.secret).await, "good");
        let (end, before) = (decide(app, &made.secret).await.unwrap().snapshot.lifecycle.expires_at.unwrap(), app.verify.counts());
        hearing.abort();
        bench.clock.advance(end.seconds_since(app.context.now()) + 1);
        assert_eq!(verdict(app, &made.secret).await, "expired");
        assert!(before.hits > 0, "{before:?}");
    }

    /// This process receives the changes of another process: deactivated, archived, and created.
    async fn changes_of_another_process_are_received(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        let app = &bench.app;
        let _hearing = start_change_feed(app).await;
        let becomes = async |secret: &str, expected: &str| {
            wait_until(expected, async || verdict(app, secret).await == expected).await;
            // The same result comes from the cache.
            let before = app.verify.counts();
            for _ in 0..5 {
                assert_eq!(verdict(app, secret).await, expected);
            }
            assert!(app.verify.counts().hits >= before.hits + 4, "{before:?} {:?}", app.verify.counts());
        };
        for _ in 0..5 {
            becomes(&made.secret, "good").await;
            other.keys.transition(&Actor::Operator, made.id, Transition::Deactivate, Precondition::default()).await.unwrap();
            becomes(&made.secret, "inactive").await;
            change_key(&other.keys, &maren, made.id, Transition::Activate).await.unwrap();
            becomes(&made.secret, "good").await;
            other.projects.archive(&Actor::User(maren.clone()), made.project, false).await.unwrap();
            becomes(&made.secret, "project_archived").await;
            other.projects.archive(&Actor::User(maren.clone()), made.project, true).await.unwrap();
            becomes(&made.secret, "good").await;
            let known = app.verify.counts().indexed;
            let (_, secret) = other.keys.create_from(&maren, bench.draft(made.project, "Elsewhere")).await.unwrap();
            becomes(secret.expose(), "good").await;
            wait_until("it is known", async || app.verify.counts().indexed == known + 1).await;
        }
    }

    /// Cached snapshots are used for up to two seconds after the last receipt of changes.
    ///
    /// After that the store is read. If it fails, the request is denied.
    async fn a_stale_cache_reads_the_store(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        let app = &bench.app;
        let look_ups = || app.verify.counts().look_ups;
        assert!(!app.verify.counts().is_fresh);
        assert_eq!((verdict(app, &made.secret).await, verdict(app, &made.secret).await), ("good", "good"));
        assert_eq!((look_ups(), app.verify.counts().cached), (2, 0), "without a subscription, each lookup reads the store");
        let hearing = start_change_feed(app).await;
        assert_eq!((verdict(app, &made.secret).await, look_ups()), ("good", 2), "all was loaded");
        hearing.abort();
        assert!(hearing.await.unwrap_err().is_cancelled());
        other.keys.transition(&Actor::Operator, made.id, Transition::Deactivate, Precondition::default()).await.unwrap();
        let seconds = i64::try_from(STALE_AFTER).unwrap() / 1_000_000;
        bench.clock.advance(seconds);
        assert_eq!((verdict(app, &made.secret).await, look_ups()), ("good", 2), "the bound has not passed");
        bench.clock.advance(1);
        assert_eq!((verdict(app, &made.secret).await, look_ups()), ("inactive", 3));
        assert_eq!(code(&app.verify.verify_subject(made.id.into(), &VerifyRequest::default()).await.unwrap()), "inactive");
        assert_eq!((verdict(app, &unknown_secret()).await, look_ups()), ("unknown", 5));
        // The process receives changes again. The earlier snapshots are not used.
        let hearing = start_change_feed(app).await;
        assert_eq!(verdict(app, &made.secret).await, "inactive");
        hearing.abort();
        bench.clock.advance(seconds + 1);
        app.context.pool.close().await;
        assert!(matches!(app.verify.verify_secret(&made.secret, &VerifyRequest::default()).await, Err(Error::Busy | Error::Store(_))));
        assert!(matches!(app.verify.verify_subject(made.id.into(), &VerifyRequest::default()).await, Err(Error::Busy | Error::Store(_))));
    }

    /// A flood of 20,000 different unknown keys causes only the lookups that the miss limiter allows, and none for a
    /// valid key.
    async fn unknown_keys_have_a_lookup_budget(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let mut keys = Vec::new();
        for n in 0..20 {
            keys.push(bench.create_key(&maren, &format!("Gateway {n}")).await);
        }
        let app = &bench.app;
        let _hearing = start_change_feed(app).await;
        let before = app.verify.counts();
        assert_eq!((before.indexed, before.cached), (20, 20), "{before:?}");
        let unknown = Arc::new(AtomicU64::new(0));
        let flood: Vec<_> = (0..4)
            .map(|_| {
                let (app, unknown) = (app.clone(), unknown.clone());
                tokio::spawn(async move {
                    for n in 0..5_000 {
                        assert_eq!(verdict(&app, &unknown_secret()).await, "unknown");
                        unknown.fetch_add(1, Ordering::Relaxed);
                        if n % 50 == 0 {
                            tokio::task::yield_now().await;
                        }
                    }
                })
            })
            .collect();
        let mut good = 0;
        while unknown.load(Ordering::Relaxed) < 20_000 {
            assert!(!flood.iter().all(JoinHandle::is_finished) || unknown.load(Ordering::Relaxed) == 20_000, "the flood broke off");
            for made in &keys {
                assert_eq!(verdict(app, &made.secret).await, "good");
                good += 1;
            }
            tokio::task::yield_now().await;
        }
        for flood in flood {
            flood.await.expect("every one was unknown");
        }
        let after = app.verify.counts();
        // The manual clock does not advance, so the miss limiter allows only its burst.
        assert_eq!(after.look_ups - before.look_ups, 200, "{after:?}");
        assert_eq!(after.unknown - before.unknown, 20_000 - 200);
        assert_eq!((after.hits - before.hits, after.indexed, after.cached), (good, 20, 20), "all good ones came from memory");
        assert!(good >= 20);
    }

    /// A key that was created in this process is known at once. Its lookup does not count for the miss limiter.
    async fn a_new_key_is_cached_before_the_response(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let app = &bench.app;
        let _hearing = start_change_feed(app).await;
        for _ in 0..300 {
            assert_eq!(verdict(app, &unknown_secret()).await, "unknown");
        }
        let before = app.verify.counts();
        assert_eq!((before.look_ups, before.unknown), (200, 100));
        for n in 1..=10 {
            let made = bench.create_key(&maren, "Gateway").await;
            assert_eq!(verdict(app, &made.secret).await, "good");
            let after = app.verify.counts();
            assert_eq!((after.look_ups, after.unknown), (200 + n, 100), "one look-up, not of the budget");
            assert_eq!((verdict(app, &made.secret).await, app.verify.counts().look_ups), ("good", 200 + n));
        }
    }

    /// With more keys than the cache can hold, every verification is correct and the cache stays within its limit.
    async fn no_more_keys_are_kept_than_there_is_room_for(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let mut keys = Vec::new();
        for n in 0..30 {
            keys.push(bench.create_key(&maren, &format!("Gateway {n}")).await);
        }
        let config = Config { cache_keys: 10, ..crate::support::config(crate::support::URL) };
        let small = Services::new(Arc::new(config), bench.app.context.clone(), keyring(&bench).await);
        let _hearing = start_change_feed(&small).await;
        let full = small.verify.counts();
        assert_eq!((full.indexed, full.cached), (30, 10), "{full:?}");
        for round in 0..3 {
            for made in &keys {
                assert_eq!(verdict(&small, &made.secret).await, "good", "{round}");
                assert_eq!(verdict(&small, &made.secret).await, "good", "{round}");
            }
        }
        change_key(&small.keys, &maren, keys[3].id, Transition::Deactivate).await.unwrap();
        assert_eq!(verdict(&small, &keys[3].secret).await, "inactive");
        let after = small.verify.counts();
        assert!(after.cached <= 10 && after.hits > 0 && after.look_ups > 0, "{after:?}");
    }

    /// Networks restrict the secret but not its tokens, with and without the cache.
    async fn a_tokens_key_is_remembered_without_its_networks(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql("UPDATE keys SET networks = '[\"192.0.2.0/24\"]', issued_to = 'a buoy with a name that no short text holds'").await;
        let app = &bench.app;
        for listens in [false, true] {
            let hearing = if listens { Some(start_change_feed(app).await) } else { None };
            let from = |ip: [u8; 4]| VerifyRequest { ip: Some(ip.into()), ..VerifyRequest::default() };
            assert_eq!(verdict(app, &made.secret).await, "wrong_network");
            assert_eq!(code(&app.verify.verify_secret(&made.secret, &from([192, 0, 3, 1])).await.unwrap()), "wrong_network");
            assert_eq!(code(&app.verify.verify_secret(&made.secret, &from([192, 0, 2, 1])).await.unwrap()), "good");
            let good = app.verify.verify_subject(made.id.into(), &VerifyRequest::default()).await.unwrap().unwrap();
            assert_eq!(good.snapshot.subject(), SubjectId::Key(made.id));
            assert_eq!((good.snapshot.name.as_str(), good.snapshot.issued_to.as_deref()), ("Gateway", Some("a buoy with a name that no short text holds")));
            assert_eq!(good.snapshot.networks.to_string(), "192.0.2.0/24");
            assert_eq!(app.verify.counts().hits > 0, listens);
            if let Some(hearing) = hearing {
                hearing.abort();
            }
        }
    }

    /// The change feed returns changes in order and reports a gap.
    async fn the_feed_reports_gaps(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let pool = &bench.app.context.pool;
        let mut feed = Feed::open(pool, None).await.unwrap();
        assert_eq!(feed.poll().await.unwrap(), FeedItem::Changes(vec![]));
        let stop = async |keys: &Keys| {
            change_key(keys, &maren, made.id, Transition::Deactivate).await.unwrap();
            change_key(keys, &maren, made.id, Transition::Activate).await.unwrap();
        };
        stop(&bench.app.keys).await;
        let FeedItem::Changes(changes) = feed.poll().await.unwrap() else { panic!("nothing is missing") };
        let last = feed.last();
        assert_eq!(changes.iter().map(|it| (it.seq, it.topic, it.id)).collect::<Vec<_>>(), [
            (last - 1, Some(Topic::Key), made.id.into()),
            (last, Some(Topic::Key), made.id.into()),
        ]);
        assert!(changes.iter().all(|it| it.digest.as_ref().is_some_and(|digest| digest.len() == 32)));
        // A newer release may write topics that this one does not know. They are no gap.
        stop(&bench.app.keys).await;
        bench.execute_sql("UPDATE changes SET topic = 'newer' WHERE seq = (SELECT change_seq FROM head)").await;
        let FeedItem::Changes(changes) = feed.poll().await.unwrap() else { panic!("nothing is missing") };
        assert_eq!(changes.iter().map(|it| it.topic).collect::<Vec<_>>(), [Some(Topic::Key), None]);
        assert_eq!(changes[1].digest, None, "only a change of a key has a digest");
        // The changes are pruned before the feed reads them.
        stop(&bench.app.keys).await;
        bench.execute_sql("DELETE FROM changes").await;
        assert_eq!(feed.poll().await.unwrap(), FeedItem::Gap);
        assert_eq!(feed.poll().await.unwrap(), FeedItem::Changes(vec![]), "and then it goes on from there");
        stop(&bench.app.keys).await;
        assert!(matches!(feed.poll().await.unwrap(), FeedItem::Changes(changes) if changes.len() == 2));
        // Another database replaces this one: its sequence numbers are smaller.
        bench.execute_sql("UPDATE head SET change_seq = 1").await;
        assert_eq!(feed.poll().await.unwrap(), FeedItem::Gap);
    }
}

async fn keyring(bench: &TestServer) -> Keyring {
    let file = KeyFile { path: bench.folder.path().join("keyward.key"), can_create: false };
    Keyring::open(&bench.app.context, &file).await.expect("a keyring")
}

/// PostgreSQL notifies the other nodes of a commit, so they do not wait for their next poll of the sequence number.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_wakes_the_other_nodes() {
    let bench = TestServer::new(crate::support::Engine::Postgres).await;
    let maren = bench.create_user(EMAIL, false).await;
    let made: CreatedKey = bench.create_key(&maren, "Gateway").await;
    let mut feed = Feed::open(&bench.app.context.pool, None).await.unwrap();
    let mut listener = match &bench.app.context.pool {
        Pool::Postgres(pool) => sqlx::postgres::PgListener::connect_with(pool).await.unwrap(),
        Pool::Sqlite { .. } => unreachable!("the engine was chosen"),
    };
    listener.listen("keyward_changes").await.unwrap();
    change_key(&bench.app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
    let rung = tokio::time::timeout(Duration::from_secs(30), listener.recv()).await.expect("rung").unwrap();
    assert_eq!((rung.channel(), rung.payload()), ("keyward_changes", ""), "it has no payload");
    assert!(
        matches!(feed.poll().await.unwrap(), FeedItem::Changes(changes) if changes.len() == 1),
        "when it rings, it is there"
    );
}

/// Measures the latency of valid keys with and without a flood of unknown keys. `--nocapture` shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_latency_of_good_keys_beside_a_flood() {
    let bench = TestServer::new(crate::support::Engine::Sqlite).await;
    let maren = bench.create_user(EMAIL, false).await;
    let made = bench.create_key(&maren, "Gateway").await;
    let app = &bench.app;
    let _hearing = start_change_feed(app).await;
    let measure = async || {
        let mut took = Vec::new();
        for _ in 0..5_000 {
            let started = Instant::now();
            assert_eq!(verdict(app, &made.secret).await, "good");
            took.push(started.elapsed());
            tokio::task::yield_now().await;
        }
        took.sort_unstable();
        (took[took.len() / 2], took[took.len() * 99 / 100])
    };
    let alone = measure().await;
    let stop = Arc::new(AtomicBool::new(false));
    let flood = {
        let (app, stop) = (app.clone(), stop.clone());
        tokio::spawn(async move {
            let strangers: Vec<_> = (0..500).map(|_| unknown_secret()).collect();
            let mut calls = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                for secret in &strangers {
                    assert_eq!(verdict(&app, secret).await, "unknown");
                    calls += 1;
                }
                tokio::task::yield_now().await;
            }
            calls
        })
    };
    wait_until("the flood has begun", async || app.verify.counts().unknown > 0).await;
    let beside = measure().await;
    stop.store(true, Ordering::Relaxed);
    let calls = flood.await.expect("every stranger is unknown");
    println!(
        "good keys alone: p50 {:?}, p99 {:?}; beside {calls} strangers: p50 {:?}, p99 {:?}",
        alone.0, alone.1, beside.0, beside.1
    );
    assert!(calls > 0 && app.verify.counts().look_ups <= 200, "{:?}", app.verify.counts());
}

//! Usage counters: each call is counted once, written after the response, and shown whether it is written yet or not.

use crate::support::{TestServer, test_data::change_key};
use keyward::{
    config::KeyFile,
    domain::{ids::KeyId, time::Timestamp, transition::Transition, usage::CallsToday},
    service::{
        Error, Services,
        signer::Keyring,
        time_format,
        usage::{Calls, Outcome},
    },
    store::{self, usage::Flush, write_queue::WriteOutcome},
};
use serde_json::json;
use std::sync::Arc;

const EMAIL: &str = "maren@pelagic.example";
const HOUR: i64 = 3_600;

/// Returns the stored usage of a key as `hour outcome calls`, in order.
async fn rows(bench: &TestServer, key: KeyId) -> Vec<String> {
    let of_key = format!("FROM usage WHERE key_id = {} ORDER BY hour, outcome", bench.literal(key));
    bench.query_texts(&format!("SELECT hour || ' ' || outcome || ' ' || calls {of_key}")).await
}

/// Returns the same without the hour.
async fn counts(bench: &TestServer, key: KeyId) -> Vec<String> {
    rows(bench, key).await.into_iter().map(|row| row.split_once(' ').expect("an hour").1.to_owned()).collect()
}

async fn today(app: &Services, key: KeyId) -> Calls {
    app.usage.calls(key, &jiff::tz::TimeZone::UTC).await.expect("calls")
}

fn calls(accepted: u64, refused: u64) -> CallsToday {
    CallsToday { accepted, refused }
}

/// Starts another node on the same database.
async fn node(bench: &TestServer) -> Services {
    let path = bench.folder.path().join("keyward.key");
    let context = crate::support::open_context(&bench.location, bench.clock.clone()).await;
    let keyring = Keyring::open(&context, &KeyFile { path, can_create: false }).await.expect("a keyring");
    Services::new(Arc::new(crate::support::config(crate::support::URL)), context, keyring)
}

/// Moves the clock to this number of seconds after the next midnight (UTC).
fn past_midnight(bench: &TestServer, seconds: i64) {
    let day = 86_400;
    let into = bench.app.context.now().seconds().rem_euclid(day);
    bench.clock.advance(day - into + seconds);
}

on_both_engines! {
    /// Accepted and denied calls are counted for each key and hour. A call without a key is not counted.
    async fn calls_are_counted(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, other) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Other").await);
        let mut program = bench.browser();
        past_midnight(&bench, 10 * HOUR);
        let hour = bench.app.context.now().seconds() / HOUR;
        let unknown = "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ";
        for (body, times) in [
            (json!({"key": made.secret}), 3),
            (json!({"key": made.secret, "scopes": ["data:write"]}), 2),
            (json!({"key": made.secret, "project": other.id}), 1),
            (json!({"key": other.secret}), 1),
            (json!({"key": unknown}), 2),
            (json!({"key": "kw"}), 2),
        ] {
            for _ in 0..times {
                program.json("/v1/keys/verify", &body).await;
            }
        }
        bench.clock.advance(HOUR);
        let last = bench.app.context.now();
        program.json("/v1/keys/verify", &json!({"key": made.secret})).await;
        bench.clock.advance(60);
        change_key(&bench.app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
        program.json("/v1/keys/verify", &json!({"key": made.secret})).await;
        assert_eq!(rows(&bench, made.id).await, [""; 0], "nothing is written while answering");
        bench.app.usage.flush().await.unwrap();
        let expected = [
            format!("{hour} accepted 3"),
            format!("{hour} missing_scope 2"),
            format!("{hour} wrong_project 1"),
            format!("{} accepted 1", hour + 1),
            format!("{} inactive 1", hour + 1),
        ];
        assert_eq!(rows(&bench, made.id).await, expected);
        assert_eq!(rows(&bench, other.id).await, [format!("{hour} accepted 1")]);
        assert_eq!(bench.query_number("SELECT CAST(SUM(calls) AS BIGINT) FROM usage").await, 9);
        assert_eq!(bench.key_row(made.id).await.unwrap().last_used_at, Some(last.micros()), "a refusal is no use");
        bench.app.usage.flush().await.unwrap();
        assert_eq!(rows(&bench, made.id).await, expected, "an empty flush adds nothing");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM usage_flushes").await, 0, "nothing waits");
        assert_eq!(bench.app.usage.lost_calls(), 0);
    }

    /// The key's page shows the same numbers before and after the counters are written.
    async fn the_page_shows_them_written_or_not(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let (mut program, mut browser) = (bench.browser(), bench.signed_in(EMAIL).await);
        let path = format!("/keys/{}", made.id);
        let page = browser.get(&path).await;
        assert!(page.text().contains("Never used"), "{}", page.text());
        assert!(page.text().contains("0 accepted, 0 rejected"), "{}", page.text());
        bench.clock.advance(65);
        let exact = time_format::format_moment(bench.app.context.now(), &maren.zone).exact;
        for scopes in [json!([]), json!([]), json!(["data:write"])] {
            program.json("/v1/keys/verify", &json!({"key": made.secret, "scopes": scopes})).await;
        }
        for written in [false, true] {
            if written {
                bench.app.usage.flush().await.unwrap();
            }
            let page = browser.get(&path).await;
            assert!(page.text().contains("2 accepted, 1 rejected"), "{written}: {}", page.text());
            assert!(page.text().contains("Requests today") && !page.text().contains("Never used"), "{written}");
            assert!(page.text().contains(&exact), "{written}: {exact}: {}", page.text());
            let called = browser.call("keys/called", &[("id", &made.id.to_string())]).await.json();
            assert_eq!(called["exact"], exact.as_str(), "{written}");
        }
        program.json("/v1/keys/verify", &json!({"key": made.secret})).await;
        assert!(browser.get(&path).await.text().contains("3 accepted, 1 rejected"), "written and not");
    }

    /// A day begins at midnight in the viewer's time zone. The hour that contains midnight counts completely.
    async fn a_day_is_the_viewers(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        past_midnight(&bench, 0);
        let midnight = bench.app.context.now().seconds();
        for minutes in [-400, -330, -61, -1, 0, 59, 60, 600] {
            bench.app.usage.record(key.into(), Outcome::Accepted, Timestamp::from_seconds(midnight + minutes * 60));
        }
        bench.clock.advance(11 * HOUR);
        for written in [false, true] {
            if written {
                bench.app.usage.flush().await.unwrap();
            }
            // In Kolkata the day began at 18:30 UTC, 330 minutes before the last midnight UTC, so the hour from 18:00
            // counts. In Kiritimati the next day began at 10:00 UTC.
            for (zone, accepted) in [("UTC", 4), ("Africa/Lagos", 5), ("Asia/Kolkata", 7), ("Pacific/Kiritimati", 1)] {
                let shown = bench.app.usage.calls(key, &time_format::zone(zone).unwrap()).await.unwrap();
                assert_eq!(shown.today, calls(accepted, 0), "{zone}, {written}");
                assert_eq!(shown.last_used, Some(Timestamp::from_seconds(midnight + 36_000)), "{zone}, {written}");
            }
        }
    }

    /// A flush that is sent again, because its result is unknown, counts once, whether it is merged already or not.
    async fn a_flush_counts_once(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        let (writer, at) = (bench.app.context.new_id(), bench.app.context.now().micros() - 1);
        let send = async |seq| {
            let write = bench.app.context.queue.write(move |tx| {
                let calls = json!([[key, 7, "accepted", 5], [key, 7, "expired", 2]]).to_string();
                let used = json!([[key, 7_000_000]]).to_string();
                let flush = Flush { writer, seq, at, first_key: key.into(), last_key: key.into(), calls, used, quotas: None };
                Box::pin(async move { Ok::<_, Error>(WriteOutcome::unaudited(store::usage::append(tx, &flush).await?)) })
            });
            write.await.unwrap()
        };
        assert_eq!((send(1).await, send(1).await), (true, false));
        bench.app.usage.merge_all().await.unwrap();
        assert!(!send(1).await, "merged meanwhile");
        bench.app.usage.merge_all().await.unwrap();
        assert_eq!(counts(&bench, key).await, ["accepted 5", "expired 2"]);
        assert_eq!((send(2).await, send(3).await, send(2).await), (true, true, false));
        bench.app.usage.merge_all().await.unwrap();
        bench.app.usage.merge_all().await.unwrap();
        assert_eq!(counts(&bench, key).await, ["accepted 15", "expired 6"]);
    }

    /// A flush is canceled, as on shutdown, when the database may or may not have committed it.
    async fn a_flush_that_is_cut_off_counts_once(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        for round in 1..=20 {
            bench.app.usage.record(key.into(), Outcome::Accepted, bench.app.context.now());
            {
                let mut flush = std::pin::pin!(bench.app.usage.flush());
                for _ in 0..=round % 4 {
                    let _ = futures::poll!(flush.as_mut());
                    tokio::task::yield_now().await;
                }
            }
            assert_eq!(today(&bench.app, key).await.today, calls(round, 0), "shown once");
            bench.app.usage.flush().await.unwrap();
            bench.app.usage.merge_all().await.unwrap();
            assert_eq!(counts(&bench, key).await, [format!("accepted {round}")]);
        }
    }

    /// Counters that the database rejects wait, together with new ones, and are written when the database accepts them.
    async fn a_flush_that_fails_is_tried_again(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        let note = |outcome| bench.app.usage.record(key.into(), outcome, bench.app.context.now());
        for (table, round) in [("usage_flushes", 1), ("usage_writers", 2), ("usage", 3)] {
            bench.execute_sql(&format!("ALTER TABLE {table} RENAME TO away")).await;
            for _ in 0..3 {
                note(Outcome::Accepted);
                note(Outcome::Expired);
                assert!(bench.app.usage.flush().await.is_err(), "{table}");
            }
            bench.execute_sql(&format!("ALTER TABLE away RENAME TO {table}")).await;
            assert_eq!(today(&bench.app, key).await.today, calls(3 * round, 3 * round), "{table}");
            bench.app.usage.flush().await.unwrap();
            bench.app.usage.merge_all().await.unwrap();
            assert_eq!(counts(&bench, key).await, [format!("accepted {}", 3 * round), format!("expired {}", 3 * round)]);
        }
        assert_eq!(bench.app.usage.lost_calls(), 0);
    }

    /// Many keys concurrently: their flushes wait in a queue, and a key's page includes the pending ones.
    async fn many_keys_are_merged_together(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        for second in 1..=61 {
            bench.clock.advance(1);
            let now = bench.app.context.now();
            // Most of these keys do not exist, as after a purge. No usage of them is stored.
            if second % 20 == 1 {
                for _ in 0..2_500 {
                    bench.app.usage.record(KeyId::from(bench.app.context.new_id()).into(), Outcome::Accepted, now);
                }
            }
            bench.app.usage.record(key.into(), Outcome::Accepted, now);
            bench.app.usage.flush().await.unwrap();
            let shown = today(&bench.app, key).await;
            assert_eq!(shown.last_used, Some(now));
            if second < 61 {
                assert_eq!(counts(&bench, key).await, [""; 0], "they wait, at {second}");
            }
            if now.seconds().rem_euclid(86_400) > 61 {
                assert_eq!(shown.today, calls(second, 0), "shown all the same");
            }
        }
        assert_eq!(bench.query_number("SELECT CAST(SUM(calls) AS BIGINT) FROM usage").await, 61, "after a minute");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM usage_flushes").await, 0);
        assert_eq!(bench.key_row(key).await.unwrap().last_used_at, Some(bench.app.context.now().micros()));
    }

    /// The counters of several nodes for one key are added, also with concurrent writes.
    async fn nodes_add_up(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let mut keys = Vec::new();
        for n in 0..5 {
            keys.push(bench.create_key(&maren, &format!("Gateway {n}")).await.id);
        }
        let other = node(&bench).await;
        for _ in 0..10 {
            for app in [&bench.app, &other] {
                for key in &keys {
                    app.usage.record((*key).into(), Outcome::Accepted, app.context.now());
                }
            }
            let (one, two) = futures::join!(bench.app.usage.flush(), other.usage.flush());
            one.unwrap();
            two.unwrap();
        }
        for key in &keys {
            assert_eq!(counts(&bench, *key).await, ["accepted 20"]);
            assert_eq!(today(&other, *key).await.today, calls(20, 0));
        }
        // A node's unwritten counters are visible on that node only.
        other.usage.record(keys[0].into(), Outcome::Accepted, other.context.now());
        assert_eq!(today(&bench.app, keys[0]).await.today, calls(20, 0));
        assert_eq!(today(&other, keys[0]).await.today, calls(21, 0));
    }

    /// The next process that starts merges the flushes that another process left behind.
    async fn what_was_left_is_taken_up(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        let (writer, at) = (bench.app.context.new_id(), bench.app.context.now().micros());
        let write = bench.app.context.queue.write(move |tx| {
            let calls = json!([[key, at / 3_600_000_000, "accepted", 5]]).to_string();
            let flush = Flush {
                writer, seq: 1, at, first_key: key.into(), last_key: key.into(), calls, used: "[]".into(), quotas: None,
            };
            Box::pin(async move { Ok::<_, Error>(WriteOutcome::unaudited(store::usage::append(tx, &flush).await?)) })
        });
        write.await.unwrap();
        assert_eq!(today(&bench.app, key).await.today, calls(5, 0), "seen before it is merged");
        bench.clock.advance(1);
        node(&bench).await.usage.merge_all().await.unwrap();
        assert_eq!(counts(&bench, key).await, ["accepted 5"]);
    }

    /// Usage is kept for 400 days, and the record of a process that no longer writes for one day.
    async fn what_is_old_is_forgotten(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let key = bench.create_key(&maren, "Gateway").await.id;
        let hour = bench.app.context.now().seconds() / HOUR;
        let mut values = Vec::new();
        for old in 0..2_500 {
            values.push(format!("({}, {}, 'accepted', 1)", bench.literal(key), hour - 400 * 24 - 1 - old));
        }
        values.push(format!("({}, {}, 'accepted', 1)", bench.literal(key), hour - 400 * 24));
        bench.execute_sql(&format!("INSERT INTO usage (key_id, hour, outcome, calls) VALUES {}", values.join(", "))).await;
        bench.app.usage.record(key.into(), Outcome::Accepted, bench.app.context.now());
        bench.app.usage.flush().await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM usage_writers").await, 1);
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        let kept = [format!("{} accepted 1", hour - 400 * 24), format!("{hour} accepted 1")];
        assert_eq!(rows(&bench, key).await, kept);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM usage_writers").await, 1);
        bench.clock.advance(86_401);
        bench.app.usage.sweep().await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM usage_writers").await, 0);
        // The process was silent but still runs, so it can write again.
        bench.app.usage.record(key.into(), Outcome::Accepted, bench.app.context.now());
        bench.app.usage.flush().await.unwrap();
        assert_eq!(bench.query_number("SELECT CAST(SUM(calls) AS BIGINT) FROM usage").await, 2, "the oldest went a day later");
    }
}

//! Rate limits of keys: over HTTP, and after the end of a process.

use crate::support::{TestServer, browser::Browser, test_data::CreatedKey};
use keyward::{
    config::KeyFile,
    domain::{ids::KeyId, rate::RateLimit},
    service::{Error, Services, signer::Keyring, usage::Outcome},
    store::{self, usage::Flush, write_queue::WriteOutcome},
};
use serde_json::{Value, json};
use std::sync::Arc;

const EMAIL: &str = "maren@pelagic.example";

/// Creates a key with this rate limit.
async fn limited(bench: &TestServer, limit: &str) -> CreatedKey {
    let caller = match bench.query_number("SELECT COUNT(*) FROM users").await {
        0 => bench.create_user(EMAIL, false).await,
        n => bench.create_user(&format!("maren{n}@pelagic.example"), false).await,
    };
    let made = bench.create_key(&caller, "Gateway").await;
    bench.execute_sql(&format!("UPDATE keys SET rate_limit = '{limit}' WHERE id = {}", bench.literal(made.id))).await;
    made
}

/// Returns `good` or the reason code of a verification.
async fn code(program: &mut Browser, body: Value) -> String {
    let answer = program.json("/v1/keys/verify", &body).await.json();
    if answer["valid"] == true { "good".into() } else { answer["code"].as_str().expect("a code").to_owned() }
}

/// Returns how many of these calls this process allows.
fn count_allowed(bench: &TestServer, app: &Services, key: KeyId, limit: &RateLimit, calls: usize) -> usize {
    (0..calls).filter(|_| app.limits.try_acquire(key, limit, bench.app.context.now()).is_ok()).count()
}

/// Starts the service again, or another node, on the same database. It has loaded the saved quotas.
async fn another(bench: &TestServer) -> Services {
    let path = bench.folder.path().join("keyward.key");
    let context = crate::support::open_context(&bench.location, bench.clock.clone()).await;
    let keyring = Keyring::open(&context, &KeyFile { path, can_create: false }).await.expect("a keyring");
    let app = Services::new(Arc::new(crate::support::config(crate::support::URL)), context, keyring);
    app.usage.restore_quotas().await.expect("what was saved can be read");
    app
}

on_both_engines! {
    /// A call over the limit is denied, counted as denied, and allowed again at its time.
    ///
    /// A call that another rule denies uses no quota. An allowed call uses the quota once.
    async fn a_key_is_used_so_often_and_no_more(bench: TestServer) {
        let made = limited(&bench, "2/minute").await;
        let mut program = bench.browser();
        let ask = || json!({"key": made.secret});
        for _ in 0..5 {
            assert_eq!(code(&mut program, json!({"key": made.secret, "scopes": ["data:write"]})).await, "missing_scope");
        }
        assert_eq!(code(&mut program, ask()).await, "good");
        assert_eq!(code(&mut program, ask()).await, "good");
        for _ in 0..3 {
            assert_eq!(code(&mut program, ask()).await, "rate_limited");
        }
        assert_eq!(code(&mut program, json!({"key": made.secret, "scopes": ["data:write"]})).await, "missing_scope", "checked first");
        bench.clock.advance(29);
        assert_eq!(code(&mut program, ask()).await, "rate_limited");
        bench.clock.advance(1);
        assert_eq!(code(&mut program, ask()).await, "good");
        assert_eq!(code(&mut program, ask()).await, "rate_limited");
        bench.app.usage.flush().await.unwrap();
        let of = |outcome| format!("SELECT COALESCE(CAST(SUM(calls) AS BIGINT), 0) FROM usage WHERE outcome = '{outcome}'");
        assert_eq!(bench.query_number(&of("accepted")).await, 3);
        assert_eq!(bench.query_number(&of("rate_limited")).await, 5);
        assert_eq!(bench.query_number(&of("missing_scope")).await, 6);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM key_quotas").await, 0, "a minute's limit is not saved");
    }

    /// Limits of an hour or more survive the end of a process, up to the last flush. Shorter limits start again.
    async fn an_hours_limit_survives(bench: TestServer) {
        let (hour, day): (RateLimit, RateLimit) = ("4/hour".parse().unwrap(), "3/day,burst=3".parse().unwrap());
        let minute: RateLimit = "4/minute".parse().unwrap();
        let (by_hour, by_day, by_minute) =
            (limited(&bench, "4/hour").await.id, limited(&bench, "3/day").await.id, limited(&bench, "4/minute").await.id);
        let first = &bench.app;
        assert_eq!(count_allowed(&bench, first, by_hour, &hour, 3), 3);
        assert_eq!(count_allowed(&bench, first, by_day, &day, 5), 3);
        assert_eq!(count_allowed(&bench, first, by_minute, &minute, 9), 4);
        first.usage.flush().await.unwrap();
        // This call is lost with the process, because no flush follows.
        assert_eq!(count_allowed(&bench, first, by_hour, &hour, 1), 1);

        let second = another(&bench).await;
        assert_eq!(count_allowed(&bench, &second, by_hour, &hour, 9), 1, "three of four were saved");
        assert_eq!(count_allowed(&bench, &second, by_day, &day, 9), 0, "all of three were");
        assert_eq!(count_allowed(&bench, &second, by_minute, &minute, 9), 4);
        second.usage.flush().await.unwrap();
        let third = another(&bench).await;
        assert_eq!(count_allowed(&bench, &third, by_hour, &hour, 9), 0);
        bench.clock.advance(900);
        assert_eq!(count_allowed(&bench, &third, by_hour, &hour, 9), 1, "a quarter of an hour gives one of four back");
        assert_eq!(count_allowed(&bench, &third, by_day, &day, 9), 0);
        bench.clock.advance(8 * 3_600);
        assert_eq!(count_allowed(&bench, &third, by_day, &day, 9), 1);
    }

    /// Quotas that were appended but not merged are loaded too. A deleted key, or one without a limit, is skipped.
    async fn what_waits_is_read(bench: TestServer) {
        let hour: RateLimit = "2/hour".parse().unwrap();
        let (kept, freed) = (limited(&bench, "2/hour").await.id, limited(&bench, "2/hour").await.id);
        let gone: KeyId = bench.app.context.new_id().into();
        let whole_at = bench.app.context.now().plus_seconds(3_600).micros();
        let quotas = json!([[kept, whole_at], [freed, whole_at], [gone, whole_at]]).to_string();
        let (writer, at) = (bench.app.context.new_id(), bench.app.context.now().micros());
        let write = bench.app.context.queue.write(move |tx| {
            let flush = Flush {
                writer, seq: 1, at, first_key: kept.into(), last_key: gone.into(),
                calls: "[]".into(), used: "[]".into(), quotas: Some(quotas.clone()),
            };
            Box::pin(async move { Ok::<_, Error>(WriteOutcome::unaudited(store::usage::append(tx, &flush).await?)) })
        });
        assert!(write.await.unwrap());
        bench.execute_sql(&format!("UPDATE keys SET rate_limit = NULL WHERE id = {}", bench.literal(freed))).await;
        for _ in 0..2 {
            let next = another(&bench).await;
            assert_eq!(next.limits.len(), 1);
            assert_eq!(count_allowed(&bench, &next, kept, &hour, 3), 0);
            next.usage.merge_all().await.unwrap();
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM key_quotas").await, 2, "of the keys that there are");
        bench.clock.advance(3_600);
        bench.app.usage.sweep().await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM key_quotas").await, 0, "whole again");
    }

    /// Each of two nodes counts its own calls. Of the instants that they save, the later one is used.
    async fn two_nodes_count_each_by_itself(bench: TestServer) {
        let limit: RateLimit = "10/day".parse().unwrap();
        let key = limited(&bench, "10/day").await.id;
        let other = another(&bench).await;
        assert_eq!(count_allowed(&bench, &bench.app, key, &limit, 3), 3);
        assert_eq!(count_allowed(&bench, &other, key, &limit, 20), 10);
        other.usage.flush().await.unwrap();
        bench.app.usage.flush().await.unwrap();
        let next = another(&bench).await;
        assert_eq!(count_allowed(&bench, &next, key, &limit, 20), 0);
    }

    /// Purging a key deletes its saved quota and does not block the flush of the other keys.
    async fn a_purged_key_has_no_effect(bench: TestServer) {
        let limit: RateLimit = "10/day".parse().unwrap();
        let (gone, saved, stays) =
            (limited(&bench, "10/day").await.id, limited(&bench, "10/day").await.id, limited(&bench, "10/day").await.id);
        count_allowed(&bench, &bench.app, saved, &limit, 1);
        bench.app.usage.flush().await.unwrap();
        for key in [gone, saved, stays] {
            count_allowed(&bench, &bench.app, key, &limit, 1);
            bench.app.usage.record(key.into(), Outcome::Accepted, bench.app.context.now());
        }
        for key in [gone, saved] {
            bench.execute_sql(&format!("DELETE FROM keys WHERE id = {}", bench.literal(key))).await;
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM key_quotas").await, 0);
        bench.app.usage.flush().await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM key_quotas").await, 1);
        assert_eq!(bench.query_number("SELECT CAST(SUM(calls) AS BIGINT) FROM usage").await, 1);
        assert_eq!(bench.key_row(stays).await.unwrap().last_used_at, Some(bench.app.context.now().micros()));
    }
}

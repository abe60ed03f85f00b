//! Signing key rotation: the next key is published before it signs, the old key is published until its last token has
//! expired, and every node follows.

use crate::support::{
    Bench, URL, forge,
    listening::until,
    oauth::{claims, token},
    stored::Made,
};
use keyward::{
    config::Programs,
    service::{
        App, Error,
        actor::Actor,
        clock::Clock as _,
        sealing::SealingKey,
        tokens::{self, PUBLISHED_FIRST, Published, Wish},
        upkeep,
        verify::Question,
    },
};
use serde_json::Value;
use std::time::Instant;

const EMAIL: &str = "maren@pelagic.example";
const DAY: i64 = 86_400;

/// Returns the ids of the published keys. The signing key is first.
async fn published(bench: &Bench) -> Vec<String> {
    let request = axum::http::Request::get("/.well-known/jwks.json");
    let page = bench.browser().send(request, String::new()).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "public, max-age=300"));
    kids(&page.json())
}

fn kids(jwks: &Value) -> Vec<String> {
    let keys = jwks["keys"].as_array().expect("keys");
    assert!(
        keys.iter()
            .all(|key| key["kty"] == "OKP" && key["alg"] == "EdDSA" && key["use"] == "sig" && key.get("d").is_none())
    );
    keys.iter().map(|key| key["kid"].as_str().expect("an id").to_owned()).collect()
}

fn kid(token: &str) -> String {
    forge::parts(token).0["kid"].as_str().expect("an id").to_owned()
}

async fn is_good(app: &App, token: &str) -> bool {
    app.tokens.presented(token, &Question::default()).await.expect("the store answers").is_ok()
}

/// Rotates the keys as the command does.
async fn rotate(bench: &Bench) -> Result<Published, Error> {
    let sealing = SealingKey::read(&bench.folder.path().join("keyward.key")).expect("readable").expect("a key file");
    tokens::rotate(&bench.app.ground, &sealing, &Actor::Operator, None).await
}

async fn issue(bench: &Bench, made: &Made, life: &str) -> String {
    token(bench, made, &[("expires_in", life)]).await.token()
}

on_both_engines! {
    /// The complete lifecycle of a signing key.
    async fn a_key_follows_another(bench: Bench) {
        let maren = bench.person(EMAIL, false).await;
        let made = bench.key(&maren, "Gateway").await;
        bench.alter("UPDATE policy SET token_life_max = 7200, token_life_ever = 7200").await;
        let first = published(&bench).await;
        assert_eq!(first.len(), 1);
        let old = issue(&bench, &made, "7200").await;
        assert_eq!(kid(&old), first[0]);

        let next = rotate(&bench).await.unwrap();
        assert_eq!(next.from, bench.clock.now().plus_seconds(PUBLISHED_FIRST));
        assert!(matches!(rotate(&bench).await, Err(Error::Conflict(_))), "one at a time");
        // The new key is published within one minute, even without the change feed. It does not sign before every
        // verifier can have it.
        bench.clock.advance(61);
        let both = [first[0].clone(), next.kid.to_string()];
        assert_eq!(published(&bench).await, both);
        assert_eq!(kid(&issue(&bench, &made, "60").await), first[0]);
        bench.clock.advance(PUBLISHED_FIRST - 61 - 1);
        let last = issue(&bench, &made, "7200").await;
        assert_eq!(kid(&last), first[0]);
        bench.clock.advance(1);
        let new = issue(&bench, &made, "7200").await;
        assert_eq!(kid(&new), next.kid.to_string());
        assert_eq!(published(&bench).await, [both[1].clone(), both[0].clone()], "the one that signs stands first");
        assert!(is_good(&bench.app, &last).await && is_good(&bench.app, &new).await && is_good(&bench.app, &old).await);

        // The old key is published until its last token has expired, plus a margin.
        bench.clock.advance(7_198);
        upkeep::once(&bench.app).await.unwrap();
        assert_eq!(published(&bench).await.len(), 2);
        assert!(is_good(&bench.app, &last).await, "its last second");
        bench.clock.advance(62);
        assert_eq!(published(&bench).await, [both[1].clone()], "within a minute");
        upkeep::once(&bench.app).await.unwrap();
        assert_eq!(bench.number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 2);
        bench.clock.advance(3_600);
        upkeep::once(&bench.app).await.unwrap();
        assert_eq!(bench.number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 1, "its private half is gone");
        for (event, n) in [("signing_key.created", 2), ("signing_key.published", 1), ("signing_key.retired", 1)] {
            assert_eq!(bench.events(event).await, n, "{event}");
        }
        // Tokens of the deleted key are no longer accepted, whatever their claims are.
        assert!(!is_good(&bench.app, &old).await);
        let again = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        assert_eq!(kids(&again.tokens.jwks()), [both[1].clone()], "as a new process finds it");
    }

    /// After a compromise, none of the old keys signs or verifies, although their tokens were valid here.
    async fn a_key_that_somebody_may_have(bench: Bench) {
        let maren = bench.person(EMAIL, false).await;
        let made = bench.key(&maren, "Gateway").await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        let hearing = [&bench.app, &other].map(|app| tokio::spawn(app.clone().follow_changes()));
        until("both listen", async || [&bench.app, &other].iter().all(|app| app.verify.counts().complete)).await;
        let next = rotate(&bench).await.unwrap();
        let old = issue(&bench, &made, "3600").await;
        assert!(is_good(&bench.app, &old).await && is_good(&other, &old).await);

        let sealing = SealingKey::read(&bench.folder.path().join("keyward.key")).unwrap().unwrap();
        let fresh = tokens::replace(&bench.app.ground, &sealing, &Actor::Operator).await.unwrap();
        assert_eq!(fresh.from, bench.clock.now());
        for app in [&bench.app, &other] {
            until("it is alone", async || kids(&app.tokens.jwks()) == [fresh.kid.to_string()]).await;
            assert_eq!(app.tokens.presented(&old, &Question::default()).await.unwrap().unwrap_err().code(), "invalid_token");
        }
        let new = issue(&bench, &made, "3600").await;
        assert_eq!(kid(&new), fresh.kid.to_string());
        assert!(is_good(&bench.app, &new).await && is_good(&other, &new).await);
        // The list of revoked tokens is signed with the new key too.
        bench.clock.advance(2);
        assert_eq!(kid(&bench.app.tokens.revoked_list().await.unwrap().jwt), fresh.kid.to_string());
        // The next key that was published before is dropped.
        bench.clock.advance(2 * PUBLISHED_FIRST);
        upkeep::once(&bench.app).await.unwrap();
        assert_eq!(published(&bench).await, [fresh.kid.to_string()]);
        assert_ne!(next.kid, fresh.kid);
        assert_eq!(bench.number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 1);
        assert_eq!(bench.events("signing_key.discarded").await, 2);
        assert!(rotate(&bench).await.is_ok());
        for task in hearing {
            task.abort();
        }
    }

    /// Scheduled rotation: the key is published one day before it signs, by the first node that runs the job, and once.
    async fn by_the_schedule(bench: Bench) {
        let maren = bench.person(EMAIL, false).await;
        let made = bench.key(&maren, "Gateway").await;
        bench.alter("UPDATE keys SET expires_at = NULL").await;
        let first = published(&bench).await;
        let programs = Programs { token_key_days: 0, ..Programs::default() };
        let never = bench.app.with_config(keyward::config::Config { programs, ..crate::support::config(URL) });
        bench.clock.advance(89 * DAY - 10);
        upkeep::once(&bench.app).await.unwrap();
        assert_eq!(published(&bench).await, first, "not yet");
        bench.clock.advance(10);
        upkeep::once(&never).await.unwrap();
        assert_eq!(published(&bench).await, first, "0: never");
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        let both = futures::future::join(upkeep::once(&bench.app), upkeep::once(&other)).await;
        assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
        upkeep::once(&bench.app).await.unwrap();
        assert_eq!(bench.events("signing_key.published").await, 1);
        let two = published(&bench).await;
        assert_eq!((two.len(), &two[0]), (2, &first[0]));
        bench.clock.advance(DAY - 1);
        assert_eq!(kid(&issue(&bench, &made, "60").await), first[0]);
        bench.clock.advance(1);
        assert_eq!(kid(&issue(&bench, &made, "60").await), two[1]);
        // A server that was off for a year rotates, and publishes the key before it signs even then.
        bench.clock.advance(365 * DAY);
        upkeep::once(&bench.app).await.unwrap();
        let late = published(&bench).await;
        assert_eq!((late.len(), &late[0]), (2, &two[1]));
        assert_eq!(bench.events("signing_key.published").await, 2);
    }

    /// A node with the change feed has the key within 1 s, and no node signs with a key that another does not publish.
    async fn every_node_follows(bench: Bench) {
        let maren = bench.person(EMAIL, false).await;
        let made = bench.key(&maren, "Gateway").await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        let tasks = [&bench.app, &other].map(|app| tokio::spawn(app.clone().follow_changes()));
        until("both listen", async || [&bench.app, &other].iter().all(|app| app.verify.counts().complete)).await;
        let began = Instant::now();
        let next = rotate(&bench).await.unwrap();
        until("both publish it", async || [&bench.app, &other].iter().all(|app| kids(&app.tokens.jwks()).contains(&next.kid.to_string()))).await;
        println!("token keys: both nodes publish it after {:?}", began.elapsed());
        bench.clock.advance(PUBLISHED_FIRST);
        let token = issue(&bench, &made, "60").await;
        assert_eq!(kid(&token), next.kid.to_string());
        assert!(is_good(&other, &token).await);
        let there = other.tokens.exchange(&made.secret, None, &Wish::default()).await.unwrap().unwrap();
        assert_eq!(kid(&there.access_token), next.kid.to_string());
        assert!(is_good(&bench.app, &there.access_token).await);
        assert_eq!(claims(&token)["iss"], URL);
        for task in tasks {
            task.abort();
        }
    }
}

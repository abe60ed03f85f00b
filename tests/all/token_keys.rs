//! Signing key rotation: the next key is published before it signs, the old key is published until its last token has
//! expired, and every node follows.

use crate::support::{
    TestServer, URL,
    change_feed::wait_until,
    forged_tokens,
    oauth::{claims, token},
    test_data::CreatedKey,
};
use keyward::{
    config::ApiSettings,
    service::{
        Error, Services,
        actor::Actor,
        clock::Clock as _,
        encryption_at_rest::EncryptionKey,
        maintenance,
        tokens::{self, PUBLISH_LEAD_TIME, PublishedKey, TokenParameters},
        verify::VerifyRequest,
    },
};
use serde_json::Value;
use std::time::Instant;

const EMAIL: &str = "maren@pelagic.example";
const DAY: i64 = 86_400;

/// Returns the ids of the published keys. The signing key is first.
async fn published(bench: &TestServer) -> Vec<String> {
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
    forged_tokens::parts(token).0["kid"].as_str().expect("an id").to_owned()
}

async fn is_accepted(app: &Services, token: &str) -> bool {
    app.tokens.check_credential(token, &VerifyRequest::default()).await.expect("the store answers").is_ok()
}

/// Rotates the keys as the command does.
async fn rotate(bench: &TestServer) -> Result<PublishedKey, Error> {
    let sealing = EncryptionKey::load(&bench.folder.path().join("keyward.key")).expect("readable").expect("a key file");
    tokens::rotate(&bench.app.context, &sealing, &Actor::Operator, None).await
}

async fn issue(bench: &TestServer, made: &CreatedKey, life: &str) -> String {
    token(bench, made, &[("expires_in", life)]).await.token()
}

on_both_engines! {
    /// The complete lifecycle of a signing key.
    async fn a_key_follows_another(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql("UPDATE policy SET token_life_max = 7200, token_life_ever = 7200").await;
        let first = published(&bench).await;
        assert_eq!(first.len(), 1);
        let old = issue(&bench, &made, "7200").await;
        assert_eq!(kid(&old), first[0]);

        let next = rotate(&bench).await.unwrap();
        assert_eq!(next.from, bench.clock.now().plus_seconds(PUBLISH_LEAD_TIME));
        assert!(matches!(rotate(&bench).await, Err(Error::Conflict(_))), "one at a time");
        // The new key is published within one minute, even without the change feed. It does not sign before every
        // verifier can have it.
        bench.clock.advance(61);
        let both = [first[0].clone(), next.kid.to_string()];
        assert_eq!(published(&bench).await, both);
        assert_eq!(kid(&issue(&bench, &made, "60").await), first[0]);
        bench.clock.advance(PUBLISH_LEAD_TIME - 61 - 1);
        let last = issue(&bench, &made, "7200").await;
        assert_eq!(kid(&last), first[0]);
        bench.clock.advance(1);
        let new = issue(&bench, &made, "7200").await;
        assert_eq!(kid(&new), next.kid.to_string());
        assert_eq!(published(&bench).await, [both[1].clone(), both[0].clone()], "the signing key is first");
        assert!(is_accepted(&bench.app, &last).await && is_accepted(&bench.app, &new).await && is_accepted(&bench.app, &old).await);

        // The old key is published until its last token has expired, plus a margin.
        bench.clock.advance(7_198);
        maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(published(&bench).await.len(), 2);
        assert!(is_accepted(&bench.app, &last).await, "its last second");
        bench.clock.advance(62);
        assert_eq!(published(&bench).await, [both[1].clone()], "within a minute");
        maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 2);
        bench.clock.advance(3_600);
        maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 1, "its private half is gone");
        for (event, n) in [("signing_key.created", 2), ("signing_key.published", 1), ("signing_key.retired", 1)] {
            assert_eq!(bench.events(event).await, n, "{event}");
        }
        // Tokens of the deleted key are no longer accepted, whatever their claims are.
        assert!(!is_accepted(&bench.app, &old).await);
        let again = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        assert_eq!(kids(&again.tokens.jwks()), [both[1].clone()], "as a new process finds it");
    }

    /// After a compromise, none of the old keys signs or verifies, although their tokens were valid here.
    async fn a_compromised_key(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        let hearing = [&bench.app, &other].map(|app| tokio::spawn(app.clone().follow_changes()));
        wait_until("both listen", async || [&bench.app, &other].iter().all(|app| app.verify.counts().complete)).await;
        let next = rotate(&bench).await.unwrap();
        let old = issue(&bench, &made, "3600").await;
        assert!(is_accepted(&bench.app, &old).await && is_accepted(&other, &old).await);

        let sealing = EncryptionKey::load(&bench.folder.path().join("keyward.key")).unwrap().unwrap();
        let fresh = tokens::replace(&bench.app.context, &sealing, &Actor::Operator).await.unwrap();
        assert_eq!(fresh.from, bench.clock.now());
        for app in [&bench.app, &other] {
            wait_until("it is alone", async || kids(&app.tokens.jwks()) == [fresh.kid.to_string()]).await;
            assert_eq!(app.tokens.check_credential(&old, &VerifyRequest::default()).await.unwrap().unwrap_err().code(), "invalid_token");
        }
        let new = issue(&bench, &made, "3600").await;
        assert_eq!(kid(&new), fresh.kid.to_string());
        assert!(is_accepted(&bench.app, &new).await && is_accepted(&other, &new).await);
        // The list of revoked tokens is signed with the new key too.
        bench.clock.advance(2);
        assert_eq!(kid(&bench.app.tokens.revocation_list().await.unwrap().jwt), fresh.kid.to_string());
        // The next key that was published before is dropped.
        bench.clock.advance(2 * PUBLISH_LEAD_TIME);
        maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(published(&bench).await, [fresh.kid.to_string()]);
        assert_ne!(next.kid, fresh.kid);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 1);
        assert_eq!(bench.events("signing_key.discarded").await, 2);
        assert!(rotate(&bench).await.is_ok());
        for task in hearing {
            task.abort();
        }
    }

    /// Scheduled rotation: the key is published one day before it signs, by the first node that runs the job, and once.
    async fn by_the_schedule(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql("UPDATE keys SET expires_at = NULL").await;
        let first = published(&bench).await;
        let programs = ApiSettings { token_key_days: 0, ..ApiSettings::default() };
        let never = bench.app.with_config(keyward::config::Config { programs, ..crate::support::config(URL) });
        bench.clock.advance(89 * DAY - 10);
        maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(published(&bench).await, first, "not yet");
        bench.clock.advance(10);
        maintenance::run_once(&never).await.unwrap();
        assert_eq!(published(&bench).await, first, "0: never");
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        let both = futures::future::join(maintenance::run_once(&bench.app), maintenance::run_once(&other)).await;
        assert!(both.0.is_ok() && both.1.is_ok(), "{both:?}");
        maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(bench.events("signing_key.published").await, 1);
        let two = published(&bench).await;
        assert_eq!((two.len(), &two[0]), (2, &first[0]));
        bench.clock.advance(DAY - 1);
        assert_eq!(kid(&issue(&bench, &made, "60").await), first[0]);
        bench.clock.advance(1);
        assert_eq!(kid(&issue(&bench, &made, "60").await), two[1]);
        // A server that was off for a year rotates, and publishes the key before it signs even then.
        bench.clock.advance(365 * DAY);
        maintenance::run_once(&bench.app).await.unwrap();
        let late = published(&bench).await;
        assert_eq!((late.len(), &late[0]), (2, &two[1]));
        assert_eq!(bench.events("signing_key.published").await, 2);
    }

    /// A node with the change feed has the key within 1 s, and no node signs with a key that another does not publish.
    async fn every_node_follows(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
        let tasks = [&bench.app, &other].map(|app| tokio::spawn(app.clone().follow_changes()));
        wait_until("both listen", async || [&bench.app, &other].iter().all(|app| app.verify.counts().complete)).await;
        let began = Instant::now();
        let next = rotate(&bench).await.unwrap();
        wait_until("both publish it", async || [&bench.app, &other].iter().all(|app| kids(&app.tokens.jwks()).contains(&next.kid.to_string()))).await;
        println!("token keys: both nodes publish it after {:?}", began.elapsed());
        bench.clock.advance(PUBLISH_LEAD_TIME);
        let token = issue(&bench, &made, "60").await;
        assert_eq!(kid(&token), next.kid.to_string());
        assert!(is_accepted(&other, &token).await);
        let there = other.tokens.exchange(&made.secret, None, &TokenParameters::default()).await.unwrap().unwrap();
        assert_eq!(kid(&there.access_token), next.kid.to_string());
        assert!(is_accepted(&bench.app, &there.access_token).await);
        assert_eq!(claims(&token)["iss"], URL);
        for task in tasks {
            task.abort();
        }
    }
}

//! Requests that the gateway denies, and their responses.

use super::{Gateway, PROJECT, Recorder, Stage, VECTOR, World, bearer, refused};
use crate::support::listen::{self, Manner, Served};

/// Each denied request has its status, its reason code, and its challenge. It does not reach the API.
pub async fn refuses(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let answer = world.stage.ask(&["GET /orders"], "").await;
    refused(&world, &answer, 401, "missing_credential");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error="), "{challenge}");
    assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);

    let stopped = world.key("").await;
    world.bench.app.keys.deactivate(&world.owner, stopped.id).await.expect("deactivated");
    for (credential, code) in [(stopped.secret.as_str(), "inactive"), (VECTOR, "unknown"), ("nonsense", "malformed")] {
        let answer = world.stage.ask(&["POST /orders", &bearer(credential)], "two herrings").await;
        refused(&world, &answer, 401, code);
        assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#), "{answer:?}");
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
    }

    let good = world.key("").await;
    let both = [bearer(&good.secret), format!("X-API-Key: {}", good.secret)];
    refused(&world, &world.stage.ask(&["GET /orders", &both[0], &both[1]], "").await, 401, "several_credentials");

    let twice = [format!("X-API-Key: {VECTOR}"), both[1].clone()];
    for lines in [["GET /orders", &twice[0], &twice[1]], ["GET /orders", &twice[1], &twice[0]]] {
        let (answer, reached) = (world.stage.ask(&lines, "").await, world.stage.api.take());
        // Denied; or, if the gateway uses the first header, the other one does not reach the API.
        match reached.as_slice() {
            [] => assert_eq!(answer.status, 401, "{answer:?}"),
            [seen] => assert_eq!(seen.all("x-api-key"), [good.secret.as_str()]),
            more => panic!("{more:?}"),
        }
    }

    let narrow = world.key("scopes = '[\"usage:read\"]'").await;
    let answer = world.stage.ask(&["GET /orders?scope=usage:read", &bearer(&narrow.secret)], "").await;
    refused(&world, &answer, 403, "missing_scope");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="data:read""#), "{challenge}");

    let jonas = world.bench.person("jonas@pelagic.example", false).await;
    let foreign = world.bench.key(&jonas, "Of another project").await;
    let line = format!("GET /orders?project={}&scope=", foreign.project);
    let claims = [format!("X-Keyward-Project: {}", foreign.project), "X-Keyward-Scope: usage:read".into()];
    let answer = world.stage.ask(&[&line, &bearer(&foreign.secret), &claims[0], &claims[1]], "").await;
    refused(&world, &answer, 403, "wrong_project");
}

/// A rate limit results in 429 with the seconds to wait. After that time the key is accepted again.
pub async fn limits(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let limited = world.key("rate_limit = '2/minute'").await;
    let key = bearer(&limited.secret);
    for _ in 0..2 {
        assert_eq!(world.stage.ask(&["GET /orders", &key], "").await.status, 200);
    }
    assert_eq!(world.stage.api.take().len(), 2);
    let answer = world.stage.ask(&["GET /orders", &key], "").await;
    refused(&world, &answer, 429, "rate_limited");
    let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{answer:?}");
    assert!(answer.header("ratelimit").contains("r=0"), "{answer:?}");
    assert!(answer.header("ratelimit-policy").contains("q=2;w=60"), "{answer:?}");
    world.bench.clock.advance(seconds.into());
    assert_eq!(world.stage.ask(&["GET /orders", &key], "").await.status, 200);
}

/// Returns the client address that Keyward receives for a client at 127.0.0.`from`.
async fn address(gateway: &Gateway, from: u8) -> String {
    let keyward = Recorder::start().await;
    let stage = Stage::new(gateway, keyward.at, PROJECT).await;
    keyward.take();
    stage.ask_from(from, &["GET /orders"], "").await;
    let told = keyward.take()[0].all("x-forwarded-for").join(", ");
    assert!(gateway.hides_loopback || told == format!("127.0.0.{from}"), "{told}");
    told
}

/// A key's network restriction applies to the client's address, not to the gateway's address or to headers of the
/// client.
pub async fn networks(gateway: Gateway) {
    let (home, abroad) = (address(&gateway, 2).await, address(&gateway, 3).await);
    let world = World::new(&gateway).await;
    let bound = bearer(&world.key(&format!("networks = '[\"{home}/32\"]'")).await.secret);
    assert_eq!(world.stage.ask_from(2, &["GET /orders", &bound], "").await.status, 200);
    assert_eq!(world.stage.api.take().len(), 1);
    // The same for a key that permits the gateway's own address: a header that makes Keyward ignore the forwarded
    // address must not make it use the gateway's address instead.
    let inside = bearer(&world.key("networks = '[\"127.0.0.1/32\"]'").await.secret);
    let keys =
        if home == abroad { vec![(&inside, "127.0.0.1")] } else { vec![(&inside, "127.0.0.1"), (&bound, &*home)] };
    for (key, wanted) in keys {
        for claim in [
            "X-Trace: 7".to_owned(),
            format!("X-Forwarded-For: {wanted}"),
            "X-Forwarded-For: nonsense".to_owned(),
            format!("X-Real-IP: {wanted}"),
            format!("Forwarded: for={wanted}"),
        ] {
            let answer = world.stage.ask_from(3, &["GET /orders", key, &claim], "").await;
            refused(&world, &answer, 403, "wrong_network");
        }
    }
}

/// Requests are denied while Keyward is unavailable or sends a response that is not a decision. They are accepted again
/// when Keyward is back.
pub async fn fails_closed(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let key = bearer(&world.key("").await.secret);
    assert_eq!(world.stage.ask(&["GET /orders", &key], "").await.status, 200);
    assert_eq!(world.stage.api.take().len(), 1);
    world.served.stop().await;
    let answer = world.stage.ask(&["GET /orders", &key], "").await;
    assert!(gateway.away.contains(&answer.status), "{answer:?}");
    assert!(world.stage.api.take().is_empty(), "stopped");
    let listener = tokio::net::TcpListener::bind(world.at).await.expect("its port again");
    let again = Served::start(listener, world.bench.router.clone());
    assert_eq!(world.stage.ask(&["GET /orders", &key], "").await.status, 200);
    again.stop().await;

    for manner in [
        Manner::Silent,
        Manner::Says(""),
        Manner::Says("SSH-2.0-OpenSSH_9.2p1\r\n"),
        Manner::Says("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Manner::Says("HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        Manner::Says("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    ] {
        let stage = Stage::new(&gateway, listen::ill_mannered(manner).await, PROJECT).await;
        let answer = stage.ask(&["GET /orders", &key], "").await;
        assert!(answer.status >= 300 && answer.status != 404, "{manner:?}: {answer:?}");
        if matches!(manner, Manner::Silent) {
            assert!(gateway.away.contains(&answer.status), "{answer:?}");
        }
        assert!(stage.api.take().is_empty(), "{manner:?}");
    }
}

/// A client cannot make the gateway remove Keyward's headers from the request to the API (RFC 9110 section 7.6.1).
pub async fn keeps_identity(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let made = world.key("").await;
    let key = bearer(&made.secret);
    for named in ["X-Keyward-Key-Id", "close, x-keyward-scopes , X-KEYWARD-KEY-ID", "keep-alive,x-keyward-project-id"] {
        let answer = world.stage.ask(&["GET /orders", &key, &format!("Connection: {named}")], "").await;
        let reached = world.stage.api.take();
        if reached.is_empty() {
            assert!((400..500).contains(&answer.status), "{named}: {answer:?}");
        }
        for seen in reached {
            assert_eq!(seen.all("x-keyward-key-id"), [made.id.to_string()], "{named}");
            assert!(
                !seen.all("x-keyward-scopes").is_empty() && !seen.all("x-keyward-project-id").is_empty(),
                "{named}"
            );
        }
    }
}

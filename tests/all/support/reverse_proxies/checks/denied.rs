//! Requests that the gateway denies, and their responses.

use super::{Gateway, GatewayFixture, GatewayProcess, PROJECT, Recorder, VECTOR, assert_denied, bearer};
use crate::support::{
    loopback_servers::{self, FaultyBehavior, RunningServer},
    test_data::change_key,
};
use keyward::domain::transition::Transition;

/// Each denied request has its status, its reason code, and its challenge. It does not reach the API.
pub async fn refuses(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let answer = world.gateway.send(&["GET /orders"], "").await;
    assert_denied(&world, &answer, 401, "missing_credential");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.starts_with("Bearer") && !challenge.contains("error="), "{challenge}");
    assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);

    let stopped = world.create_key("").await;
    change_key(&world.bench.app.keys, &world.owner, stopped.id, Transition::Deactivate).await.expect("deactivated");
    for (credential, code) in [(stopped.secret.as_str(), "inactive"), (VECTOR, "unknown"), ("nonsense", "malformed")] {
        let answer = world.gateway.send(&["POST /orders", &bearer(credential)], "two herrings").await;
        assert_denied(&world, &answer, 401, code);
        assert!(answer.header("www-authenticate").contains(r#"error="invalid_token""#), "{answer:?}");
        assert_eq!(answer.headers.get_all("www-authenticate").iter().count(), 1);
    }

    let good = world.create_key("").await;
    let both = [bearer(&good.secret), format!("X-API-Key: {}", good.secret)];
    assert_denied(
        &world,
        &world.gateway.send(&["GET /orders", &both[0], &both[1]], "").await,
        401,
        "several_credentials",
    );

    let twice = [format!("X-API-Key: {VECTOR}"), both[1].clone()];
    for lines in [["GET /orders", &twice[0], &twice[1]], ["GET /orders", &twice[1], &twice[0]]] {
        let (answer, reached) = (world.gateway.send(&lines, "").await, world.gateway.api.take());
        // Denied; or, if the gateway uses the first header, the other one does not reach the API.
        match reached.as_slice() {
            [] => assert_eq!(answer.status, 401, "{answer:?}"),
            [seen] => assert_eq!(seen.header_values("x-api-key"), [good.secret.as_str()]),
            more => panic!("{more:?}"),
        }
    }

    let narrow = world.create_key("scopes = '[\"usage:read\"]'").await;
    let answer = world.gateway.send(&["GET /orders?scope=usage:read", &bearer(&narrow.secret)], "").await;
    assert_denied(&world, &answer, 403, "missing_scope");
    let challenge = answer.header("www-authenticate");
    assert!(challenge.contains(r#"error="insufficient_scope""#), "{challenge}");
    assert!(challenge.contains(r#"scope="data:read""#), "{challenge}");

    let jonas = world.bench.create_user("jonas@pelagic.example", false).await;
    let foreign = world.bench.create_key(&jonas, "Of another project").await;
    let line = format!("GET /orders?project={}&scope=", foreign.project);
    let claims = [format!("X-Keyward-Project: {}", foreign.project), "X-Keyward-Scope: usage:read".into()];
    let answer = world.gateway.send(&[&line, &bearer(&foreign.secret), &claims[0], &claims[1]], "").await;
    assert_denied(&world, &answer, 403, "wrong_project");
}

/// A rate limit results in 429 with the seconds to wait. After that time the key is accepted again.
pub async fn limits(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let limited = world.create_key("rate_limit = '2/minute'").await;
    let key = bearer(&limited.secret);
    for _ in 0..2 {
        assert_eq!(world.gateway.send(&["GET /orders", &key], "").await.status, 200);
    }
    assert_eq!(world.gateway.api.take().len(), 2);
    let answer = world.gateway.send(&["GET /orders", &key], "").await;
    assert_denied(&world, &answer, 429, "rate_limited");
    let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=60).contains(&seconds), "{answer:?}");
    assert!(answer.header("ratelimit").contains("r=0"), "{answer:?}");
    assert!(answer.header("ratelimit-policy").contains("q=2;w=60"), "{answer:?}");
    world.bench.clock.advance(seconds.into());
    assert_eq!(world.gateway.send(&["GET /orders", &key], "").await.status, 200);
}

/// Returns the client address that Keyward receives for a client at 127.0.0.`from`.
async fn address(gateway: &Gateway, from: u8) -> String {
    let keyward = Recorder::start().await;
    let stage = GatewayProcess::new(gateway, keyward.at, PROJECT).await;
    keyward.take();
    stage.send_from(from, &["GET /orders"], "").await;
    let forwarded_for = keyward.take()[0].header_values("x-forwarded-for").join(", ");
    assert!(gateway.hides_loopback || forwarded_for == format!("127.0.0.{from}"), "{forwarded_for}");
    forwarded_for
}

/// A key's network restriction applies to the client's address, not to the gateway's address or to headers of the
/// client.
pub async fn networks(gateway: Gateway) {
    let (home, abroad) = (address(&gateway, 2).await, address(&gateway, 3).await);
    let world = GatewayFixture::new(&gateway).await;
    let bound = bearer(&world.create_key(&format!("networks = '[\"{home}/32\"]'")).await.secret);
    assert_eq!(world.gateway.send_from(2, &["GET /orders", &bound], "").await.status, 200);
    assert_eq!(world.gateway.api.take().len(), 1);
    // The same for a key that permits the gateway's own address: a header that makes Keyward ignore the forwarded
    // address must not make it use the gateway's address instead.
    let inside = bearer(&world.create_key("networks = '[\"127.0.0.1/32\"]'").await.secret);
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
            let answer = world.gateway.send_from(3, &["GET /orders", key, &claim], "").await;
            assert_denied(&world, &answer, 403, "wrong_network");
        }
    }
}

/// Requests are denied while Keyward is unavailable or sends a response that is not a decision. They are accepted again
/// when Keyward is back.
pub async fn fails_closed(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let key = bearer(&world.create_key("").await.secret);
    assert_eq!(world.gateway.send(&["GET /orders", &key], "").await.status, 200);
    assert_eq!(world.gateway.api.take().len(), 1);
    world.served.stop().await;
    let answer = world.gateway.send(&["GET /orders", &key], "").await;
    assert!(gateway.unavailable_statuses.contains(&answer.status), "{answer:?}");
    assert!(world.gateway.api.take().is_empty(), "stopped");
    let listener = tokio::net::TcpListener::bind(world.at).await.expect("its port again");
    let again = RunningServer::start(listener, world.bench.router.clone());
    assert_eq!(world.gateway.send(&["GET /orders", &key], "").await.status, 200);
    again.stop().await;

    for manner in [
        FaultyBehavior::Silent,
        FaultyBehavior::Responds(""),
        FaultyBehavior::Responds("SSH-2.0-OpenSSH_9.2p1\r\n"),
        FaultyBehavior::Responds(
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
        FaultyBehavior::Responds("HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
        FaultyBehavior::Responds(
            "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        ),
    ] {
        let stage = GatewayProcess::new(&gateway, loopback_servers::start_faulty_server(manner).await, PROJECT).await;
        let answer = stage.send(&["GET /orders", &key], "").await;
        assert!(answer.status >= 300 && answer.status != 404, "{manner:?}: {answer:?}");
        if matches!(manner, FaultyBehavior::Silent) {
            assert!(gateway.unavailable_statuses.contains(&answer.status), "{answer:?}");
        }
        assert!(stage.api.take().is_empty(), "{manner:?}");
    }
}

/// A client cannot make the gateway remove Keyward's headers from the request to the API (RFC 9110 section 7.6.1).
pub async fn keeps_identity(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let made = world.create_key("").await;
    let key = bearer(&made.secret);
    for named in ["X-Keyward-Key-Id", "close, x-keyward-scopes , X-KEYWARD-KEY-ID", "keep-alive,x-keyward-project-id"] {
        let answer = world.gateway.send(&["GET /orders", &key, &format!("Connection: {named}")], "").await;
        let reached = world.gateway.api.take();
        if reached.is_empty() {
            assert!((400..500).contains(&answer.status), "{named}: {answer:?}");
        }
        for seen in reached {
            assert_eq!(seen.header_values("x-keyward-key-id"), [made.id.to_string()], "{named}");
            assert!(
                !seen.header_values("x-keyward-scopes").is_empty()
                    && !seen.header_values("x-keyward-project-id").is_empty(),
                "{named}"
            );
        }
    }
}

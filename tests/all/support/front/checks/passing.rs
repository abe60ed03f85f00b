//! Requests that the gateway forwards: what the API and Keyward receive.

use super::{Gateway, PROJECT, Recorder, Seen, Stage, TOLD, World, bearer, forged, one, told};
use crate::support::random;
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::collections::HashSet;

/// Number of requests of each kind, to check that connections are reused.
const ROUNDS: usize = 5;

/// A valid key or token is accepted. The API receives the identity from Keyward only.
pub async fn admits(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let name = "Zoë & Söhne, 100 %";
    let made = world.key(&format!("issued_to = '{name}'")).await;
    let exchange = json!({"secret_key": made.secret});
    let token = world.bench.browser().json("/authentication/token", &exchange).await.json()["access_token"].clone();
    let token = bearer(token.as_str().expect("a token"));
    let (key, other) = (bearer(&made.secret), format!("X-API-Key: {}", made.secret));
    for credential in [&key, &other, &token] {
        let forged = forged(&gateway);
        let mut lines = vec!["POST /orders/1%2F2?x=1&project=z", credential, "Cookie: taste=salt", "X-Trace: 7"];
        lines.extend(forged.iter().map(String::as_str));
        let answer = world.stage.ask(&lines, "two herrings").await;
        assert_eq!((answer.status, answer.header("x-of-the-api")), (200, "yes"), "{answer:?}");
        assert!(answer.body.contains("the API's own words"), "{answer:?}");
        let seen = one(world.stage.api.take());
        assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", "two herrings"));
        assert_eq!(seen.uri, "/orders/1%2F2?x=1&project=z");
        for line in &lines[1..4] {
            let (name, value) = line.split_once(": ").expect("a header");
            assert_eq!(seen.all(name), [value], "what is the client's own passes");
        }
        assert_eq!(told(&seen, "x-keyward-key-id"), made.id.to_string());
        assert_eq!(told(&seen, "x-keyward-project-id"), made.project.to_string());
        assert_eq!(told(&seen, "x-keyward-scopes"), "data:read usage:read");
        let issued_to = told(&seen, "x-keyward-issued-to");
        assert!(issued_to.is_ascii(), "{issued_to}");
        assert_eq!(percent_decode_str(&issued_to).decode_utf8().expect("UTF-8"), name);
    }
    // A header that Keyward does not set is not copied from the client.
    let plain = world.key("").await;
    let (key, forged) = (bearer(&plain.secret), forged(&gateway));
    let lines: Vec<_> = ["GET /", &key].into_iter().chain(forged.iter().map(String::as_str)).collect();
    assert_eq!(world.stage.ask(&lines, "").await.status, 200);
    let seen = one(world.stage.api.take());
    assert_eq!(
        (told(&seen, "x-keyward-key-id"), told(&seen, "x-keyward-issued-to")),
        (plain.id.to_string(), "".into())
    );
    // The API's own error responses pass unchanged.
    for status in [401, 403, 429, 500, 503] {
        let answer = world.stage.ask(&[&format!("GET /answers/{status}"), &key], "").await;
        assert_eq!((answer.status, answer.header("x-keyward-code")), (status, ""), "{answer:?}");
        assert!(answer.header("x-of-the-api") == "yes" && answer.body.contains("the API's own words"), "{answer:?}");
    }
}

/// Returns the number of connections that these requests used.
fn connections(seen: &[Seen]) -> usize {
    seen.iter().map(|seen| seen.peer).collect::<HashSet<_>>().len()
}

/// Keyward receives only the headers that it needs, over reused connections. The client cannot set identity headers
/// that Keyward leaves out.
pub async fn asks_little(gateway: Gateway) {
    let keyward = Recorder::start().await;
    let stage = Stage::new(&gateway, keyward.at, PROJECT).await;
    let secret: String = random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let key = bearer(&secret);
    let forged = forged(&gateway);
    let mut lines =
        vec!["POST /orders?x=1", &key, "Cookie: taste=salt", "Forwarded: for=192.0.2.1", "X-API-Key: second"];
    lines.extend(forged.iter().map(String::as_str));
    keyward.take();
    for _ in 0..ROUNDS {
        assert_eq!(stage.ask(&["GET /orders"], "").await.status, 401);
        assert_eq!(stage.ask(&lines, "two herrings").await.status, 200);
    }
    let (asked, reached) = (keyward.take(), stage.api.take());
    assert_eq!((asked.len(), reached.len()), (2 * ROUNDS, ROUNDS));
    // Caddy releases a connection after its client has the response. The next request can arrive earlier and open
    // another connection.
    assert!(connections(&asked) <= 3, "the connections to Keyward stay: {asked:?}");
    assert!(connections(&reached) <= 3, "and the API's: {reached:?}");
    for seen in asked.iter().skip(1).step_by(2) {
        assert_eq!(seen.uri.to_string(), format!("/v1/auth?{}project={PROJECT}&scope=data:read", gateway.query));
        assert_eq!(seen.body, "");
        assert_eq!(seen.all("authorization"), [key.split_once(": ").expect("a header").1]);
        assert_eq!(seen.all("x-api-key"), ["second"]);
        assert!(gateway.hides_loopback || seen.all("x-forwarded-for") == ["127.0.0.1"], "{seen:?}");
        for name in ["cookie", "forwarded"] {
            assert!(seen.all(name).is_empty(), "{name}");
        }
    }
    for seen in &reached {
        assert_eq!(TOLD.map(|name| told(seen, name)), ["k", "p", "", "", ""]);
    }
}

/// A CORS preflight reaches the API without a credential and without identity headers. Other OPTIONS requests do not.
pub async fn passes_preflights(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let (origin, method) = ("Origin: https://shop.example", "Access-Control-Request-Method: PUT");
    // Traefik removes Keyward's header names in their usual form only.
    let forged = ["X-Keyward-Key-Id: forged", "X-Keyward-Scopes: forged"];
    let answer = world.stage.ask(&["OPTIONS /orders", origin, method, forged[0], forged[1]], "").await;
    assert_eq!((answer.status, answer.header("x-of-the-api")), (200, "yes"), "{answer:?}");
    let seen = one(world.stage.api.take());
    assert_eq!((seen.method.as_str(), told(&seen, "x-keyward-key-id")), ("OPTIONS", String::new()));
    assert_eq!(seen.all("access-control-request-method"), ["PUT"]);
    for lines in [
        &["OPTIONS /orders"][..],
        &["OPTIONS /orders", origin],
        &["OPTIONS /orders", method],
        &["GET /orders", origin, method],
    ] {
        assert_eq!(world.stage.ask(lines, "").await.status, 401, "{lines:?}");
        assert!(world.stage.api.take().is_empty(), "{lines:?}");
    }
}

/// An upload larger than the default limit of nginx passes.
pub async fn takes_uploads(gateway: Gateway) {
    let world = World::new(&gateway).await;
    let key = bearer(&world.key("").await.secret);
    let upload = "x".repeat(1_500_000);
    let answer = world.stage.ask(&["PUT /orders/1", &key], &upload).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(one(world.stage.api.take()).body.len(), upload.len());
}

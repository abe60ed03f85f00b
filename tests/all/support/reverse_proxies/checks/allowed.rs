//! Requests that the gateway forwards: what the API and Keyward receive.

use super::{
    Gateway, GatewayFixture, GatewayProcess, IDENTITY_HEADERS, PROJECT, RecordedRequest, Recorder, bearer,
    forged_headers, identity_header, single_request,
};
use crate::support::random;
use percent_encoding::percent_decode_str;
use serde_json::json;
use std::collections::HashSet;

/// Number of requests of each kind, to check that connections are reused.
const ROUNDS: usize = 5;

/// A valid key or token is accepted. The API receives the identity from Keyward only.
pub async fn admits(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let name = "Zoë & Söhne, 100 %";
    let made = world.create_key(&format!("issued_to = '{name}'")).await;
    let exchange = json!({"secret_key": made.secret});
    let token = world.bench.browser().json("/authentication/token", &exchange).await.json()["access_token"].clone();
    let token = bearer(token.as_str().expect("a token"));
    let (key, other) = (bearer(&made.secret), format!("X-API-Key: {}", made.secret));
    for credential in [&key, &other, &token] {
        let forged = forged_headers(&gateway);
        let mut lines = vec!["POST /orders/1%2F2?x=1&project=z", credential, "Cookie: taste=salt", "X-Trace: 7"];
        lines.extend(forged.iter().map(String::as_str));
        let answer = world.gateway.send(&lines, "two herrings").await;
        assert_eq!((answer.status, answer.header("x-of-the-api")), (200, "yes"), "{answer:?}");
        assert!(answer.body.contains("the API's own words"), "{answer:?}");
        let seen = single_request(world.gateway.api.take());
        assert_eq!((seen.method.as_str(), seen.body.as_str()), ("POST", "two herrings"));
        assert_eq!(seen.uri, "/orders/1%2F2?x=1&project=z");
        for line in &lines[1..4] {
            let (name, value) = line.split_once(": ").expect("a header");
            assert_eq!(seen.header_values(name), [value], "what is the client's own passes");
        }
        assert_eq!(identity_header(&seen, "x-keyward-key-id"), made.id.to_string());
        assert_eq!(identity_header(&seen, "x-keyward-project-id"), made.project.to_string());
        assert_eq!(identity_header(&seen, "x-keyward-scopes"), "data:read usage:read");
        let issued_to = identity_header(&seen, "x-keyward-issued-to");
        assert!(issued_to.is_ascii(), "{issued_to}");
        assert_eq!(percent_decode_str(&issued_to).decode_utf8().expect("UTF-8"), name);
    }
    // A header that Keyward does not set is not copied from the client.
    let plain = world.create_key("").await;
    let (key, forged) = (bearer(&plain.secret), forged_headers(&gateway));
    let lines: Vec<_> = ["GET /", &key].into_iter().chain(forged.iter().map(String::as_str)).collect();
    assert_eq!(world.gateway.send(&lines, "").await.status, 200);
    let seen = single_request(world.gateway.api.take());
    assert_eq!(
        (identity_header(&seen, "x-keyward-key-id"), identity_header(&seen, "x-keyward-issued-to")),
        (plain.id.to_string(), "".into())
    );
    // The API's own error responses pass unchanged.
    for status in [401, 403, 429, 500, 503] {
        let answer = world.gateway.send(&[&format!("GET /answers/{status}"), &key], "").await;
        assert_eq!((answer.status, answer.header("x-keyward-code")), (status, ""), "{answer:?}");
        assert!(answer.header("x-of-the-api") == "yes" && answer.body.contains("the API's own words"), "{answer:?}");
    }
}

/// Returns the number of connections that these requests used.
fn connections(seen: &[RecordedRequest]) -> usize {
    seen.iter().map(|seen| seen.peer).collect::<HashSet<_>>().len()
}

/// Keyward receives only the headers that it needs, over reused connections. The client cannot set identity headers
/// that Keyward leaves out.
pub async fn forwards_few_headers(gateway: Gateway) {
    let keyward = Recorder::start().await;
    let stage = GatewayProcess::new(&gateway, keyward.at, PROJECT).await;
    let secret: String = random::<16>().iter().map(|byte| format!("{byte:02x}")).collect();
    let key = bearer(&secret);
    let forged = forged_headers(&gateway);
    let mut lines =
        vec!["POST /orders?x=1", &key, "Cookie: taste=salt", "Forwarded: for=192.0.2.1", "X-API-Key: second"];
    lines.extend(forged.iter().map(String::as_str));
    keyward.take();
    for _ in 0..ROUNDS {
        assert_eq!(stage.send(&["GET /orders"], "").await.status, 401);
        assert_eq!(stage.send(&lines, "two herrings").await.status, 200);
    }
    let (auth_requests, reached) = (keyward.take(), stage.api.take());
    assert_eq!((auth_requests.len(), reached.len()), (2 * ROUNDS, ROUNDS));
    // Caddy releases a connection after its client has the response. The next request can arrive earlier and open
    // another connection.
    assert!(connections(&auth_requests) <= 3, "the connections to Keyward stay: {auth_requests:?}");
    assert!(connections(&reached) <= 3, "and the API's: {reached:?}");
    for seen in auth_requests.iter().skip(1).step_by(2) {
        assert_eq!(seen.uri.to_string(), format!("/v1/auth?{}project={PROJECT}&scope=data:read", gateway.query));
        assert_eq!(seen.body, "");
        assert_eq!(seen.header_values("authorization"), [key.split_once(": ").expect("a header").1]);
        assert_eq!(seen.header_values("x-api-key"), ["second"]);
        assert!(gateway.hides_loopback || seen.header_values("x-forwarded-for") == ["127.0.0.1"], "{seen:?}");
        for name in ["cookie", "forwarded"] {
            assert!(seen.header_values(name).is_empty(), "{name}");
        }
    }
    for seen in &reached {
        assert_eq!(IDENTITY_HEADERS.map(|name| identity_header(seen, name)), ["k", "p", "", "", ""]);
    }
}

/// A CORS preflight reaches the API without a credential and without identity headers. Other OPTIONS requests do not.
pub async fn passes_preflights(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let (origin, method) = ("Origin: https://shop.example", "Access-Control-Request-Method: PUT");
    // Traefik removes Keyward's header names in their usual form only.
    let forged = ["X-Keyward-Key-Id: forged", "X-Keyward-Scopes: forged"];
    let answer = world.gateway.send(&["OPTIONS /orders", origin, method, forged[0], forged[1]], "").await;
    assert_eq!((answer.status, answer.header("x-of-the-api")), (200, "yes"), "{answer:?}");
    let seen = single_request(world.gateway.api.take());
    assert_eq!((seen.method.as_str(), identity_header(&seen, "x-keyward-key-id")), ("OPTIONS", String::new()));
    assert_eq!(seen.header_values("access-control-request-method"), ["PUT"]);
    for lines in [
        &["OPTIONS /orders"][..],
        &["OPTIONS /orders", origin],
        &["OPTIONS /orders", method],
        &["GET /orders", origin, method],
    ] {
        assert_eq!(world.gateway.send(lines, "").await.status, 401, "{lines:?}");
        assert!(world.gateway.api.take().is_empty(), "{lines:?}");
    }
}

/// An upload larger than the default limit of nginx passes.
pub async fn accepts_uploads(gateway: Gateway) {
    let world = GatewayFixture::new(&gateway).await;
    let key = bearer(&world.create_key("").await.secret);
    let upload = "x".repeat(1_500_000);
    let answer = world.gateway.send(&["PUT /orders/1", &key], &upload).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(single_request(world.gateway.api.take()).body.len(), upload.len());
}

//! What holds for every gateway.

use super::{Answer, Gateway, Recorder, Stage, World, recorder::Seen};
use crate::support::{
    listen::{self, Manner, Served},
    random,
};
use percent_encoding::percent_decode_str;
use serde_json::json;

const PROJECT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
/// Well-formed, and no key's: the README's test vector.
const VECTOR: &str = "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ";
const TOLD: [&str; 5] =
    ["x-keyward-key-id", "x-keyward-project-id", "x-keyward-scopes", "x-keyward-issued-to", "x-keyward-code"];

fn bearer(credential: &str) -> String {
    format!("Authorization: Bearer {credential}")
}

/// What a client makes up to look like somebody that Keyward knows.
fn forged(gateway: &Gateway) -> Vec<String> {
    let mut lines: Vec<_> = TOLD.iter().map(|name| format!("{name}: forged")).collect();
    lines
        .extend(["X-KEYWARD-KEY-ID: forged", "X_Keyward_Key_Id: forged", "X-Keyward_Scopes: forged"].map(String::from));
    if gateway.patterns {
        lines.push("X-Keyward-Role: forged".into());
    }
    lines
}

/// The one request that reached the API, with nothing in it that the client made up.
fn one(seen: Vec<Seen>) -> Seen {
    let [seen] = seen.try_into().expect("one request, and no more");
    for (name, value) in &seen.headers {
        assert_ne!(value, "forged", "{name}");
    }
    seen
}

/// What Keyward told the API; empty if nothing.
fn told(seen: &Seen, name: &str) -> String {
    match seen.all(name)[..] {
        [] => String::new(),
        [value] => value.to_owned(),
        ref more => panic!("{name}: {more:?}"),
    }
}

fn refused(world: &World, answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.header("x-keyward-code")), (status, code), "{answer:?}");
    assert!(world.stage.api.take().is_empty(), "{code}: it reached the API");
}

/// A good key or token passes, and the API learns whose it is from Keyward alone.
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
    // What Keyward does not say is not what the client says.
    let plain = world.key("").await;
    let (key, forged) = (bearer(&plain.secret), forged(&gateway));
    let lines: Vec<_> = ["GET /", &key].into_iter().chain(forged.iter().map(String::as_str)).collect();
    assert_eq!(world.stage.ask(&lines, "").await.status, 200);
    let seen = one(world.stage.api.take());
    assert_eq!(
        (told(&seen, "x-keyward-key-id"), told(&seen, "x-keyward-issued-to")),
        (plain.id.to_string(), "".into())
    );
    // The API's own refusals are the API's own.
    for status in [401, 403, 429, 500, 503] {
        let answer = world.stage.ask(&[&format!("GET /answers/{status}"), &key], "").await;
        assert_eq!((answer.status, answer.header("x-keyward-code")), (status, ""), "{answer:?}");
        assert!(answer.header("x-of-the-api") == "yes" && answer.body.contains("the API's own words"), "{answer:?}");
    }
}

/// Each refusal has its status, its code and its challenge, and the API hears nothing of it.
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

/// A limit is a true 429 with the seconds to wait, and lets in again what it should.
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

/// What Keyward is told of a client at 127.0.0.`from`.
async fn address(gateway: &Gateway, from: u8) -> String {
    let keyward = Recorder::start().await;
    let stage = Stage::new(gateway, keyward.at, PROJECT).await;
    keyward.take();
    stage.ask_from(from, &["GET /orders"], "").await;
    let told = keyward.take()[0].all("x-forwarded-for").join(", ");
    assert!(gateway.hides_loopback || told == format!("127.0.0.{from}"), "{told}");
    told
}

/// A key's networks are asked of the client's address, not the gateway's, and not of what the client writes.
pub async fn networks(gateway: Gateway) {
    let (home, abroad) = (address(&gateway, 2).await, address(&gateway, 3).await);
    let world = World::new(&gateway).await;
    let bound = bearer(&world.key(&format!("networks = '[\"{home}/32\"]'")).await.secret);
    assert_eq!(world.stage.ask_from(2, &["GET /orders", &bound], "").await.status, 200);
    assert_eq!(world.stage.api.take().len(), 1);
    // Nor where the gateway itself would be welcome: a header that has Keyward believe nobody does not make its client so.
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

/// Keyward is told what it needs and no more, over connections that stay; and what it does not say nobody else does.
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
    for _ in 0..2 {
        assert_eq!(stage.ask(&["GET /orders"], "").await.status, 401);
        assert_eq!(stage.ask(&lines, "two herrings").await.status, 200);
    }
    let (asked, reached) = (keyward.take(), stage.api.take());
    assert_eq!((asked.len(), reached.len()), (4, 2));
    assert!(asked.iter().all(|seen| seen.peer == asked[0].peer), "the connection to Keyward stays: {asked:?}");
    assert_eq!(reached[0].peer, reached[1].peer, "and the API's");
    for seen in [&asked[1], &asked[3]] {
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

/// Nobody passes while Keyward cannot be asked, or answers with what is no decision; and they do again when it is back.
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

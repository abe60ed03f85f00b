//! Verify endpoints: tokens and keys, batches, client addresses, the internal listener, health and metrics.

use crate::support::{
    URL,
    browser::{Browser, Page},
    socket_requests,
    test_data::change_key,
};
use axum::http::Request;
use keyward::{
    config::{ApiSettings, Config},
    domain::transition::Transition,
    http::{AppState, HttpService, http_service, serve::serve},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

const EMAIL: &str = "maren@pelagic.example";
const HOST: &str = "Host: 127.0.0.1:3000";
/// The maximum size in bytes of the future of one request on the fast path.
const ROOM_MAX: usize = 4_096;

async fn verify(program: &mut Browser, body: Value) -> Value {
    let page = program.json("/v1/keys/verify", &body).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()
}

async fn code(program: &mut Browser, body: Value) -> String {
    let answer = verify(program, body).await;
    if answer["valid"] == true { "good".into() } else { answer["code"].as_str().expect("a code").to_owned() }
}

async fn token(program: &mut Browser, secret: &str) -> String {
    let page = program.json("/authentication/token", &json!({"secret_key": secret})).await;
    page.json()["access_token"].as_str().expect("a token").to_owned()
}

/// Returns the value of a metric, by name and labels.
fn metric(page: &Page, line: &str) -> Option<f64> {
    let found = page.text().lines().find(|it| it.strip_prefix(line).is_some_and(|rest| rest.starts_with(' ')))?;
    found.rsplit(' ').next()?.parse().ok()
}

on_both_engines! {
    /// A token is evaluated like its key: the response is the same, with the scopes that both have.
    async fn tokens_beside_keys(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let token = token(&mut program, &made.secret).await;
        let of_key = verify(&mut program, json!({"key": made.secret})).await;
        assert_eq!(of_key["valid"], true);
        for member in ["key", "token"] {
            assert_eq!(verify(&mut program, json!({member: token})).await, of_key, "{member}");
        }
        assert_eq!(code(&mut program, json!({"token": made.secret})).await, "invalid_token", "a key is no token");
        let elsewhere = Uuid::nil();
        for (body, expected) in [
            (json!({"token": token, "project": made.project}), "good"),
            (json!({"token": token, "project": [elsewhere, made.project], "scopes": ["data:read"]}), "good"),
            (json!({"token": token, "project": elsewhere}), "wrong_project"),
            (json!({"token": token, "scopes": ["data:write"]}), "missing_scope"),
            (json!({"token": format!("{token}x")}), "invalid_token"),
            (json!({"token": "a.b.c"}), "invalid_token"),
            (json!({"token": ""}), "invalid_token"),
            (json!({"key": "a.b.c"}), "invalid_token"),
            (json!({"key": "a.b"}), "malformed"),
        ] {
            assert_eq!(code(&mut program, body.clone()).await, expected, "{body}");
        }
        // A token loses each scope that its key loses, and does not gain one that its key gains.
        bench.execute_sql("UPDATE keys SET scopes = '[\"data:read\", \"data:write\"]'").await;
        assert_eq!(verify(&mut program, json!({"token": token})).await["scopes"], json!(["data:read"]));
        for (scope, of_key, of_token) in
            [("data:read", "good", "good"), ("data:write", "good", "missing_scope"), ("usage:read", "missing_scope", "missing_scope")]
        {
            assert_eq!(code(&mut program, json!({"key": made.secret, "scopes": [scope]})).await, of_key, "{scope}");
            assert_eq!(code(&mut program, json!({"token": token, "scopes": [scope]})).await, of_token, "{scope}");
        }
        // The rules of the key come before the scopes that the token lacks. The token's own expiry comes before both.
        bench.execute_sql("UPDATE keys SET active = FALSE").await;
        assert_eq!(code(&mut program, json!({"token": token, "scopes": ["data:write"]})).await, "inactive");
        bench.clock.advance(86_400);
        assert_eq!(code(&mut program, json!({"token": token})).await, "token_expired", "known again, and over all the same");
    }

    /// The client address that the caller states for the key's use.
    async fn networks(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let token = token(&mut program, &made.secret).await;
        bench.execute_sql("UPDATE keys SET networks = '[\"203.0.113.0/24\", \"2001:db8::/32\"]'").await;
        for (ip, expected) in [
            ("203.0.113.0", "good"),
            ("203.0.113.255", "good"),
            ("203.0.114.0", "wrong_network"),
            ("::ffff:203.0.113.9", "good"),
            ("2001:db8::1", "good"),
            ("2001:db9::1", "wrong_network"),
        ] {
            assert_eq!(code(&mut program, json!({"key": made.secret, "ip": ip})).await, expected, "{ip}");
            assert_eq!(code(&mut program, json!({"token": token, "ip": ip})).await, "good", "tokens are not bound: {ip}");
        }
        assert_eq!(code(&mut program, json!({"key": made.secret})).await, "wrong_network", "no address is in none");
        for wrong in [json!(null), json!("nowhere"), json!("203.0.113.9/32"), json!("203.0.113.9:80"), json!(1), json!("")] {
            let page = program.json("/v1/keys/verify", &json!({"key": made.secret, "ip": wrong})).await;
            assert_eq!((page.status, page.problem().as_str()), (422, "invalid_body"), "{wrong}");
        }
    }

    /// A request contains either a key or a token. JSON escapes in a value do not change it.
    async fn what_is_presented(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        for wrong in [json!({"key": made.secret, "token": "a.b.c"}), json!({"token": null}), json!({"key": null, "token": "x"})] {
            let page = program.json("/v1/keys/verify", &wrong).await;
            assert_eq!((page.status, page.problem().as_str()), (422, "invalid_body"), "{wrong}");
        }
        let escaped: String = made.secret.bytes().map(|b| format!("\\u{b:04x}")).collect();
        let body = format!(r#"{{"scopes": ["data\u003aread"], "key": "{escaped}", "project": "{}"}}"#, made.project);
        let post = Request::post("/v1/keys/verify").header("content-type", "application/json");
        assert_eq!(program.send(post, body).await.json()["valid"], true);
        let name = r#"Quote " \ and a line
of Søren's"#;
        bench.execute_sql(&format!("UPDATE keys SET name = '{}', issued_to = 'é\"'", name.replace('\'', "''"))).await;
        let page = program.json("/v1/keys/verify", &json!({"key": made.secret})).await;
        let answer = page.json();
        assert_eq!((&answer["name"], &answer["issued_to"]), (&json!(name), &json!("é\"")));
        let text = format!(
            r#"{{"valid":true,"key_id":"{}","project_id":"{}","name":{},"environment":"live","scopes":{},"issued_to":"é\"","expires_at":{}}}"#,
            made.id, made.project, json!(name), answer["scopes"], answer["expires_at"]
        );
        assert_eq!(page.text(), text, "the order of the members");
    }

    /// The numbers of a rate limit in both verdicts. A call that another rule denies consumes nothing, and an accepted
    /// call consumes one, with a token too.
    async fn limits(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let token = token(&mut program, &made.secret).await;
        bench.execute_sql("UPDATE keys SET rate_limit = '6/minute,burst=3'").await;
        let limit = |remaining: u32, reset: u32| {
            json!({"limit": 6, "window": 60, "burst": 3, "remaining": remaining, "reset": reset})
        };
        let refused = verify(&mut program, json!({"key": made.secret, "scopes": ["data:write"]})).await;
        assert_eq!(refused.as_object().map(serde_json::Map::len), Some(3), "{refused}");
        assert_eq!(verify(&mut program, json!({"key": made.secret})).await["rate_limit"], limit(2, 10));
        assert_eq!(code(&mut program, json!({"token": token, "scopes": ["data:write"]})).await, "missing_scope");
        assert_eq!(verify(&mut program, json!({"token": token})).await["rate_limit"], limit(1, 20));
        let both = json!({"keys": [{"key": made.secret}, {"key": made.secret}]});
        let results = program.json("/v1/keys/verify:batch", &both).await.json()["results"].clone();
        assert_eq!(results[0]["rate_limit"], limit(0, 30));
        let over = &results[1];
        assert_eq!((&over["valid"], &over["code"], &over["retry_after"]), (&json!(false), &json!("rate_limited"), &json!(10)));
        assert_eq!(over["rate_limit"], limit(0, 30));
        let page = program.json("/authentication/token", &json!({"secret_key": made.secret})).await;
        assert_eq!((page.status, page.problem().as_str(), page.header("retry-after")), (429, "rate_limited", "10"));
        assert_eq!(page.header("ratelimit-policy"), r#""key";q=6;w=60;keyward-burst=3"#);
        bench.clock.advance(10);
        assert_eq!(verify(&mut program, json!({"key": made.secret})).await["rate_limit"], limit(0, 30));
    }

    /// Batch verify: each result is that of a single request, in the order of the request.
    async fn batches(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (one, two) = (bench.create_key(&maren, "One").await, bench.create_key(&maren, "Two").await);
        change_key(&bench.app.keys, &maren, two.id, Transition::Deactivate).await.expect("it stops");
        let mut program = bench.browser();
        let token = token(&mut program, &one.secret).await;
        let items = [
            json!({"key": one.secret}),
            json!({"key": two.secret}),
            json!({"token": token, "scopes": ["data:write"]}),
            json!({"key": "nonsense"}),
            json!({"key": token, "project": one.project}),
            json!({"key": one.secret}),
        ];
        let page = program.json("/v1/keys/verify:batch", &json!({"keys": items})).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        let mut alone = Vec::new();
        for body in &items {
            alone.push(verify(&mut program, body.clone()).await);
        }
        assert_eq!(page.json(), json!({"results": alone}));
        assert_eq!(alone[1]["code"], "inactive");

        let many = |n: usize| json!({"keys": vec![json!({"key": "x".repeat(1_000)}); n]});
        for (body, status) in [
            (many(1_000), 200),
            (many(1_001), 422),
            (many(0), 422),
            (json!({}), 422),
            (json!({"keys": {}}), 422),
            (json!({"keys": [one.secret]}), 422),
            (json!({"keys": [[one.secret]]}), 422),
            (json!({"keys": [{"key": one.secret}, {}]}), 422),
            (json!({"keys": [{"key": one.secret, "x": 1}]}), 422),
            (json!([]), 422),
        ] {
            let page = program.json("/v1/keys/verify:batch", &body).await;
            assert_eq!(page.status, status, "{:.80}", body.to_string());
            if status == 200 {
                assert_eq!(page.json()["results"].as_array().map(Vec::len), Some(1_000));
            } else {
                assert_eq!(page.problem(), "invalid_body");
                assert!(!page.text().contains(&one.secret[12..]));
            }
        }
        let long = json!({"keys": [{"key": "x".repeat(2 * 1024 * 1024)}]});
        let page = program.json("/v1/keys/verify:batch", &long).await;
        assert_eq!((page.status, page.problem().as_str()), (413, "body_too_large"));
    }

    /// With an internal listener, endpoints for internal programs exist there, for any host, and are missing on the
    /// public listener.
    async fn an_internal_listener(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let body = json!({"key": made.secret}).to_string();
        let many = json!({"keys": [{"key": made.secret}]}).to_string();
        let key = format!("X-API-Key: {}", made.secret);
        let kind = "Content-Type: application/json";
        let hot = [
            ("POST /v1/keys/verify", vec![kind], body.as_str()),
            ("POST /v1/keys/verify:batch", vec![kind], many.as_str()),
            ("GET /v1/auth", vec![key.as_str()], ""),
            ("PUT /v1/auth/orders/7?x", vec![key.as_str()], ""),
            ("GET /metrics", vec![], ""),
            ("GET /healthz", vec![], ""),
            ("GET /readyz", vec![], ""),
        ];
        let elsewhere = ["GET /login", "GET /.well-known/jwks.json", "GET /v1/nothing", "POST /authentication/token"];
        for internal in [false, true] {
            let programs = ApiSettings { internal, ..ApiSettings::default() };
            let app = bench.app.with_config(Config { programs, ..crate::support::config(URL) });
            let state = AppState::new(app);
            let sites = [http_service(state.clone()), HttpService::internal(state.edge)];
            let mut ports = Vec::new();
            for site in sites {
                // The future of a request is moved, so it must be small. Work that waits for the store or renders a
                // page is allocated on its own.
                let room = size_of_val(&site.respond(None, Request::new(axum::body::Body::empty())));
                assert!(room <= ROOM_MAX, "{room} bytes");
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                ports.push(listener.local_addr().expect("an address").port());
                tokio::spawn(serve(listener, site, std::future::pending()));
            }
            let (public, inside) = (ports[0], ports[1]);
            for (what, headers, body) in &hot {
                let ask = async |port: u16, host: &str| {
                    socket_requests::send_request(port, what, &[&[host][..], headers].concat(), body).await
                };
                let page = ask(public, HOST).await;
                if internal {
                    assert_eq!((page.status, page.problem().as_str()), (404, "not_found"), "{what} in public");
                } else {
                    assert_eq!(page.status, 200, "{what} in public");
                }
                let page = ask(public, "Host: evil.example").await;
                match what.starts_with("GET /") && !what.contains("/v1/") {
                    // Health probes may use any `Host`. With an internal listener, the public one has no health
                    // endpoints.
                    true => assert_eq!(page.status, if internal { 404 } else { 200 }, "{what}"),
                    false => assert_eq!((page.status, page.problem().as_str()), (421, "misdirected"), "{what}"),
                }
                assert_eq!(ask(inside, "Host: keyward.internal:9000").await.status, 200, "{what} inside");
            }
            for what in elsewhere {
                let page = socket_requests::send_request(inside, what, &["Host: any"], "").await;
                assert_eq!((page.status, page.problem().as_str()), (404, "not_found"), "{what} inside");
            }
            assert_eq!(socket_requests::send_request(public, "GET /login", &[HOST, "Accept: text/html"], "").await.status, 200);
        }
    }

    /// Endpoints for operators: liveness, readiness and metrics.
    async fn health_and_metrics(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        for (path, word) in [("/healthz", "alive"), ("/readyz", "ready")] {
            let page = program.get(path).await;
            assert_eq!((page.status, page.json()), (200, json!({"status": word})));
            let page = program.send(Request::post(path), String::new()).await;
            assert_eq!((page.status, page.problem().as_str(), page.header("allow")), (405, "method_not_allowed", "GET,HEAD"));
        }
        for _ in 0..3 {
            verify(&mut program, json!({"key": made.secret})).await;
        }
        verify(&mut program, json!({"key": made.secret, "scopes": ["data:write"]})).await;
        program.json("/v1/keys/verify", &json!({"unknown": &made.secret})).await;
        program.json("/v1/keys/verify:batch", &json!({"keys": [{"key": made.secret}, {"key": "x"}]})).await;
        let get = Request::get("/v1/auth?scope=data:write").header("x-api-key", &made.secret);
        program.send(get, String::new()).await;
        program.get(&format!("/keys/{}?x={}", Uuid::nil(), Uuid::nil())).await;
        let page = program.get("/metrics").await;
        let seen = |line: &str| metric(&page, line);
        assert_eq!(seen(r#"keyward_decisions_total{place="verify",decision="accepted"}"#), Some(3.0), "{}", page.text());
        assert_eq!(seen(r#"keyward_decisions_total{place="verify",decision="missing_scope"}"#), Some(1.0));
        assert_eq!(seen(r#"keyward_decisions_total{place="batch",decision="accepted"}"#), Some(1.0));
        assert_eq!(seen(r#"keyward_decisions_total{place="batch",decision="malformed"}"#), Some(1.0));
        assert_eq!(seen(r#"keyward_decisions_total{place="auth",decision="missing_scope"}"#), Some(1.0));
        let count = "keyward_http_request_duration_seconds_count";
        assert_eq!(seen(&format!(r#"{count}{{route="/v1/keys/verify",outcome="ok"}}"#)), Some(4.0));
        assert_eq!(seen(&format!(r#"{count}{{route="/v1/keys/verify",outcome="client_error"}}"#)), Some(1.0));
        assert_eq!(seen(&format!(r#"{count}{{route="/v1/auth",outcome="ok"}}"#)), Some(1.0));
        let all = r#"keyward_http_request_duration_seconds_bucket{le="+Inf",route="/v1/keys/verify",outcome="ok"}"#;
        assert_eq!(seen(all), Some(4.0), "{}", page.text());
        assert_eq!(seen("keyward_write_queue_waiting"), Some(0.0));
        assert_eq!(seen("keyward_usage_lost_total"), Some(0.0));
        // No change feed runs here, so each request read the database.
        assert_eq!((seen("keyward_key_snapshots_hits_total"), seen("keyward_key_snapshots_fresh")), (Some(0.0), Some(0.0)));
        assert!(seen("keyward_key_snapshots_lookups_total").is_some_and(|n| n > 0.0), "{}", page.text());
        for (name, deprecated) in [
            ("hits_total", "hits_total"),
            ("lookups_total", "look_ups_total"),
            ("unknown_total", "unknown_total"),
            ("cached", "resident"),
            ("indexed", "known"),
            ("fresh", "hearing"),
        ] {
            let value = seen(&format!("keyward_key_snapshots_{name}"));
            assert!(value.is_some() && value == seen(&format!("keyward_facts_{deprecated}")), "{name}");
        }
        assert!(page.text().ends_with("# EOF\n"));
        // No label contains client input or a secret.
        for sent in [Uuid::nil().to_string().as_str(), &made.secret[12..], &made.id.to_string()] {
            assert!(!page.text().contains(sent), "{sent}");
        }

        // Not ready, but alive.
        bench.execute_sql("ALTER TABLE _sqlx_migrations RENAME TO gone").await;
        let page = program.get("/readyz").await;
        assert_eq!((page.status, page.problem().as_str()), (503, "not_ready"));
        assert_eq!(program.get("/healthz").await.status, 200);
    }

    /// A request keeps the id that a trusted proxy gave it. An id from any other client is ignored.
    async fn request_ids(bench: TestServer) {
        // The client's address is 127.0.0.1.
        for (proxies, believed) in [("10.0.0.0/8", false), ("127.0.0.0/8", true)] {
            let trusted_proxies = vec![proxies.parse().expect("a network")];
            let port = socket_requests::listen(&bench, Config { trusted_proxies, ..crate::support::config(URL) }).await;
            for path in ["/healthz", "/login", "/v1/nothing", "/v1/auth"] {
                for (given, fine) in [("7f3c-9a.b_0", true), ("a b", false), ("\"quoted\"", false), (&"x".repeat(65), false)] {
                    let header = format!("X-Request-Id: {given}");
                    let page = socket_requests::send_request(port, &format!("GET {path}"), &[HOST, &header], "").await;
                    let id = page.header("x-request-id");
                    if believed && fine {
                        assert_eq!(id, given, "{path}");
                    } else {
                        assert!(id.starts_with("req_") && id.len() == 17, "{path}: {id}");
                    }
                }
            }
        }
    }
}

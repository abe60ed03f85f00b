//! Conformance of the server to `/openapi.json`. Documented requests get documented responses, and every documented
//! status occurs. Requests that the schema forbids are rejected, and no other response occurs.

use crate::support::{
    TestServer, schema,
    test_data::{CreatedKey, KeyForms as _},
};
use axum::http::{HeaderMap, Request};
use keyward::{
    domain::ids::ProjectId,
    http::routes::ROUTES,
    service::tokens::{Target, TokenParameters},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

const READ: &str = "keyward:keys.read";
const WRITE: &str = "keyward:keys.write";
/// Headers that are always present in a response that documents them.
const ALWAYS: [&str; 5] = ["WWW-Authenticate", "ETag", "Location", "Retry-After", "X-Keyward-Code"];
/// Documented responses that do not occur in this test: its database is always reachable, `token_revocation.rs` revokes
/// a thousand tokens, and `interoperability.rs` starts too many device authorizations.
const TESTED_ELSEWHERE: [&str; 3] = ["readReadiness 503", "revokeToken 429", "beginDevice 429"];

/// A request, with the expected status.
struct DocumentedRequest {
    method: &'static str,
    /// The path template in the document.
    path: &'static str,
    /// The query, appended to the path.
    query: String,
    heads: Vec<(&'static str, String)>,
    body: Option<String>,
    status: u16,
}

/// The document, a server, and the responses observed so far.
struct DocumentChecker<'b> {
    bench: &'b TestServer,
    document: Value,
    seen: BTreeSet<String>,
    project: ProjectId,
    key: String,
}

fn is_named(heads: &Value, name: &str) -> bool {
    heads.as_object().is_some_and(|it| it.keys().any(|it| it.eq_ignore_ascii_case(name)))
}

impl DocumentChecker<'_> {
    /// Sends a request and checks the response against the document. Returns its headers and body for the next request.
    async fn send(&mut self, sent: DocumentedRequest) -> (HeaderMap, Value) {
        let DocumentedRequest { method, path, query, heads, body, status } = sent;
        let operation = self.document["paths"][path][method.to_ascii_lowercase()].clone();
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{method} {path} is not in the document"))
            .to_owned();
        let address =
            path.replace("{id}", &self.project.to_string()).replace("{key}", &self.key).replace("{rest}", "orders/7");
        let mut request = Request::builder().method(method).uri(format!("{address}{query}"));
        for (name, value) in &heads {
            request = request.header(*name, value);
        }
        // The request body: what the schema accepts and what it rejects.
        if let Some(content) = operation["requestBody"]["content"].as_object().and_then(|it| it.iter().next()) {
            let (kind, content) = content;
            if !heads.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", kind);
            }
            if kind == "application/json"
                && let Some(Ok(body)) = body.as_ref().map(|it| serde_json::from_str::<Value>(it))
            {
                let wrong = schema::validation_errors(&self.document, &content["schema"], &body);
                if (200..300).contains(&status) {
                    assert!(wrong.is_empty(), "{id} accepts what its schema forbids: {body}\n{}", wrong.join("\n"));
                }
            }
        }
        let page = self.bench.browser().send(request, body.clone().unwrap_or_default()).await;
        assert_eq!(page.status, status, "{id} {query} {heads:?} {body:?}: {}", page.text());
        let promised = &operation["responses"][status.to_string()];
        let promised = if promised.is_object() { promised } else { &operation["responses"]["default"] };
        self.seen.insert(format!("{id} {status}"));
        for name in ALWAYS.iter().filter(|name| is_named(&promised["headers"], name)) {
            assert!(page.headers.contains_key(*name), "{id} {status} has no {name}");
        }
        let content = promised["content"].as_object().and_then(|it| it.iter().next());
        let Some((kind, content)) = content else {
            assert!(page.bytes.is_empty(), "{id} {status} promises no body: {}", page.text());
            return (page.headers, Value::Null);
        };
        assert!(
            page.header("content-type").starts_with(kind.as_str()),
            "{id} {status}: {}",
            page.header("content-type")
        );
        if !kind.ends_with("json") {
            return (page.headers, Value::Null);
        }
        let value = page.json();
        let wrong = schema::validation_errors(&self.document, &content["schema"], &value);
        assert!(wrong.is_empty(), "{id} {status}: {value}\n{}", wrong.join("\n"));
        if let Some(code) = value["code"].as_str()
            && value["status"].is_number()
        {
            assert_eq!(value["status"], status);
            // The codes in the description are the codes of that response.
            let words = promised["description"].as_str().unwrap_or_default();
            let codes: Vec<_> =
                words.split('`').skip(1).step_by(2).filter(|it| it.contains('_') || *it == "conflict").collect();
            let usual = ["scope", "forbidden", "invalid"].contains(&code);
            assert!(codes.is_empty() || codes.contains(&code) || usual, "{id} {status}: {code} is not among {codes:?}");
        }
        (page.headers, value)
    }

    /// Sends a request with a bearer token.
    async fn send_with_token(
        &mut self,
        token: &str,
        method: &'static str,
        path: &'static str,
        body: Option<Value>,
        status: u16,
    ) -> (HeaderMap, Value) {
        let mut heads = vec![("if-match", "*".to_owned())];
        if !token.is_empty() {
            heads.push(("authorization", format!("Bearer {token}")));
        }
        let body = body.map(|it| it.to_string());
        self.send(DocumentedRequest { method, path, query: String::new(), heads, body, status }).await
    }
}

fn documented_request(method: &'static str, path: &'static str, body: &str, status: u16) -> DocumentedRequest {
    let body = (!body.is_empty()).then(|| body.to_owned());
    DocumentedRequest { method, path, query: String::new(), heads: Vec::new(), body, status }
}

async fn token(bench: &TestServer, made: &CreatedKey, scopes: &[&str]) -> String {
    let wish = TokenParameters { life: None, scopes: Some(scopes), target: Target::ByScopes };
    bench.app.tokens.exchange(&made.secret, None, &wish).await.unwrap().expect("a token").access_token
}

async fn manager(bench: &TestServer, maren: &keyward::service::actor::Caller) -> CreatedKey {
    let project = bench.project_of(maren).await;
    let mut draft = bench.draft(project, "Manager");
    draft.scopes = [READ, WRITE, "data:read"].map(ToOwned::to_owned).to_vec();
    let (key, secret) = bench.app.keys.create_from(maren, draft).await.unwrap();
    CreatedKey { id: key.id, project, secret: secret.expose().to_owned() }
}

const PROJECTS: &str = "/v1/projects";
const PROJECT: &str = "/v1/projects/{id}";
const KEYS: &str = "/v1/projects/{id}/keys";
const KEY: &str = "/v1/projects/{id}/keys/{key}";
const DEACTIVATE: &str = "/v1/projects/{id}/keys/{key}/deactivate";
const ACTIVATE: &str = "/v1/projects/{id}/keys/{key}/activate";
const RESTORE: &str = "/v1/projects/{id}/keys/{key}/restore";
/// Every operation of the management API, with a valid body.
const MANAGEMENT: [(&str, &str, &str); 10] = [
    ("GET", PROJECTS, ""),
    ("GET", PROJECT, ""),
    ("GET", KEYS, ""),
    ("GET", KEY, ""),
    ("POST", KEYS, r#"{"name": "Made"}"#),
    ("PATCH", KEY, r#"{"name": "Renamed"}"#),
    ("POST", DEACTIVATE, ""),
    ("POST", ACTIVATE, ""),
    ("DELETE", KEY, ""),
    ("POST", RESTORE, ""),
];

async fn tokens_and_verification(held: &mut DocumentChecker<'_>, made: &CreatedKey, limited: &CreatedKey) {
    let secret = |made: &CreatedKey| json!({"secret_key": made.secret}).to_string();
    for (body, status) in [
        (secret(made), 200),
        (json!({"secret_key": made.secret, "expires_in": 60}).to_string(), 200),
        // JSON Schema accepts an integer in any notation (2020-12, section 4.2.3).
        (json!({"secret_key": made.secret, "expires_in": 5250.0}).to_string(), 200),
        (json!({"secret_key": made.secret, "expires_in": 5250.5}).to_string(), 422),
        ("{".into(), 400),
        (json!({"secret_key": "kw_live_x"}).to_string(), 401),
        ("{}".into(), 422),
        (json!({"secret_key": made.secret, "expires_in": 0}).to_string(), 422),
        (json!({"secret_key": made.secret, "more": 1}).to_string(), 422),
        (secret(limited), 429),
    ] {
        held.send(documented_request("POST", "/authentication/token", &body, status)).await;
    }
    for path in ["/authentication/token", "/v1/keys/verify", "/v1/keys/verify:batch"] {
        let heads = vec![("content-type", "text/plain".to_owned())];
        held.send(DocumentedRequest { heads, ..documented_request("POST", path, "{}", 415) }).await;
        held.send(documented_request("POST", path, "{", 400)).await;
        held.send(documented_request("POST", path, r#"{"more": 1}"#, 422)).await;
    }
    let project = made.project.to_string();
    // The server rejects what the schema forbids, and the schema forbids what the server rejects.
    for wrong in [
        json!({}),
        json!({"key": made.secret, "token": "a.b.c"}),
        json!({"key": made.secret, "project": "x"}),
        json!({"key": made.secret, "project": []}),
        json!({"key": made.secret, "project": ["x"]}),
        json!({"key": made.secret, "ip": "x"}),
        json!({"key": null}),
    ] {
        let schema = json!({"$ref": "#/components/schemas/VerifyRequest"});
        assert!(
            !schema::validation_errors(&held.document, &schema, &wrong).is_empty(),
            "the document lets {wrong} pass"
        );
        held.send(documented_request("POST", "/v1/keys/verify", &wrong.to_string(), 422)).await;
        held.send(documented_request("POST", "/v1/keys/verify:batch", &json!({"keys": [wrong]}).to_string(), 422))
            .await;
    }
    for request_body in [
        json!({"key": made.secret}),
        json!({"key": made.secret, "project": project, "scopes": ["data:read"], "ip": "203.0.113.9"}),
        json!({"key": made.secret, "project": [project, Uuid::nil()]}),
        json!({"key": limited.secret}),
        json!({"key": "kw_live_x"}),
        json!({"token": "a.b.c"}),
    ] {
        held.send(documented_request("POST", "/v1/keys/verify", &request_body.to_string(), 200)).await;
        held.send(documented_request(
            "POST",
            "/v1/keys/verify:batch",
            &json!({"keys": [request_body, request_body]}).to_string(),
            200,
        ))
        .await;
    }
    let bearer = held.bench.browser().json("/authentication/token", &json!({"secret_key": made.secret})).await.json();
    let bearer = bearer["access_token"].as_str().unwrap().to_owned();
    for path in ["/v1/projects/{id}/config", "/pops/{id}/config"] {
        held.send_with_token(&bearer, "GET", path, None, 200).await;
        held.send_with_token("", "GET", path, None, 401).await;
        let two = vec![("authorization", format!("Bearer {bearer}")), ("authorization", "Bearer x".to_owned())];
        held.send(DocumentedRequest { heads: two, ..documented_request("GET", path, "", 400) }).await;
    }
    for path in ["/v1/auth", "/v1/auth/", "/v1/auth/{rest}"] {
        let by = |key: &CreatedKey, status: u16| DocumentedRequest {
            heads: vec![("x-api-key", key.secret.clone())],
            ..documented_request("GET", path, "", status)
        };
        held.send(by(made, 200)).await;
        held.send(documented_request("GET", path, "", 401)).await;
        held.send(by(limited, 429)).await;
        let narrow = |scope: &str, project: &str, status| {
            let mut request = by(made, status);
            match path {
                "/v1/auth" => request.query = format!("?scope={scope}&project={project}"),
                _ => request
                    .heads
                    .extend([("x-keyward-scope", scope.to_owned()), ("x-keyward-project", project.to_owned())]),
            }
            request
        };
        held.send(narrow("data:write", &project, 403)).await;
        held.send(narrow("data:read", "x", 422)).await;
    }
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/keyward-audit-keys.json",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/v1",
        "/.well-known/oauth-protected-resource/projects/{id}",
        "/.well-known/security.txt",
        "/metrics",
        "/healthz",
        "/readyz",
        "/openapi.json",
    ] {
        held.send(documented_request("GET", path, "", 200)).await;
    }
}

async fn check_oauth_endpoints(held: &mut DocumentChecker<'_>, made: &CreatedKey, limited: &CreatedKey, device: &str) {
    let form = |pairs: &[(&str, &str)]| crate::support::browser::form(pairs);
    let client =
        |made: &CreatedKey| [("client_id", format!("key:{}", made.id)), ("client_secret", made.secret.clone())];
    let own = client(made);
    let own: Vec<_> = own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let spent = client(limited);
    let spent: Vec<_> = spent.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let wrong = [("client_id", own[0].1), ("client_secret", "kw_live_x")];
    let form_body = |client: &[(&str, &str)], more: &[(&str, &str)]| form(&[client, more].concat());
    let credentials = [("grant_type", "client_credentials")];
    let (_, body) = held.send(documented_request("POST", "/oauth/token", &form_body(&own, &credentials), 200)).await;
    held.send(documented_request("POST", "/oauth/token", &form_body(&own, &[]), 400)).await;
    held.send(documented_request("POST", "/oauth/token", &form_body(&wrong, &credentials), 401)).await;
    held.send(documented_request("POST", "/oauth/token", &form_body(&spent, &credentials), 429)).await;
    let exchange = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", made.secret.as_str()),
        ("subject_token_type", "urn:keyward:token-type:key"),
    ];
    held.send(documented_request("POST", "/oauth/token", &form(&exchange), 200)).await;
    let token = [("token", body["access_token"].as_str().unwrap())];
    held.send(documented_request("POST", "/oauth/introspect", &form_body(&own, &token), 200)).await;
    held.send(documented_request("POST", "/oauth/introspect", &form_body(&own, &[("token", "x")]), 200)).await;
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        held.send(documented_request("POST", path, &form_body(&own, &[]), 400)).await;
        held.send(documented_request("POST", path, &form_body(&wrong, &token), 401)).await;
    }
    held.send(documented_request("POST", "/oauth/introspect", &form_body(&spent, &token), 429)).await;
    held.send(documented_request("POST", "/oauth/revoke", &form_body(&own, &token), 200)).await;
    held.send(documented_request("GET", "/.well-known/oauth-authorization-server", "", 200)).await;
    for path in ["/.well-known/revoked-tokens", "/sdk/v1.js", "/sdk/v1.d.ts"] {
        let (heads, _) = held.send(documented_request("GET", path, "", 200)).await;
        let known = vec![("if-none-match", heads["etag"].to_str().unwrap().to_owned())];
        held.send(DocumentedRequest { heads: known, ..documented_request("GET", path, "", 304) }).await;
    }
    for (client, status) in [(device, 200), ("loopback", 400), ("client:x", 401)] {
        held.send(documented_request("POST", "/oauth/device_authorization", &form(&[("client_id", client)]), status))
            .await;
    }
}

async fn management(
    held: &mut DocumentChecker<'_>,
    made: &CreatedKey,
    full: &str,
    reader: &str,
    writer: &str,
    spent: &str,
) {
    for (method, path, body) in MANAGEMENT {
        let body: Option<Value> = (!body.is_empty()).then(|| serde_json::from_str(body).unwrap());
        let status = if (method, path) == ("POST", KEYS) { 201 } else { 200 };
        held.send_with_token(full, method, path, body.clone(), status).await;
        held.send_with_token("", method, path, body.clone(), 401).await;
        held.send_with_token(if method == "GET" { writer } else { reader }, method, path, body.clone(), 403).await;
        held.send_with_token(spent, method, path, body.clone(), 429).await;
        let two = vec![("authorization", "Bearer a".to_owned()), ("authorization", "Bearer b".to_owned())];
        let text = body.as_ref().map(ToString::to_string).unwrap_or_default();
        held.send(DocumentedRequest { heads: two, ..documented_request(method, path, &text, 400) }).await;
        if path != PROJECTS {
            let own = std::mem::replace(&mut held.project, Uuid::nil().into());
            held.send_with_token(full, method, path, body, 404).await;
            held.project = own;
        }
    }
    let ask = |method, path, body: &str, status| DocumentedRequest {
        heads: vec![("authorization", format!("Bearer {full}")), ("if-match", "*".to_owned())],
        ..documented_request(method, path, body, status)
    };
    let query = "?status=active&environment=live&text=a&issued_to=b&limit=2";
    held.send(DocumentedRequest { query: query.into(), ..ask("GET", KEYS, "", 200) }).await;
    held.send(DocumentedRequest { query: "?limit=0".into(), ..ask("GET", KEYS, "", 422) }).await;
    let all = json!({
        "name": "All", "environment": "live", "expires_in_days": 3.0, "scopes": ["data:read"], "issued_to": "Ada", "networks": ["10.0.0.0/8"],
        "description": "Counts buoys\nin the harbour",
        "not_before": null, "rate_limit": "5/minute",
    });
    held.send(ask("POST", KEYS, &all.to_string(), 201)).await;
    for (method, path) in [("POST", KEYS), ("PATCH", KEY)] {
        held.send(ask(method, path, "{", 400)).await;
        held.send(ask(method, path, r#"{"name": "A", "scopes": ["data:write"]}"#, 403)).await;
        let mut plain = ask(method, path, "{}", 415);
        plain.heads.push(("content-type", "text/plain".into()));
        held.send(plain).await;
        for wrong in [
            json!({}),
            json!({"name": 7}),
            json!({"name": "A", "secret": "x"}),
            json!({"name": "A", "scopes": "data:read"}),
            json!({"name": "A", "networks": null}),
            json!({"name": "A", "expires_in_days": "7"}),
            json!({"name": "A", "expires_in_days": 7.5}),
            json!({"name": "A", "expires_in_days": 7, "expires_at": null}),
            json!([]),
        ] {
            let body = &held.document["paths"][path][method.to_ascii_lowercase()]["requestBody"]["content"]["application/json"]
                ["schema"];
            assert!(
                !schema::validation_errors(&held.document, body, &wrong).is_empty(),
                "the document lets {wrong} pass"
            );
            held.send(ask(method, path, &wrong.to_string(), 422)).await;
        }
        held.send(ask(method, path, r#"{"name": " "}"#, 422)).await;
    }
    let mut twice = ask("POST", KEYS, r#"{"name": "Once"}"#, 201);
    twice.heads.push(("idempotency-key", "1".into()));
    let heads = twice.heads.clone();
    held.send(twice).await;
    held.send(DocumentedRequest { heads: heads.clone(), ..ask("POST", KEYS, r#"{"name": "Once"}"#, 409) }).await;
    held.send(DocumentedRequest { heads, ..ask("POST", KEYS, r#"{"name": "Other"}"#, 422) }).await;
    let bearer = vec![("authorization", format!("Bearer {full}"))];
    held.send(DocumentedRequest { heads: bearer.clone(), ..ask("PATCH", KEY, r#"{"name": "A"}"#, 428) }).await;
    let stale = [bearer, vec![("if-match", "\"1\"".to_owned())]].concat();
    held.send(DocumentedRequest { heads: stale.clone(), ..ask("PATCH", KEY, r#"{"name": "A"}"#, 412) }).await;
    // A transition to the current state changes nothing, so it succeeds with any `If-Match` version.
    held.send(DocumentedRequest { heads: stale.clone(), ..ask("POST", ACTIVATE, "", 200) }).await;
    held.send(DocumentedRequest { heads: stale.clone(), ..ask("POST", DEACTIVATE, "", 412) }).await;
    held.send(ask("POST", DEACTIVATE, "", 200)).await;
    held.send(DocumentedRequest { heads: stale.clone(), ..ask("POST", ACTIVATE, "", 412) }).await;
    held.send(ask("POST", ACTIVATE, "", 200)).await;
    held.send(DocumentedRequest { heads: stale.clone(), ..ask("DELETE", KEY, "", 412) }).await;
    held.send(ask("DELETE", KEY, "", 200)).await;
    held.send(DocumentedRequest { heads: stale, ..ask("POST", RESTORE, "", 412) }).await;
    for (method, path, body) in [("PATCH", KEY, r#"{"name": "A"}"#), ("POST", DEACTIVATE, ""), ("POST", ACTIVATE, "")] {
        held.send(ask(method, path, body, 409)).await;
    }
    let (heads, _) = held.send(ask("GET", KEY, "", 200)).await;
    let mut known = ask("GET", KEY, "", 304);
    known.heads.push(("if-none-match", heads["etag"].to_str().unwrap().to_owned()));
    held.send(known).await;
    held.send(ask("POST", RESTORE, "", 200)).await;
    let _ = made;
}

on_both_engines! {
    async fn it_keeps_its_promises(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let made = manager(&bench, &maren).await;
        let limited = manager(&bench, &maren).await;
        let spent = token(&bench, &limited, &[READ, WRITE]).await;
        bench.execute_sql(&format!("UPDATE keys SET rate_limit = '1/day' WHERE id = {}", bench.literal(limited.id))).await;
        bench.browser().json("/v1/keys/verify", &json!({"key": limited.secret})).await;
        let [full, reader, writer] = [
            token(&bench, &made, &[READ, WRITE]).await,
            token(&bench, &made, &[READ]).await,
            token(&bench, &made, &[WRITE]).await,
        ];
        // The target has no scopes, so it does not exceed the manager's privileges, and the manager can activate it
        // again.
        let target = bench.app.keys.create_from(&maren, { let mut draft = bench.draft(made.project, "Target"); draft.scopes.clear(); draft }).await.unwrap().0;
        let document = bench.browser().get("/openapi.json").await.json();
        let mut held = DocumentChecker { bench: &bench, document, seen: BTreeSet::new(), project: made.project, key: target.id.to_string() };
        tokens_and_verification(&mut held, &made, &limited).await;
        let device = bench.app.consent.register(&maren, made.project, "Buoy Watch", "https://buoys.example/cb").await.unwrap();
        check_oauth_endpoints(&mut held, &made, &limited, &format!("client:{device}")).await;
        management(&mut held, &made, &full, &reader, &writer, &spent).await;

        // Every documented status has occurred.
        let mut missing = Vec::new();
        for (path, item) in held.document["paths"].as_object().unwrap() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                for status in operation["responses"].as_object().unwrap().keys().filter(|it| *it != "default") {
                    let promise = format!("{id} {status}");
                    if !held.seen.contains(&promise) && !TESTED_ELSEWHERE.contains(&promise.as_str()) {
                        missing.push(format!("{promise} ({path})"));
                    }
                }
            }
        }
        assert!(missing.is_empty(), "promised, and never seen: {missing:#?}");
        println!("openapi: {} operations' statuses were promised, and seen", held.seen.len());
    }

    /// The document has the routes of the route table and no others, and its page has the operations of the document.
    async fn it_is_of_the_table(bench: TestServer) {
        let page = bench.browser().get("/openapi.json").await;
        assert_eq!((page.status, page.header("content-type"), page.header("access-control-allow-origin")), (200, "application/json", "*"));
        let document = page.json();
        assert_eq!(document["openapi"], "3.1.0");
        let operations: usize = document["paths"].as_object().unwrap().values().map(|it| it.as_object().unwrap().len()).sum();
        assert_eq!(operations, ROUTES.len());
        let page = bench.browser().get("/docs/api").await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self'") && !policy.contains("script"), "{policy}");
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(page.text().contains(&format!("href=\"#{id}\"")) && page.text().contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
        assert!(!page.text().contains("https://") && !page.text().contains("<script"), "nothing from elsewhere");
    }
}

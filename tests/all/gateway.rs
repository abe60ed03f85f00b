//! `/v1/auth`, the endpoint for gateways: who is allowed, the response headers, and the responses to denied requests.

use crate::support::{
    URL,
    browser::{Browser, Page},
    socket_requests,
    test_data::CreatedKey,
};
use axum::http::{Method, Request};
use keyward::config::{ApiSettings, Config};
use serde_json::json;
use uuid::Uuid;

const EMAIL: &str = "maren@pelagic.example";

async fn token(program: &mut Browser, made: &CreatedKey) -> String {
    let page = program.json("/authentication/token", &json!({"secret_key": made.secret})).await;
    page.json()["access_token"].as_str().expect("a token").to_owned()
}

/// Sends a GET request with these headers.
async fn get_with_headers(program: &mut Browser, address: &str, headers: &[(&str, &str)]) -> Page {
    let mut request = Request::get(address);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    program.send(request, String::new()).await
}

/// Returns the reason code of a denied request, which is equal in its header and in its body.
fn code(page: &Page) -> String {
    let code = page.header("x-keyward-code").to_owned();
    assert_eq!(page.problem(), code, "{}", page.text());
    for name in ["x-keyward-key-id", "x-keyward-project-id", "x-keyward-scopes", "x-keyward-issued-to"] {
        assert!(page.headers.get(name).is_none(), "a denial names no user: {name}");
    }
    code
}

on_both_engines! {
    /// A key or a token in either header is accepted, and the response identifies it to the upstream API.
    async fn the_identity_of_allowed_callers(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let token = token(&mut program, &made).await;
        for credential in [&made.secret, &token] {
            for (name, value) in [
                ("authorization", format!("Bearer {credential}")),
                ("authorization", format!("bearer  {credential}")),
                ("x-api-key", credential.clone()),
            ] {
                let page = get_with_headers(&mut program, "/v1/auth", &[(name, &value)]).await;
                assert_eq!((page.status, page.text()), (200, ""), "{name}");
                assert_eq!(page.header("x-keyward-key-id"), made.id.to_string());
                assert_eq!(page.header("x-keyward-project-id"), made.project.to_string());
                assert_eq!(page.header("x-keyward-scopes"), "data:read usage:read");
                assert!(page.headers.get("x-keyward-issued-to").is_none());
                assert!(page.headers.get("ratelimit").is_none(), "it has no limit");
                assert_eq!(page.header("cache-control"), "no-store");
            }
        }
        bench.execute_sql("UPDATE keys SET issued_to = 'Søren, 50% & “co”'").await;
        let page = get_with_headers(&mut program, "/v1/auth", &[("x-api-key", &made.secret)]).await;
        assert_eq!(page.header("x-keyward-issued-to"), "S%C3%B8ren%2C%2050%25%20%26%20%E2%80%9Cco%E2%80%9D");
        bench.execute_sql("UPDATE keys SET scopes = '[]'").await;
        let page = get_with_headers(&mut program, "/v1/auth", &[("x-api-key", &made.secret)]).await;
        assert_eq!((page.status, page.header("x-keyward-scopes")), (200, ""));
        let page = get_with_headers(&mut program, "/v1/auth", &[("x-api-key", &token)]).await;
        assert_eq!((page.status, page.header("x-keyward-scopes")), (200, ""), "nor has its token what it has lost");
    }

    /// Every denied request with its status, reason code, and challenge.
    async fn denials_have_a_reason(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let bearer = token(&mut program, &made).await;
        let key = made.secret.clone();
        let here = made.project.to_string();
        let elsewhere = Uuid::nil().to_string();
        let one = |address: &str, credential: &str| (address.to_owned(), vec![("x-api-key", credential.to_owned())]);
        let cases = [
            (("/v1/auth".to_owned(), vec![]), 401, "missing_credential", ""),
            (("/v1/auth".to_owned(), vec![("authorization", "Basic azpw".to_owned())]), 401, "missing_credential", ""),
            (
                ("/v1/auth".to_owned(), vec![("authorization", format!("Bearer {key}")), ("x-api-key", key.clone())]),
                401, "several_credentials", "invalid_request",
            ),
            (one("/v1/auth", "nonsense"), 401, "malformed", "invalid_token"),
            (one("/v1/auth", &key[1..]), 401, "malformed", "invalid_token"),
            (one("/v1/auth", "a.b.c"), 401, "invalid_token", "invalid_token"),
            (one("/v1/auth", &format!("{bearer}x")), 401, "invalid_token", "invalid_token"),
            (one("/v1/auth?scope=data:write", &key), 403, "missing_scope", "insufficient_scope"),
            (one("/v1/auth?scope=data:read+data:write", &key), 403, "missing_scope", "insufficient_scope"),
            (one("/v1/auth?scope=data:write", &bearer), 403, "missing_scope", "insufficient_scope"),
            (one(&format!("/v1/auth?project={elsewhere}"), &key), 403, "wrong_project", "-"),
            (one(&format!("/v1/auth?project={elsewhere}"), &bearer), 403, "wrong_project", "-"),
            (one("/v1/auth?project=", &key), 422, "invalid_query", "-"),
            (one("/v1/auth?scpoe=data:write", &key), 422, "invalid_query", "-"),
        ];
        for ((address, headers), status, expected, error) in cases {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = get_with_headers(&mut program, &address, &headers).await;
            assert_eq!((page.status, code(&page).as_str()), (status, expected), "{address}");
            let challenge = page.header("www-authenticate");
            match error {
                "-" => assert_eq!(challenge, "", "{address}"),
                "" => assert_eq!(challenge, r#"Bearer realm="api""#, "nothing was presented, so nothing was wrong"),
                error => {
                    let wanted = format!(r#"Bearer realm="api", error="{error}", error_description=""#);
                    assert!(challenge.starts_with(&wanted), "{address}: {challenge}");
                }
            }
            for secret in [&key[12..], &bearer] {
                assert!(!page.text().contains(secret) && !challenge.contains(secret), "{address}: it is not repeated");
            }
        }
        let page = get_with_headers(&mut program, "/v1/auth?scope=data:read+data:write", &[("x-api-key", &key)]).await;
        assert!(page.header("www-authenticate").ends_with(r#", scope="data:read data:write""#), "the sufficient scopes are listed");

        // Requirements that the key meets.
        for address in [
            "/v1/auth?scope=data:read".to_owned(),
            "/v1/auth?scope=data:read+usage:read".to_owned(),
            "/v1/auth?scope=data:read&scope=usage:read".to_owned(),
            format!("/v1/auth?project={here}"),
            format!("/v1/auth?project={elsewhere}&project={here}&scope=data%3Aread&limited=403"),
        ] {
            for credential in [&key, &bearer] {
                let page = get_with_headers(&mut program, &address, &[("x-api-key", credential)]).await;
                assert_eq!(page.status, 200, "{address}: {}", page.text());
            }
        }

        // The restrictions of the key apply to it and to its token.
        let now = keyward::service::clock::Clock::now(&*bench.clock).micros();
        let steps = [
            (format!("UPDATE keys SET expires_at = {now}"), "expired"),
            (format!("UPDATE keys SET not_before = {}", now + 1), "not_yet_valid"),
            ("UPDATE keys SET active = FALSE".to_owned(), "inactive"),
            (format!("UPDATE projects SET archived_at = {now}"), "project_archived"),
            (format!("UPDATE keys SET deleted_at = {now}"), "deleted"),
        ];
        for (sql, expected) in steps {
            bench.execute_sql(&sql).await;
            for credential in [&key, &bearer] {
                let page = get_with_headers(&mut program, "/v1/auth", &[("x-api-key", credential)]).await;
                assert_eq!((page.status, code(&page).as_str()), (401, expected));
                assert!(page.header("www-authenticate").contains(r#"error="invalid_token""#));
            }
        }
    }

    /// Gateways forward the method of their client. Envoy also appends the client's path and query, which are ignored.
    async fn any_method_and_envoys_path(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
        for method in methods.map(|it| it.parse::<Method>().unwrap()) {
            for address in ["/v1/auth", "/v1/auth/orders/7?project=theirs&scope=none&limited=1&x"] {
                let request = || Request::builder().method(&method).uri(address);
                let page = program.send(request().header("x-api-key", &made.secret), String::new()).await;
                assert_eq!(page.status, 200, "{method} {address}");
                let page = program.send(request(), String::new()).await;
                assert_eq!((page.status, page.header("x-keyward-code")), (401, "missing_credential"), "{method} {address}");
            }
        }
        // Under `/v1/auth/…` the requirements are in headers, which Envoy overwrites.
        let (key, project) = (made.secret.as_str(), made.project.to_string());
        let elsewhere = Uuid::nil().to_string();
        for (name, value, status) in [
            ("x-keyward-scope", "data:read usage:read", 200),
            ("x-keyward-scope", "data:read data:write", 403),
            ("x-keyward-project", project.as_str(), 200),
            ("x-keyward-project", elsewhere.as_str(), 403),
            ("x-keyward-project", "nonsense", 422),
        ] {
            let page = get_with_headers(&mut program, "/v1/auth/orders", &[("x-api-key", key), (name, value)]).await;
            assert_eq!(page.status, status, "{name}: {value}");
            // Under `/v1/auth` these headers of a client have no effect.
            let page = get_with_headers(&mut program, "/v1/auth", &[("x-api-key", key), (name, value)]).await;
            assert_eq!(page.status, 200, "{name}: {value}");
            let path = format!("/v1/auth?project={elsewhere}");
            let page = get_with_headers(&mut program, &path, &[("x-api-key", key), (name, value)]).await;
            assert_eq!(page.status, 403, "{name}: {value}");
        }
        for (address, status) in [("/v1/authx", 404), ("/v1/auth/", 200)] {
            let page = get_with_headers(&mut program, address, &[("x-api-key", key)]).await;
            assert_eq!(page.status, status, "{address}");
        }
    }

    /// A credential in the query is accepted only if the settings allow it.
    ///
    /// It is read from the client's own URL, which the gateway forwards.
    async fn a_credential_in_the_query(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let off = socket_requests::listen(&bench, crate::support::config(URL)).await;
        let programs = ApiSettings { query: Some("api_key".into()), ..ApiSettings::default() };
        let on = socket_requests::listen(&bench, Config { programs, ..crate::support::config(URL) }).await;
        let host = "Host: 127.0.0.1:3000";
        let query = format!("?api_key={}", made.secret);
        for name in ["X-Original-URI", "X-Forwarded-Uri"] {
            let header = format!("{name}: /orders{query}&page=2");
            let page = socket_requests::send_request(on, "GET /v1/auth", &[host, &header], "").await;
            assert_eq!((page.status, page.header("cache-control")), (200, "no-store, private"), "{name}");
            let page = socket_requests::send_request(off, "GET /v1/auth", &[host, &header], "").await;
            assert_eq!((page.status, code(&page).as_str()), (401, "missing_credential"), "{name}");
        }
        let page = socket_requests::send_request(on, &format!("GET /v1/auth{query}"), &[host], "").await;
        assert_eq!(page.status, 200);
        let page = socket_requests::send_request(on, &format!("GET /v1/auth/orders{query}"), &[host], "").await;
        assert_eq!(page.status, 200, "Envoy's client");
        let page = socket_requests::send_request(off, &format!("GET /v1/auth{query}"), &[host], "").await;
        assert_eq!((page.status, code(&page).as_str()), (422, "invalid_query"));
        let page = socket_requests::send_request(on, &format!("GET /v1/auth{query}"), &[host, &format!("X-API-Key: {}", made.secret)], "").await;
        assert_eq!((page.status, code(&page).as_str()), (401, "several_credentials"));
    }

    /// A rate-limited request is denied with headers for a retry. `limited=403` selects a status that nginx forwards.
    async fn limits(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql("UPDATE keys SET rate_limit = '2/hour'").await;
        let mut program = bench.browser();
        let key = [("x-api-key", made.secret.as_str())];
        for address in ["/v1/auth?scope=data:write", "/v1/auth?project=00000000-0000-0000-0000-000000000000", "/v1/auth?x"] {
            let page = get_with_headers(&mut program, address, &key).await;
            assert!(page.headers.get("ratelimit").is_none(), "{address}: it takes none, and tells none");
        }
        for (left, reset) in [(1, 1_800), (0, 3_600)] {
            let page = get_with_headers(&mut program, "/v1/auth", &key).await;
            assert_eq!((page.status, page.header("ratelimit-policy")), (200, r#""key";q=2;w=3600"#));
            assert_eq!(page.header("ratelimit"), format!(r#""key";r={left};t={reset}"#));
            assert!(page.headers.get("retry-after").is_none());
        }
        for (address, status) in [("/v1/auth", 429), ("/v1/auth?limited=429", 429), ("/v1/auth?limited=403", 403)] {
            let page = get_with_headers(&mut program, address, &key).await;
            assert_eq!((page.status, code(&page).as_str()), (status, "rate_limited"), "{address}");
            assert_eq!((page.header("retry-after"), page.header("ratelimit")), ("1800", r#""key";r=0;t=1800"#));
            assert_eq!((page.header("ratelimit-policy"), page.header("www-authenticate")), (r#""key";q=2;w=3600"#, ""));
        }
        bench.clock.advance(1_800);
        assert_eq!(get_with_headers(&mut program, "/v1/auth", &key).await.status, 200);
    }

    /// The networks of a key restrict the client address, as far as proxies are trusted. They do not restrict tokens.
    async fn networks_by_the_clients_address(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let bearer = token(&mut bench.browser(), &made).await;
        bench.execute_sql("UPDATE keys SET networks = '[\"203.0.113.0/24\"]'").await;
        // The connections of this test come from 127.0.0.1.
        for (proxies, believed) in [("10.0.0.0/8", false), ("127.0.0.0/8", true)] {
            let trusted_proxies = vec![proxies.parse().expect("a network")];
            let port = socket_requests::listen(&bench, Config { trusted_proxies, ..crate::support::config(URL) }).await;
            for (from, inside) in [("203.0.113.9", true), ("198.51.100.1", false), ("198.51.100.1, 203.0.113.9", true)] {
                let from = format!("X-Forwarded-For: {from}");
                let ask = async |credential: &str| {
                    let key = format!("X-API-Key: {credential}");
                    socket_requests::send_request(port, "GET /v1/auth", &["Host: 127.0.0.1:3000", &from, &key], "").await
                };
                let page = ask(&made.secret).await;
                if inside && believed {
                    assert_eq!((page.status, page.header("content-length")), (200, "0"), "{from}");
                } else {
                    assert_eq!((page.status, code(&page).as_str()), (403, "wrong_network"), "{from}, {proxies}");
                    assert_eq!(page.header("www-authenticate"), "");
                }
                assert_eq!(ask(&bearer).await.status, 200);
            }
        }
        let page = get_with_headers(&mut bench.browser(), "/v1/auth", &[("x-api-key", &made.secret)]).await;
        assert_eq!(page.status, 403, "no address is in no network");
    }
}

//! HTTP behavior of all requests: hosts, methods, content codings, conditional requests, and logging.

use crate::support::{
    Engine, TestServer, URL, browser::Page, config, log::LogCapture, socket_requests, test_data::KeyForms as _,
};
use axum::http::Request;
use keyward::{
    config::Config,
    service::tokens::{Target, TokenParameters},
};

const HOST: &str = "Host: 127.0.0.1:3000";
const HSTS: &str = "max-age=31536000; includeSubDomains";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_accepts_any_host_and_only_get_and_head() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let port = socket_requests::listen(&bench, config(URL)).await;
    for path in ["/healthz", "/readyz", "/metrics"] {
        for host in ["localhost:3000", "10.1.2.3:3000", "[fd00::1]:3000", "keyward.default.svc"] {
            let page =
                socket_requests::send_request(port, &format!("GET {path}"), &[&format!("Host: {host}")], "").await;
            assert_eq!(page.status, 200, "{path} {host}");
        }
        let twice = socket_requests::send_request(port, &format!("GET {path}"), &["Host: a", "Host: b"], "").await;
        assert_eq!(twice.status, 400, "{path}");
        assert_eq!(
            socket_requests::send_request(port, &format!("HEAD {path}"), &[HOST], "").await.status,
            200,
            "{path}"
        );
        for method in ["QUERY", "OPTIONS", "TRACE", "POST", "PROPFIND", "get"] {
            let page = socket_requests::send_request(port, &format!("{method} {path}"), &[HOST], "").await;
            assert_eq!((page.status, page.header("allow")), (405, "GET,HEAD"), "{method} {path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn successful_hot_path_responses_have_hsts() {
    let bench = TestServer::with_url(Engine::Sqlite, "https://keys.example.com").await;
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let made = bench.create_key(&maren, "Gateway").await;
    let mut program = bench.browser();
    let key = format!(r#"{{"key":"{}"}}"#, made.secret);
    let many = format!(r#"{{"keys":[{key}]}}"#);
    let requests = [
        ("POST", "/v1/keys/verify", key.as_str()),
        ("POST", "/v1/keys/verify:batch", &many),
        ("GET", "/v1/auth", ""),
        ("GET", "/healthz", ""),
        ("GET", "/readyz", ""),
        ("GET", "/metrics", ""),
    ];
    for (method, path, body) in requests {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let page = program.send(request.header("x-api-key", &made.secret), body.to_owned()).await;
        assert_eq!((page.status, page.header("strict-transport-security")), (200, HSTS), "{path}");
    }
}

fn gzip(page: &Page) -> (u16, &str, String) {
    (page.status, page.header("accept-encoding"), page.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_body_is_refused_as_such() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let mut program = bench.browser();
    for path in ["/v1/keys/verify", "/v1/keys/verify:batch", "/authentication/token"] {
        for coding in ["gzip", "br, gzip"] {
            let post =
                Request::post(path).header("content-type", "application/json").header("content-encoding", coding);
            let page = program.send_bytes(post, vec![0x1f, 0x8b, 8, 0]).await;
            assert_eq!(gzip(&page), (415, "identity", "unsupported_content_encoding".to_owned()), "{path}");
        }
        let post =
            Request::post(path).header("content-type", "application/json").header("content-encoding", "identity");
        assert_eq!(program.send_bytes(post, b"{".to_vec()).await.status, 400, "{path}");
    }
    let post = Request::post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
    let page = program.send_bytes(post.header("content-encoding", "gzip"), vec![0x1f, 0x8b]).await;
    assert_eq!(
        (page.status, page.header("accept-encoding"), page.oauth_error().as_str()),
        (415, "identity", "invalid_request")
    );
    let post =
        Request::post("/login").header("content-type", "application/x-www-form-urlencoded").header("origin", URL);
    let page =
        program.send_bytes(post.header("content-encoding", "gzip").header("accept", "text/html"), vec![0x1f]).await;
    assert_eq!((page.status, page.header("accept-encoding")), (415, "identity"));
    assert!(page.text().contains("without compression"), "{}", page.text());
    // A gateway forwards the headers of a request without its body, so `Content-Encoding` is ignored.
    let get = Request::get("/v1/auth").header("content-encoding", "gzip");
    assert_eq!(program.send(get, String::new()).await.status, 401);
}

on_both_engines! {
    /// RFC 9110, section 13.1.2: each resource with an `ETag` evaluates `If-None-Match`.
    async fn what_has_a_tag_is_sent_once(bench: TestServer) {
        let maren = bench.create_user("maren@pelagic.example", false).await;
        let mut draft = bench.draft(bench.project_of(&maren).await, "Reader");
        draft.scopes = vec!["keyward:keys.read".into()];
        let project = draft.project;
        let (key, secret) = bench.app.keys.create_from(&maren, draft).await.expect("a key is made");
        let wish = TokenParameters { life: None, scopes: Some(&["keyward:keys.read"]), target: Target::ByScopes };
        let token = bench.app.tokens.exchange(secret.expose(), None, &wish).await.expect("readable").expect("a token");
        let bearer = format!("Bearer {}", token.access_token);
        let mut program = bench.browser();
        for path in [&format!("/v1/projects/{project}/keys/{}", key.id), "/sdk/v1.js", "/sdk/v1.d.ts", "/.well-known/revoked-tokens"] {
            let get = || Request::get(path).header("authorization", &bearer);
            let first = program.send(get(), String::new()).await;
            let tag = first.header("etag").to_owned();
            assert!(first.status == 200 && tag.contains('"'), "{path}: {} {tag}", first.status);
            let weak = format!("W/{}", tag.trim_start_matches("W/"));
            for known in [&tag, &weak, &format!("\"x\", {weak} ,\"y\""), "*"] {
                let page = program.send(get().header("if-none-match", known), String::new()).await;
                assert_eq!((page.status, page.text(), page.header("etag")), (304, "", tag.as_str()), "{path} {known}");
                assert_eq!(page.header("cache-control"), first.header("cache-control"), "{path}");
            }
            for other in ["\"x\"", "\"x\", \"y\"", tag.trim_matches(['W', '/', '"'])] {
                let page = program.send(get().header("if-none-match", other), String::new()).await;
                assert_eq!((page.status, page.text()), (200, first.text()), "{path} {other}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_choose_nothing_that_is_logged() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let secret: String = crate::support::random::<20>().iter().map(|byte| format!("{byte:02X}")).collect();
    let key = format!("kw_live_{secret}");
    let trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    let port = socket_requests::listen(&bench, Config { trusted_proxies, ..config(URL) }).await;
    let listening = LogCapture::start();
    let long = secret.repeat(100);
    for (what, headers) in [
        (format!("{secret} /login"), vec![HOST.to_owned()]),
        (format!("{long} /v1/auth"), vec![HOST.to_owned()]),
        (format!("GET /{secret}?code={secret}"), vec![HOST.to_owned(), format!("User-Agent: {secret}")]),
        ("GET /login".to_owned(), vec![HOST.to_owned(), format!("X-Request-Id: {key}")]),
        ("GET /login".to_owned(), vec![HOST.to_owned(), format!("X-Request-Id: {}", &long[..64])]),
        ("GET /healthz".to_owned(), vec![HOST.to_owned(), format!("X-Request-Id: {key}")]),
        ("GET /login".to_owned(), vec![format!("Host: {key}")]),
        ("GET /login".to_owned(), vec![format!("Host: {}", &long[..64])]),
        ("GET /login".to_owned(), vec![HOST.to_owned(), format!("X-Forwarded-Host: {key}")]),
    ] {
        let headers: Vec<_> = headers.iter().map(String::as_str).collect();
        socket_requests::send_request(port, &what, &headers, "").await;
    }
    let kept = socket_requests::send_request(
        port,
        "GET /login",
        &[HOST, "X-Request-Id: 0f8fad5b-d9cb-469f-a165-70867728950e"],
        "",
    )
    .await;
    assert_eq!(kept.header("x-request-id"), "0f8fad5b-d9cb-469f-a165-70867728950e");
    let log = String::from_utf8(listening.logged()).expect("text");
    assert!(!log.contains(&secret), "{log}");
    assert!(log.contains("(other)"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_misdirected_request_is_logged_with_its_host_and_the_setting() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let port = socket_requests::listen(&bench, config(URL)).await;
    let listening = LogCapture::start();
    for path in ["/login", "/v1/keys/verify"] {
        assert_eq!(
            socket_requests::send_request(port, &format!("GET {path}"), &["Host: wrong-name.example:8443"], "")
                .await
                .status,
            421
        );
    }
    let log = String::from_utf8(listening.logged()).expect("text");
    let line = log.lines().find(|line| line.contains("wrong-name.example:8443")).unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("WARN") && line.contains("KEYWARD_PUBLIC_URL") && line.contains("127.0.0.1:3000"), "{line}");
}

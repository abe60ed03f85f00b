//! Standard clients: empty client secrets, spellings of ids, the device request limit, resource metadata (RFC 9728),
//! and `security.txt` (RFC 9116).

use crate::support::{
    TestServer, URL, config, database,
    loopback_servers::{RunningServer, bind_free_port},
    oauth::{basic, post},
};
use axum::http::Request;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use keyward::{
    config::Config,
    domain::consent::Authorization,
    service::tokens::{Target, TokenParameters},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const READ: &str = "keyward:keys.read";

fn with_empty_secret(id: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:")))
}

/// Sends a device authorization request over a socket, so that it has a client address.
async fn begin_device(port: u16, client: &str, forwarded: &str) -> String {
    let body = format!("client_id={client}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let request = format!(
        "POST /oauth/device_authorization HTTP/1.1\r\nHost: 127.0.0.1:3000\r\nX-Forwarded-For: {forwarded}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

/// Returns the `resource_metadata` URL of a bearer challenge.
fn resource_metadata(challenge: &str) -> &str {
    challenge.split("resource_metadata=\"").nth(1).and_then(|it| it.split('"').next()).unwrap_or_default()
}

on_both_engines! {
    /// requests-oauthlib and the header style of Go's oauth2 send HTTP Basic with an empty password.
    async fn a_public_client_may_send_an_empty_secret(bench: TestServer) {
        let owner = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        let id = bench.app.consent.register(&owner, project, "Buoy Watch", "https://buoys.example/cb").await.unwrap();
        let client = format!("client:{id}");
        let mut program = bench.browser();
        for spelling in [client.clone(), client.replace(':', "%3A")] {
            let authorization = with_empty_secret(&spelling);
            let page = post(&mut program, "/oauth/device_authorization", &authorization, &[("scope", "data:read")]).await;
            assert_eq!(page.status, 200, "{}", page.text());
            let device_response = page.json();
            let (code, device) = (device_response["user_code"].as_str().unwrap(), device_response["device_code"].as_str().unwrap());
            let asking = bench.app.consent.device_prompt(&owner, code).await.unwrap();
            assert!(matches!(asking, Authorization::Prompt(_)));
            bench.app.consent.decide_device(&owner, code, Some((vec!["data:read".into()], 3_600))).await.unwrap();
            let fields = [("grant_type", DEVICE), ("device_code", device)];
            let token = post(&mut program, "/oauth/token", &authorization, &fields).await.token();
            let revoked = post(&mut program, "/oauth/revoke", &authorization, &[("token", &token)]).await;
            assert_eq!((revoked.status, revoked.text()), (200, ""));
        }
        // A key must authenticate with its secret.
        let made = bench.create_key(&owner, "Gateway").await;
        let page = post(&mut program, "/oauth/token", &with_empty_secret(&format!("key:{}", made.id)), &[("grant_type", "client_credentials")]).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"));
    }

    /// An identifier that is compared with a signed or stored text matches exactly as it was issued.
    async fn an_id_is_written_as_it_was_issued(bench: TestServer) {
        let owner = bench.create_user("maren@pelagic.example", false).await;
        let made = bench.create_key(&owner, "Gateway").await;
        let client = bench.app.consent.register(&owner, made.project, "Buoy Watch", "https://buoys.example/cb").await.unwrap();
        let mut program = bench.browser();
        let token = post(&mut program, "/oauth/token", &basic(&made), &[("grant_type", "client_credentials")]).await.token();
        // The hexadecimal digits of an id may have no letter. Then there is no uppercase form to test.
        let forms = |id: String| {
            let forms = [id.to_uppercase(), id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}")];
            forms.into_iter().filter(move |form| *form != id)
        };
        for id in forms(made.id.to_string()) {
            let fields = [("grant_type", "client_credentials"), ("client_id", &format!("key:{id}")), ("client_secret", &made.secret)];
            let page = post(&mut program, "/oauth/token", "", &fields).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"), "{id}");
            assert_eq!(page.json()["code"], "unknown_client");
        }
        for id in forms(client.to_string()) {
            let page = post(&mut program, "/oauth/device_authorization", "", &[("client_id", &format!("client:{id}"))]).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"), "{id}");
        }
        for id in forms(made.project.to_string()) {
            let resource = ("resource", format!("{URL}/projects/{id}"));
            let fields = [("grant_type", "client_credentials"), (resource.0, resource.1.as_str())];
            assert_eq!(post(&mut program, "/oauth/token", &basic(&made), &fields).await.oauth_error(), "invalid_target", "{id}");
            let id = id.replace('{', "%7B").replace('}', "%7D");
            for path in [format!("/v1/projects/{id}/config"), format!("/pops/{id}/config")] {
                assert_eq!(program.bearer(&path, &token).await.status, 401, "{path}");
            }
            let path = format!("/.well-known/oauth-protected-resource/projects/{id}");
            assert_eq!(program.send(Request::get(&path), String::new()).await.status, 404, "{path}");
        }
        assert_eq!(program.bearer(&format!("/v1/projects/{}/config", made.project), &token).await.status, 200);
    }

    /// One client address cannot use up the device requests of a client, whatever addresses it forwards.
    async fn too_many_requests_of_one_address_get_429(bench: TestServer) {
        let owner = bench.create_user("maren@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        let id = bench.app.consent.register(&owner, project, "Buoy Watch", "https://buoys.example/cb").await.unwrap();
        let (client, (address, listener)) = (format!("client:{id}"), bind_free_port().await);
        let served = RunningServer::start(listener, bench.router.clone());
        for n in 0..20 {
            let answer = begin_device(address.port(), &client, &format!("203.0.113.{n}")).await;
            assert!(answer.starts_with("HTTP/1.1 200"), "{n}: {answer}");
        }
        let answer = begin_device(address.port(), &client, "203.0.113.99").await;
        assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_lowercase().contains("\r\nretry-after: 30"), "{head}");
        assert!(body.contains(r#""error":"temporarily_unavailable""#), "{body}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM device_codes").await, 20);
        bench.clock.advance(30);
        assert!(begin_device(address.port(), &client, "203.0.113.99").await.starts_with("HTTP/1.1 200"));
        served.stop().await;
    }

    /// RFC 9728: a challenge leads to the metadata, to the authorization server, and to an accepted token.
    async fn a_refusal_leads_to_a_token(bench: TestServer) {
        let owner = bench.create_user("maren@pelagic.example", false).await;
        let made = bench.create_key(&owner, "Gateway").await;
        bench.execute_sql(&format!("UPDATE keys SET scopes = '[\"data:read\",\"{READ}\"]' WHERE id = {}", bench.literal(made.id))).await;
        let mut program = bench.browser();
        let project = made.project.to_string();
        let well_known = format!("{URL}/.well-known/oauth-protected-resource");
        for (path, resource, scope) in [
            ("/v1/projects".to_owned(), "/v1".to_owned(), READ),
            (format!("/v1/projects/{project}/keys"), "/v1".into(), READ),
            (format!("/v1/projects/{project}/config"), format!("/projects/{project}"), "data:read"),
            (format!("/pops/{project}/config"), format!("/projects/{project}"), "data:read"),
        ] {
            for token in ["", "a.b.c"] {
                let page = if token.is_empty() { program.get(&path).await } else { program.bearer(&path, token).await };
                let challenge = page.header("www-authenticate");
                assert_eq!((page.status, resource_metadata(challenge)), (401, format!("{well_known}{resource}").as_str()), "{path}: {challenge}");
                assert_eq!(challenge.contains("error=\"invalid_token\""), !token.is_empty(), "{challenge}");
                assert!(challenge.starts_with("Bearer ") && !challenge.contains("  "), "{challenge}");
            }
            let page = program.get(&format!("/.well-known/oauth-protected-resource{resource}")).await;
            assert_eq!((page.status, page.header("access-control-allow-origin")), (200, "*"));
            let metadata = page.json();
            assert_eq!((&metadata["resource"], &metadata["authorization_servers"]), (&json!(format!("{URL}{resource}")), &json!([URL])));
            assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
            let server = program.get("/.well-known/oauth-authorization-server").await.json();
            assert_eq!((&server["issuer"], &server["token_endpoint"]), (&json!(URL), &json!(format!("{URL}/oauth/token"))));
            let fields = [("grant_type", "client_credentials"), ("resource", metadata["resource"].as_str().unwrap()), ("scope", scope)];
            let token = post(&mut program, "/oauth/token", &basic(&made), &fields).await.token();
            assert_eq!(program.bearer(&path, &token).await.status, 200, "{path}");
        }
        // Introspection accepts a bearer token too. Its `resource` is the whole server and restricts nothing.
        let form = Request::post("/oauth/introspect").header("content-type", "application/x-www-form-urlencoded");
        let page = program.send(form.header("authorization", "Bearer x"), "token=x".into()).await;
        assert_eq!((page.status, resource_metadata(page.header("www-authenticate"))), (401, well_known.as_str()));
        let whole: Value = program.get("/.well-known/oauth-protected-resource").await.json();
        assert_eq!(whole["resource"], URL);
        let fields = [("grant_type", "client_credentials"), ("resource", URL), ("scope", "data:read")];
        let token = post(&mut program, "/oauth/token", &basic(&made), &fields).await.token();
        assert_eq!(crate::support::oauth::claims(&token)["aud"], format!("{URL}/projects/{project}"));
        // The gateway's challenge belongs to the upstream API.
        let page = program.send(Request::get("/v1/auth"), String::new()).await;
        assert_eq!((page.status, resource_metadata(page.header("www-authenticate"))), (401, ""));
        let wish = TokenParameters { life: None, scopes: Some(&[READ]), target: Target::ByScopes };
        assert!(bench.app.tokens.exchange(&made.secret, None, &wish).await.unwrap().is_ok());
    }
}

/// RFC 9116: `security.txt` is published if the settings have a contact, and is not found otherwise.
#[tokio::test]
async fn sqlite_a_security_contact_is_published() {
    let folder = tempfile::tempdir().unwrap();
    let location = database(crate::support::Engine::Sqlite, &folder).await;
    let bench = TestServer::on_database(location, folder, URL).await;
    let page = bench.browser().send(Request::get("/.well-known/security.txt"), String::new()).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/plain; charset=utf-8"));
    let fields: Vec<_> = page.text().lines().filter_map(|line| line.split_once(": ")).collect();
    assert_eq!(fields[0], ("Contact", "mailto:security@pelagic.example"));
    assert_eq!(fields[2], ("Canonical", format!("{URL}/.well-known/security.txt").as_str()));
    assert_eq!(fields[1].0, "Expires");
    let expires: jiff::Timestamp = fields[1].1.parse().expect("RFC 3339");
    let ahead = expires.as_second() - keyward::service::clock::Clock::now(&*bench.clock).seconds();
    assert!((1..366 * 86_400).contains(&ahead), "within a year: {ahead}");

    let folder = tempfile::tempdir().unwrap();
    let location = database(crate::support::Engine::Sqlite, &folder).await;
    let bench = TestServer::with_config(location, folder, Config { security_contact: None, ..config(URL) }).await;
    let page = bench.browser().send(Request::get("/.well-known/security.txt"), String::new()).await;
    assert_eq!((page.status, page.json()["code"].as_str()), (404, Some("not_found")));
}

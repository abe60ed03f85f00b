//! Internal failures: the response names the request id, on pages and for programs, and the log has the cause under the
//! same id.

use crate::support::{
    browser::{Browser, Page, form},
    log::LogCapture,
};
use axum::http::Request;

const MAREN: &str = "maren@pelagic.example";

/// Lines of the log that contain the request id of a response.
fn lines_of(log: &LogCapture, page: &Page) -> Vec<String> {
    let id = page.header("x-request-id");
    assert!(id.starts_with("req_"), "{id}");
    let logged = String::from_utf8(log.logged()).expect("text");
    logged.lines().filter(|line| line.contains(id)).map(ToOwned::to_owned).collect()
}

/// Checks that the log has a cause of this failure.
fn assert_logged(log: &LogCapture, page: &Page, cause: &str) {
    let lines = lines_of(log, page);
    let found = lines.iter().any(|line| line.contains("request.failed") && line.contains(cause));
    assert!(found, "no line about {cause}: {lines:#?}");
}

/// The message of a failure on a page.
fn page_message(page: &Page) -> String {
    format!("Something went wrong. Request id {}", page.header("x-request-id"))
}

async fn device_authorization(program: &mut Browser, client: &str) -> Page {
    let request =
        Request::post("/oauth/device_authorization").header("content-type", "application/x-www-form-urlencoded");
    program.send(request, form(&[("client_id", client), ("scope", "data:read")])).await
}

on_both_engines! {
    async fn a_failure_has_one_id_in_the_response_and_in_the_log(bench: TestServer) {
        let log = LogCapture::start();
        let maren = bench.create_user(MAREN, false).await;
        let key = bench.create_key(&maren, "Gateway").await;
        let (mut browser, mut program) = (bench.signed_in(MAREN).await, bench.browser());

        // A form, whose page still works: without JavaScript and in browser navigation.
        bench.execute_sql("ALTER TABLE audit_events RENAME TO audit_events_gone").await;
        let fields = [("name", "Buoys")];
        for page in [browser.post("/projects/new", &fields).await, browser.post_live("/projects/new", &fields).await] {
            assert_eq!(page.status, 500, "{}", page.text());
            assert!(page.text().contains(&page_message(&page)), "{}", page.text());
            assert_logged(&log, &page, "audit_events");
        }
        bench.execute_sql("ALTER TABLE audit_events_gone RENAME TO audit_events").await;

        // A problem document.
        bench.execute_sql("ALTER TABLE signing_keys RENAME TO signing_keys_gone").await;
        let page = program.get("/.well-known/keyward-audit-keys.json").await;
        assert_eq!((page.status, page.problem().as_str()), (500, "internal"));
        assert_eq!(page.json()["request_id"], page.header("x-request-id"));
        assert!(!page.text().contains("signing_keys"), "{}", page.text());
        assert_logged(&log, &page, "signing_keys");
        bench.execute_sql("ALTER TABLE signing_keys_gone RENAME TO signing_keys").await;

        // An OAuth error.
        bench.execute_sql("ALTER TABLE oauth_clients RENAME TO oauth_clients_gone").await;
        let page = device_authorization(&mut program, &format!("client:{}", bench.app.context.new_id())).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (500, "server_error"));
        let description = page.json()["error_description"].as_str().expect("a description").to_owned();
        assert!(description.ends_with(&format!("Request id {}", page.header("x-request-id"))), "{description}");
        assert_logged(&log, &page, "oauth_clients");

        // A page, and a call of an island.
        bench.execute_sql("ALTER TABLE projects RENAME TO projects_gone").await;
        let page = browser.get("/projects").await;
        assert_eq!(page.status, 500);
        assert!(page.text().contains(&page_message(&page)), "{}", page.text());
        assert_logged(&log, &page, "projects");
        let page = browser.call("keys/called", &[("id", &key.id.to_string())]).await;
        assert_eq!(page.status, 500, "{}", page.text());
        assert_eq!(page.json()["message"], page_message(&page).as_str());
        assert_logged(&log, &page, "projects");

        // The fallback page outside of the application.
        bench.execute_sql("ALTER TABLE sessions RENAME TO sessions_gone").await;
        let page = browser.get("/keys").await;
        assert_eq!(page.status, 503);
        let message =
            format!("Your session could not be loaded. Try again in a moment. Request id {}", page.header("x-request-id"));
        assert!(page.text().contains(&message), "{}", page.text());
    }

    /// A refusal has its id in the header only, so that two refusals cannot be told apart by their body.
    async fn a_refusal_does_not_contain_its_id(bench: TestServer) {
        let mut program = bench.browser();
        for (path, status) in [("/v1/nothing", 404), ("/v1/projects", 401), ("/v1/auth", 401)] {
            let page = program.get(path).await;
            assert_eq!(page.status, status, "{path}");
            assert!(page.header("x-request-id").starts_with("req_"), "{path}");
            assert!(page.json().get("request_id").is_none(), "{path}: {}", page.text());
        }
    }

    /// A request has one span, with its route and actor, and one line.
    async fn a_request_has_one_span_and_one_line(bench: TestServer) {
        let log = LogCapture::start();
        let maren = bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let page = browser.get("/projects").await;
        assert_eq!(page.status, 200);
        let lines = lines_of(&log, &page);
        let opened = lines.iter().filter(|line| line.ends_with("keyward_edge::request_span: new")).count();
        assert_eq!(opened, 1, "{lines:#?}");
        let written: Vec<_> = lines.iter().filter(|line| line.contains("keyward_edge::request_span: request")).collect();
        let [line] = written[..] else { panic!("{lines:#?}") };
        for part in ["http.route=\"/projects\"", "http.status=200", &format!("user:{}", maren.user), "micros="] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(lines.iter().any(|line| line.contains("projects.list")), "a use case is in the span: {lines:#?}");
    }

    /// The input of a request that fails is not in the log: neither a password nor an email address.
    async fn a_failure_logs_no_input(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let canary = |kind: &str| format!("{kind}{}", hex::encode(crate::support::random::<12>()));
        let (password, name, code) = (canary("password"), canary("address"), canary("code"));
        let log = LogCapture::start();
        bench.execute_sql("ALTER TABLE users RENAME TO users_gone").await;
        let (email, mut browser) = (format!("{name}@pelagic.example"), bench.browser());
        for page in [
            browser.post(&format!("/login?next=%2Fkeys%3Fcode%3D{code}"), &[("email", &email), ("password", &password)]).await,
            browser.post(&format!("/reset/new?code={code}"), &[("password", &password), ("again", &password)]).await,
            browser.json("/v1/keys/verify", &serde_json::json!({ "key": password, "project": name })).await,
            device_authorization(&mut browser, &code).await,
        ] {
            assert!(page.status >= 400, "{}", page.text());
        }
        let logged = String::from_utf8(log.logged()).expect("text");
        assert!(logged.contains("request.failed"), "{logged}");
        for secret in [&password, &name, &code] {
            assert!(!logged.contains(secret.as_str()), "{secret}: {logged}");
        }
    }
}

//! Account security: password, sessions, second factor and reauthentication.

mod guesses;
mod password_and_sessions;
mod recent_authentication;
mod second_factor;

use crate::support::{
    PASSWORD, TestServer, URL,
    browser::{Browser, Page},
    json_of,
    log::LogCapture,
    test_data::{KeyEdit, KeyForms as _},
    totp::{base32, code, elements},
};
use keyward::{
    domain::{key::Status, sensitive::Password},
    service::{
        Error,
        accounts::{PendingSession, start_session},
        actor::Origin,
    },
    store::sessions::NewSessionRow,
};
use serde_json::{Value, json};
use uuid::Uuid;

const MAREN: &str = "maren@pelagic.example";
const NEW: &str = "the moon pulls at noon";

/// Returns a code that is invalid at this time.
fn wrong_code(secret: &[u8], at: i64) -> String {
    let near: Vec<_> = (-1..=1).map(|step| code(secret, at + 30 * step)).collect();
    (0..).map(|n| format!("{n:06}")).find(|it| !near.contains(it)).unwrap()
}

struct Enrolled {
    secret: Vec<u8>,
    codes: Vec<String>,
}

fn now(bench: &TestServer) -> i64 {
    bench.app.context.now().seconds()
}

/// Moves the clock to the first second of the next TOTP time step (RFC 6238).
fn to_next_step(bench: &TestServer) {
    bench.clock.advance(30 - now(bench).rem_euclid(30));
}

/// Enrolls the second factor as the page does.
async fn enroll(bench: &TestServer, browser: &mut Browser) -> Enrolled {
    let page = browser.get("/settings/security/second-factor").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let secret = base32(&elements(&page, "code")[0]);
    assert_eq!(secret.len(), 20);
    let fields = [("sealed", page.input("sealed")), ("one_time_code", &code(&secret, now(bench)))];
    let page = browser.post("/settings/security/second-factor", &fields).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.text().contains("Two-factor authentication is on."), "{}", page.text());
    let codes = elements(&page, "code");
    assert_eq!(codes.len(), 10, "{codes:?}");
    to_next_step(bench);
    Enrolled { secret, codes }
}

/// Returns a browser with a correct password and a pending second factor.
async fn pending(bench: &TestServer) -> Browser {
    let mut browser = bench.browser();
    let page = browser.post("/login", &[("email", MAREN), ("password", PASSWORD)]).await;
    assert_eq!((page.status, page.location()), (303, "/login/code"), "{}", page.text());
    browser
}

async fn send_code(browser: &mut Browser, code: &str) -> Page {
    browser.post("/login/code", &[("one_time_code", code)]).await
}

/// Returns the actions of all events, except those of user and project creation.
async fn actions(bench: &TestServer) -> Vec<String> {
    bench
        .query_texts(
            "SELECT action FROM audit_events WHERE action NOT IN ('user.created', 'project.created') ORDER BY seq",
        )
        .await
}

async fn last_event_detail(bench: &TestServer, action: &str) -> Value {
    let texts =
        bench.query_texts(&format!("SELECT detail FROM audit_events WHERE action = '{action}' ORDER BY seq")).await;
    serde_json::from_str(texts.last().unwrap_or_else(|| panic!("no {action}"))).expect("JSON")
}

async fn new_key(bench: &TestServer, browser: &mut Browser, name: &str) -> Vec<(&'static str, String)> {
    let email = browser.account().await.expect("signed in").email;
    let project = bench.project_of(&bench.caller(&email).await).await.to_string();
    let number = bench.app.context.new_id().to_string();
    vec![
        ("number", number),
        ("project", project),
        ("name", name.to_owned()),
        ("expires", "never".into()),
        ("issued_to", "Harbour office".into()),
        ("scopes[]", "data:read".into()),
    ]
}

fn with_fields<'a>(fields: &'a [(&'static str, String)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    fields.iter().map(|(name, value)| (*name, value.as_str())).chain(more.iter().copied()).collect()
}

async fn keys(bench: &TestServer) -> i64 {
    bench.query_number("SELECT COUNT(*) FROM keys").await
}

/// Returns the complete tag of the reauthentication field.
fn reauth_field(page: &Page) -> Option<&str> {
    let inputs = page.text().split("<input").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
    inputs.into_iter().find(|tag| tag.contains("name=\"proof\""))
}

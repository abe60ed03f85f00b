//! Account security: password, sessions, second factor and reauthentication.

use crate::support::{
    PASSWORD, TestServer, URL,
    browser::{Browser, Page},
    json_of,
    log::LogCapture,
    totp::{base32, code, elements},
};
use keyward::{
    domain::{key::Status, sensitive::Password},
    service::{
        Error,
        accounts::{PendingSession, start_session},
        actor::Origin,
        keys::KeyEdit,
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

on_both_engines! {
    /// Enrollment, and sign-in with a code after the password. Each code works once.
    async fn a_code_after_the_password(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let page = browser.get("/settings/security").await;
        assert!(page.text().contains("Authenticator app") && !page.text().contains("Required by the policy."), "{}", page.text());
        to_next_step(&bench);

        // After a wrong code the page shows the same secret.
        let page = browser.get("/settings/security/second-factor").await;
        let text = elements(&page, "code")[0].clone();
        let secret = base32(&text);
        assert!(page.text().contains("<svg") && page.text().contains("h7v1h-7z") && !page.text().contains("style="), "{}", page.text());
        let wrong = wrong_code(&secret, now(&bench));
        let refused = browser
            .post("/settings/security/second-factor", &[("sealed", page.input("sealed")), ("one_time_code", &wrong)])
            .await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(elements(&refused, "code")[0], text);
        assert!(!refused.text().contains(&wrong), "it is not drawn again");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM second_factors").await, 0, "nothing is stored before a code has confirmed it");

        // Each GET of the page shows a new secret.
        assert_ne!(elements(&browser.get("/settings/security/second-factor").await, "code")[0], text);
        // Another user cannot use this user's enrollment form.
        bench.create_user("jonas@pelagic.example", false).await;
        let mut jonas = bench.signed_in("jonas@pelagic.example").await;
        let stolen = [("sealed", refused.input("sealed")), ("one_time_code", &*code(&secret, now(&bench)))];
        assert_eq!(jonas.post("/settings/security/second-factor", &stolen).await.status, 422);

        let fields = [("sealed", refused.input("sealed")), ("one_time_code", &*code(&secret, now(&bench)))];
        let page = browser.post("/settings/security/second-factor", &fields).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(browser.post("/settings/security/second-factor", &fields).await.location(), "/settings/security", "once");
        let page = browser.get("/settings/security/second-factor").await;
        assert_eq!((page.status, page.location()), (303, "/settings/security"));
        let page = browser.get("/settings/security").await;
        assert!(page.text().contains("Turn off") && page.text().contains("10 codes left."), "{}", page.text());

        // The code page follows a correct password only.
        let mut other = bench.browser();
        let page = other.post("/login", &[("email", MAREN), ("password", "not the tide at all")]).await;
        assert_eq!(page.status, 422);
        let page = other.post("/login?next=%2Fsettings%2Fsecurity", &[("email", MAREN), ("password", PASSWORD)]).await;
        assert_eq!((page.status, page.location()), (303, "/login/code?next=%2Fsettings%2Fsecurity"));
        assert_eq!(bench.events("session.started").await, 2, "not before the code");
        let page = other.get("/login/code?next=%2Fsettings%2Fsecurity").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("action=\"/login/code?next="), "{}", page.text());

        // The code of the enrollment cannot be used again.
        let used = code(&secret, now(&bench));
        let page = send_code(&mut other, &used).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert!(page.text().contains("wrong or was already used") && !page.text().contains(&used), "{}", page.text());
        assert_eq!(send_code(&mut other, " ").await.status, 422);
        bench.clock.advance(30);
        let next = code(&secret, now(&bench));
        let page = other
            .post("/login/code?next=%2Fsettings%2Fsecurity", &[("one_time_code", &format!("{} {}", &next[..3], &next[3..]))])
            .await;
        assert_eq!((page.status, page.location()), (303, "/settings/security"), "{}", page.text());
        assert_eq!(other.get("/keys").await.status, 200);
        assert_eq!(last_event_detail(&bench, "session.started").await, json!({"by": "code"}));

        // The last code does not work in another browser either, nor does the earlier one.
        let mut third = pending(&bench).await;
        assert_eq!(send_code(&mut third, &next).await.status, 422);
        assert_eq!(send_code(&mut third, &used).await.status, 422);
        assert_eq!(third.get("/keys").await.status, 303);
        assert_eq!(bench.events("second_factor.refused").await, 3);
        assert_eq!(bench.events("second_factor.enrolled").await, 1);
    }

    /// A clock may differ by one time step, and no more.
    async fn one_step_of_skew(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        bench.clock.advance(300);
        for (off, taken) in [(-60, false), (60, false), (-30, true), (0, true), (30, true)] {
            let mut browser = pending(&bench).await;
            let page = send_code(&mut browser, &code(&secret, now(&bench) + off)).await;
            assert_eq!(page.status, if taken { 303 } else { 422 }, "{off}: {}", page.text());
        }
    }

    /// A session with a pending second factor has no permissions.
    async fn a_sign_in_that_waits_opens_nothing(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let mut first = bench.signed_in(MAREN).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut first).await;
        let mut browser = pending(&bench).await;
        for path in ["/keys", "/keys/new", "/projects", "/settings/security", "/settings/security/second-factor", "/settings/account", "/confirm"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 303, "{path}");
            assert!(page.location().starts_with("/login"), "{path}: {}", page.location());
        }
        assert_eq!(browser.get("/login/code").await.status, 200, "it waits for the code");
        for path in ["/settings/security/second-factor/off", "/settings/security/recovery-codes", "/confirm"] {
            let page = browser.post(path, &[("proof", PASSWORD)]).await;
            assert_eq!(page.status, 303, "{path}: without a user no proof is checked");
            assert!(page.location().starts_with("/login?next="), "{path}: {}", page.location());
        }
        for function in ["keys/called", "keys/say_expiry", "keys/say_not_before"] {
            assert_eq!(browser.call(function, &[("id", &maren.user.to_string())]).await.status, 401, "{function}");
        }
        assert_eq!(bench.events("step_up.passed").await + bench.events("step_up.refused").await, 0);
        // A pending session is not in the list of sessions, and lasts ten minutes.
        assert_eq!(bench.app.accounts.security(&maren, None).await.unwrap().sessions.len(), 1);
        bench.clock.advance(599);
        assert_eq!(browser.get("/login/code").await.status, 200);
        bench.clock.advance(1);
        assert_eq!(browser.get("/login/code").await.location(), "/login");
        let page = send_code(&mut browser, &code(&secret, now(&bench))).await;
        assert_eq!((page.status, page.location()), (303, "/login"));
        assert_eq!(bench.events("session.started").await, 1);

        // The pending session's id is invalid after sign-in.
        let mut browser = pending(&bench).await;
        let before = browser.cookie.clone();
        assert_eq!(send_code(&mut browser, &code(&secret, now(&bench))).await.status, 303);
        assert_ne!(browser.cookie, before, "a new id");
        let mut thief = bench.browser();
        thief.cookie = before;
        assert_eq!(thief.get("/keys").await.status, 303);
        assert_eq!(thief.get("/login/code").await.status, 303);
    }

    /// Each recovery code works once, also in concurrent requests. New codes replace all old ones.
    async fn recovery_codes(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut first = bench.signed_in(MAREN).await;
        let Enrolled { codes, .. } = enroll(&bench, &mut first).await;
        let mut browser = pending(&bench).await;
        assert_eq!(send_code(&mut browser, &codes[0].to_uppercase().replace('-', " ")).await.status, 303);
        assert_eq!(last_event_detail(&bench, "session.started").await, json!({"by": "recovery_code", "codes_left": 9}));
        let mut again = pending(&bench).await;
        assert_eq!(send_code(&mut again, &codes[0]).await.status, 422);

        let (mut one, mut two) = (pending(&bench).await, pending(&bench).await);
        let (one, two) = futures::join!(send_code(&mut one, &codes[1]), send_code(&mut two, &codes[1]));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422], "one wins");

        let page = first.post("/settings/security/recovery-codes", &[]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(page.header("cache-control"), "no-store");
        for script in page.text().split("<script").skip(1).map(|it| it.split("</script>").next().unwrap_or_default()) {
            assert!(!script.contains(" src=") && !script.contains("import("), "nothing may read them afterwards: {script}");
        }
        let fresh = elements(&page, "code");
        assert_eq!(fresh.len(), 10);
        assert!(fresh.iter().all(|it| !codes.contains(it)));
        assert!(!first.get("/settings/security/recovery-codes").await.text().contains(&fresh[0]), "shown once");
        assert_eq!(send_code(&mut again, &codes[2]).await.status, 422, "the old ones are worth nothing");
        assert_eq!(send_code(&mut again, &fresh[2]).await.status, 303);
        assert_eq!(bench.events("recovery_codes.made").await, 1);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM recovery_codes").await, 10);
    }

    /// Codes are throttled like passwords: for each client address, and by a limit for all addresses together.
    async fn codes_that_are_guessed(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let accounts = &bench.app.accounts;
        let from = |last: u8| Origin { ip: Some([203, 0, 113, last].into()), ..Origin::default() };
        let (wrong, right) = (Password::new(wrong_code(&secret, now(&bench))), Password::new(code(&secret, now(&bench))));
        for _ in 0..5 {
            assert!(matches!(accounts.sign_in_code(maren.user, &wrong, &from(1)).await, Err(Error::Invalid(_))));
        }
        let paused = accounts.sign_in_code(maren.user, &right, &from(1)).await;
        assert!(matches!(paused, Err(Error::Paused { seconds: 60 })), "{paused:?}");
        // The correct password does not lift the limit. Another address, which has no failed attempt, can sign in.
        assert!(accounts.sign_in(MAREN, &Password::new(PASSWORD.into()), &from(1)).await.is_ok());
        assert!(matches!(accounts.sign_in_code(maren.user, &right, &from(1)).await, Err(Error::Paused { .. })));
        accounts.sign_in_code(maren.user, &right, &from(2)).await.expect("another address");
        bench.clock.advance(60);
        let right = Password::new(code(&secret, now(&bench)));
        accounts.sign_in_code(maren.user, &right, &from(1)).await.expect("a minute later");
        assert_eq!(bench.events("second_factor.refused").await, 5);
    }

    /// An attacker with only the password cannot block the owner's sign-in from a known address, nor any action within
    /// a session, and gains no additional guesses.
    async fn codes_that_are_guessed_do_not_keep_the_owner_out(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let accounts = &bench.app.accounts;
        let from = |last: u8| Origin { ip: Some([203, 0, 113, last].into()), ..Origin::default() };
        let (password, right) = (Password::new(PASSWORD.into()), || Password::new(code(&secret, now(&bench))));
        accounts.sign_in_code(maren.user, &right(), &from(1)).await.expect("the owner's address is known");
        to_next_step(&bench);
        let wrong = Password::new(wrong_code(&secret, now(&bench)));
        // With the correct password each time, which does not make an address known.
        for last in 100..120 {
            assert!(accounts.sign_in(MAREN, &password, &from(last)).await.unwrap().requires_code);
            assert!(matches!(accounts.sign_in_code(maren.user, &wrong, &from(last)).await, Err(Error::Invalid(_))));
        }
        assert!(accounts.sign_in(MAREN, &password, &from(120)).await.is_ok());
        let refused = accounts.sign_in_code(maren.user, &wrong, &from(120)).await;
        assert!(matches!(refused, Err(Error::Paused { seconds: 60 })), "one count for all of them: {refused:?}");

        accounts.sign_in_code(maren.user, &right(), &from(1)).await.expect("from the known address");
        to_next_step(&bench);
        // A session at a new address.
        let caller = keyward::service::actor::Caller { origin: from(2), ..maren };
        assert!(accounts.reauthenticate(&caller, &right()).await.unwrap());
        accounts.change_password(&caller, &password, &Password::new(NEW.into()), [0; 32]).await.expect("it is changed");
        assert_eq!(bench.events("second_factor.refused").await, 20);
    }

    /// A password change ends the other sessions from their next request.
    async fn changing_the_password(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let jonas = bench.create_user("jonas@pelagic.example", false).await;
        let (mut here, mut there) = (bench.signed_in(MAREN).await, bench.signed_in(MAREN).await);
        let mut jonas_there = bench.signed_in("jonas@pelagic.example").await;
        assert_eq!(there.get("/keys").await.status, 200);
        let hashes = bench.query_texts("SELECT password_hash FROM users ORDER BY email").await;
        let path = "/settings/security/password";
        for (current, new, field) in [
            (PASSWORD, "short", "new_password"),
            (PASSWORD, "maren@pelagic.example", "new_password"),
            (PASSWORD, PASSWORD, "new_password"),
            ("", NEW, "password"),
            ("not the tide at all", NEW, "password"),
        ] {
            let page = here.post(path, &[("password", current), ("new_password", new)]).await;
            assert_eq!(page.status, 422, "{new}: {}", page.text());
            assert!(page.text().contains(&format!("id=\"{field}-error\"")), "{new}: {}", page.text());
            assert!(!page.text().contains(NEW) && !page.text().contains(PASSWORD), "never drawn again");
        }
        assert_eq!(bench.query_texts("SELECT password_hash FROM users ORDER BY email").await, hashes);
        assert_eq!(bench.events("password.refused").await, 1);
        assert_eq!(there.get("/keys").await.status, 200);

        let page = here.post(path, &[("password", PASSWORD), ("new_password", NEW)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=password"), "{}", page.text());
        assert_eq!(here.get("/keys").await.status, 200);
        let page = there.get("/keys").await;
        assert_eq!((page.status, page.location()), (303, "/login"), "at the next request");
        assert_eq!(jonas_there.get("/keys").await.status, 200, "others' sessions are not touched");
        assert_eq!(last_event_detail(&bench, "password.changed").await, json!({"sessions_ended": 1}));
        let mut anew = bench.browser();
        assert_eq!(anew.post("/login", &[("email", MAREN), ("password", PASSWORD)]).await.status, 422);
        assert_eq!(anew.post("/login", &[("email", MAREN), ("password", NEW)]).await.status, 303);

        // A sign-in with a pending second factor ends too.
        let Enrolled { secret, .. } = enroll(&bench, &mut here).await;
        let mut waits = bench.browser();
        assert_eq!(waits.post("/login", &[("email", MAREN), ("password", NEW)]).await.location(), "/login/code");
        assert_eq!(here.post(path, &[("password", NEW), ("new_password", PASSWORD)]).await.status, 303);
        assert_eq!(send_code(&mut waits, &code(&secret, now(&bench))).await.location(), "/login");

        // Attempts are throttled like sign-in.
        let origin = Origin { ip: Some([203, 0, 113, 7].into()), ..Origin::default() };
        let from = keyward::service::actor::Caller { origin, ..maren };
        let (wrong, right, new) = (Password::new("not the tide".into()), Password::new(PASSWORD.into()), Password::new(NEW.into()));
        for _ in 0..5 {
            let refused = bench.app.accounts.change_password(&from, &wrong, &new, [0; 32]).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
        let paused = bench.app.accounts.change_password(&from, &right, &new, [0; 32]).await;
        assert!(matches!(paused, Err(Error::Paused { .. })), "{paused:?}");

        // A user of an OpenID Connect provider has no password.
        bench.execute_sql(&format!("UPDATE users SET password_hash = '' WHERE id = {}", bench.literal(jonas.user))).await;
        let page = jonas_there.get("/settings/security").await;
        assert!(page.text().contains("Your account has no password") && !page.text().contains("name=\"new_password\""), "{}", page.text());
        assert_eq!(jonas_there.post(path, &[("password", PASSWORD), ("new_password", NEW)]).await.status, 409);
        assert_eq!(jonas_there.post("/settings/security/second-factor", &[("sealed", ""), ("one_time_code", "123456")]).await.status, 403);
        let mut anonymous = bench.browser();
        for password in ["", PASSWORD] {
            assert_eq!(anonymous.post("/login", &[("email", "jonas@pelagic.example"), ("password", password)]).await.status, 422);
        }
    }

    /// A user sees their sessions, and can end their own only.
    async fn sessions(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        bench.create_user("jonas@pelagic.example", false).await;
        let mut there = bench.browser();
        let login = axum::http::Request::post("/login")
            .header("origin", URL)
            .header("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0")
            .header("content-type", "application/x-www-form-urlencoded");
        let page = there.send(login, crate::support::browser::form(&[("email", MAREN), ("password", PASSWORD)])).await;
        assert_eq!(page.status, 303);
        bench.clock.advance(3_600);
        let mut here = bench.signed_in(MAREN).await;
        let mut jonas = bench.signed_in("jonas@pelagic.example").await;
        bench.clock.advance(600);
        here.get("/keys").await;
        let page = json_of(&bench.app.accounts.security(&maren, Some(here.session_digest())).await.unwrap());
        let list = page["sessions"].as_array().expect("sessions");
        assert_eq!(list.len(), 2);
        assert_eq!((&list[0]["here"], &list[1]["here"]), (&json!(true), &json!(false)));
        assert_eq!(list[1]["device"], "Firefox on Windows");
        let micros = |value: &Value| value["at"].as_i64().expect("an instant") / 1_000_000;
        assert_eq!(micros(&list[0]["seen"]), now(&bench));
        assert_eq!((micros(&list[1]["since"]), micros(&list[1]["seen"])), (now(&bench) - 4_200, now(&bench) - 4_200));
        let handle = list[1]["handle"].as_str().unwrap().to_owned();
        assert!(there.cookie.as_deref().is_some_and(|cookie| !cookie.contains(&handle)), "the digest, not the id");
        let shown = here.get("/settings/security").await;
        assert!(shown.text().contains("Firefox on Windows") && shown.text().contains("This session"), "{}", shown.text());

        // Another user's session gets the same response as an unknown one.
        let random = hex::encode(crate::support::random::<32>());
        let theirs = jonas.post("/settings/security/session", &[("session", &handle)]).await;
        let none = jonas.post("/settings/security/session", &[("session", &random)]).await;
        assert_eq!((theirs.status, none.status), (404, 404));
        assert_eq!(theirs.masked(&[&handle]), none.masked(&[&random]));
        for bad in ["", "zz", "00", &handle[..62]] {
            assert_eq!(jonas.post("/settings/security/session", &[("session", bad)]).await.status, 404, "{bad}");
        }
        assert_eq!(there.get("/keys").await.status, 200);
        assert_eq!(bench.events("session.ended").await, 0);

        let page = here.post("/settings/security/session", &[("session", &handle)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=ended"), "{}", page.text());
        assert_eq!(there.get("/keys").await.status, 303);
        assert_eq!(last_event_detail(&bench, "session.ended").await["device"], "Firefox on Windows");
        assert_eq!(here.post("/settings/security/session", &[("session", &handle)]).await.status, 404, "it is gone");

        let (mut one, mut two) = (bench.signed_in(MAREN).await, bench.signed_in(MAREN).await);
        let page = here.post("/settings/security/sessions", &[]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=others"));
        assert_eq!((one.get("/keys").await.status, two.get("/keys").await.status), (303, 303));
        assert_eq!((here.get("/keys").await.status, jonas.get("/keys").await.status), (200, 200));
        assert_eq!(last_event_detail(&bench, "sessions.ended").await, json!({"ended": 2}));
        let mut anonymous = bench.browser();
        for path in ["", "/session", "/sessions", "/password", "/second-factor"] {
            let path = format!("/settings/security{path}");
            let page = anonymous.get(&path).await;
            assert!(page.status == 303 && page.location().starts_with("/login"), "{path}: {}", page.status);
            if path != "/settings/security" {
                let fields = [("session", handle.as_str()), ("password", "x"), ("new_password", "y"), ("one_time_code", "1")];
                let page = anonymous.post(&path, &fields).await;
                assert!(page.status == 303 && page.location().starts_with("/login"), "{path}: {}", page.status);
            }
        }
    }

    /// The password hash takes long to compute. If the password has changed or the user was disabled meanwhile, the
    /// sign-in starts no session.
    async fn a_sign_in_under_way_does_not_outlive_its_password(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (app, origin) = (&bench.app, Origin::default());
        let row = |compared: &PendingSession| NewSessionRow {
            digest: crate::support::random(),
            user_id: compared.user.into(),
            data: "{}".into(),
            agent: None,
            ip: None,
            pending: false,
            created_at: 0,
            expires_at: i64::MAX,
        };
        let right = Password::new(PASSWORD.to_owned());
        let before = app.accounts.sign_in(MAREN, &right, &origin).await.unwrap().pending_session;
        assert!(start_session(&bench.app.context, row(&before), before.verified_password.clone()).await.unwrap());
        let other = Password::new("the ebb turns at ten".to_owned());
        app.accounts.change_password(&maren, &right, &other, crate::support::random()).await.unwrap();
        let late = start_session(&bench.app.context, row(&before), before.verified_password.clone()).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
        let after = app.accounts.sign_in(MAREN, &other, &origin).await.unwrap().pending_session;
        bench.execute_sql("UPDATE users SET active = NOT active").await;
        let disabled = start_session(&bench.app.context, row(&after), after.verified_password.clone()).await;
        assert!(matches!(disabled, Err(Error::Conflict(_))), "{disabled:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    /// The account changes between the password and the code: the page reports it, and no error is logged.
    async fn a_code_after_the_password_changed_starts_no_session(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let enrolled = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let mut late = pending(&bench).await;
        bench.execute_sql("UPDATE users SET password_hash = password_hash || ' '").await;
        let log = LogCapture::start();
        let page = send_code(&mut late, &code(&enrolled.secret, now(&bench))).await;
        assert_eq!(page.status, 409, "{}", page.text());
        assert!(page.text().contains("Your account was changed during the sign-in. Sign in again."), "{}", page.text());
        let logged = String::from_utf8_lossy(&log.logged()).into_owned();
        assert!(!logged.contains("request.failed") && !logged.contains("database.failed"), "{logged}");
        assert!(!late.cookie.as_deref().unwrap_or_default().contains("keyward="), "{:?}", late.cookie);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 1, "that of the browser that set the code up");
    }

    /// Creating a key without expiry requires recent authentication: in a form, with and without scripts, and in an
    /// edit. 15:00 minutes are recent, 15:01 are not.
    async fn reauthentication_in_the_form(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(15 * 60);
        let fields = new_key(&bench, &mut browser, "At 15:00").await;
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);
        bench.clock.advance(1);
        assert_eq!(keys(&bench).await, 1);

        let fields = new_key(&bench, &mut browser, "At 15:01").await;
        for live in [false, true] {
            let page = if live { browser.post_live("/keys/new", &with_fields(&fields, &[])).await } else { browser.post("/keys/new", &with_fields(&fields, &[])).await };
            assert_eq!(page.status, 403, "{}", page.text());
            assert_eq!(page.input("name"), "At 15:01", "what was typed is still there");
            assert_eq!(page.input("issued_to"), "Harbour office");
            let field = reauth_field(&page).expect("a field for the proof");
            assert!(field.contains("type=\"password\"") && field.contains("autofocus") && !field.contains("value="), "{field}");
            assert_eq!(page.text().matches("name=\"proof\"").count(), 1);
            assert!(page.text().contains("Confirm your password"), "{}", page.text());
        }
        assert_eq!(keys(&bench).await, 1, "nothing was made");
        // A key with an expiry does not require it.
        let mut expires = new_key(&bench, &mut browser, "Expires").await;
        expires[3].1 = "30d".into();
        assert_eq!(browser.post("/keys/new", &with_fields(&expires, &[])).await.status, 200);

        // A wrong password.
        let page = browser.post("/keys/new", &with_fields(&fields, &[("proof", "not the tide at all")])).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("Wrong password or code.") && page.text().contains("id=\"proof-error\""), "{}", page.text());
        assert!(!page.text().contains("not the tide at all"));
        assert_eq!(page.input("name"), "At 15:01");
        assert_eq!(page.text().matches("name=\"proof\"").count(), 1);
        assert_eq!((keys(&bench).await, bench.events("step_up.refused").await, bench.events("step_up.passed").await), (2, 1, 0));

        // The correct password: the form succeeds, and the next one does not require it again.
        let page = browser.post("/keys/new", &with_fields(&fields, &[("proof", PASSWORD)])).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("Save this key now") && !page.text().contains(PASSWORD), "{}", page.text());
        assert_eq!(last_event_detail(&bench, "step_up.passed").await, json!({"by": "password"}));
        let fields = new_key(&bench, &mut browser, "Soon after").await;
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);
        assert_eq!(keys(&bench).await, 4);
        // Reauthentication applies to one session. The user's other sessions are unchanged.
        let mut other = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let fields = new_key(&bench, &mut other, "Elsewhere").await;
        let mut proves = browser;
        assert_eq!(proves.post("/confirm", &[("proof", PASSWORD)]).await.status, 303);
        assert_eq!(other.post("/keys/new", &with_fields(&fields, &[])).await.status, 403);
        assert_eq!(proves.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);

        // An edit that removes the expiry requires it. An edit that keeps the expiry does not.
        let made = bench.create_key(&maren, "Edited").await;
        let version = |updated: i64| updated.to_string();
        let row = bench.key_row(made.id).await.unwrap();
        let (id, at) = (made.id.to_string(), version(row.updated_at));
        let edit = |name: &'static str, expires: &'static str, at: &str| {
            vec![("id", id.clone()), ("version", at.to_owned()), ("name", name.to_owned()), ("expires", expires.to_owned()), ("scopes[]", "data:read".into())]
        };
        let path = format!("/keys/{id}/edit");
        let page = other.post(&path, &with_fields(&edit("Edited", "never", &at), &[])).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(reauth_field(&page).is_some());
        assert_eq!(bench.key_row(made.id).await.unwrap().expires_at, row.expires_at);
        let page = other.post(&path, &with_fields(&edit("Edited", "never", &at), &[("proof", PASSWORD)])).await;
        assert_eq!(page.status, 303, "{}", page.text());
        let after = bench.key_row(made.id).await.unwrap();
        assert_eq!(after.expires_at, None);
        bench.clock.advance(901);
        for expires in ["keep", "never"] {
            let at = version(bench.key_row(made.id).await.unwrap().updated_at);
            let page = other.post(&path, &with_fields(&edit("Renamed", expires, &at), &[])).await;
            assert_eq!(page.status, 303, "{expires}: {}", page.text());
        }
        // The service requires it too, but not at the command line.
        let stale = keyward::service::actor::Caller { authenticated_at: maren.authenticated_at, ..maren.clone() };
        let mut draft = bench.draft(made.project, "By the service");
        draft.expires = "never".into();
        assert!(matches!(bench.app.keys.create(&stale, draft).await, Err(Error::ReauthenticationRequired)));
        let refused = bench.app.keys.edit(&stale, made.id, KeyEdit {
            version: bench.key_row(made.id).await.unwrap().updated_at, name: "x".into(), expires: "keep".into(), expires_on: String::new(),
            scopes: vec![], issued_to: String::new(), restrictions: Default::default(),
        }).await;
        assert!(refused.is_ok_and(|key| key.status == Status::Active));
    }

    /// Reauthentication attempts are throttled. The browser tests cover the text of the pages.
    async fn proofs_that_are_guessed(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let accounts = &bench.app.accounts;
        let origin = Origin { ip: Some([203, 0, 113, 7].into()), ..Origin::default() };
        let caller = keyward::service::actor::Caller { origin, ..maren };
        let (wrong, right) = (Password::new("not the tide at all".into()), Password::new(PASSWORD.into()));
        for _ in 0..5 {
            assert!(!accounts.reauthenticate(&caller, &wrong).await.unwrap());
        }
        let paused = accounts.reauthenticate(&caller, &right).await;
        assert!(matches!(paused, Err(Error::Paused { seconds: 60 })), "{paused:?}");
        bench.clock.advance(60);
        assert!(accounts.reauthenticate(&caller, &right).await.unwrap());
        assert_eq!((bench.events("step_up.refused").await, bench.events("step_up.passed").await), (5, 1));
        assert_eq!(bench.query_texts("SELECT DISTINCT ip FROM audit_events WHERE action = 'step_up.refused'").await, ["203.0.113.7"]);
    }

    /// A user with a second factor reauthenticates with a code. The password is not accepted.
    async fn reauthentication_by_second_factor(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let Enrolled { secret, codes } = enroll(&bench, &mut browser).await;
        bench.clock.advance(901);
        let page = browser.post("/settings/security/second-factor/off", &[]).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("Confirm with a code from your authenticator app"), "{}", page.text());
        assert!(reauth_field(&page).is_some_and(|field| field.contains("type=\"text\"") && field.contains("one-time-code")));
        for path in ["/settings/security/second-factor/off", "/settings/security/recovery-codes"] {
            for wrong in [PASSWORD, &wrong_code(&secret, now(&bench))] {
                let page = browser.post(path, &[("proof", wrong)]).await;
                assert_eq!(page.status, 403, "{path}: {}", page.text());
                assert!(!page.text().contains(wrong), "{path}");
            }
        }
        for path in ["/settings/security/second-factor/off", "/settings/security/recovery-codes"] {
            let page = browser.post(path, &[]).await;
            assert!(page.status == 403 && reauth_field(&page).is_some(), "{path}: {} {}", page.status, page.text());
        }
        let page = browser.post("/settings/security/recovery-codes", &[("proof", &codes[3])]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(last_event_detail(&bench, "step_up.passed").await, json!({"by": "recovery_code", "codes_left": 9}));
        bench.clock.advance(901);
        let right = code(&secret, now(&bench));
        let page = browser.post("/confirm?next=%2Fsettings%2Fsecurity", &[("proof", &right)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security"), "{}", page.text());
        assert_eq!(browser.post("/confirm", &[("proof", &right)]).await.status, 403, "once");
        let page = browser.post("/settings/security/second-factor/off", &[]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=off"), "{}", page.text());
        assert_eq!(bench.query_number("SELECT (SELECT COUNT(*) FROM second_factors) + (SELECT COUNT(*) FROM recovery_codes)").await, 0);
        assert_eq!(browser.post("/settings/security/second-factor/off", &[]).await.status, 409);
        assert_eq!(browser.post("/settings/security/recovery-codes", &[]).await.status, 409);
        let done = actions(&bench).await;
        assert_eq!(done.last().map(String::as_str), Some("second_factor.removed"), "{done:?}");
        // After that, sign-in needs the password only.
        bench.signed_in(MAREN).await;
    }

    /// The reauthentication page, for links to protected pages. It redirects to a local path only.
    async fn the_reauthentication_page(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let page = browser.get("/confirm?next=%2Fprojects").await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("action=\"/confirm?next="), "{}", page.text());
        let page = browser.post("/confirm?next=%2Fprojects", &[("proof", "")]).await;
        assert_eq!(page.status, 403);
        let page = browser.post("/confirm?next=%2Fprojects", &[("proof", "not the tide at all")]).await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains("Wrong password or code.") && page.text().contains("action=\"/confirm?next="), "{}", page.text());
        assert_eq!(page.text().matches("name=\"proof\"").count(), 1);
        let page = browser.post("/confirm?next=%2Fprojects", &[("proof", PASSWORD)]).await;
        assert_eq!((page.status, page.location()), (303, "/projects"));
        for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", ""] {
            let page = browser.post(&format!("/confirm?next={elsewhere}"), &[("proof", PASSWORD)]).await;
            assert_eq!((page.status, page.location()), (303, "/keys"), "{elsewhere}");
        }
        let fields = new_key(&bench, &mut browser, "Proved").await;
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);
        let page = bench.browser().post("/confirm?next=%2Fprojects", &[("proof", PASSWORD)]).await;
        assert_eq!(page.status, 303);
        assert!(page.location().starts_with("/login"), "{}", page.location());
        // A user with neither a password nor a second factor must sign in again.
        let jonas = bench.create_user("jonas@pelagic.example", false).await;
        let mut browser = bench.signed_in("jonas@pelagic.example").await;
        bench.execute_sql(&format!("UPDATE users SET password_hash = '' WHERE id = {}", bench.literal(jonas.user))).await;
        bench.clock.advance(901);
        assert!(browser.get("/confirm").await.text().contains("Sign out, sign in again"));
        let fields = new_key(&bench, &mut browser, "Elsewhere").await;
        let page = browser.post("/keys/new", &with_fields(&fields, &[("proof", "")])).await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains("Sign out, sign in again") && reauth_field(&page).is_none(), "{}", page.text());
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[("proof", PASSWORD)])).await.status, 403);
    }

    /// If the policy requires a second factor, users can do nothing else before enrollment.
    async fn the_policy_leads_to_the_second_factor(bench: TestServer) {
        let root = bench.create_user("root@keys.example", true).await;
        bench.create_user(MAREN, false).await;
        let key = bench.create_key(&root, "Gateway").await;
        bench.execute_sql("UPDATE policy SET second_factor = 'administrators'").await;
        let mut maren = bench.signed_in(MAREN).await;
        assert_eq!(maren.get("/keys").await.status, 200, "not of everybody");
        let mut browser = bench.browser();
        let page = browser.post("/login", &[("email", "root@keys.example"), ("password", PASSWORD)]).await;
        assert_eq!(page.status, 303);
        let enrol_page = "/settings/security/second-factor";
        for (path, next) in [
            ("/keys", enrol_page.to_owned()),
            ("/", enrol_page.to_owned()),
            ("/admin/keys?sort=name", format!("{enrol_page}?next=%2Fadmin%2Fkeys%3Fsort%3Dname")),
            ("/settings/security", format!("{enrol_page}?next=%2Fsettings%2Fsecurity")),
            ("/confirm", format!("{enrol_page}?next=%2Fconfirm")),
        ] {
            let page = browser.get(path).await;
            assert_eq!((page.status, page.location()), (303, next.as_str()), "{path}");
        }
        let fields = [("id", key.id.to_string())];
        let path = format!("/keys/{}/deactivate", key.id);
        let page = browser.post(&path, &with_fields(&fields, &[])).await;
        assert_eq!((page.status, page.location()), (303, enrol_page));
        for path in ["/settings/security/sessions", "/settings/account", "/projects/new"] {
            let page = browser.post(path, &with_fields(&fields, &[])).await;
            assert_eq!((page.status, page.location()), (303, enrol_page), "{path}");
        }
        for function in ["keys/called", "keys/say_expiry", "keys/say_not_before"] {
            let page = browser.call(function, &with_fields(&fields, &[])).await;
            assert_eq!((page.status, &page.json()["kind"]), (403, &json!("forbidden")), "{function}: {}", page.text());
        }
        assert!(bench.key_row(key.id).await.unwrap().active);
        // API calls of programs are not affected.
        let page = bench.browser().json("/v1/keys/verify", &json!({"key": key.secret})).await;
        assert_eq!(page.json()["valid"], true);
        assert_eq!(browser.get("/logout").await.status, 200);

        let page = browser.get(&format!("{enrol_page}?next=%2Fadmin%2Fkeys")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let secret = base32(&elements(&page, "code")[0]);
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*code(&secret, now(&bench)))];
        let page = browser.post(&format!("{enrol_page}?next=%2Fadmin%2Fkeys"), &fields).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("href=\"/admin/keys\""), "{}", page.text());
        assert_eq!(browser.get("/keys").await.status, 200);
        assert!(browser.get("/settings/security").await.text().contains("Required by the policy."));
        // The policy does not apply to users of an OpenID Connect provider.
        bench.execute_sql("UPDATE policy SET second_factor = 'everybody'").await;
        assert_eq!(maren.get("/keys").await.status, 303, "at once");
        bench.execute_sql(&format!("UPDATE users SET password_hash = '' WHERE email = '{MAREN}'")).await;
        assert_eq!(maren.get("/keys").await.status, 200);
    }

    /// Enrollment requires recent authentication, to prevent a permanent takeover of an unattended session.
    async fn enabling_it_requires_reauthentication(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let page = browser.get("/settings/security/second-factor").await;
        let text = elements(&page, "code")[0].clone();
        let secret = base32(&text);
        let typed = code(&secret, now(&bench));
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*typed)];
        let page = browser.post("/settings/security/second-factor", &fields).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert_eq!(elements(&page, "code")[0], text);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM second_factors").await, 0);
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*typed), ("proof", PASSWORD)];
        assert_eq!(browser.post("/settings/security/second-factor", &fields).await.status, 200);
        // An enrollment form expires after one hour.
        bench.create_user("jonas@pelagic.example", false).await;
        let mut jonas = bench.signed_in("jonas@pelagic.example").await;
        let page = jonas.get("/settings/security/second-factor").await;
        let secret = base32(&elements(&page, "code")[0]);
        bench.clock.advance(3_601);
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*code(&secret, now(&bench))), ("proof", PASSWORD)];
        assert_eq!(jonas.post("/settings/security/second-factor", &fields).await.status, 422);
    }

    /// The command line turns off the second factor of a user who has lost the app and the recovery codes.
    async fn turned_off_at_the_command_line(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let command = keyward::service::accounts::Accounts::new(bench.app.context.clone(), bench.app.config.clone());
        let operator = keyward::service::actor::Actor::Operator;
        assert!(command.turn_off_second_factor_of(&operator, "nobody@pelagic.example").await.is_err());
        command.turn_off_second_factor_of(&operator, MAREN).await.expect("turned off");
        let again = command.turn_off_second_factor_of(&operator, MAREN).await.unwrap_err();
        assert!(again.to_string().contains("Two-factor authentication is off for this user."), "{again}");
        bench.signed_in(MAREN).await;
        assert_eq!(bench.query_texts("SELECT actor FROM audit_events WHERE action = 'second_factor.removed'").await, ["operator"]);
    }

    /// No other function of the service starts a session with the password of a user who has a second factor.
    async fn the_service_reports_that_a_code_is_required(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let accounts = &bench.app.accounts;
        let entered = accounts.sign_in(MAREN, &Password::new(PASSWORD.into()), &Origin::default()).await.unwrap();
        assert_eq!((entered.pending_session.user, entered.requires_code), (maren.user, true));
        let unknown_session = accounts.sign_in_code(Uuid::nil().into(), &Password::new("123456".into()), &Origin::default()).await;
        assert!(unknown_session.is_err());
        bench.execute_sql(&format!("UPDATE users SET active = {} WHERE email = '{MAREN}'", if matches!(bench.location, keyward::store::Location::Sqlite(_)) { "0" } else { "FALSE" })).await;
        assert!(accounts.sign_in_code(maren.user, &Password::new("123456".into()), &Origin::default()).await.is_err(), "disabled meanwhile");
    }
}

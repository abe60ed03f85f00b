//! Form drafts: a form that is submitted without a session, or before a required second factor, is restored afterwards.
//!
//! Only the same user in the same browser gets the draft back. A draft contains no secrets.

use crate::support::{
    PASSWORD,
    browser::{Browser, Page},
    html::{area, elements, text_of},
    totp::{self, base32},
};
use keyward::service::clock::Clock;
use std::collections::BTreeMap;

const MAREN: &str = "maren@pelagic.example";
const TOVE: &str = "tove@drift.example";
const WORDS: &str = "Your changes are not saved yet";

/// Returns the value of the `input` with this name, as an HTML parser decodes it.
fn value(page: &Page, name: &str) -> String {
    let found = elements(page).into_iter().find(|it| it.name == "input" && it.attribute("name") == Some(name));
    found.and_then(|it| it.attribute("value").map(ToOwned::to_owned)).unwrap_or_default()
}

/// Submits a form without a session and returns the location of the sign-in page.
async fn send_late(browser: &mut Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let page = browser.post(path, fields).await;
    assert_eq!(page.status, 303, "{}", page.text());
    assert!(page.location().starts_with("/login?next="), "{}", page.location());
    page.location().to_owned()
}

/// Signs in on this sign-in page and returns the page that follows.
async fn sign_in(browser: &mut Browser, login: &str, email: &str) -> Page {
    let page = browser.post(login, &[("email", email), ("password", PASSWORD)]).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let next = page.location().to_owned();
    browser.get(&next).await
}

on_both_engines! {
    /// Two forms are restored: a new key and a config.
    async fn what_was_typed_comes_back_after_signing_in(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let id = bench.project_of(&maren).await;
        for live in [false, true] {
            let mut browser = bench.signed_in(MAREN).await;
            let new = browser.get("/keys/new").await;
            let (mark, number) = (value(&new, "draft"), value(&new, "number"));
            assert!(!mark.is_empty());
            // The session ends while the user fills in the form.
            bench.execute_sql("DELETE FROM sessions").await;
            let project = id.to_string();
            let fields = [
                ("draft", mark.as_str()), ("number", &number), ("project", &project), ("name", "Gateway </textarea> & \"co\""),
                ("environment", "test"), ("expires", "30d"), ("issued_to", "Buoy 7"), ("scopes[]", "data:read"),
                ("networks", "\n10.0.0.0/8\r\n<b>"), ("proof", "a password"),
            ];
            let page = if live { browser.post_live("/keys/new", &fields).await } else { browser.post("/keys/new", &fields).await };
            assert_eq!((page.status, page.location()), (303, "/login?next=%2Fkeys%2Fnew"));
            let set = page.header("set-cookie");
            assert!(set.contains("keyward-draft=") && set.contains("HttpOnly; SameSite=Lax; Path=/; Max-Age=3600"), "{set}");
            let again = sign_in(&mut browser, "/login?next=%2Fkeys%2Fnew", MAREN).await;
            assert_eq!(again.status, 200);
            assert!(again.text().contains(WORDS), "{}", again.text());
            assert_eq!((value(&again, "name").as_str(), value(&again, "issued_to").as_str()), ("Gateway </textarea> & \"co\"", "Buoy 7"));
            assert_eq!(area(&again, "networks").text, "\n10.0.0.0/8\n<b>");
            let checked: Vec<_> = elements(&again).into_iter().filter(|it| it.attribute("checked").is_some()).collect();
            assert!(checked.iter().any(|it| it.attribute("value") == Some("data:read")));
            assert!(checked.iter().any(|it| it.attribute("value") == Some("test")));
            assert!(!again.text().contains("a password"));
            assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 0, "nothing was saved meanwhile");
            // The draft is restored once. The next visit shows an empty form.
            assert!(again.header("set-cookie").contains("Max-Age=0"));
            let fresh = browser.get("/keys/new").await;
            assert!(!fresh.text().contains(WORDS) && value(&fresh, "name").is_empty());
            assert_eq!(bench.query_number("SELECT COUNT(*) FROM form_drafts").await, 0);
        }

        let mut browser = bench.signed_in(MAREN).await;
        let path = format!("/projects/{id}");
        let page = browser.get(&path).await;
        let (mark, version) = (value(&page, "draft"), value(&page, "version"));
        bench.execute_sql("DELETE FROM sessions").await;
        let (text, project) = (format!("\n{{\"a\": [{}1]}}", "1, ".repeat(60_000)), id.to_string());
        let login = send_late(&mut browser, &path, &[("draft", &mark), ("id", &project), ("version", &version), ("config", &text)]).await;
        let again = sign_in(&mut browser, &login, MAREN).await;
        assert_eq!(again.status, 200);
        assert!(again.text().contains(WORDS) && text_of(&again, "textarea") == text);
        assert_eq!(value(&again, "version"), version);
        let saved = browser.post(&path, &[("id", &project), ("version", &version), ("config", &text)]).await;
        assert_eq!(saved.status, 303, "it is sent as it came back");
        assert_eq!(bench.app.projects.config(id).await.unwrap().len(), text.split_whitespace().collect::<String>().len());
    }

    /// A restored edit form keeps the version of the key at which it was filled in.
    ///
    /// If a colleague changes the key in the meantime, saving reports a conflict and does not undo the change.
    async fn a_restored_edit_starts_from_the_key_as_it_was_filled_in(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.add_member(made.project, &tove, "owner").await;
        let exact = bench.clock.now().plus_seconds(86_400).micros() / 60_000_000 * 60_000_000 + 59_999_999;
        bench.execute_sql(&format!("UPDATE keys SET not_before = {exact} WHERE id = {}", bench.literal(made.id))).await;
        let (path, id) = (format!("/keys/{}/edit", made.id), made.id.to_string());
        for is_changed in [false, true] {
            let mut browser = bench.signed_in(MAREN).await;
            browser.cookie = browser.cookie.map(|cookie| format!("{cookie}; zone=Europe/Berlin"));
            let page = browser.get(&path).await;
            let (mark, version, shown) = (value(&page, "draft"), value(&page, "version"), value(&page, "not_before"));
            let fields = [
                ("draft", mark.as_str()), ("id", &id), ("version", &version), ("name", "Tide gauges"), ("expires", "keep"),
                ("scopes[]", "data:read"), ("scopes[]", "usage:read"), ("not_before", &shown), ("not_before_was", &shown),
            ];
            let with = |field: &'static str, new: &'static str| fields.map(|(name, old)| (name, if name == field { new } else { old }));
            bench.execute_sql("DELETE FROM sessions").await;
            let login = send_late(&mut browser, &path, &fields).await;
            if is_changed {
                let mut other = bench.signed_in(TOVE).await;
                let page = other.get(&path).await;
                let (version, from) = (value(&page, "version"), value(&page, "not_before"));
                let narrower = [
                    ("id", id.as_str()), ("version", &version), ("name", "Gateway"), ("expires", "keep"), ("scopes[]", "data:read"),
                    ("networks", "10.0.0.0/8"), ("not_before", &from), ("not_before_was", &from),
                ];
                let saved = other.post(&path, &narrower).await;
                assert_eq!(saved.status, 303, "{}", saved.text());
            }
            let stored = bench.stored_key(made.id).await;
            // Another time zone shows the same start with another text.
            browser.cookie = browser.cookie.map(|cookie| cookie.replace("zone=Europe/Berlin", "zone=Asia/Tokyo"));
            let page = sign_in(&mut browser, &login, MAREN).await;
            assert!(page.status == 200 && page.text().contains(WORDS), "{} {}", page.status, page.text());
            assert_eq!((value(&page, "name").as_str(), value(&page, "version")), ("Tide gauges", version.clone()));
            assert_eq!((value(&page, "not_before"), value(&page, "not_before_was")), (shown.clone(), shown.clone()));
            // A form with an invalid field keeps its version too.
            let wrong = browser.post(&path, &with("name", " ")).await;
            assert_eq!((wrong.status, value(&wrong, "version")), (422, version.clone()), "{}", wrong.text());
            assert_eq!(bench.stored_key(made.id).await, stored);
            let saved = browser.post(&path, &fields).await;
            if !is_changed {
                assert_eq!(saved.status, 303, "{}", saved.text());
                let row = bench.key_row(made.id).await.unwrap();
                assert_eq!((row.name.as_str(), row.not_before), ("Tide gauges", Some(exact)));
                continue;
            }
            assert!(saved.status == 409 && saved.text().contains("changed elsewhere"), "{} {}", saved.status, saved.text());
            assert_eq!(bench.stored_key(made.id).await, stored, "the change of the colleague");
            // The form with the conflict starts from the current version of the key.
            let now = value(&saved, "version");
            assert_ne!(now, version);
            let again = fields.map(|(name, old)| (name, if name == "version" { now.as_str() } else { old }));
            assert_eq!(browser.post(&path, &again).await.status, 303);
            assert_eq!(bench.key_row(made.id).await.unwrap().name, "Tide gauges");
        }
    }

    /// Another user, another browser, and a sign-in after the draft expired get no draft.
    async fn only_the_same_person_gets_it_back(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        bench.create_user(TOVE, true).await;
        let mut browser = bench.signed_in(MAREN).await;
        let mark = value(&browser.get("/projects/new").await, "draft");
        let begin = async |browser: &mut Browser| {
            bench.execute_sql("DELETE FROM sessions").await;
            send_late(browser, "/projects/new", &[("draft", &mark), ("name", "Tide gauges")]).await
        };
        let drafts = || bench.query_number("SELECT COUNT(*) FROM form_drafts");
        let login = begin(&mut browser).await;
        let page = sign_in(&mut browser, &login, TOVE).await;
        assert!(page.status == 200 && !page.text().contains("Tide gauges"), "{}", page.text());
        // The owner signs in after the other user and still gets the draft.
        bench.execute_sql("DELETE FROM sessions").await;
        let page = sign_in(&mut browser, &login, MAREN).await;
        assert_eq!(value(&page, "name"), "Tide gauges");
        let login = begin(&mut browser).await;
        let page = sign_in(&mut bench.browser(), &login, MAREN).await;
        assert!(page.status == 200 && !page.text().contains("Tide gauges"), "another browser");
        assert_eq!(drafts().await, 1);
        bench.clock.advance(3_600);
        let page = sign_in(&mut browser, &login, MAREN).await;
        assert!(page.status == 200 && !page.text().contains("Tide gauges"), "too late");
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(drafts().await, 0);
        // A page at another path does not use up the draft.
        let login = begin(&mut browser).await;
        let page = sign_in(&mut browser, "/login?next=%2Fprojects", MAREN).await;
        assert!(!page.text().contains("Tide gauges"));
        let page = sign_in(&mut browser, &login, MAREN).await;
        assert_eq!(value(&page, "name"), "Tide gauges");
    }

    /// A page that fails to render does not use up the draft and does not store it again.
    async fn a_page_that_fails_leaves_the_draft(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.project_of(&maren).await.to_string();
        let mut browser = bench.signed_in(MAREN).await;
        let new = browser.get("/keys/new").await;
        let (mark, number) = (value(&new, "draft"), value(&new, "number"));
        bench.execute_sql("DELETE FROM sessions").await;
        let fields = [
            ("draft", mark.as_str()), ("number", &number), ("project", &project), ("name", "Tide gauges"),
            ("environment", "test"), ("expires", "30d"),
        ];
        let login = send_late(&mut browser, "/keys/new", &fields).await;
        bench.execute_sql("ALTER TABLE scopes RENAME TO scopes_elsewhere").await;
        let digests = bench.query_blobs("SELECT digest FROM form_drafts").await;
        for page in [sign_in(&mut browser, &login, MAREN).await, browser.get("/keys/new").await] {
            assert!(page.status >= 500, "{} {}", page.status, page.text());
            let mut sets = page.headers.get_all("set-cookie").iter();
            assert!(!sets.any(|it| it.to_str().unwrap().contains("keyward-draft=")), "{:?}", page.headers);
            assert_eq!(bench.query_blobs("SELECT digest FROM form_drafts").await, digests);
        }
        bench.execute_sql("ALTER TABLE scopes_elsewhere RENAME TO scopes").await;
        let page = browser.get("/keys/new").await;
        assert_eq!((page.status, value(&page, "name").as_str()), (200, "Tide gauges"), "{}", page.text());
    }

    /// A draft can be loaded several times. Deleting it does not delete a newer draft that another tab stored.
    async fn a_newer_draft_outlives_the_restored_one(bench: TestServer) {
        let user = bench.create_user(MAREN, false).await.user;
        let drafts = &bench.app.drafts;
        let mark = drafts.mark(user);
        let path = "/projects/new";
        let typed = |name: &str| BTreeMap::from([("name".to_owned(), vec![name.to_owned()])]);
        let first = drafts.save(None, &mark, path, &typed("Tide gauges")).await.unwrap().expect("a code");
        for _ in 0..2 {
            assert_eq!(drafts.find(first.expose(), user, path).await.unwrap(), Some(typed("Tide gauges")));
        }
        let second = drafts.save(None, &mark, path, &typed("Wind gauges")).await.unwrap().expect("a code");
        assert!(!drafts.delete(first.expose(), user, path).await.unwrap(), "it is not there any more");
        assert_eq!(drafts.find(first.expose(), user, path).await.unwrap(), None);
        assert_eq!(drafts.find(second.expose(), user, "/keys/new").await.unwrap(), None);
        assert_eq!(drafts.find(second.expose(), user, path).await.unwrap(), Some(typed("Wind gauges")));
        assert!(drafts.delete(second.expose(), user, path).await.unwrap());
        assert!(!drafts.delete(second.expose(), user, path).await.unwrap(), "once");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM form_drafts").await, 0);
    }

    /// The policy starts to require a second factor while the user fills in a form.
    async fn what_was_typed_comes_back_after_a_second_factor(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let mark = value(&browser.get("/projects/new").await, "draft");
        bench.execute_sql("UPDATE policy SET second_factor = 'everybody'").await;
        let fields = [("draft", mark.as_str()), ("name", "Tide gauges"), ("proof", PASSWORD)];
        let page = browser.post("/projects/new", &fields).await;
        let enrol = "/settings/security/second-factor?next=%2Fprojects%2Fnew";
        assert_eq!((page.status, page.location()), (303, enrol), "{}", page.text());
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM projects").await, 1, "only that of the start");
        let page = browser.get(enrol).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let secret = base32(&totp::elements(&page, "code")[0]);
        let code = totp::code(&secret, bench.app.context.now().seconds());
        let page = browser.post(enrol, &[("sealed", page.input("sealed")), ("one_time_code", &code)]).await;
        assert!(page.status == 200 && page.text().contains("href=\"/projects/new\""), "{}", page.text());
        let page = browser.get("/projects/new").await;
        assert!(page.status == 200 && page.text().contains(WORDS), "{}", page.text());
        assert_eq!(value(&page, "name"), "Tide gauges");
        assert!(!page.text().contains(PASSWORD));
        // A form that cannot be stored, or that has no draft mark, redirects to enrollment without `next`.
        bench.execute_sql("DELETE FROM second_factors").await;
        let page = browser.post("/projects/new", &[("name", "Tide gauges")]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security/second-factor"));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM form_drafts").await, 0);
    }

    /// A user who can reauthenticate only by signing in again gets the form back after that.
    async fn what_was_typed_comes_back_after_signing_in_again(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.project_of(&maren).await.to_string();
        let mut browser = bench.signed_in(MAREN).await;
        let hash = bench.query_texts("SELECT password_hash FROM users").await.remove(0);
        bench.execute_sql("UPDATE users SET password_hash = ''").await;
        bench.clock.advance(901);
        let new = browser.get("/keys/new").await;
        let (mark, number) = (value(&new, "draft"), value(&new, "number"));
        let with = |expires: &'static str| {
            [
                ("draft", mark.as_str()),
                ("number", number.as_str()),
                ("project", project.as_str()),
                ("name", "Gateway"),
                ("environment", "live"),
                ("expires", expires),
                ("scopes[]", "data:read"),
            ]
        };
        let page = browser.post("/keys/new", &with("never")).await;
        assert!(page.status == 403 && page.text().contains("Sign out, sign in again"), "{} {}", page.status, page.text());
        assert!(page.header("set-cookie").contains("keyward-draft="), "{:?} {}", page.headers, page.text());
        browser.post("/logout", &[]).await;
        bench.execute_sql(&format!("UPDATE users SET password_hash = '{hash}'")).await;
        let page = sign_in(&mut browser, "/login?next=%2Fkeys%2Fnew", MAREN).await;
        assert!(page.status == 200 && page.text().contains(WORDS), "{}", page.text());
        assert_eq!(value(&page, "name"), "Gateway");

        // A later successful submission of the form discards the draft.
        bench.execute_sql("UPDATE users SET password_hash = ''").await;
        bench.clock.advance(901);
        assert_eq!(browser.post("/keys/new", &with("never")).await.status, 403);
        let page = browser.post("/keys/new", &with("30d")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.header("set-cookie").contains("keyward-draft=; ") && page.header("set-cookie").contains("Max-Age=0"));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM form_drafts").await, 0);
        assert!(!browser.get("/keys/new").await.text().contains(WORDS));
    }

    /// Only the user can store a draft. There is one draft per user, of bounded length, encrypted, and without secrets.
    async fn what_is_kept_is_bounded_and_sealed(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let mark = value(&browser.get("/projects/new").await, "draft");
        bench.execute_sql("DELETE FROM sessions").await;
        let drafts = || bench.query_number("SELECT COUNT(*) FROM form_drafts");
        let mut forged = mark.clone().into_bytes();
        forged[3] = if forged[3] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let long = "x".repeat(1_600_000);
        for (mark, name) in [("", "a"), ("AAAA", "a"), (forged.as_str(), "a"), (&mark[..mark.len() - 2], "a")] {
            let mut stranger = bench.browser();
            let page = stranger.post("/projects/new", &[("draft", mark), ("name", name)]).await;
            assert_eq!((page.status, page.header("set-cookie")), (303, ""));
        }
        // Only a config can be as long as this.
        let id = bench.project_of(&maren).await.to_string();
        let fields = [("draft", mark.as_str()), ("id", id.as_str()), ("version", "0"), ("config", long.as_str())];
        let page = bench.browser().post(&format!("/projects/{id}"), &fields).await;
        assert_eq!((page.status, page.header("set-cookie")), (303, ""));
        assert_eq!(drafts().await, 0);
        for (path, fields) in [
            ("/settings/security/password", [("draft", mark.as_str()), ("password", PASSWORD), ("new_password", "another one to know")]),
            ("/settings/security/second-factor", [("draft", mark.as_str()), ("one_time_code", "123456"), ("secret", "JBSWY3DP")]),
            ("/authorize", [("draft", mark.as_str()), ("answer", "allow"), ("state", "x")]),
        ] {
            bench.browser().post(path, &fields).await;
        }
        assert_eq!(drafts().await, 0);
        // Each user has one draft: the newest.
        for n in 0..5 {
            let name = format!("Canary name {n}");
            send_late(&mut browser, "/projects/new", &[("draft", &mark), ("name", &name), ("password", PASSWORD), ("proof", PASSWORD)]).await;
        }
        assert_eq!(drafts().await, 1);
        let sealed = bench.query_blobs("SELECT sealed FROM form_drafts").await.remove(0);
        assert!(!sealed.windows(6).any(|it| it == b"Canary") && !sealed.windows(8).any(|it| it == &PASSWORD.as_bytes()[..8]));
        let page = sign_in(&mut browser, "/login?next=%2Fprojects%2Fnew", MAREN).await;
        assert_eq!(value(&page, "name"), "Canary name 4");
        assert!(!page.text().contains(PASSWORD));
        // A cross-origin request stores no draft, because the origin is checked first.
        bench.execute_sql("DELETE FROM sessions").await;
        let request = axum::http::Request::post("/projects/new")
            .header("accept", "text/html")
            .header("origin", "https://evil.example")
            .header("content-type", "application/x-www-form-urlencoded");
        let body = crate::support::browser::form(&[("draft", mark.as_str()), ("name", "Planted")]);
        assert_eq!(browser.send(request, body).await.status, 403);
        assert_eq!(drafts().await, 0);
        // A disabled user stores no draft. The 21st attempt from one client address is refused.
        bench.execute_sql("UPDATE users SET active = FALSE").await;
        let values = BTreeMap::from([("name".to_owned(), vec!["Late".to_owned()])]);
        let keep = async || {
            let from = Some("203.0.113.7".parse().unwrap());
            bench.app.drafts.save(from, &mark, "/projects/new", &values).await.unwrap().is_some()
        };
        assert!(!keep().await && drafts().await == 0);
        bench.execute_sql("UPDATE users SET active = TRUE").await;
        for n in 1..20 {
            assert!(keep().await, "{n}");
        }
        assert!(!keep().await, "the 21st");
        bench.execute_sql("DELETE FROM form_drafts").await;
        // Deleting the user deletes the draft.
        send_late(&mut browser, "/projects/new", &[("draft", &mark), ("name", "Left")]).await;
        let leave = format!("DELETE FROM members WHERE user_id = {0}; DELETE FROM users WHERE id = {0}", bench.literal(maren.user));
        bench.execute_sql(&leave).await;
        assert_eq!(drafts().await, 0);
    }
}

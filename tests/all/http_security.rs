//! HTTP security: CSRF protection, `Host` checks, response headers, session lifecycle and request limits.

use crate::support::{
    Engine, PASSWORD, TestServer,
    browser::{Browser, Page, form},
};
use axum::http::Request;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;

const EMAIL: &str = "maren@pelagic.example";
const FORM: &str = "application/x-www-form-urlencoded";

/// Posts a form with these headers only.
async fn post(browser: &mut Browser, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Page {
    let accept = if path.starts_with("/api/") { "application/json" } else { "text/html" };
    let mut request = Request::post(path).header("accept", accept).header("content-type", FORM);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request, form(fields)).await
}

async fn get_with(browser: &mut Browser, path: &str, headers: &[(&str, &str)]) -> Page {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    browser.send(request, String::new()).await
}

/// Returns the active keys and the number of events, users and sessions, to check that a request changed nothing.
async fn stored_state(bench: &TestServer) -> (Vec<String>, i64, i64, i64) {
    let keys = bench.query_texts("SELECT name FROM keys WHERE active AND deleted_at IS NULL ORDER BY name").await;
    let events = bench.query_number("SELECT COUNT(*) FROM audit_events").await;
    let users = bench.query_number("SELECT COUNT(*) FROM users").await;
    (keys, events, users, bench.query_number("SELECT COUNT(*) FROM sessions").await)
}

fn bytes_of(cookie: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(cookie.split_once('=').expect("a pair").1).expect("base64url")
}

async fn is_signed_in(browser: &mut Browser) -> bool {
    let page = browser.get("/keys").await;
    assert!(matches!(page.status, 200 | 303), "{}: {}", page.status, page.text());
    page.status == 200
}

on_both_engines! {
    /// With a session cookie, only same-origin requests change state: server functions, forms and unknown paths alike.
    async fn only_our_own_pages_change_anything(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let cookie = browser.cookie.clone();
        let (id, project) = (made.id.to_string(), made.project.to_string());
        let number = bench.app.context.new_id().to_string();
        let create = [("number", number.as_str()), ("project", &project), ("name", "Probe"), ("expires", "30d")];
        let credentials = [("email", EMAIL), ("password", PASSWORD)];
        let one = [("id", id.as_str())];
        let delete = format!("/keys/{id}/delete");
        let targets: [(&str, &[(&str, &str)]); 9] = [
            ("/api/keys/called", &one),
            ("/api/keys/say_expiry", &[("expires", "never")]),
            ("/api/keys/say_not_before", &[("not_before", "")]),
            ("/api/keys/create", &create),
            ("/login", &credentials),
            ("/logout", &[]),
            ("/keys/new", &create),
            (&delete, &one),
            ("/nothing", &[]),
        ];
        let foreign: [&[(&str, &str)]; 13] = [
            &[],
            &[("origin", "https://evil.example")],
            &[("origin", "https://127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1:3001")],
            &[("origin", "http://127.0.0.1")],
            &[("origin", "http://127.0.0.1:3000.evil.example")],
            &[("origin", "http://127.0.0.1:3000/")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "none")],
            &[("referer", "http://127.0.0.1:3000/keys")],
        ];
        let before = stored_state(&bench).await;
        for (path, fields) in targets {
            for headers in foreign {
                let page = post(&mut browser, path, headers, fields).await;
                assert_eq!(page.status, 403, "{path} {headers:?}: {}", page.text());
                assert!(page.headers.get("set-cookie").is_none(), "{path} {headers:?}");
                if path.starts_with("/api/") {
                    assert_eq!(page.problem(), "foreign_origin");
                }
            }
        }
        assert_eq!(stored_state(&bench).await, before);
        assert_eq!(browser.cookie, cookie);
        assert!(is_signed_in(&mut browser).await);
        for headers in [&[("origin", crate::support::URL)], &[("sec-fetch-site", "same-origin")]] {
            let page = post(&mut browser, "/api/keys/called", headers, &one).await;
            assert_eq!(page.status, 200, "{headers:?}: {}", page.text());
        }
        let page = post(&mut browser, &delete, &[("sec-fetch-site", "same-origin")], &one).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert!(bench.key_row(made.id).await.unwrap().deleted_at.is_some());
    }

    /// A GET never changes state: the sign-out page shows a form, and server functions do not accept GET.
    async fn no_get_changes_anything(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let id = bench.create_key(&maren, "Gateway").await.id;
        let mut browser = bench.signed_in(EMAIL).await;
        let before = (stored_state(&bench).await, bench.stored_key(id).await);
        let logout_page = browser.get("/logout").await;
        assert_eq!(logout_page.status, 200);
        assert!(logout_page.text().contains(r#"action="/logout""#));
        for verb in ["deactivate", "activate", "delete", "restore"] {
            browser.get(&format!("/keys/{id}/{verb}?id={id}")).await;
            for path in [format!("/api/keys/{verb}?id={id}"), format!("/api/keys/{verb}")] {
                let page = get_with(&mut browser, &path, &[("accept", "application/json"), ("origin", crate::support::URL)]).await;
                assert!(matches!(page.status, 404 | 405), "{path}: {}", page.status);
            }
        }
        let called = format!("/api/keys/called?id={id}");
        assert_eq!(get_with(&mut browser, &called, &[("accept", "application/json")]).await.status, 405);
        for path in [called.as_str(), "/api/keys/say_expiry", "/login?email=a&password=b", "/setup", "/keys/new?name=x"] {
            browser.get(path).await;
            let head = Request::head(path);
            browser.send(head, String::new()).await;
        }
        assert_eq!((stored_state(&bench).await, bench.stored_key(id).await), before);
        assert!(is_signed_in(&mut browser).await);
    }

    /// Only scripts call server functions: a plain form post to one has no effect. Leptos's redirect to the `Referer`
    /// is disabled.
    async fn server_functions_take_no_plain_forms(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(EMAIL).await;
        let before = stored_state(&bench).await;
        let id = made.id.to_string();
        for accept in ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json, text/html"] {
            let request = Request::post("/api/keys/called")
                .header("accept", accept)
                .header("origin", crate::support::URL)
                .header("referer", "https://evil.example/")
                .header("content-type", FORM);
            let page = browser.send(request, form(&[("id", &id)])).await;
            assert_eq!((page.status, page.problem().as_str()), (406, "not_acceptable"));
            assert_eq!(page.location(), "");
        }
        assert_eq!(stored_state(&bench).await, before);
    }

    /// Query parameters that Leptos would read are removed, because anyone can write them into a link.
    async fn leptos_parameters_do_nothing(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let error = URL_SAFE_NO_PAD.encode(r#"{"kind":"internal","message":"planted words","fields":[]}"#);
        for path in ["/keys/new", "/keys", "/logout"] {
            let plain = browser.get(path).await;
            // A redirect removes them, because the scripts in the browser read the URL too.
            let marked = browser.get(&format!("{path}?__path=%2Fapi%2Fkeys%2Fcreate&%5F_err={error}")).await;
            assert_eq!((marked.status, marked.location()), (303, path));
            let marked = browser.get(marked.location()).await;
            assert_eq!(marked.status, plain.status);
            for echo in [error.as_str(), "planted words", "__err", "__path"] {
                assert!(!marked.text().contains(echo), "{path}: {echo}");
            }
        }
        let mut stranger = bench.browser();
        let page = stranger.get(&format!("/login?__path=%2Fapi%2Fsession%2Fsign_in&__err={error}&next=%2Fkeys%2Fnew")).await;
        assert_eq!((page.status, page.location()), (303, "/login?next=%2Fkeys%2Fnew"), "what is ours in the query stays");
        let away = stranger.get(&format!("//evil.example?__err={error}")).await;
        assert!(!away.location().starts_with("//"), "{}", away.location());
    }

    /// A form changes only the key that its path names.
    async fn a_form_is_about_its_own_address(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (one, two) = (bench.create_key(&maren, "One").await, bench.create_key(&maren, "Two").await);
        let mut browser = bench.signed_in(EMAIL).await;
        let (one, two) = (one.id.to_string(), two.id.to_string());
        let before = stored_state(&bench).await;
        assert_eq!(browser.post(&format!("/keys/{one}/delete"), &[("id", &two)]).await.status, 422);
        assert_eq!(browser.post(&format!("/keys/{one}/delete"), &[]).await.status, 422);
        assert_eq!(stored_state(&bench).await, before);
        assert_eq!(browser.post(&format!("/keys/{one}/delete"), &[("id", &one)]).await.status, 303);
    }

    /// A foreign `Host` gets 421 for every request.
    async fn a_foreign_host_is_refused(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        for host in ["evil.example", "127.0.0.1", "127.0.0.1:3001", "127.0.0.1:3000.evil.example", ""] {
            for path in ["/keys", "/login", "/v1/keys/verify", "/.well-known/jwks.json", "/nothing"] {
                let page = get_with(&mut browser, path, &[("host", host), ("accept", "text/html")]).await;
                assert_eq!(page.status, 421, "{host} {path}");
                assert!(!page.text().contains("evil"), "{host} {path}: it is not repeated");
            }
            let page = post(&mut browser, "/logout", &[("host", host), ("origin", crate::support::URL)], &[]).await;
            assert_eq!(page.status, 421, "{host}");
        }
        // No proxy is trusted here, so a forwarded host has no effect.
        for name in ["x-forwarded-host", "forwarded"] {
            let page = get_with(&mut browser, "/keys", &[(name, "host=evil.example"), ("accept", "text/html")]).await;
            assert_eq!(page.status, 200, "{name}");
            let page = get_with(&mut browser, "/keys", &[("host", "evil.example"), (name, "127.0.0.1:3000")]).await;
            assert_eq!(page.status, 421, "{name}");
        }
        assert!(is_signed_in(&mut browser).await);
    }

    /// Headers that every kind of response has.
    async fn every_answer_carries_its_headers(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let id = bench.create_key(&maren, "Gateway").await.id;
        let mut browser = bench.signed_in(EMAIL).await;
        let mut stranger = bench.browser();
        let mut pages = Vec::new();
        for path in ["/keys", "/keys?status=deleted", "/keys/new", &format!("/keys/{id}/delete"), "/logout", "/nothing"] {
            pages.push((path.to_owned(), browser.get(path).await));
        }
        for path in ["/login", "/keys", "/setup", "/nothing", &format!("/keys/{id}/delete")] {
            pages.push((format!("{path} (stranger)"), stranger.get(path).await));
        }
        let wrong = [("email", EMAIL), ("password", "not the tide at all")];
        pages.push(("refused form".into(), stranger.post("/login", &wrong).await));
        pages.push(("foreign origin".into(), post(&mut browser, "/logout", &[], &[]).await));
        pages.push(("foreign host".into(), get_with(&mut browser, "/keys", &[("host", "x"), ("accept", "text/html")]).await));
        let method = Request::put("/keys").header("origin", crate::support::URL).header("accept", "text/html");
        pages.push(("wrong method".into(), browser.send(method, String::new()).await));
        let mut ids = HashSet::new();
        for (what, page) in &pages {
            check_common(what, page, &mut ids);
            check_page(what, page);
        }
        let calls = [
            ("function", browser.call("keys/say_expiry", &[("expires", "never")]).await),
            ("refused function", stranger.call("keys/say_expiry", &[("expires", "never")]).await),
            ("no such function", browser.call("keys/nothing", &[]).await),
            ("unreadable arguments", browser.call("keys/called", &[("id", "x")]).await),
        ];
        for (what, page) in &calls {
            check_common(what, page, &mut ids);
            assert_eq!(page.header("cache-control"), "no-store", "{what}");
        }
        let programs = [
            ("keys", stranger.get("/.well-known/jwks.json").await),
            ("refusal", stranger.get("/v1/projects/x/config").await),
            ("none", stranger.get("/v1/nothing").await),
            ("file", stranger.get("/pkg/nothing.js").await),
        ];
        for (what, page) in &programs {
            check_common(what, page, &mut ids);
        }
    }

    /// `Accept` decides the format of an error: unknown paths, missing objects, wrong methods, and wrong hosts.
    async fn errors_have_the_accepted_format(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let mut stranger = bench.browser();
        let missing = format!("/keys/{}", bench.app.context.new_id());
        for (path, status, code) in [("/nothing", 404, "not_found"), (missing.as_str(), 404, "not_found")] {
            for accept in ["application/json", "application/problem+json", "application/json, text/html;q=0.9, */*;q=0.1"] {
                let page = get_with(&mut browser, path, &[("accept", accept)]).await;
                assert_eq!((page.status, page.problem().as_str()), (status, code), "{path} {accept}");
                assert_eq!(page.header("content-type"), "application/problem+json", "{path} {accept}");
                assert_eq!(page.header("cache-control"), "no-store", "{path} {accept}");
            }
            let page = browser.get(path).await;
            assert_eq!((page.status, page.header("content-type")), (status, "text/html; charset=utf-8"), "{path}");
        }
        let page = get_with(&mut stranger, "/nothing", &[("accept", "application/json")]).await;
        assert_eq!((page.status, page.problem().as_str()), (404, "not_found"));
        for (accept, kind) in [("application/json", "application/problem+json"), ("text/html", "text/html; charset=utf-8")] {
            let put = Request::put("/keys").header("origin", crate::support::URL).header("accept", accept);
            let page = browser.send(put, String::new()).await;
            assert_eq!((page.status, page.header("content-type")), (405, kind));
            let page = get_with(&mut browser, "/keys", &[("host", "x"), ("accept", accept)]).await;
            assert_eq!((page.status, page.header("content-type")), (421, kind));
        }
        let page = stranger.get("/nothing").await;
        assert!(page.text().contains(r#"href="/login""#) && !page.text().contains("Sign in as another user"), "{}", page.text());
        let page = browser.get("/nothing").await;
        assert!(page.text().contains("Sign in as another user") && !page.text().contains(r#"href="/login""#), "{}", page.text());
    }

    /// The nonce differs in each response, and no script runs without it.
    async fn nonces_are_used_once(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let mut seen = HashSet::new();
        for path in ["/keys", "/keys", "/keys/new", "/logout", "/login", "/nothing"] {
            let page = browser.get(path).await;
            let nonce = page.nonce().expect("a nonce").to_owned();
            assert!(nonce.len() >= 16, "{nonce}");
            assert!(seen.insert(nonce), "{path}: a nonce came twice");
        }
    }

    /// A session is stored under the hash of its id, so a copy of the database contains nothing to replay.
    async fn a_session_is_stored_by_its_hash(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.browser();
        let page = browser.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        let set = page.header("set-cookie").to_owned();
        assert!(set.starts_with("keyward="), "{set}");
        let attributes: Vec<_> = set.split("; ").skip(1).collect();
        for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(attributes.contains(&attribute), "{set}");
        }
        assert!(!attributes.contains(&"Secure") && !set.to_lowercase().contains("domain"), "{set}");
        let id = bytes_of(browser.cookie.as_deref().unwrap());
        assert_eq!(id.len(), 16, "128 bits");
        let digest = Sha256::digest(&id).to_vec();
        assert_eq!(bench.query_blobs("SELECT id_digest FROM sessions").await, [digest]);
        let data = bench.query_texts("SELECT data FROM sessions").await.concat();
        assert!(!data.contains(browser.cookie.as_deref().unwrap().split_once('=').unwrap().1), "{data}");
        assert!(!data.contains(&hex::encode(&id)), "{data}");
        assert!(is_signed_in(&mut browser).await);
        // The hash does not work as a session id.
        let mut thief = bench.browser();
        let stolen = bench.query_blobs("SELECT id_digest FROM sessions").await.concat();
        thief.cookie = Some(format!("keyward={}", URL_SAFE_NO_PAD.encode(&stolen[..16])));
        assert!(!is_signed_in(&mut thief).await);
    }

    /// Sign-in always starts a new session, whatever cookie the browser sends (session fixation).
    async fn signing_in_makes_a_new_session(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        bench.create_user("tove@drift.example", false).await;
        // An id without a session.
        let planted = format!("keyward={}", URL_SAFE_NO_PAD.encode(crate::support::random::<16>()));
        let mut browser = bench.browser();
        browser.cookie = Some(planted.clone());
        browser.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_ne!(browser.cookie.as_ref(), Some(&planted));
        assert!(is_signed_in(&mut browser).await);
        // Another user's session, planted in this browser.
        let tove = bench.signed_in("tove@drift.example").await;
        let planted = tove.cookie.clone();
        let mut browser = bench.browser();
        browser.cookie.clone_from(&planted);
        let page = browser.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert!(is_signed_in(&mut browser).await);
        assert_ne!(browser.cookie, planted, "the id that was there before is used on");
        let mut planter = bench.browser();
        planter.cookie = planted;
        assert!(!is_signed_in(&mut planter).await, "the planter is not signed in as the victim");
        // The same for a sign-in by navigation, with the user's own session.
        let before = browser.cookie.clone();
        let page = browser.post_live("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert_ne!(browser.cookie, before);
        let mut old = bench.browser();
        old.cookie = before;
        assert!(!is_signed_in(&mut old).await);
    }

    /// A session ends after one day without a request, and after 30 days in any case.
    async fn sessions_end(bench: TestServer) {
        const DAY: i64 = 86_400;
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let mut copy = bench.browser();
        copy.cookie.clone_from(&browser.cookie);
        bench.clock.advance(DAY - 1);
        assert!(is_signed_in(&mut browser).await, "used within a day");
        bench.clock.advance(DAY + 1);
        assert!(!is_signed_in(&mut copy).await, "idle for a day");
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0, "what has ended is swept");

        let mut browser = bench.signed_in(EMAIL).await;
        for day in 0..60 {
            bench.clock.advance(DAY / 2);
            assert_eq!(is_signed_in(&mut browser).await, day < 59, "half day {day}");
        }
    }

    /// A failing maintenance step does not skip the later ones, and the run returns its error.
    async fn a_step_of_upkeep_that_fails_skips_no_other(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        bench.signed_in(EMAIL).await;
        bench.clock.advance(2 * 86_400);
        bench.execute_sql("ALTER TABLE key_stops RENAME TO gone").await;
        let error = keyward::service::maintenance::run_once(&bench.app).await.unwrap_err();
        assert!(error.to_string().contains("key_stops"), "{error}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0, "a later step");
    }

    /// The time of last activity of a session is written at most once in five minutes.
    async fn last_seen_is_written_rarely(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let mut row = async |advance: i64| {
            bench.clock.advance(advance);
            let page = browser.get("/keys").await;
            let data = bench.query_texts("SELECT data FROM sessions").await.concat();
            (data, bench.query_number("SELECT expires_at FROM sessions").await, page.headers.contains_key("set-cookie"))
        };
        let first = row(0).await;
        assert_eq!(row(10).await, first);
        assert_eq!(row(289).await, first);
        let second = row(2).await;
        assert_ne!(second.0, first.0);
        assert_eq!(second.1, first.1 + 301 * 1_000_000, "the day begins anew");
        assert!(second.2, "and the browser is told");
        assert_eq!((row(10).await.0, row(288).await.0), (second.0.clone(), second.0));
    }

    /// A deactivated user is signed out from the next request.
    async fn the_session_of_an_inactive_person_ends(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.signed_in(EMAIL).await;
        let mut copy = bench.browser();
        copy.cookie.clone_from(&browser.cookie);
        bench.execute_sql("UPDATE users SET active = FALSE").await;
        assert_eq!(browser.call("keys/say_expiry", &[("expires", "never")]).await.status, 401);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
        bench.execute_sql("UPDATE users SET active = TRUE").await;
        assert!(!is_signed_in(&mut copy).await, "it does not come back");
    }

    /// Sign-in redirects to a local page only, whatever `next` contains.
    async fn redirects_lead_to_our_own_pages(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let cases = [
            ("%2Fkeys%3Fstatus%3Ddeleted", "/keys?status=deleted"),
            ("%2Fkeys%2Fnew", "/keys/new"),
            ("%2F%2Fevil.example", "/keys"),
            ("%2F%5Cevil.example", "/keys"),
            ("%5C%5Cevil.example", "/keys"),
            ("%2F%09%2Fevil.example", "/keys"),
            ("%2F%0D%0ASet-Cookie:%20a=b", "/keys"),
            ("https%3A%2F%2Fevil.example", "/keys"),
            ("https:evil.example", "/keys"),
            ("javascript:alert(1)", "/keys"),
            ("evil.example", "/keys"),
            ("", "/keys"),
            ("%FF", "/keys"),
        ];
        for (next, expected) in cases {
            let mut browser = bench.browser();
            let path = format!("/login?next={next}");
            let page = browser.post(&path, &[("email", EMAIL), ("password", PASSWORD)]).await;
            assert_eq!((page.status, page.location()), (303, expected), "{next}");
            let page = browser.get(&path).await;
            assert_eq!((page.status, page.location()), (303, expected), "{next}, signed in already");
        }
        let mut stranger = bench.browser();
        for (next, expected) in cases {
            let page = stranger.get(&format!("/login?next={next}")).await;
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("action=\"//") && !page.text().contains("action=\"https"), "{next}");
            assert_eq!(page.text().contains("/login?next="), expected != "/keys", "{next}");
        }
    }

    /// A form that is sent twice creates one key, and the second response reports that.
    async fn a_form_number_is_good_once(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let project = bench.project_of(&maren).await.to_string();
        let mut browser = bench.signed_in(EMAIL).await;
        let number = browser.get("/keys/new").await.input("number").to_owned();
        let fields = [("number", number.as_str()), ("project", &project), ("name", "Gateway"), ("expires", "30d")];
        let first = browser.post("/keys/new", &fields).await;
        assert_eq!((first.status, first.header("cache-control")), (200, "no-store"));
        assert!(first.text().contains("kw_live_"));
        assert!(!first.text().contains("hydrate") && !first.text().contains("modulepreload"), "nothing takes the page over");
        for script in first.text().split("<script").skip(1) {
            let script = script.split("</script>").next().unwrap_or_default();
            assert!(!script.contains(" src=") && !script.contains("import("), "nothing is loaded: {script}");
            assert!(!script.contains("kw_live_") && !script.contains("Gateway"), "no data travels: {script}");
        }
        let second = browser.post("/keys/new", &fields).await;
        assert_eq!(second.status, 409);
        assert!(second.text().contains("This form was already submitted"), "{}", second.text());
        assert!(!second.text().contains("KEYWARD_SECRET_KEY"));
        let third = browser.post_live("/keys/new", &fields).await;
        assert_eq!(third.status, 409);
        assert!(!third.text().contains("KEYWARD_SECRET_KEY"));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 1);
        assert_eq!(bench.events("key.created").await, 1);
        // Both requests concurrently.
        let number = bench.app.context.new_id().to_string();
        let fields = [("number", number.as_str()), ("project", &project), ("name", "Sonde"), ("expires", "30d")];
        let mut again = bench.browser();
        again.cookie.clone_from(&browser.cookie);
        let (a, b) = tokio::join!(browser.post("/keys/new", &fields), again.post("/keys/new", &fields));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 2);
    }

    /// Invalid form bodies get an error page with status 4xx, never a server error, and change nothing.
    async fn forms_that_are_none(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let id = bench.create_key(&maren, "Gateway").await.id;
        let mut browser = bench.signed_in(EMAIL).await;
        let before = stored_state(&bench).await;
        let long = form(&[("name", &"x".repeat(70_000))]).into_bytes();
        let deep = format!("a{}=1", "[b]".repeat(500)).into_bytes();
        let many = "scopes[]=data%3Aread&".repeat(3_000).into_bytes();
        let longer = form(&[("name", &"x".repeat(4 * 1024 * 1024))]).into_bytes();
        let bodies: [(&str, &str, Vec<u8>); 10] = [
            ("long", FORM, long),
            ("longer than any form", FORM, longer),
            ("multipart", "multipart/form-data; boundary=x", b"--x\r\n\r\n--x--".to_vec()),
            ("JSON", "application/json", b"{}".to_vec()),
            ("no kind", "", b"name=x".to_vec()),
            ("not text", FORM, vec![0xff, 0xfe, 0x00]),
            ("half an escape", FORM, b"name=%f&project=%".to_vec()),
            ("nothing", FORM, Vec::new()),
            ("deep", FORM, deep),
            ("many", FORM, many),
        ];
        for path in ["/keys/new", "/login", &format!("/keys/{id}/delete")] {
            for (what, kind, body) in &bodies {
                for said_length in [false, true] {
                    let mut request = Request::post(path).header("accept", "text/html").header("origin", crate::support::URL);
                    if !kind.is_empty() {
                        request = request.header("content-type", *kind);
                    }
                    if said_length {
                        request = request.header("content-length", body.len());
                    }
                    let page = browser.send_bytes(request, body.clone()).await;
                    // The sign-in page redirects a signed-in user, whatever the body is.
                    let fine = (400..500).contains(&page.status) || path == "/login" && page.status == 303;
                    assert!(fine, "{path} {what}: {} {}", page.status, page.text());
                    if page.status != 303 {
                        assert!(page.header("content-type").starts_with("text/html"), "{path} {what}");
                        assert!(page.text().contains("<h1"), "{path} {what}: a page, in words");
                    }
                }
            }
        }
        for (what, kind, body) in &bodies {
            let request = Request::post("/api/keys/called").header("origin", crate::support::URL).header("content-type", *kind);
            let page = browser.send_bytes(request, body.clone()).await;
            assert!((400..500).contains(&page.status), "function, {what}: {} {}", page.status, page.text());
        }
        assert_eq!(stored_state(&bench).await, before);
    }
}

/// Before sign-in, form bodies are limited in length and number of fields, and the response does not echo a long value.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_are_bounded_before_they_are_decoded() {
    let bench = TestServer::new(Engine::Sqlite).await;
    bench.create_user(EMAIL, false).await;
    let mut browser = bench.browser();
    let post = |path: &str| Request::post(path).header("origin", crate::support::URL).header("content-type", FORM);
    let many = |pairs: usize| vec!["a=b"; pairs].join("&");
    for (pairs, is_refused) in [(2_000, false), (2_001, true), (16_000, true)] {
        let page = browser.send(post("/login").header("accept", "text/html"), many(pairs)).await;
        assert_eq!(page.status, 422, "{pairs}: {}", page.text());
        assert_eq!(page.text().contains("The form has too many fields."), is_refused, "{pairs}");
    }
    let page = browser.send(post("/api/keys/called"), many(2_001)).await;
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(page.text().contains("The form has too many fields."), "{}", page.text());

    for (letters, is_drawn) in [(8 * 1024, true), (8 * 1024 + 1, false), (60_000, false)] {
        let email = "x".repeat(letters);
        let body = form(&[("email", &email), ("password", "not the tide at all")]);
        let page = browser.send(post("/login").header("accept", "text/html"), body).await;
        assert_eq!(page.status, 422, "{letters}: {}", page.text());
        assert_eq!(page.text().contains(&email), is_drawn, "{letters}");
    }

    let long = form(&[("email", &"x".repeat(65 * 1024))]);
    for path in ["/login", "/keys/new", "/projects/new", "/api/keys/called"] {
        let page = browser.send(post(path).header("content-length", long.len()), long.clone()).await;
        assert_eq!(page.status, 413, "{path}: {}", page.text());
        // Without `Content-Length`.
        let page = browser.send(post(path), long.clone()).await;
        assert_eq!(page.status, 413, "{path} without a length: {}", page.text());
    }

    // The user gets the same page, whether signed in or not.
    bench.create_user("root@pelagic.example", true).await;
    for mut browser in [bench.browser(), bench.signed_in("root@pelagic.example").await] {
        for path in ["/keys/new", "/projects/new", "/settings/account"] {
            let post = || post(path).header("accept", "text/html");
            let page = browser.send(post().header("content-length", long.len()), long.clone()).await;
            assert!(page.status == 413 && page.text().contains("Request too large"), "{path}: {}", page.text());
            let page = browser.send(post(), long.clone()).await;
            assert!(page.status == 413 && page.text().contains("Request too large"), "{path}: {}", page.text());
        }
    }
    let mut browser = bench.signed_in("root@pelagic.example").await;
    let page = browser.send(post("/admin/audit/export").header("accept", "text/html"), long).await;
    assert_eq!(page.status, 413, "{}", page.text());
}

/// Bytes that are not UTF-8 are rejected and not replaced, also in percent-encoding.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encoded_bytes_that_are_not_text_are_refused() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let maren = bench.create_user(EMAIL, false).await;
    let id = bench.project_of(&maren).await;
    let mut browser = bench.signed_in(EMAIL).await;
    let (path, project) = (format!("/projects/{id}"), id.to_string());
    let version = browser.get(&path).await.input("version").to_owned();
    let before = bench.app.projects.config(id).await.unwrap();
    for wrong in ["%ff", "%C3", "%ED%A0%80"] {
        let fields = form(&[("id", &project), ("version", &version)]);
        let body = format!("{fields}&config=%7B%22a%22%3A%22{wrong}%22%7D");
        for (at, accept, body) in [
            (path.as_str(), "text/html", body),
            ("/api/keys/say_expiry", "application/json", format!("expires={wrong}")),
        ] {
            let request = Request::post(at).header("origin", crate::support::URL).header("content-type", FORM);
            let page = browser.send(request.header("accept", accept), body).await;
            assert_eq!(page.status, 422, "{at} {wrong}: {}", page.text());
            assert!(page.text().contains("The form contains invalid text."), "{at} {wrong}: {}", page.text());
        }
        assert_eq!(bench.app.projects.config(id).await.unwrap(), before, "{wrong}");
    }
}

/// `new` in a path is not an id: a form on such a path cannot choose its object by its fields.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_path_segment_new_is_no_id() {
    let bench = TestServer::new(Engine::Sqlite).await;
    let root = bench.create_user(EMAIL, true).await;
    let made = bench.create_key(&root, "Gateway").await;
    let mut browser = bench.signed_in(EMAIL).await;
    let id = made.id.to_string();
    let project = made.project.to_string();
    let version = bench.app.projects.get(&root, made.project).await.unwrap().version;
    let save = [("id", project.as_str()), ("version", &version), ("config", "{\"a\": 1}")];
    let before = (stored_state(&bench).await, bench.stored_key(made.id).await);
    let forms: [(&str, &[(&str, &str)]); 4] = [
        ("/keys/new/deactivate", &[("id", &id)]),
        ("/projects/new", &save),
        ("/admin/keys/new/delete", &[("id", &id), ("reason", "leaked")]),
        ("/admin/scopes/new/remove", &[("name", "data:write")]),
    ];
    let mut wrong = Vec::new();
    for (path, fields) in forms {
        let page = browser.post(path, fields).await;
        if !(400..500).contains(&page.status) {
            wrong.push(format!("{path}: {} {}", page.status, page.location()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!((stored_state(&bench).await, bench.stored_key(made.id).await), before);
}

/// Checks the headers that every response has.
fn check_common(what: &str, page: &Page, ids: &mut HashSet<String>) {
    assert_eq!(page.header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(page.header("referrer-policy"), "same-origin", "{what}");
    assert_eq!(page.header("x-frame-options"), "DENY", "{what}");
    assert!(page.headers.get("strict-transport-security").is_none(), "{what}: not on plain HTTP");
    let csp = page.header("content-security-policy");
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(csp.contains(rule), "{what}: {csp}");
    }
    assert!(
        !csp.contains("unsafe-inline") && !csp.contains("unsafe-eval'") | csp.contains("'wasm-unsafe-eval'"),
        "{csp}"
    );
    assert_eq!(page.headers.get_all("content-security-policy").iter().count(), 1, "{what}");
    let id = page.header("x-request-id").to_owned();
    assert!(id.len() >= 10, "{what}: {id}");
    assert!(ids.insert(id), "{what}: a request id came twice");
    assert_ne!(page.status, 500, "{what}: {}", page.text());
}

/// Checks the headers that every HTML page has.
fn check_page(what: &str, page: &Page) {
    assert_eq!(page.header("cache-control"), "no-store", "{what}");
    let html = page.text();
    assert!(!html.contains(" style="), "{what}: an inline style");
    assert!(!html.contains("<style"), "{what}: an inline style sheet");
    assert!(!html.contains(" onclick=") && !html.contains("javascript:"), "{what}: an inline script");
    let scripts: Vec<_> =
        html.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()).collect();
    for tag in &scripts {
        let nonce = page.nonce().unwrap_or_else(|| panic!("{what}: a script without a nonce in the policy"));
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{what}: {tag}");
    }
    if what == "/keys" {
        assert!(!scripts.is_empty(), "the page has scripts");
    }
}

/// On HTTPS the cookie has the `__Host-` prefix, and responses have `Strict-Transport-Security`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_https() {
    let bench = TestServer::with_url(Engine::Sqlite, "https://keys.example.com").await;
    bench.create_user(EMAIL, false).await;
    let mut browser = bench.browser();
    let page = browser.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
    let set = page.header("set-cookie").to_owned();
    assert!(set.starts_with("__Host-keyward="), "{set}");
    let attributes: Vec<_> = set.split("; ").skip(1).collect();
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(attributes.contains(&attribute), "{set}");
    }
    assert!(!set.to_lowercase().contains("domain"), "{set}");
    let mut pages = vec![browser.get("/keys").await, browser.get("/nothing").await, browser.get("/v1/nothing").await];
    pages.push(get_with(&mut browser, "/keys", &[("host", "evil.example")]).await);
    pages.push(post(&mut browser, "/logout", &[], &[]).await);
    for page in &pages {
        assert!(page.header("strict-transport-security").starts_with("max-age=31536000"), "{}", page.status);
    }
    assert_eq!(pages[0].status, 200);
    for host in ["keys.example.com:443", "KEYS.example.com"] {
        assert_eq!(get_with(&mut browser, "/keys", &[("host", host)]).await.status, 200, "{host}");
    }
    for (origin, status) in [("http://keys.example.com", 403), ("https://keys.example.com:8443", 403)] {
        assert_eq!(post(&mut browser, "/logout", &[("origin", origin)], &[]).await.status, status, "{origin}");
    }
    let out = browser.post("/logout", &[]).await;
    assert_eq!((out.status, out.location()), (303, "/login"));
    let gone = out.header("set-cookie");
    assert!(gone.starts_with("__Host-keyward=;") && gone.contains("Path=/") && gone.contains("Secure"), "{gone}");
}

/// A client cannot set the values that the listener adds, such as its address and the request id, by headers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_cannot_forge_its_address() {
    let bench = TestServer::new(Engine::Sqlite).await;
    bench.create_user(EMAIL, false).await;
    let mut browser = bench.browser();
    let headers = [
        ("origin", crate::support::URL),
        ("x-forwarded-for", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7"),
        ("x-request-id", "mine"),
    ];
    let page = post(&mut browser, "/login", &headers, &[("email", EMAIL), ("password", PASSWORD)]).await;
    assert_eq!(page.status, 303);
    assert_ne!(page.header("x-request-id"), "mine");
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_events WHERE ip IS NOT NULL").await, 0);
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_events WHERE request_id = 'mine'").await, 0);
}

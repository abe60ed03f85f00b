//! Settings of a user, a browser, a project and the instance.

use crate::{
    authorization_matrix::fixtures::authorization_query,
    support::{
        TestServer,
        browser::{Browser, Page},
        html::{error_of, fields_with_errors},
        json_of,
        test_data::{KeyEdit, KeyForms as _, change_key},
    },
};
use keyward::{
    domain::{ids::ProjectId, time::Timestamp, transition::Transition},
    service::{Error, actor::Caller, time_format},
};
use serde_json::{Value, json};
use uuid::Uuid;

/// The number of scopes of a new instance: three default scopes and two for management.
const CATALOGUE: i64 = 5;
const MAREN: &str = "maren@pelagic.example";

/// Returns the error message at a field of a form response with status 422.
fn field_error(page: &Page, field: &str) -> String {
    assert_eq!(page.status, 422, "{field}: {}", page.text());
    error_of(page, field)
}

/// Returns the detail of the newest event of this action.
async fn last_event_detail(bench: &TestServer, action: &str) -> Value {
    let texts =
        bench.query_texts(&format!("SELECT detail FROM audit_events WHERE action = '{action}' ORDER BY seq")).await;
    serde_json::from_str(texts.last().unwrap_or_else(|| panic!("no {action}"))).expect("JSON")
}

async fn project(bench: &TestServer, caller: &Caller, id: ProjectId) -> Value {
    json_of(&bench.app.projects.get(caller, id).await.unwrap())
}

async fn save(browser: &mut Browser, id: ProjectId, version: &str, config: &str) -> Page {
    let text = id.to_string();
    browser.post(&format!("/projects/{id}"), &[("id", &text), ("version", version), ("config", config)]).await
}

fn scope<'a>(name: &'a str, description: &'a str, granted_by: &'a str) -> [(&'a str, &'a str); 4] {
    [("name", name), ("description", description), ("in_default", "on"), ("granted_by", granted_by)]
}

on_both_engines! {
    async fn a_person_changes_their_name_and_zone(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        bench.create_user("jonas@pelagic.example", false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let account = json_of(&bench.app.accounts.profile(&maren).await.unwrap());
        assert_eq!((&account["name"], &account["email"], &account["zone"]), (&json!("maren"), &json!(MAREN), &Value::Null));
        assert!(account["now"].as_str().unwrap().ends_with(" UTC"), "{}", account["now"]);
        assert!(account["zones"].as_array().unwrap().contains(&json!("Pacific/Kiritimati")));

        let page = browser.post("/settings/account", &[("name", " Zoë Ærø "), ("zone", "Europe/Berlin")]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/account?done=saved"), "{}", page.text());
        let account = json_of(&bench.app.accounts.profile(&bench.caller(MAREN).await).await.unwrap());
        assert_eq!((&account["name"], &account["zone"]), (&json!("Zoë Ærø"), &json!("Europe/Berlin")));
        let now = account["now"].as_str().unwrap();
        assert!(now.ends_with(" CET") || now.ends_with(" CEST"), "{now}");
        assert_eq!(browser.account().await.expect("signed in").name, "Zoë Ærø");
        assert_eq!(
            last_event_detail(&bench, "user.changed").await,
            json!({"before": {"name": "maren", "zone": null}, "after": {"name": "Zoë Ærø", "zone": "Europe/Berlin"}})
        );
        assert_eq!(bench.query_texts("SELECT name FROM users ORDER BY name").await, ["Zoë Ærø", "jonas"]);

        // The same values change nothing. An empty zone means the browser's zone.
        browser.post("/settings/account", &[("name", "Zoë Ærø"), ("zone", "Europe/Berlin")]).await;
        assert_eq!(bench.events("user.changed").await, 1);
        browser.post("/settings/account", &[("name", "Zoë Ærø")]).await;
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users WHERE zone IS NULL").await, 2);
        assert_eq!(bench.events("user.changed").await, 2);
    }

    async fn an_invalid_name_or_zone_is_reported_and_not_stored(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let long = "x".repeat(101);
        for (name, zone, field) in [
            ("", "", "name"),
            (long.as_str(), "", "name"),
            ("a\nb", "", "name"),
            ("Ma\u{202E}ren", "", "name"),
            ("Maren", "Mars/Olympus", "zone"),
        ] {
            let page = browser.post("/settings/account", &[("name", name), ("zone", zone)]).await;
            assert!(!field_error(&page, field).is_empty());
        }
        let both = browser.post("/settings/account", &[("zone", "x")]).await;
        assert_eq!(fields_with_errors(&both), ["name", "zone"], "both at once");
        assert_eq!(bench.query_texts("SELECT name FROM users").await, ["maren"]);
        assert_eq!(bench.events("user.changed").await, 0);
        let mut stranger = bench.browser();
        for page in [stranger.get("/settings/account").await, stranger.post("/settings/account", &[("name", "X")]).await] {
            assert_eq!((page.status, page.location()), (303, "/login?next=%2Fsettings%2Faccount"));
        }
        assert_eq!(bench.query_texts("SELECT name FROM users").await, ["maren"]);
    }

    async fn projects_are_seen_by_their_members(bench: TestServer) {
        let owner = bench.create_user(MAREN, false).await;
        let viewer = bench.create_user("viewer@pelagic.example", false).await;
        bench.create_user("root@pelagic.example", true).await;
        let made = bench.create_key(&owner, "Gateway").await;
        let gone = bench.create_key(&owner, "Old gateway").await;
        change_key(&bench.app.keys, &owner, gone.id, Transition::Delete).await.unwrap();
        bench.add_member(made.project, &viewer, "viewer").await;

        let list = json_of(&bench.app.projects.list(&owner).await.unwrap());
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
        assert_eq!((&list[0]["role"], &list[0]["keys"]), (&json!("owner"), &json!(1)));
        let seen = project(&bench, &owner, made.project).await;
        assert_eq!(seen["name"], "maren’s project");
        assert_eq!((&seen["config"], &seen["token_life"], &seen["keys"]), (&json!("{}"), &json!("1 day"), &json!(1)));
        assert_eq!((&seen["default_scopes"], &seen["may_configure"]), (&json!(true), &json!(true)));
        let names: Vec<_> = seen["scopes"].as_array().unwrap().iter().map(|it| it["name"].clone()).collect();
        assert_eq!(names, ["data:read", "data:write", "usage:read", "keyward:keys.read", "keyward:keys.write"]);

        let list = json_of(&bench.app.projects.list(&viewer).await.unwrap());
        assert_eq!(list.as_array().unwrap().len(), 2, "their own, and the one that they joined: {list}");
        let seen = project(&bench, &viewer, made.project).await;
        assert_eq!((&seen["role"], &seen["may_configure"]), (&json!("viewer"), &json!(false)));
        let page = bench.signed_in("viewer@pelagic.example").await.get(&format!("/projects/{}", made.project)).await;
        assert!(page.status == 200 && !page.text().contains("Save config"), "{}", page.text());

        // A project of others gets the same response as an unknown one.
        let other = bench.create_user("other@pelagic.example", false).await;
        let refused = bench.app.projects.get(&other, made.project).await.map(|_| ());
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
        let mut browser = bench.signed_in("other@pelagic.example").await;
        let (id, missing) = (made.project.to_string(), Uuid::from_bytes(crate::support::random()).to_string());
        let theirs = browser.get(&format!("/projects/{id}")).await;
        let none = browser.get(&format!("/projects/{missing}")).await;
        assert_eq!((theirs.status, theirs.masked(&[&id])), (404, none.masked(&[&missing])));
        for path in ["/projects".to_owned(), format!("/projects/{id}")] {
            let page = bench.browser().get(&path).await;
            assert!(page.status == 303 && page.location().starts_with("/login?next="), "{path}: {}", page.status);
        }
    }

    async fn a_config_is_saved_by_its_owner(bench: TestServer) {
        let owner = bench.create_user(MAREN, false).await;
        let id = bench.project_of(&owner).await;
        let mut browser = bench.signed_in(MAREN).await;
        let first = project(&bench, &owner, id).await["version"].as_str().unwrap().to_owned();
        let text = "{\n  \"z\": 1,\n  \"a\": [true, \"ø\"]\n}";
        assert_eq!(save(&mut browser, id, &first, text).await.status, 303);
        assert_eq!(bench.app.projects.config(id).await.unwrap(), r#"{"z":1,"a":[true,"ø"]}"#, "compact, in their order");
        let seen = project(&bench, &owner, id).await;
        assert_eq!(seen["config"], "{\n  \"z\": 1,\n  \"a\": [\n    true,\n    \"ø\"\n  ]\n}");
        assert_eq!(last_event_detail(&bench, "project.config_set").await, json!({"before": {"bytes": 2}, "after": {"bytes": 23}}));

        // An edit from an outdated version gets a conflict and overwrites nothing.
        let late = save(&mut browser, id, &first, "{}").await;
        assert_eq!(late.status, 409, "{}", late.text());
        let version = seen["version"].as_str().unwrap();
        for (text, words) in [
            ("", "Enter a JSON object. For an empty config, enter {}."),
            ("[1]", "Line 1, column 1: expected a JSON object, which starts with `{`."),
            ("{\"a\": 1\n \"b\"}", "Line 2, column 2: expected `,` or `}`."),
            ("{\"a\": 1, \"a\": 2}", "Line 1, column 10: the name `a` is already used in this object."),
        ] {
            assert_eq!(field_error(&save(&mut browser, id, version, text).await, "config"), words);
        }
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(256 * 1024));
        assert!(bench.app.projects.save_config(&owner, id, version, &long).await.is_err());
        let most = format!("{{\"a\":\"{}\"}}", "x".repeat(256 * 1024 - 8));
        assert_eq!(bench.events("project.config_set").await, 1);
        bench.app.projects.save_config(&owner, id, version, &most).await.unwrap();
        assert_eq!(bench.app.projects.config(id).await.unwrap(), most);
    }

    /// A browser's encoding of a config is up to three times as long as the config. The form accepts it. For a config
    /// that is too long, the page shows an error and keeps the text.
    async fn a_long_config_is_saved_by_its_form(bench: TestServer) {
        let owner = bench.create_user(MAREN, false).await;
        let id = bench.project_of(&owner).await;
        let mut browser = bench.signed_in(MAREN).await;
        let (path, text) = (format!("/projects/{id}"), id.to_string());
        let kib = |n: usize, letter: &str| format!("{{\"a\":\"{}\"}}", letter.repeat((n * 1024 - 8) / letter.len()));
        for config in [kib(200, "x"), kib(200, "ø"), kib(256, "ø"), kib(256, "=")] {
            let version = browser.get(&path).await.input("version").to_owned();
            let page = browser.post(&path, &[("id", &text), ("version", &version), ("config", &config)]).await;
            assert_eq!((page.status, page.location()), (303, format!("{path}?done=saved").as_str()), "{} bytes", config.len());
            assert!(bench.app.projects.config(id).await.unwrap() == config, "{} bytes", config.len());
            assert!(browser.get(&format!("{path}?done=saved")).await.text().contains("Config saved."));
        }
        let (saved, events) = (bench.app.projects.config(id).await.unwrap(), bench.events("project.config_set").await);
        let version = browser.get(&path).await.input("version").to_owned();
        for (config, sent_back) in [(kib(257, "x"), true), (kib(300, "y"), true), (kib(300, "ø"), true), (kib(400, "ø"), false)] {
            let page = browser.post(&path, &[("id", &text), ("version", &version), ("config", &config)]).await;
            assert!(page.header("content-type").starts_with("text/html"), "{} bytes", config.len());
            assert!(page.text().contains("<h1"), "{} bytes", config.len());
            if sent_back {
                assert_eq!(page.status, 422, "{} bytes", config.len());
                assert!(page.text().contains(" KiB. The maximum is 256 KiB."), "{} bytes", config.len());
                assert!(page.text().contains(&config[8..20_000]), "what was written is still there");
                assert_eq!(page.input("version"), version);
            } else {
                assert!(matches!(page.status, 413 | 422), "{}", page.status);
            }
        }
        assert!(bench.app.projects.config(id).await.unwrap() == saved);
        assert_eq!(bench.events("project.config_set").await, events);
        // Navigation has the same limits.
        let page = browser.post_live(&path, &[("id", &text), ("version", &version), ("config", &kib(200, "z"))]).await;
        assert_eq!(page.status, 303);
        // A program's request contains no config: its limit is 64 KiB.
        let long = json!({"key": "x".repeat(64 * 1024)});
        for path in ["/v1/keys/verify", "/authentication/token"] {
            let page = browser.json(path, &long).await;
            assert_eq!((page.status, page.problem().as_str()), (413, "body_too_large"), "{path}");
        }
    }

    /// The theme form sets the cookie in its redirect, signed in or not, and every later page uses the theme.
    async fn a_theme_is_drawn_on_every_page(bench: TestServer) {
        bench.create_user(MAREN, true).await;
        let paths = ["/keys", "/keys/new", "/projects", "/settings/account", "/settings/developer/api-keys", "/admin/keys",
            "/admin/scopes", "/logout", "/login", "/nothing", "/v1"];
        let theme = |page: &Page| {
            let tag = page.text().split("<html").nth(1).and_then(|rest| rest.split('>').next()).unwrap_or_default().to_owned();
            tag.split("data-theme=\"").nth(1).and_then(|rest| rest.split('"').next()).map(ToOwned::to_owned)
        };
        for signed_in in [true, false] {
            let mut browser = if signed_in { bench.signed_in(MAREN).await } else { bench.browser() };
            let session = browser.cookie.clone();
            assert_eq!(theme(&browser.get("/nothing").await), None);
            for (value, age) in [("dark", "31536000"), ("light", "31536000"), ("system", "0"), ("dark", "31536000")] {
                let page = browser.post("/settings/theme?next=%2Fkeys%3Fstatus%3Dactive", &[("theme", value)]).await;
                assert_eq!((page.status, page.location()), (303, "/keys?status=active"), "{}", page.text());
                let kept = if value == "system" { "" } else { value };
                let sets: Vec<_> = page.headers.get_all("set-cookie").iter().map(|it| it.to_str().unwrap().to_owned()).collect();
                assert_eq!(sets, [format!("theme={kept}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax")], "and the session's is left alone");
                for path in paths {
                    let page = browser.get(path).await;
                    if page.header("content-type").starts_with("text/html") && page.status != 303 {
                        assert_eq!(theme(&page).as_deref(), (value != "system").then_some(value), "{signed_in} {path}");
                    }
                }
            }
            // A page after a form error and pages outside the application use it too.
            let refused = browser.post("/login", &[("email", ""), ("password", "")]).await;
            assert!(signed_in || theme(&refused).as_deref() == Some("dark"), "{}", refused.status);
            let foreign = axum::http::Request::post("/logout").header("accept", "text/html");
            let page = browser.send(foreign, String::new()).await;
            assert_eq!((page.status, theme(&page).as_deref()), (403, Some("dark")));
            if signed_in {
                assert!(browser.cookie.as_deref().unwrap().starts_with(session.as_deref().unwrap()), "still signed in");
                assert_eq!(browser.get("/settings/account").await.status, 200);
            }
            // Any other value is rejected and leaves the cookie unchanged.
            for bad in ["", "blue", "dark; Domain=example.com", "dark\r\nSet-Cookie: a=b"] {
                let page = browser.post("/settings/theme", &[("theme", bad)]).await;
                // The error page requires sign-in.
                assert_eq!(page.status, if signed_in { 422 } else { 303 }, "{bad}");
                assert!(page.headers.get("set-cookie").is_none(), "{bad}");
            }
            for next in ["%2F%2Fevil.example", "https:evil.example", "%2F%5Cevil.example", ""] {
                let page = browser.post(&format!("/settings/theme?next={next}"), &[("theme", "dark")]).await;
                assert_eq!((page.status, page.location()), (303, "/settings/account"), "{next}");
            }
        }
        let foreign = axum::http::Request::post("/settings/theme").header("content-type", "application/x-www-form-urlencoded");
        let page = bench.browser().send(foreign.header("origin", "https://evil.example"), "theme=dark".into()).await;
        assert_eq!((page.status, page.header("set-cookie")), (403, ""));
    }

    /// Times on a page are in the time zone from the browser's cookie.
    async fn pages_are_in_the_zone_of_the_browser(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let at = Timestamp::from_micros(bench.key_row(made.id).await.unwrap().created_at);
        let exact = |zone: &str| time_format::format_moment(at, &time_format::zone(zone).unwrap()).exact;
        let mut browser = bench.signed_in(MAREN).await;
        let session = browser.cookie.clone().unwrap();
        let all = ["UTC", "Pacific/Kiritimati", "Asia/Kathmandu", "America/St_Johns"];
        for (cookie, zone) in [
            ("", "UTC"),
            ("; zone=Pacific/Kiritimati", "Pacific/Kiritimati"),
            ("; theme=dark; zone=Asia%2FKathmandu", "Asia/Kathmandu"),
            ("; zone=America/St_Johns", "America/St_Johns"),
            ("; zone=Mars/Olympus", "UTC"),
            ("; zone=<script>", "UTC"),
        ] {
            browser.cookie = Some(format!("{session}{cookie}"));
            for path in [format!("/keys/{}", made.id), "/keys".into()] {
                let page = browser.get(&path).await;
                for other in all {
                    assert_eq!(page.text().contains(&exact(other)), other == zone, "{path} {cookie}: {other}");
                }
                assert!(!page.text().contains("Olympus") && !page.text().contains("zone=<"), "{path} {cookie}");
            }
        }
        // The zone in the user's settings takes precedence.
        assert_eq!(browser.post("/settings/account", &[("name", "Maren"), ("zone", "Asia/Kathmandu")]).await.status, 303);
        browser.cookie = Some(format!("{session}; zone=Pacific/Kiritimati"));
        let page = browser.get(&format!("/keys/{}", made.id)).await;
        assert!(page.text().contains(&exact("Asia/Kathmandu")) && !page.text().contains(&exact("Pacific/Kiritimati")));
    }

    async fn a_config_is_not_saved_by_others(bench: TestServer) {
        let owner = bench.create_user(MAREN, false).await;
        let id = bench.project_of(&owner).await;
        let version = project(&bench, &owner, id).await["version"].as_str().unwrap().to_owned();
        for (email, role, admin, status) in [
            ("operator@pelagic.example", Some("operator"), false, 403),
            ("viewer@pelagic.example", Some("viewer"), false, 403),
            ("stranger@drift.example", None, false, 404),
            ("root@pelagic.example", None, true, 404),
        ] {
            let caller = bench.create_user(email, admin).await;
            if let Some(role) = role {
                bench.add_member(id, &caller, role).await;
            }
            let mut browser = bench.signed_in(email).await;
            let page = save(&mut browser, id, &version, "{\"a\": 1}").await;
            assert_eq!(page.status, status, "{email}: {}", page.text());
            if status == 403 {
                assert!(page.text().contains("Only a project owner can change the config."), "{}", page.text());
                continue;
            }
            let missing: ProjectId = Uuid::from_bytes(crate::support::random()).into();
            let none = save(&mut browser, missing, &version, "{\"a\": 1}").await;
            assert_eq!(none.status, 404, "{email}");
            // An administrator sees the project on the page behind the denied form.
            if !admin {
                let [id, missing] = [id, missing].map(|id| id.to_string());
                assert_eq!(none.masked(&[&missing]), page.masked(&[&id]), "{email}");
            }
        }
        let page = save(&mut bench.browser(), id, &version, "{}").await;
        assert!(page.status == 303 && page.location().starts_with("/login?next="), "{} {}", page.status, page.location());
        assert_eq!(bench.app.projects.config(id).await.unwrap(), "{}");
        assert_eq!(bench.events("project.config_set").await, 0);
    }

    async fn administrators_keep_the_catalogue(bench: TestServer) {
        let admin = bench.create_user(MAREN, true).await;
        let mut browser = bench.signed_in(MAREN).await;
        let (add, tides) = ("/admin/scopes/new", |verb: &str| format!("/admin/scopes/tides:read/{verb}"));
        let page = browser.post(add, &scope("tides:read", " Read tides ", "owner")).await;
        assert_eq!(page.status, 303, "{}", page.text());
        let facts = json!({"description": "Read tides", "in_default": true, "granted_by": "owner"});
        assert_eq!(last_event_detail(&bench, "scope.added").await, json!({"after": facts}));
        let list = async || json_of(&bench.app.scopes.list(&admin).await.unwrap());
        let mut expected = facts.clone();
        expected["name"] = json!("tides:read");
        expected["keys"] = json!(0);
        expected["projects"] = json!(1);
        expected["retired"] = json!(false);
        assert_eq!(list().await[3], expected, "behind the others");

        // An unchecked box removes the scope from the default set. The default for `granted_by` is `operator`.
        let page = browser.post(&tides("edit"), &[("name", "tides:read"), ("description", "Read the tides")]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        let after = json!({"description": "Read the tides", "in_default": false, "granted_by": "operator"});
        assert_eq!(last_event_detail(&bench, "scope.edited").await, json!({"before": facts, "after": after}));
        assert_eq!(list().await[3]["projects"], 0);
        assert_eq!(browser.post(&tides("remove"), &[("name", "tides:read")]).await.status, 303);
        assert_eq!(last_event_detail(&bench, "scope.removed").await, json!({"before": after}));
        for verb in ["edit", "remove"] {
            let page = browser.post(&tides(verb), &scope("tides:read", "Read", "owner")).await;
            assert_eq!(page.status, 404, "{verb} of a scope that does not exist: {}", page.text());
        }

        let long = "x".repeat(201);
        for (name, description, granted_by, field) in [
            ("", "Read", "", "name"),
            ("not a scope", "Read", "", "name"),
            ("keyward:admin", "Manage", "", "name"),
            ("Keyward:admin", "Manage", "", "name"),
            ("data:read", "Again", "", "name"),
            ("tides:read", " ", "", "description"),
            ("tides:read", &long, "", "description"),
            ("tides:read", "a\nb", "", "description"),
            ("tides:read", "Read", "viewer", "granted_by"),
        ] {
            assert!(!field_error(&browser.post(add, &scope(name, description, granted_by)).await, field).is_empty());
        }
        let all = browser.post(add, &scope("", "", "x")).await;
        assert_eq!(fields_with_errors(&all), ["name", "description", "granted_by"], "all at once");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM scopes").await, CATALOGUE);

        // The scope is in use by a key, a deleted key or a project.
        let made = bench.create_key(&admin, "Gateway").await;
        bench.create_key(&admin, "Other").await;
        let list = list().await;
        assert_eq!((&list[0]["name"], &list[0]["keys"], &list[1]["keys"]), (&json!("data:read"), &json!(2), &json!(0)));
        change_key(&bench.app.keys, &admin, made.id, Transition::Delete).await.unwrap();
        let project = bench.literal(made.project);
        bench.execute_sql(&format!("INSERT INTO project_scopes (project_id, scope) VALUES ({project}, 'data:read')")).await;
        let page = browser.post("/admin/scopes/data:read/remove", &[("name", "data:read")]).await;
        assert_eq!(page.status, 409, "{}", page.text());
        let words = "This scope is in use: 1 key, 1 deleted key that can still be restored, 1 project that selected it. \
             Retire it instead: keys that have it keep it, and it cannot be added to new keys.";
        assert!(page.text().contains(words), "{}", page.text());
        // A grant to a client uses a scope too, as long as the grant is valid.
        bench.execute_sql("DELETE FROM project_scopes").await;
        let consent = &bench.app.consent;
        let client = consent.register(&admin, made.project, "Buoy", "http://127.0.0.1/cb").await.unwrap();
        let query = authorization_query("x", &format!("client:{client}"), &made.project.to_string()).replace("data%3Aread", "data%3Awrite");
        consent.approve(&admin, &query, vec!["data:write".into()], 3_600).await.unwrap();
        let page = browser.post("/admin/scopes/data:write/remove", &[("name", "data:write")]).await;
        assert_eq!(page.status, 409, "{}", page.text());
        let words = "This scope is in use: 1 grant to an application. ";
        assert!(page.text().contains(words), "{}", page.text());
        let grant = consent.list_own(&admin).await.unwrap().grants[0].id;
        consent.revoke(&admin, None, grant).await.unwrap();
        assert_eq!(browser.post("/admin/scopes/data:write/remove", &[("name", "data:write")]).await.status, 303);
        assert_eq!(bench.events("scope.removed").await, 2);
        browser.post(add, &scope("data:write", "Write", "")).await;
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM scopes").await, CATALOGUE);
    }

    /// A scope whose name contains another name, or differs from it in case only, is a different scope.
    async fn keys_are_counted_by_the_whole_name(bench: TestServer) {
        let admin = bench.create_user(MAREN, true).await;
        let mut browser = bench.signed_in(MAREN).await;
        for name in ["a_b", "axb", "A_B", "a_b:read"] {
            assert_eq!(browser.post("/admin/scopes/new", &scope(name, "Probe", "")).await.status, 303, "{name}");
        }
        let mut draft = bench.draft(bench.project_of(&admin).await, "Probe");
        draft.scopes = vec!["a_b".into()];
        bench.app.keys.create_from(&admin, draft).await.unwrap();
        let list = json_of(&bench.app.scopes.list(&admin).await.unwrap());
        let held: Vec<_> = list.as_array().unwrap().iter().filter(|it| it["keys"] != 0).map(|it| it["name"].clone()).collect();
        assert_eq!(held, ["a_b"]);
    }

    async fn the_catalogue_is_not_there_for_others(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        for path in ["", "/new", "/data:read/edit", "/data:read/remove"] {
            let path = format!("/admin/scopes{path}");
            let (page, stranger) = (browser.get(&path).await, bench.browser().get(&path).await);
            assert_eq!((page.status, stranger.status), (404, 404), "{path}");
            if path == "/admin/scopes" {
                continue;
            }
            // An invalid field does not reveal that the form exists.
            let mut answers = Vec::new();
            for fields in [&scope("data:read", "Mine", "owner")[..], &scope("", "", "x")[..], &[]] {
                let page = browser.post(&path, fields).await;
                assert_eq!(page.status, 404, "{path}: {}", page.text());
                answers.push(page.masked(&[]));
                let page = bench.browser().post(&path, fields).await;
                let is_led = page.status == 303 && page.location().starts_with("/login?next=");
                assert!(is_led || page.status == 404, "{path}: {}", page.status);
            }
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{path}: {answers:?}");
        }
        let events = "SELECT COUNT(*) FROM audit_events WHERE action LIKE 'scope.%'";
        assert_eq!((bench.query_number("SELECT COUNT(*) FROM scopes").await, bench.query_number(events).await), (CATALOGUE, 0));
    }

    /// A scope that only owners may grant: an operator is not offered it and cannot add it, but may keep it on a key.
    async fn an_owners_scope_is_granted_by_owners(bench: TestServer) {
        let owner = bench.create_user(MAREN, true).await;
        let operator = bench.create_user("operator@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        bench.add_member(project, &operator, "operator").await;
        bench.signed_in(MAREN).await.post("/admin/scopes/new", &scope("alerts:write", "Publish alerts", "owner")).await;
        let offered = async |caller| {
            let form = bench.app.keys.new_key_form(caller).await.unwrap();
            let choice = form.projects.into_iter().find(|choice| choice.id == project).unwrap();
            choice.scopes.iter().any(|scope| scope.name.as_str() == "alerts:write")
        };
        assert!(offered(&owner).await && !offered(&operator).await);
        let mut draft = bench.draft(project, "Storm desk");
        draft.scopes = vec!["alerts:write".into()];
        let refused = bench.app.keys.create_from(&operator, draft.clone()).await.map(|_| ()).expect_err("refused");
        assert!(format!("{refused:?}").contains("Only a project owner can grant the scope alerts:write"), "{refused:?}");
        let made = bench.app.keys.create_from(&owner, draft).await.unwrap().0;
        let version = async |id| bench.app.keys.edit_form(&operator, id).await.unwrap().version;
        let edit = KeyEdit {
            version: version(made.id).await,
            name: "Storm desk, night".into(),
            expires: "keep".into(),
            expires_on: String::new(),
            scopes: vec!["alerts:write".into()],
            issued_to: String::new(),
            restrictions: Default::default(),
        };
        bench.app.keys.edit_from(&operator, made.id, edit.clone()).await.unwrap();
        let other = bench.app.keys.create_from(&operator, bench.draft(project, "Other")).await.unwrap().0;
        let edit = KeyEdit { version: version(other.id).await, ..edit };
        let refused = bench.app.keys.edit_from(&operator, other.id, edit).await;
        assert!(matches!(refused, Err(keyward::service::Error::Invalid(_))), "added by an edit: {refused:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE scopes LIKE '%alerts%'").await, 1);
    }
}

/// The theme belongs to the browser, not to the user.
#[tokio::test]
async fn a_theme_is_kept_by_the_browser() {
    let bench = TestServer::new(crate::support::Engine::Sqlite).await;
    bench.create_user(MAREN, false).await;
    let mut browser = bench.browser();
    for (theme, cookie) in [
        ("dark", "theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"),
        ("light", "theme=light; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"),
        ("system", "theme=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"),
    ] {
        let page = browser.post("/settings/theme", &[("theme", theme)]).await;
        assert_eq!((page.status, page.header("set-cookie")), (303, cookie), "{}", page.text());
    }
    let mut browser = bench.signed_in(MAREN).await;
    for bad in ["", "blue", "dark; Domain=example.com"] {
        let page = browser.post("/settings/theme", &[("theme", bad)]).await;
        assert_eq!(field_error(&page, "theme"), "Choose system, light, or dark.");
        assert_eq!(page.header("set-cookie"), "");
    }
    let bench = TestServer::with_url(crate::support::Engine::Sqlite, "https://keys.example").await;
    let events = bench.query_number("SELECT COUNT(*) FROM audit_events").await;
    let page = bench.browser().post("/settings/theme", &[("theme", "dark")]).await;
    assert!(page.header("set-cookie").ends_with("; Secure"), "{}", page.header("set-cookie"));
    assert_eq!(
        bench.query_number("SELECT COUNT(*) FROM audit_events").await,
        events,
        "the setting belongs to the browser"
    );
}

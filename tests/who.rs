//! Who may what: everybody at every page, form, server function and route, and what is stored afterwards.

mod support;

use keyward::{
    domain::ids::KeyId,
    http::routes::{ROUTES, Who as Asks},
    service::actor::Caller,
};
use support::{
    Bench,
    browser::{Browser, Page},
    stored::Made,
};
use uuid::Uuid;

/// How somebody stands to the project that the key belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    Owner,
    /// Somebody with an account and a project of their own.
    Other,
    Viewer,
    Operator,
    /// An administrator who is no member.
    Administrator,
}
use Who::*;

const PEOPLE: [Who; 6] = [Nobody, Owner, Other, Viewer, Operator, Administrator];
/// Those who learn nothing of the key.
const STRANGERS: [Who; 2] = [Other, Administrator];
const VERBS: [&str; 4] = ["deactivate", "activate", "delete", "restore"];

impl Who {
    fn may_change(self) -> bool {
        matches!(self, Owner | Operator)
    }

    fn is_member(self) -> bool {
        matches!(self, Owner | Operator | Viewer)
    }

    /// The status of a server function that changes the key.
    fn status_of_a_change(self) -> u16 {
        match self {
            Nobody => 401,
            Owner | Operator => 200,
            Viewer => 403,
            Other | Administrator => 404,
        }
    }
}

struct Cast {
    owner: Caller,
    key: Made,
    browsers: Vec<(Who, Browser)>,
}

/// Everybody, each in a browser of their own, and a key of the owner's.
async fn cast(bench: &Bench) -> Cast {
    let owner = bench.person("owner@pelagic.example", false).await;
    let key = bench.key(&owner, "Gateway").await;
    let mut browsers = vec![(Nobody, bench.browser()), (Owner, bench.signed_in("owner@pelagic.example").await)];
    for (who, email, role) in [
        (Other, "stranger@drift.example", None),
        (Viewer, "viewer@pelagic.example", Some("viewer")),
        (Operator, "operator@pelagic.example", Some("operator")),
        (Administrator, "root@keys.example", None),
    ] {
        let caller = bench.person(email, who == Administrator).await;
        if let Some(role) = role {
            bench.join(key.project, &caller, role).await;
        }
        browsers.push((who, bench.signed_in(email).await));
    }
    Cast { owner, key, browsers }
}

impl Cast {
    fn browser(&mut self, who: Who) -> &mut Browser {
        &mut self.browsers.iter_mut().find(|(it, _)| *it == who).expect("everybody has a browser").1
    }

    /// Brings the key into the state from which the verb changes it.
    async fn ready(&self, bench: &Bench, verb: &str) {
        let (keys, owner, id) = (&bench.app.keys, &self.owner, self.key.id);
        keys.restore(owner, id).await.unwrap();
        match verb {
            "activate" => keys.deactivate(owner, id).await.unwrap(),
            "restore" => {
                keys.activate(owner, id).await.unwrap();
                keys.delete(owner, id).await.unwrap()
            }
            _ => keys.activate(owner, id).await.unwrap(),
        };
    }
}

/// Whether the verb was done to the key.
async fn is_done(bench: &Bench, id: KeyId, verb: &str) -> bool {
    let row = bench.key_row(id).await.expect("the key is there");
    match verb {
        "deactivate" => !row.active,
        "activate" => row.active,
        "delete" => row.deleted_at.is_some(),
        _ => row.deleted_at.is_none(),
    }
}

/// The fields of the form for a new key.
fn new_key<'a>(number: &'a str, project: &'a str) -> [(&'a str, &'a str); 5] {
    [("number", number), ("project", project), ("name", "Probe"), ("expires", "30d"), ("scopes[]", "data:read")]
}

/// Everything of an answer but what differs each time.
fn bare(page: &Page, words: &[&str]) -> (u16, String, String, String) {
    (page.status, page.header("content-type").to_owned(), page.location().to_owned(), page.masked(words))
}

on_both_engines! {
    /// Deactivate, activate, delete, restore by server function.
    async fn changing_by_server_function(bench: Bench) {
        let mut cast = cast(&bench).await;
        let id = cast.key.id;
        for verb in VERBS {
            for who in PEOPLE {
                cast.ready(&bench, verb).await;
                let before = bench.stored(id).await;
                let page = cast.browser(who).call(&format!("keys/{verb}"), &[("id", &id.to_string())]).await;
                assert_eq!(page.status, who.status_of_a_change(), "{who:?} {verb}: {}", page.text());
                assert_eq!(is_done(&bench, id, verb).await, who.may_change(), "{who:?} {verb}");
                assert_eq!(bench.stored(id).await != before, who.may_change(), "{who:?} {verb}");
                assert_eq!(page.header("cache-control"), "no-store", "{who:?} {verb}");
            }
        }
    }

    /// The same by the forms of the pages.
    async fn changing_by_form(bench: Bench) {
        let mut cast = cast(&bench).await;
        let id = cast.key.id;
        for verb in VERBS {
            for who in PEOPLE {
                cast.ready(&bench, verb).await;
                let before = bench.stored(id).await;
                let page = cast.browser(who).post(&format!("/keys/{id}/{verb}"), &[("id", &id.to_string())]).await;
                let login = format!("/login?next=%2Fkeys%2F{id}%2F{verb}");
                let (status, location) = match who {
                    Nobody => (303, login.as_str()),
                    Owner | Operator if verb == "delete" => (303, "/keys?status=deleted"),
                    Owner | Operator => (303, "/keys"),
                    Viewer => (403, ""),
                    Other | Administrator => (404, ""),
                };
                assert_eq!((page.status, page.location()), (status, location), "{who:?} {verb}: {}", page.text());
                assert_eq!(is_done(&bench, id, verb).await, who.may_change(), "{who:?} {verb}");
                assert_eq!(bench.stored(id).await != before, who.may_change(), "{who:?} {verb}");
            }
        }
    }

    /// Making a key in the owner's project, by server function and by form.
    async fn creating(bench: Bench) {
        let mut cast = cast(&bench).await;
        let project = cast.key.project.to_string();
        for by_form in [false, true] {
            for who in PEOPLE {
                let number = bench.app.ground.new_id().to_string();
                let fields = new_key(&number, &project);
                let before = bench.number("SELECT COUNT(*) FROM keys").await;
                let browser = cast.browser(who);
                let page = if by_form {
                    browser.post("/keys/new", &fields).await
                } else {
                    browser.call("keys/create", &fields).await
                };
                let status = if by_form && who == Nobody { 303 } else { who.status_of_a_change() };
                assert_eq!(page.status, status, "{who:?}: {}", page.text());
                let made = bench.number("SELECT COUNT(*) FROM keys").await - before;
                assert_eq!(made, i64::from(who.may_change()), "{who:?}");
                let has_secret = page.text().contains("kw_live_") && page.text().contains("KEYWARD_SECRET_KEY");
                assert_eq!(has_secret, by_form && who.may_change(), "{who:?}");
                assert!(page.header("cache-control").contains("no-store"), "{who:?}");
            }
        }
        assert_eq!(bench.events("key.created").await, 5);
    }

    /// Reading by server function.
    async fn reading_by_server_function(bench: Bench) {
        let mut cast = cast(&bench).await;
        let (id, project) = (cast.key.id.to_string(), cast.key.project.to_string());
        let before = bench.stored(cast.key.id).await;
        for who in PEOPLE {
            let browser = cast.browser(who);
            let signed_in = if who == Nobody { 401 } else { 200 };
            let list = browser.call("keys/list", &[("status", ""), ("after", "")]).await;
            assert_eq!(list.status, signed_in, "{who:?}");
            assert_eq!(list.text().contains(&id), who.is_member(), "{who:?}: {}", list.text());
            if who.is_member() {
                assert_eq!(list.json()["keys"][0]["may_change"], who.may_change(), "{who:?}");
            }
            let get = browser.call("keys/get", &[("id", &id)]).await;
            let expected = match who {
                Nobody => 401,
                who if who.is_member() => 200,
                _ => 404,
            };
            assert_eq!(get.status, expected, "{who:?}: {}", get.text());
            let form = browser.call("keys/form", &[]).await;
            assert_eq!(form.status, signed_in, "{who:?}");
            assert_eq!(form.text().contains(&project), who.may_change(), "{who:?}: {}", form.text());
            let me = browser.call("session/me", &[]).await;
            assert_eq!((me.status, me.json().is_null()), (200, who == Nobody), "{who:?}");
            let instance = browser.call("session/instance", &[]).await;
            assert_eq!((instance.status, &instance.json()["needs_setup"]), (200, &false.into()), "{who:?}");
        }
        assert_eq!(bench.stored(cast.key.id).await, before);
    }

    /// Signing in, out, and the first start, for whoever asks.
    async fn sessions_by_server_function(bench: Bench) {
        let mut cast = cast(&bench).await;
        for who in PEOPLE {
            let browser = cast.browser(who);
            let fields = [("code", "x"), ("name", "X"), ("email", "x@x.example"), ("password", support::PASSWORD)];
            assert_eq!(browser.call("session/setup", &fields).await.status, 404, "{who:?}: it is set up");
            let wrong = [("email", "owner@pelagic.example"), ("password", "not the tide at all")];
            assert_eq!(browser.call("session/sign_in", &wrong).await.status, 422, "{who:?}");
            let me = browser.call("session/me", &[]).await;
            assert_eq!(me.json().is_null(), who == Nobody, "{who:?}: a failure signs nobody out");
            assert_eq!(browser.call("session/sign_out", &[]).await.status, 200, "{who:?}");
            assert!(browser.call("session/me", &[]).await.json().is_null(), "{who:?}");
        }
        assert_eq!(bench.number("SELECT COUNT(*) FROM users").await, 5);
        assert_eq!(bench.number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    /// The pages.
    async fn pages(bench: Bench) {
        let mut cast = cast(&bench).await;
        let id = cast.key.id;
        let before = bench.stored(id).await;
        for who in PEOPLE {
            let browser = cast.browser(who);
            for (path, login) in [("/keys", "/login"), ("/keys?status=deleted", "/login?next=/keys?status=deleted")] {
                let page = browser.get(path).await;
                assert_eq!(answered(&page), if who == Nobody { (303, login.into()) } else { (200, "".into()) }, "{who:?}");
                let shown = path == "/keys" && who.is_member();
                assert_eq!(page.text().contains("Gateway"), shown, "{who:?} {path}");
            }
            let page = browser.get("/keys/new").await;
            let expected = if who == Nobody { (303, "/login?next=/keys/new".into()) } else { (200, "".into()) };
            assert_eq!(answered(&page), expected, "{who:?}");
            for verb in VERBS {
                let page = browser.get(&format!("/keys/{id}/{verb}")).await;
                let expected = match who {
                    Nobody => (303, format!("/login?next=/keys/{id}/{verb}")),
                    who if who.is_member() => (200, String::new()),
                    _ => (404, String::new()),
                };
                assert_eq!(answered(&page), expected, "{who:?} {verb}");
                assert_eq!(page.text().contains("Gateway"), who.is_member(), "{who:?} {verb}");
            }
            // A page without an account, for everybody.
            assert_eq!(browser.get("/nothing").await.status, 404, "{who:?}");
            let home = browser.get("/").await;
            assert_eq!((home.status, home.location()), (303, "/keys"), "{who:?}");
        }
        assert_eq!(bench.stored(id).await, before);
    }

    /// Another person's key and one that never was: the same answer, byte for byte.
    async fn theirs_is_as_good_as_missing(bench: Bench) {
        let mut cast = cast(&bench).await;
        let (theirs, missing) = (cast.key.id.to_string(), Uuid::from_bytes(support::random()).to_string());
        let before = bench.stored(cast.key.id).await;
        for who in STRANGERS {
            let project = cast.key.project.to_string();
            let browser = cast.browser(who);
            for verb in VERBS {
                let mut answers = Vec::new();
                for id in [&theirs, &missing] {
                    let path = format!("/keys/{id}/{verb}");
                    let get = browser.get(&path).await;
                    assert_eq!(get.status, 404, "{who:?} {path}");
                    let post = browser.post(&path, &[("id", id)]).await;
                    let call = browser.call(&format!("keys/{verb}"), &[("id", id)]).await;
                    answers.push([get, post, call].map(|page| bare(&page, &[id])));
                }
                assert_eq!(answers[0], answers[1], "{who:?} {verb}");
            }
            let mut answers = Vec::new();
            for id in [&theirs, &missing] {
                answers.push(bare(&browser.call("keys/get", &[("id", id)]).await, &[id]));
            }
            assert_eq!(answers[0], answers[1], "{who:?} get");
            // A project likewise.
            let mut answers = Vec::new();
            for project in [&project, &missing] {
                let number = bench.app.ground.new_id().to_string();
                let page = browser.call("keys/create", &new_key(&number, project)).await;
                assert_eq!(page.status, 404, "{}", page.text());
                answers.push(bare(&page, &[project]));
            }
            assert_eq!(answers[0], answers[1], "{who:?} create");
        }
        assert_eq!(bench.stored(cast.key.id).await, before);
        assert_eq!(bench.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    /// A scope that the project does not offer, and one that nobody offers, are refused for everybody who may make keys.
    async fn scopes_are_those_that_the_project_offers(bench: Bench) {
        let mut cast = cast(&bench).await;
        let project = cast.key.project.to_string();
        for who in [Owner, Operator] {
            for scope in ["keyward:admin", "pops:read", "not a scope"] {
                let number = bench.app.ground.new_id().to_string();
                let mut fields = new_key(&number, &project);
                fields[4].1 = scope;
                let page = cast.browser(who).call("keys/create", &fields).await;
                assert_eq!(page.status, 422, "{who:?} {scope}: {}", page.text());
                assert_eq!(page.json()["fields"][0]["field"], "scopes", "{}", page.text());
            }
        }
        assert_eq!(bench.number("SELECT COUNT(*) FROM keys").await, 1);
    }

    /// Every route of the programs' table, asked by somebody who holds nothing and by somebody who has only a cookie. A new route
    /// fails here until somebody says what strangers get.
    async fn routes_of_programs(bench: Bench) {
        let mut cast = cast(&bench).await;
        let project = cast.key.project.to_string();
        for who in [Nobody, Owner, Administrator] {
            for route in &ROUTES {
                let path = route.path.replace("{id}", &project);
                let browser = cast.browser(who);
                let (page, expected) = match route.path {
                    "/authentication/token" => {
                        (browser.json(&path, &serde_json::json!({"secret_key": "nothing"})).await, (401, Some("malformed")))
                    }
                    "/v1/keys/verify" => {
                        let page = browser.json(&path, &serde_json::json!({"key": "nothing"})).await;
                        assert_eq!(page.json()["code"], "malformed");
                        (page, (200, None))
                    }
                    "/v1/projects/{id}/config" | "/pops/{id}/config" => {
                        let get = axum::http::Request::get(&path);
                        (browser.send(get, String::new()).await, (401, Some("missing_token")))
                    }
                    "/.well-known/jwks.json" => {
                        assert_eq!(route.who, Asks::Anyone);
                        (browser.send(axum::http::Request::get(&path), String::new()).await, (200, None))
                    }
                    other => panic!("{other} is new: say here what it answers to a stranger"),
                };
                assert_eq!(page.status, expected.0, "{who:?} {path}: {}", page.text());
                if let Some(code) = expected.1 {
                    assert_eq!(page.problem(), code, "{who:?} {path}");
                }
                assert!(page.headers.get("set-cookie").is_none(), "{path} sets no cookie");
            }
        }
    }
}

/// The status of an answer, and where it leads, unescaped.
fn answered(page: &Page) -> (u16, String) {
    let location = page.location();
    let next =
        |query: &str| url::form_urlencoded::parse(query.as_bytes()).next().map(|(name, path)| format!("{name}={path}"));
    match location.split_once('?') {
        Some(("/login", query)) => (page.status, format!("/login?{}", next(query).expect("a pair"))),
        _ => (page.status, location.to_owned()),
    }
}

/// The server functions that the tests above ask for; a new one fails here.
#[test]
fn every_server_function_is_asked() {
    const ASKED: [&str; 13] = [
        "/api/keys/activate",
        "/api/keys/create",
        "/api/keys/deactivate",
        "/api/keys/delete",
        "/api/keys/form",
        "/api/keys/get",
        "/api/keys/list",
        "/api/keys/restore",
        "/api/session/instance",
        "/api/session/me",
        "/api/session/setup",
        "/api/session/sign_in",
        "/api/session/sign_out",
    ];
    let mut mounted: Vec<_> = leptos::server_fn::axum::server_fn_paths().collect();
    mounted.sort_unstable_by_key(|(path, _)| *path);
    assert_eq!(mounted.iter().map(|(path, _)| *path).collect::<Vec<_>>(), ASKED);
    assert!(mounted.iter().all(|(_, method)| method == axum::http::Method::POST));
}

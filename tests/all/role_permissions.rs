//! Authorization beyond the matrix (`matrix.rs`): what a response contains for each user, and what an administrator
//! must state.

use crate::support::{
    TestServer,
    browser::{Browser, Page},
    html::fields_with_errors,
    test_data::{CreatedKey, change_key},
};
use keyward::{
    domain::{filter::KeyFilter, transition::Transition},
    service::actor::Caller,
};
use uuid::Uuid;

/// A user's relation to the key's project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallerKind {
    Anonymous,
    Owner,
    /// A user with a project of their own.
    Other,
    Viewer,
    Operator,
    /// An administrator who is not a member.
    Administrator,
}
use CallerKind::*;

const CALLERS: [CallerKind; 6] = [Anonymous, Owner, Other, Viewer, Operator, Administrator];
const ACTIONS: [&str; 4] = ["deactivate", "activate", "delete", "restore"];

impl CallerKind {
    fn may_change(self) -> bool {
        matches!(self, Owner | Operator)
    }

    fn is_member(self) -> bool {
        matches!(self, Owner | Operator | Viewer)
    }

    fn email(self) -> Option<&'static str> {
        match self {
            Anonymous => None,
            Owner => Some("owner@pelagic.example"),
            Other => Some("stranger@drift.example"),
            Viewer => Some("viewer@pelagic.example"),
            Operator => Some("operator@pelagic.example"),
            Administrator => Some("root@keys.example"),
        }
    }

    /// Returns the status of a page or form that changes the key. `done` is the status of success.
    fn change_status(self, done: u16) -> u16 {
        match self {
            // A redirect to the sign-in page.
            Anonymous => 303,
            Owner | Operator => done,
            Viewer => 403,
            Other | Administrator => 404,
        }
    }
}

struct CallersFixture {
    owner: Caller,
    key: CreatedKey,
    browsers: Vec<(CallerKind, Browser)>,
}

/// Creates all users, each with a browser of their own, and a key of the owner's.
async fn create_callers(bench: &TestServer) -> CallersFixture {
    let owner = bench.create_user("owner@pelagic.example", false).await;
    let key = bench.create_key(&owner, "Gateway").await;
    let mut browsers = vec![(Anonymous, bench.browser()), (Owner, bench.signed_in("owner@pelagic.example").await)];
    for (who, email, role) in [
        (Other, "stranger@drift.example", None),
        (Viewer, "viewer@pelagic.example", Some("viewer")),
        (Operator, "operator@pelagic.example", Some("operator")),
        (Administrator, "root@keys.example", None),
    ] {
        let caller = bench.create_user(email, who == Administrator).await;
        if let Some(role) = role {
            bench.add_member(key.project, &caller, role).await;
        }
        browsers.push((who, bench.signed_in(email).await));
    }
    CallersFixture { owner, key, browsers }
}

impl CallersFixture {
    fn browser(&mut self, who: CallerKind) -> &mut Browser {
        &mut self.browsers.iter_mut().find(|(it, _)| *it == who).expect("everybody has a browser").1
    }

    /// Puts the key into the state from which the action changes it.
    async fn prepare_key(&self, bench: &TestServer, verb: &str) {
        let (keys, owner, id) = (&bench.app.keys, &self.owner, self.key.id);
        change_key(keys, owner, id, Transition::Restore).await.unwrap();
        match verb {
            "activate" => change_key(keys, owner, id, Transition::Deactivate).await.unwrap(),
            "restore" => {
                change_key(keys, owner, id, Transition::Activate).await.unwrap();
                change_key(keys, owner, id, Transition::Delete).await.unwrap()
            }
            _ => change_key(keys, owner, id, Transition::Activate).await.unwrap(),
        };
    }
}

/// Returns the fields of the form for a new key.
fn new_key<'a>(number: &'a str, project: &'a str) -> [(&'a str, &'a str); 5] {
    [("number", number), ("project", project), ("name", "Probe"), ("expires", "30d"), ("scopes[]", "data:read")]
}

/// Returns a response without the parts that differ each time.
fn normalize(page: &Page, words: &[&str]) -> (u16, String, String, String) {
    // The URL of the sign-in page contains them percent-encoded.
    let escaped: Vec<_> = words.iter().map(|word| word.replace('-', "%2D").replace(':', "%3A")).collect();
    let words: Vec<_> = words.iter().copied().chain(escaped.iter().map(String::as_str)).collect();
    let location = words.iter().fold(page.location().to_owned(), |text, word| text.replace(word, "…"));
    (page.status, page.header("content-type").to_owned(), location, page.masked(&words))
}

on_both_engines! {

    /// An administrator changes another owner's key. For everyone else the key does not exist.
    async fn changing_as_an_administrator(bench: TestServer) {
        let mut cast = create_callers(&bench).await;
        let id = cast.key.id;
        let (text, missing) = (id.to_string(), Uuid::from_bytes(crate::support::random()).to_string());
        for verb in ACTIONS {
            for who in CALLERS {
                cast.prepare_key(&bench, verb).await;
                let (before, events) = (bench.stored_key(id).await, bench.query_number("SELECT COUNT(*) FROM audit_events").await);
                let (form, of_missing) = (format!("/admin/keys/{text}/{verb}"), format!("/admin/keys/{missing}/{verb}"));
                let browser = cast.browser(who);
                for reason in ["", " ", "a\nb", &"x".repeat(301)] {
                    let page = browser.post(&form, &[("id", &text), ("reason", reason)]).await;
                    let expected = match who {
                        Anonymous => 303,
                        Administrator => 422,
                        _ => 404,
                    };
                    assert_eq!(page.status, expected, "{who:?} {verb}: {}", page.text());
                    if who == Administrator {
                        assert_eq!(fields_with_errors(&page), ["reason"]);
                    }
                }
                let page = browser.post(&of_missing, &[("id", &missing), ("reason", "leaked")]).await;
                assert_eq!(page.status, if who == Anonymous { 303 } else { 404 }, "{who:?} {verb}");
                assert_eq!(bench.stored_key(id).await, before, "{who:?} {verb}");
                let nothing = normalize(&page, &[&missing]);
                let page = browser.post(&form, &[("id", &text), ("reason", "leaked")]).await;
                if who == Administrator {
                    assert_eq!(page.status, 303, "{verb}: {}", page.text());
                    let row = bench.key_row(id).await.unwrap();
                    assert_eq!(row.held, matches!(verb, "deactivate" | "delete"), "{verb}");
                    assert_eq!((row.note.as_deref(), row.note_by.as_deref()), (Some("leaked"), Some("root")));
                    assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_events").await, events + 1);
                    let last = "SELECT COALESCE(reason, '') FROM audit_events ORDER BY seq DESC LIMIT 1";
                    assert_eq!(bench.query_texts(last).await, ["leaked"]);
                    // The next step starts from a key without a hold.
                    let lift = if verb == "delete" { "restore" } else { "activate" };
                    let lift = format!("/admin/keys/{text}/{lift}");
                    let page = cast.browser(who).post(&lift, &[("id", &text), ("reason", "found")]).await;
                    assert_eq!(page.status, 303, "{}", page.text());
                } else {
                    assert_eq!(normalize(&page, &[&text]), nothing, "{who:?} {verb}");
                    assert_eq!(bench.stored_key(id).await, before, "{who:?} {verb}");
                    assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_events").await, events, "{who:?} {verb}");
                }
            }
        }
    }

    /// Reading as an administrator, the data for an edit, and the server functions.
    async fn reading_what_few_may(bench: TestServer) {
        let mut cast = create_callers(&bench).await;
        let (text, missing) = (cast.key.id.to_string(), Uuid::from_bytes(crate::support::random()).to_string());
        let before = bench.stored_key(cast.key.id).await;
        for who in CALLERS {
            let browser = cast.browser(who);
            let administrators = if who == Administrator { 200 } else { 404 };
            let list = browser.get("/admin/keys").await;
            let get = browser.get(&format!("/admin/keys/{text}/deactivate")).await;
            assert_eq!((list.status, get.status), (administrators, administrators), "{who:?}");
            let none = browser.get(&format!("/admin/keys/{missing}/deactivate")).await;
            assert_eq!(none.status, 404, "{who:?}");
            if who == Administrator {
                assert!(list.text().contains("Gateway") && get.text().contains("Gateway"), "{}", list.text());
            } else {
                assert_eq!(normalize(&get, &[&text]), normalize(&none, &[&missing]), "{who:?}");
                assert!(!list.text().contains("Gateway"), "{who:?}: {}", list.text());
            }
            let called = browser.call("keys/called", &[("id", &text)]).await;
            let members = match who {
                Anonymous => 401,
                who if who.is_member() => 200,
                _ => 404,
            };
            assert_eq!(called.status, members, "{who:?}");
            let form = browser.get(&format!("/keys/{text}/edit")).await;
            assert_eq!(form.status, who.change_status(200), "{who:?}: {}", form.text());
            let response = browser.call("keys/say_expiry", &[("expires", "never")]).await;
            assert_eq!(response.status, if who == Anonymous { 401 } else { 200 }, "{who:?}");
        }
        assert_eq!(bench.stored_key(cast.key.id).await, before);
    }

    /// Creating a key in the owner's project, with and without scripts.
    async fn creating(bench: TestServer) {
        let mut cast = create_callers(&bench).await;
        let project = cast.key.project.to_string();
        for live in [false, true] {
            for who in CALLERS {
                let number = bench.app.context.new_id().to_string();
                let fields = new_key(&number, &project);
                let before = bench.query_number("SELECT COUNT(*) FROM keys").await;
                let browser = cast.browser(who);
                let page = if live {
                    browser.post_live("/keys/new", &fields).await
                } else {
                    browser.post("/keys/new", &fields).await
                };
                assert_eq!(page.status, who.change_status(200), "{who:?}: {}", page.text());
                let made = bench.query_number("SELECT COUNT(*) FROM keys").await - before;
                assert_eq!(made, i64::from(who.may_change()), "{who:?}");
                let has_secret = page.text().contains("kw_live_") && page.text().contains("KEYWARD_SECRET_KEY");
                assert_eq!(has_secret, who.may_change(), "{who:?}");
                assert!(page.header("cache-control").contains("no-store"), "{who:?}");
            }
        }
        assert_eq!(bench.events("key.created").await, 5);
    }

    /// Reading the keys of the owner's project, through pages and the service.
    async fn reading(bench: TestServer) {
        let mut cast = create_callers(&bench).await;
        let (id, project) = (cast.key.id, cast.key.project.to_string());
        let before = bench.stored_key(id).await;
        for who in CALLERS {
            let browser = cast.browser(who);
            let signed_in = if who == Anonymous { 303 } else { 200 };
            let list = browser.get("/keys").await;
            assert_eq!(list.status, signed_in, "{who:?}");
            assert_eq!(list.text().contains(&id.to_string()), who.is_member(), "{who:?}: {}", list.text());
            let get = browser.get(&format!("/keys/{id}")).await;
            let expected = match who {
                Anonymous => 303,
                who if who.is_member() => 200,
                _ => 404,
            };
            assert_eq!(get.status, expected, "{who:?}: {}", get.text());
            let form = browser.get("/keys/new").await;
            assert_eq!(form.status, signed_in, "{who:?}");
            // The list behind the dialog can be filtered by the project. The form offers it only to users who may
            // create keys in it.
            let text = form.text();
            let dialog = text.split_once("<dialog").map_or("", |(_, dialog)| dialog);
            assert_eq!(dialog.is_empty(), who == Anonymous, "{who:?}: {text}");
            let offers = dialog.contains(&format!("value=\"{project}\""));
            assert_eq!(offers, who.may_change(), "{who:?}: {dialog}");
            let account = browser.account().await;
            assert_eq!(account.map(|it| it.email).as_deref(), who.email(), "{who:?}");
            let setup = browser.get("/setup").await;
            assert_eq!((setup.status, setup.location()), (303, "/login"), "{who:?}");
            let Some(email) = who.email() else { continue };
            let caller = bench.caller(email).await;
            let keys = bench.app.keys.list(&caller, &KeyFilter::default(), "").await.unwrap().keys;
            let seen = keys.iter().find(|key| key.id == id);
            assert_eq!(seen.map(|key| key.may_change), who.is_member().then_some(who.may_change()), "{who:?}");
        }
        assert_eq!(bench.stored_key(id).await, before);
    }

    /// Sign-in, sign-out and setup, for every user.
    async fn sessions(bench: TestServer) {
        let mut cast = create_callers(&bench).await;
        for who in CALLERS {
            let browser = cast.browser(who);
            let fields = [("code", "x"), ("name", "X"), ("email", "x@x.example"), ("password", crate::support::PASSWORD)];
            let page = browser.post("/setup", &fields).await;
            assert_eq!((page.status, page.location()), (303, "/login"), "{who:?}: it is set up");
            let wrong = [("email", "owner@pelagic.example"), ("password", "not the tide at all")];
            let page = browser.post("/login", &wrong).await;
            // The page with the error redirects signed-in users to their keys.
            assert_eq!(page.status, if who == Anonymous { 422 } else { 303 }, "{who:?}: {}", page.text());
            let account = browser.account().await.map(|it| it.email);
            assert_eq!(account.as_deref(), who.email(), "{who:?}: a failure signs no user out or in");
            let page = browser.post("/logout", &[]).await;
            assert_eq!((page.status, page.location()), (303, "/login"), "{who:?}");
            assert!(browser.account().await.is_none(), "{who:?}");
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 5);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    /// A scope that the project does not offer, and an unknown one, are rejected for every user who can create keys.
    async fn scopes_are_those_that_the_project_offers(bench: TestServer) {
        let mut cast = create_callers(&bench).await;
        let project = cast.key.project.to_string();
        for who in [Owner, Operator] {
            for scope in ["keyward:admin", "pops:read", "not a scope"] {
                let number = bench.app.context.new_id().to_string();
                let mut fields = new_key(&number, &project);
                fields[4].1 = scope;
                let page = cast.browser(who).post("/keys/new", &fields).await;
                assert_eq!(page.status, 422, "{who:?} {scope}: {}", page.text());
                assert_eq!(fields_with_errors(&page), ["scopes"], "{}", page.text());
            }
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 1);
    }

}

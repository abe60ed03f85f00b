//! Who may what, where the matrix (`matrix.rs`) does not look: what an answer holds for whom, and what an administrator must say.

use crate::support::{
    Bench,
    browser::{Browser, Page},
    stored::Made,
};
use keyward::service::actor::Caller;
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

/// The fields of the form for a new key.
fn new_key<'a>(number: &'a str, project: &'a str) -> [(&'a str, &'a str); 5] {
    [("number", number), ("project", project), ("name", "Probe"), ("expires", "30d"), ("scopes[]", "data:read")]
}

/// Everything of an answer but what differs each time.
fn bare(page: &Page, words: &[&str]) -> (u16, String, String, String) {
    // In the address of the sign-in page they stand escaped.
    let escaped: Vec<_> = words.iter().map(|word| word.replace('-', "%2D").replace(':', "%3A")).collect();
    let words: Vec<_> = words.iter().copied().chain(escaped.iter().map(String::as_str)).collect();
    let location = words.iter().fold(page.location().to_owned(), |text, word| text.replace(word, "…"));
    (page.status, page.header("content-type").to_owned(), location, page.masked(&words))
}

on_both_engines! {

    /// Changing somebody's key as an administrator: to anybody else, as if it were not there.
    async fn changing_as_an_administrator(bench: Bench) {
        let mut cast = cast(&bench).await;
        let id = cast.key.id;
        let (text, missing) = (id.to_string(), Uuid::from_bytes(crate::support::random()).to_string());
        for verb in VERBS {
            for who in PEOPLE {
                cast.ready(&bench, verb).await;
                let (before, events) = (bench.stored(id).await, bench.number("SELECT COUNT(*) FROM audit_events").await);
                let function = format!("admin/keys/{verb}");
                let browser = cast.browser(who);
                for reason in ["", " ", "a\nb", &"x".repeat(301)] {
                    let page = browser.call(&function, &[("id", &text), ("reason", reason)]).await;
                    let expected = match who {
                        Nobody => 401,
                        Administrator => 422,
                        _ => 404,
                    };
                    assert_eq!(page.status, expected, "{who:?} {verb}: {}", page.text());
                    if who == Administrator {
                        assert_eq!(page.json()["fields"][0]["field"], "reason");
                    }
                }
                let page = browser.call(&function, &[("id", &missing), ("reason", "leaked")]).await;
                assert_eq!(page.status, if who == Nobody { 401 } else { 404 }, "{who:?} {verb}");
                assert_eq!(bench.stored(id).await, before, "{who:?} {verb}");
                let nothing = bare(&page, &[&missing]);
                let page = browser.call(&function, &[("id", &text), ("reason", "leaked")]).await;
                if who == Administrator {
                    assert_eq!(page.status, 200, "{verb}: {}", page.text());
                    let row = bench.key_row(id).await.unwrap();
                    assert_eq!(row.held, matches!(verb, "deactivate" | "delete"), "{verb}");
                    assert_eq!((row.note.as_deref(), row.note_by.as_deref()), (Some("leaked"), Some("root")));
                    assert_eq!(page.json()["note"]["text"], "leaked");
                    assert_eq!(bench.number("SELECT COUNT(*) FROM audit_events").await, events + 1);
                    let last = "SELECT COALESCE(reason, '') FROM audit_events ORDER BY seq DESC LIMIT 1";
                    assert_eq!(bench.texts(last).await, ["leaked"]);
                    // What follows starts from a key that nobody holds.
                    let lift = if verb == "delete" { "restore" } else { "activate" };
                    let page = cast.browser(who).call(&format!("admin/keys/{lift}"), &[("id", &text), ("reason", "found")]).await;
                    assert_eq!(page.status, 200, "{}", page.text());
                } else {
                    assert_eq!(bare(&page, &[&text]), nothing, "{who:?} {verb}");
                    assert_eq!(bench.stored(id).await, before, "{who:?} {verb}");
                    assert_eq!(bench.number("SELECT COUNT(*) FROM audit_events").await, events, "{who:?} {verb}");
                }
            }
        }
    }

    /// Reading as an administrator, and what an edit needs, by server function.
    async fn reading_what_few_may(bench: Bench) {
        let mut cast = cast(&bench).await;
        let (text, missing) = (cast.key.id.to_string(), Uuid::from_bytes(crate::support::random()).to_string());
        let before = bench.stored(cast.key.id).await;
        for who in PEOPLE {
            let browser = cast.browser(who);
            let administrators = match who {
                Nobody => 401,
                Administrator => 200,
                _ => 404,
            };
            let list = browser.call("admin/keys/list", &[]).await;
            let get = browser.call("admin/keys/get", &[("id", &text)]).await;
            assert_eq!((list.status, get.status), (administrators, administrators), "{who:?}");
            let none = browser.call("admin/keys/get", &[("id", &missing)]).await;
            assert_eq!(none.status, if who == Nobody { 401 } else { 404 }, "{who:?}");
            if who == Administrator {
                assert_eq!((&list.json()["total"], &get.json()["owner"]), (&1.into(), &"owner".into()));
            } else {
                assert_eq!(bare(&get, &[&text]), bare(&none, &[&missing]), "{who:?}");
                assert_eq!(bare(&list, &[]), bare(&none, &[&missing]), "{who:?}");
            }
            let called = browser.call("keys/called", &[("id", &text)]).await;
            let members = match who {
                Nobody => 401,
                who if who.is_member() => 200,
                _ => 404,
            };
            assert_eq!(called.status, members, "{who:?}");
            let form = browser.call("keys/edit_form", &[("id", &text)]).await;
            assert_eq!(form.status, who.status_of_a_change(), "{who:?}: {}", form.text());
            let said = browser.call("keys/say_expiry", &[("expires", "never")]).await;
            assert_eq!(said.status, if who == Nobody { 401 } else { 200 }, "{who:?}");
        }
        assert_eq!(bench.stored(cast.key.id).await, before);
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
            let fields = [("code", "x"), ("name", "X"), ("email", "x@x.example"), ("password", crate::support::PASSWORD)];
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

}

//! Concurrent changes by two users: one succeeds. The other gets an explanation and keeps the typed values.
//!
//! On PostgreSQL each of the two uses a node of their own: two services on one database.
//!
//! Other modules test the cases of their pages: the last owner leaves twice and an invitation is used twice
//! (`projects`), two administrators demote each other (`administration`).

use crate::support::{
    TestServer, URL,
    browser::{Browser, Page},
};
use keyward::{
    domain::ids::KeyId,
    http::{AppState, router},
    service::{Context, Services, signer::Keyring},
    store::{Location, Pool, write_queue::Queue},
};
use std::sync::Arc;

const ONE: &str = "maren@pelagic.example";
const TWO: &str = "tove@pelagic.example";

/// Two owners of one project with one key, each with a browser of their own, and on PostgreSQL with a node of their
/// own.
struct TwoOwners {
    bench: TestServer,
    one: Browser,
    two: Browser,
    id: KeyId,
    project: String,
}

/// Starts a second node on the same database, with the same key file.
async fn second_node(bench: &TestServer) -> axum::Router {
    let app = match bench.location {
        // SQLite has one process. Two requests meet in its write queue.
        Location::Sqlite(_) => bench.app.clone(),
        Location::Postgres(_) => {
            let pool = Pool::open(&bench.location).await.expect("the database opens");
            let (queue, _) = Queue::start(pool.clone());
            let context = Context { pool, queue, ..bench.app.context.clone() };
            let path = bench.folder.path().join("keyward.key");
            let file = keyward::config::KeyFile { path, can_create: false };
            let keyring = Keyring::open(&context, &file).await.expect("a keyring");
            Services::new(Arc::new(crate::support::config(URL)), context, keyring)
        }
    };
    router(AppState::new(app))
}

impl TwoOwners {
    async fn new(bench: TestServer) -> Self {
        let maren = bench.create_user(ONE, false).await;
        let tove = bench.create_user(TWO, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.add_member(made.project, &tove, "owner").await;
        let node = second_node(&bench).await;
        let (one, mut two) = (bench.signed_in(ONE).await, Browser::new(node, URL));
        two.cookie = bench.signed_in(TWO).await.cookie;
        Self { one, two, id: made.id, project: made.project.to_string(), bench }
    }

    /// Sends a form of each user concurrently.
    async fn post_concurrently(&mut self, one: (&str, &[(&str, &str)]), two: (&str, &[(&str, &str)])) -> [Page; 2] {
        let pages = tokio::join!(self.one.post(one.0, one.1), self.two.post(two.0, two.1));
        [pages.0, pages.1]
    }
}

/// Returns the index of the accepted page, the accepted page and the rejected one.
fn winner(pages: [Page; 2]) -> (usize, Page, Page) {
    let [one, two] = pages;
    let fine = |page: &Page| page.status < 400;
    assert!(fine(&one) != fine(&two), "one wins: {} {}\n{}\n{}", one.status, two.status, one.text(), two.text());
    if fine(&one) { (0, one, two) } else { (1, two, one) }
}

on_both_engines! {
    /// Both edit one key: one edit is stored. The other gets 409 with an explanation, and its form keeps the typed
    /// values.
    async fn both_edit_one_key(bench: TestServer) {
        let mut both = TwoOwners::new(bench).await;
        let path = format!("/keys/{}/edit", both.id);
        for round in 0..8 {
            let version = both.one.get(&path).await.input("version").to_owned();
            assert_eq!(both.two.get(&path).await.input("version"), version, "both have the same form");
            let id = both.id.to_string();
            let names = [format!("Maren's {round}"), format!("Tove's {round}")];
            let [one, two] = names.each_ref().map(|name| {
                [("id", id.as_str()), ("version", &version), ("name", name), ("expires", "keep"), ("issued_to", "somebody new"), ("scopes[]", "data:read")]
            });
            let events = both.bench.events("key.edited").await;
            let (won, _, lost) = winner(both.post_concurrently((&path, &one), (&path, &two)).await);
            assert_eq!(lost.status, 409, "{}", lost.text());
            assert_eq!(lost.input("name"), names[1 - won], "what was typed is there");
            assert_eq!(lost.input("issued_to"), "somebody new");
            assert!(lost.text().contains("changed elsewhere"), "and why: {}", lost.text());
            assert_eq!(both.bench.key_row(both.id).await.unwrap().name, names[won]);
            assert_eq!(both.bench.events("key.edited").await, events + 1, "one event");
            // The rejected user sends the edit again from a new form, and it is stored.
            let version = both.one.get(&path).await.input("version").to_owned();
            let again = [("id", id.as_str()), ("version", &version), ("name", &names[1 - won]), ("expires", "keep")];
            assert_eq!(both.two.post(&path, &again).await.status, 303);
        }
    }

    /// One deletes while the other deactivates: the key is deleted in the end, in either order. A deactivation that
    /// comes second gets an explanation.
    async fn one_deletes_while_the_other_deactivates(bench: TestServer) {
        let mut both = TwoOwners::new(bench).await;
        let maren = both.bench.signed_in(ONE).await;
        let mut late = 0;
        for round in 0..8 {
            let id = both.id.to_string();
            let (delete, stop) = (format!("/keys/{id}/delete"), format!("/keys/{id}/deactivate"));
            let field = [("id", id.as_str())];
            let (deleted, stopped) = if round % 2 == 0 {
                let [one, two] = both.post_concurrently((&delete, &field), (&stop, &field)).await;
                (one, two)
            } else {
                let [one, two] = both.post_concurrently((&stop, &field), (&delete, &field)).await;
                (two, one)
            };
            assert_eq!(deleted.status, 303, "{}", deleted.text());
            let row = both.bench.key_row(both.id).await.unwrap();
            assert!(row.deleted_at.is_some());
            match stopped.status {
                303 => assert!(!row.active, "it was stopped first, then deleted"),
                409 => {
                    assert!(row.active, "it was deleted first");
                    assert!(stopped.text().contains("This key is deleted. Restore it first."), "{}", stopped.text());
                    late += 1;
                }
                other => panic!("{other}: {}", stopped.text()),
            }
            let mut browser = both.bench.browser();
            browser.cookie.clone_from(&maren.cookie);
            for verb in ["restore", "activate"] {
                assert_eq!(browser.post(&format!("/keys/{id}/{verb}"), &field).await.status, 303);
            }
        }
        let stopped = both.bench.events("key.deactivated").await;
        assert_eq!((both.bench.events("key.deleted").await, stopped), (8, 8 - late), "an event for what was done, no other");
    }

    /// Both delete: the key is deleted once, and both get a success response.
    async fn both_delete(bench: TestServer) {
        let mut both = TwoOwners::new(bench).await;
        let id = both.id.to_string();
        let path = format!("/keys/{id}/delete");
        let field = [("id", id.as_str())];
        for page in both.post_concurrently((&path, &field), (&path, &field)).await {
            assert_eq!((page.status, page.location()), (303, format!("/keys?done=deleted&key={id}").as_str()), "{}", page.text());
        }
        assert_eq!(both.bench.events("key.deleted").await, 1);
    }

    /// A form for a new key that is sent twice creates one key, and its secret is shown once.
    async fn a_form_that_is_sent_twice_makes_one_key(bench: TestServer) {
        let mut both = TwoOwners::new(bench).await;
        // The same user, on both nodes.
        both.two.cookie.clone_from(&both.one.cookie);
        let project = both.project.clone();
        for round in 0..8_i64 {
            let number = both.one.get("/keys/new").await.input("number").to_owned();
            let fields = [("number", number.as_str()), ("project", &project), ("name", "Sonde"), ("expires", "30d"), ("issued_to", "the buoy")];
            let (_, made, other) = winner(both.post_concurrently(("/keys/new", &fields), ("/keys/new", &fields)).await);
            assert!(made.text().contains("KEYWARD_SECRET_KEY"), "the secret is shown");
            assert_eq!(other.status, 409);
            assert!(other.text().contains("This form was already submitted"), "{}", other.text());
            assert!(!other.text().contains("KEYWARD_SECRET_KEY"));
            assert_eq!(other.input("issued_to"), "the buoy", "what was typed is there");
            assert_ne!(other.input("number"), number, "and the next try is a new one");
            assert_eq!(both.bench.query_number("SELECT COUNT(*) FROM keys").await, round + 2);
            assert_eq!(both.bench.events("key.created").await, round + 2);
        }
    }

    /// Both edit a project's config from the same version: the first edit is stored, and the other user keeps the typed
    /// text.
    async fn both_write_one_config(bench: TestServer) {
        let mut both = TwoOwners::new(bench).await;
        let path = format!("/projects/{}", both.project);
        let project = both.project.clone();
        for round in 0..8 {
            let version = both.one.get(&path).await.input("version").to_owned();
            let texts = [format!("{{\"maren\": {round}}}"), format!("{{\"tove\": {round}}}")];
            let [one, two] = texts.each_ref().map(|text| [("id", project.as_str()), ("version", version.as_str()), ("config", text.as_str())]);
            let (won, _, lost) = winner(both.post_concurrently((&path, &one), (&path, &two)).await);
            assert_eq!(lost.status, 409, "{}", lost.text());
            let typed = ["maren", "tove"][1 - won];
            assert!(lost.text().contains(typed), "what was typed is there: {}", lost.text());
            assert!(lost.text().contains("The config was changed elsewhere."), "{}", lost.text());
            let stored = both.bench.query_texts("SELECT config FROM projects ORDER BY config").await.concat();
            assert!(stored.contains(["maren", "tove"][won]) && !stored.contains(&format!("\"{typed}\":{round}")), "{stored}");
        }
        assert_eq!(both.bench.events("project.config_set").await, 8);
    }

    /// An administrator stops a key while its owner activates it: the key is stopped and held in the end, and the owner
    /// sees the reason.
    async fn an_administrator_stops_what_its_owner_starts(bench: TestServer) {
        let mut both = TwoOwners::new(bench).await;
        both.bench.create_user("root@keys.example", true).await;
        both.two.cookie = both.bench.signed_in("root@keys.example").await.cookie;
        let id = both.id.to_string();
        let (start, stop) = (format!("/keys/{id}/activate"), format!("/admin/keys/{id}/deactivate"));
        for _ in 0..6 {
            let field = [("id", id.as_str())];
            let reason = [("id", id.as_str()), ("reason", "leaked in a log")];
            let maren = both.one.post(&format!("/keys/{id}/deactivate"), &field).await;
            assert_eq!(maren.status, 303, "{}", maren.text());
            let [owner, root] = both.post_concurrently((&start, &field), (&stop, &reason)).await;
            assert_eq!(root.status, 303, "{}", root.text());
            let row = both.bench.key_row(both.id).await.unwrap();
            assert!(!row.active && row.held, "{row:?}");
            match owner.status {
                303 => {}
                403 => assert!(owner.text().contains("leaked in a log"), "{}", owner.text()),
                other => panic!("{other}: {}", owner.text()),
            }
            assert_eq!(both.one.post(&start, &field).await.status, 403, "afterwards the owner cannot");
            let lift = [("id", id.as_str()), ("reason", "found")];
            assert_eq!(both.two.post(&format!("/admin/keys/{id}/activate"), &lift).await.status, 303);
        }
    }
}

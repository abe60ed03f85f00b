//! Administration: users, the policy, and bulk actions on keys. Tests authorization, the stored state, and the audit
//! events.

use crate::support::{
    PASSWORD, TestServer,
    browser::Page,
    test_data::{change_any_key, change_key},
};
use keyward::{
    domain::{
        filter::{KeyFilter, ReviewFilter},
        ids::{KeyId, ProjectId},
        key::Status,
        policy::{PolicyDraft, PolicySaved},
        transition::Transition,
    },
    service::{
        Error,
        actor::{Actor, Caller, Origin},
        keys::{KeyEdit, NewKey},
        users::Disposition,
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

const DAY: i64 = 86_400;
const ROOT: &str = "root@keys.example";
const MAREN: &str = "maren@pelagic.example";
const TOVE: &str = "tove@drift.example";

/// Returns the detail of the newest event with this action.
async fn last_event_detail(bench: &TestServer, action: &str) -> Value {
    let sql = format!("SELECT detail FROM audit_events WHERE action = '{action}' ORDER BY seq DESC LIMIT 1");
    let found = bench.query_texts(&sql).await;
    serde_json::from_str(found.first().unwrap_or_else(|| panic!("no event {action}"))).unwrap()
}

/// Returns a user's role in a project.
async fn role(bench: &TestServer, project: ProjectId, who: &Caller) -> Option<String> {
    let (project, user) = (bench.literal(project), bench.literal(who.user));
    let sql = format!("SELECT role FROM members WHERE project_id = {project} AND user_id = {user}");
    bench.query_texts(&sql).await.pop()
}

/// Returns the policy as its form shows it, for a change.
async fn policy(bench: &TestServer, admin: &Caller) -> PolicyDraft {
    bench.app.policy.form(admin).await.unwrap().draft
}

/// Saves a policy with confirmation if it is required, and returns the reported effects.
async fn save(bench: &TestServer, admin: &Caller, change: impl Fn(&mut PolicyDraft)) -> Vec<String> {
    let mut draft = policy(bench, admin).await;
    change(&mut draft);
    match bench.app.policy.save(admin, draft.clone(), "").await.unwrap() {
        PolicySaved::Saved => Vec::new(),
        PolicySaved::NeedsConfirmation { lines, confirms, draft: again } => {
            assert_eq!(*again, draft);
            assert_eq!(bench.app.policy.save(admin, draft, &confirms).await.unwrap(), PolicySaved::Saved);
            lines
        }
    }
}

/// Returns the name of the single invalid field, and its message.
fn invalid_field<T>(result: Result<T, Error>) -> (&'static str, String) {
    match result.err().expect("it is refused") {
        Error::Invalid(mut fields) => {
            assert_eq!(fields.len(), 1, "{fields:?}");
            let field = fields.remove(0);
            (field.name, field.message)
        }
        other => panic!("{other}"),
    }
}

fn bare(page: &Page, words: &[&str]) -> (u16, String, String) {
    (page.status, page.header("content-type").to_owned(), page.masked(words))
}

/// Returns the number of audit events.
async fn all_events(bench: &TestServer) -> i64 {
    bench.query_number("SELECT COUNT(*) FROM audit_events").await
}

fn plan(project: ProjectId, fate: Disposition) -> Vec<(ProjectId, Disposition)> {
    vec![(project, fate)]
}

on_both_engines! {
    /// For a caller who is not an administrator, every page and form responds as if it did not exist.
    async fn to_others_nothing_is_there(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let key = bench.create_key(&maren, "Gateway").await;
        let (user, project, id) = (tove.user.to_string(), key.project.to_string(), key.id.to_string());
        let unknown_id = Uuid::from_bytes(crate::support::random()).to_string();
        let draft = policy(&bench, &root).await;
        let about = format!("/admin/users/{user}");
        let forms: [(String, Vec<(&str, &str)>); 9] = [
            ("/admin/users/invite".into(), vec![("email", "new@drift.example")]),
            (format!("{about}/disable"), vec![("id", &user), ("reason", "left"), ("keys", "on")]),
            (format!("{about}/enable"), vec![("id", &user)]),
            (format!("{about}/make-administrator"), vec![("id", &user)]),
            (format!("{about}/unmake-administrator"), vec![("id", &user)]),
            (format!("{about}/transfer/{project}"), vec![("id", &user), ("project", &project), ("to", &user)]),
            (format!("{about}/delete"), vec![("id", &user), ("reason", "left")]),
            ("/admin/keys/chosen".into(), vec![("ids[]", &id), ("verb", "delete"), ("reason", "leaked")]),
            ("/admin/policy".into(), vec![
                ("key_life_max", "1"), ("version", &draft.version), ("sign_up", "closed"),
                ("token_life", "1"), ("token_unit", "86400"), ("second_factor", "nobody"),
            ]),
        ];
        let stored = bench.stored_key(key.id).await;
        let mut others = [bench.signed_in(MAREN).await, bench.signed_in(TOVE).await];
        let events = all_events(&bench).await;
        for browser in &mut others {
            let missing = browser.get("/nowhere").await;
            for (path, fields) in &forms {
                let page = browser.post(path, fields).await;
                assert_eq!(bare(&page, &[path]), bare(&missing, &["/nowhere"]), "POST {path}");
                // An invalid field does not reveal either that the page exists.
                let empty: Vec<_> = fields.iter().filter(|(name, _)| *name == "id").copied().collect();
                assert_eq!(bare(&browser.post(path, &empty).await, &[]), bare(&page, &[]), "POST {path}");
            }
            let mut pages = vec![
                "/admin/users".to_owned(), "/admin/users/invite".to_owned(), "/admin/policy".to_owned(), about.clone(),
                format!("/admin/keys/chosen?verb=delete&id={id}"), format!("/admin/users/{unknown_id}"),
            ];
            for verb in ["delete", "disable", "enable", "make-administrator", "unmake-administrator"] {
                pages.push(format!("{about}/{verb}"));
            }
            pages.push(format!("{about}/transfer/{project}"));
            for path in &pages {
                let page = browser.get(path).await;
                assert_eq!(bare(&page, &[path]), bare(&missing, &["/nowhere"]), "{path}");
                let fields = [("id", user.as_str()), ("reason", "left"), ("project", &project), ("to", &user),
                    ("email", "new@drift.example"), ("verb", "delete"), ("ids[]", &id)];
                if path != "/admin/users" && path != &about && !path.ends_with(&unknown_id) {
                    let page = browser.post(path, &fields).await;
                    assert_eq!(page.status, 404, "POST {path}: {}", page.text());
                }
            }
        }
        let mut stranger = bench.browser();
        for (path, fields) in &forms {
            let page = stranger.post(path, fields).await;
            assert!(page.status == 303 && page.location().starts_with("/login"), "POST {path}: {}", page.status);
        }
        assert_eq!((all_events(&bench).await, bench.stored_key(key.id).await), (events, stored));
        // For an administrator, an unknown user is also a 404.
        let mut browser = bench.signed_in(ROOT).await;
        for path in [format!("/admin/users/{unknown_id}"), "/admin/users/x".into(), format!("/admin/users/{user}/transfer/{unknown_id}")] {
            assert_eq!(browser.get(&path).await.status, 404, "{path}");
        }
        assert_eq!(browser.get(&format!("/admin/users/{user}")).await.status, 200);
    }

    async fn the_list_is_searched_and_paged(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        bench.create_key(&maren, "Gateway").await;
        for n in 0..60 {
            let id = bench.literal(bench.app.context.new_id());
            let (yes, no) = match bench.app.context.pool {
                keyward::store::Pool::Sqlite { .. } => ("1", "0"),
                keyward::store::Pool::Postgres(_) => ("TRUE", "FALSE"),
            };
            bench.execute_sql(&format!(
                "INSERT INTO users (id, email, name, password_hash, admin, active, created_at) \
                 VALUES ({id}, 'p{n}@x_1.example', 'Same Name', 'none', {no}, {yes}, 0)"
            )).await;
        }
        let first = bench.app.users.list(&root, "", "").await.unwrap();
        assert_eq!((first.users.len(), first.total), (50, 62));
        let second = bench.app.users.list(&root, "", &first.next.unwrap()).await.unwrap();
        assert_eq!((second.users.len(), second.next), (12, None));
        let mut ids: Vec<_> = first.users.iter().chain(&second.users).map(|it| it.id.to_string()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 62, "each once");
        let found = bench.app.users.list(&root, " MAREN ", "").await.unwrap();
        assert_eq!((found.total, found.users[0].keys, found.users[0].projects), (1, 1, 1));
        assert!(found.users[0].signed_in.is_none());
        bench.signed_in(MAREN).await;
        let found = bench.app.users.list(&root, "pelagic", "").await.unwrap();
        assert!(found.users[0].signed_in.is_some() && !found.users[0].is_you);
        for (search, total) in [("x_1", 60), ("x%1", 0), ("%", 0), ("a\\", 0), ("nobody\0", 0), ("p59@", 1)] {
            assert_eq!(bench.app.users.list(&root, search, "").await.unwrap().total, total, "{search:?}");
        }
        for after in ["x", "1.2", "\0"] {
            assert_eq!(bench.app.users.list(&root, "", after).await.unwrap().users.len(), 50, "{after:?} begins anew");
        }
        // No response contains a password hash.
        let mut browser = bench.signed_in(ROOT).await;
        for page in [browser.get("/admin/users").await, browser.get(&format!("/admin/users/{}", maren.user)).await] {
            assert_eq!(page.status, 200);
            assert!(!page.text().contains("argon2") && !page.text().contains("password_hash"));
        }
    }

    /// The sessions of a disabled user end at the next request. A sign-in gets the response of a wrong password.
    async fn a_disabled_person_is_out_at_once(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let hers = bench.create_key(&maren, "Hers").await;
        let paused = bench.create_key(&maren, "Paused").await;
        change_key(&bench.app.keys, &maren, paused.id, Transition::Deactivate).await.unwrap();
        let theirs = bench.create_key(&tove, "Theirs").await;
        let mut session = bench.signed_in(MAREN).await;
        assert_eq!(session.get("/keys").await.status, 200);
        let mut browser = bench.signed_in(ROOT).await;
        let path = format!("/admin/users/{}/disable", maren.user);
        let id = maren.user.to_string();
        let refused = browser.post(&path, &[("id", &id), ("reason", " "), ("keys", "on")]).await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert!(refused.text().contains("Also deactivate the key that this user created"), "{}", refused.text());
        assert_eq!(session.get("/keys").await.status, 200);
        let page = browser.post(&path, &[("id", &id), ("reason", "Left us.")]).await;
        assert_eq!((page.status, page.location()), (303, format!("/admin/users/{id}?done=disabled").as_str()));
        assert!(browser.get(page.location()).await.text().contains("User “maren” disabled."));
        // The session is invalid at the next request, without a delay.
        assert_eq!(session.get("/keys").await.status, 303);
        let sessions = format!("SELECT COUNT(*) FROM sessions WHERE user_id = {}", bench.literal(maren.user));
        assert_eq!(bench.query_number(&sessions).await, 0);
        // The response is the same as for a wrong password.
        let mut other = bench.browser();
        let right = other.post("/login", &[("email", MAREN), ("password", PASSWORD)]).await;
        let wrong_one = other.post("/login", &[("email", TOVE), ("password", "not the password at all")]).await;
        assert_eq!(right.status, wrong_one.status);
        assert_eq!(right.masked(&[MAREN, TOVE]), wrong_one.masked(&[MAREN, TOVE]));
        // The keys stay active, because the option to deactivate them was not selected.
        assert!(bench.key_row(hers.id).await.unwrap().active);
        let event = last_event_detail(&bench, "user.disabled").await;
        assert_eq!((&event["keys_deactivated"], &event["sessions_ended"]), (&json!(0), &json!(1)));
        assert_eq!(bench.query_texts("SELECT reason FROM audit_events WHERE action = 'user.disabled'").await, ["Left us."]);
        // Selected afterwards, the option deactivates the keys that are still active, each with an event.
        bench.app.users.disable(&Actor::User(root.clone()), maren.user, "Found a leak.", true).await.unwrap();
        let row = bench.key_row(hers.id).await.unwrap();
        assert!(!row.active && row.held && row.note.as_deref() == Some("Found a leak."));
        assert!(bench.key_row(theirs.id).await.unwrap().active);
        assert!(!bench.key_row(paused.id).await.unwrap().held, "it was stopped by herself before");
        assert_eq!((bench.events("key.deactivated").await, bench.events("user.disabled").await), (2, 2));
        let events = all_events(&bench).await;
        bench.app.users.disable(&Actor::User(root.clone()), maren.user, "Again.", true).await.unwrap();
        assert_eq!(all_events(&bench).await, events, "nothing is left to be done");
        // After the user is enabled, sign-in works again. Keys stay deactivated, and the old session stays invalid.
        bench.app.users.enable(&Actor::User(root.clone()), maren.user).await.unwrap();
        assert_eq!(session.get("/keys").await.status, 303);
        bench.signed_in(MAREN).await;
        assert!(!bench.key_row(hers.id).await.unwrap().active);
        assert_eq!(bench.events("user.enabled").await, 1);
        // The command line deactivates keys in the same way, and does not require a reason.
        let another = bench.create_key(&maren, "Another").await;
        let (field, _) = invalid_field(bench.app.users.disable(&Actor::Operator, maren.user, &"x".repeat(301), true).await);
        assert_eq!(field, "reason");
        let done = bench.app.users.disable(&Actor::Operator, maren.user, " ", true).await.unwrap();
        assert_eq!(done.keys, 1);
        let row = bench.key_row(another.id).await.unwrap();
        assert!(!row.active && row.held && row.note.as_deref() == Some("The user who created this key was disabled."));
        assert_eq!(row.note_by.as_deref(), Some("Command line"));
    }

    async fn an_administrator_is_made_and_unmade(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let mut session = bench.signed_in(MAREN).await;
        assert_eq!(session.get("/admin/users").await.status, 404);
        let mut browser = bench.signed_in(ROOT).await;
        let (about, id) = (format!("/admin/users/{}", maren.user), maren.user.to_string());
        let page = browser.post(&format!("{about}/make-administrator"), &[("id", &id)]).await;
        assert_eq!((page.status, page.location()), (303, format!("{about}?done=made").as_str()));
        assert_eq!(session.get("/admin/users").await.status, 200, "from the next request on");
        assert_eq!(last_event_detail(&bench, "user.made_administrator").await, json!({"before": {"admin": false}, "after": {"admin": true}}));
        let page = session.post(&format!("/admin/users/{}/unmake-administrator", root.user), &[("id", &root.user.to_string())]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert_eq!(browser.get("/admin/users").await.status, 404);
        assert_eq!(bench.events("user.unmade_administrator").await, 1);
        // She is now the last administrator: no caller, including herself, can demote, disable, or delete her.
        let last = bench.app.accounts.caller(maren.user, Origin::default(), bench.app.context.now()).await.unwrap().unwrap();
        let actor = Actor::User(last.clone());
        let own = bench.project_of(&maren).await;
        for actor in [&actor, &Actor::Operator] {
            assert!(matches!(bench.app.users.revoke_administrator(actor, maren.user).await, Err(Error::Conflict(_))));
            assert!(matches!(bench.app.users.disable(actor, maren.user, "Bye.", false).await, Err(Error::Conflict(_))));
            let deleted = bench.app.users.delete(actor, maren.user, "Bye.", &plan(own, Disposition::Archive)).await;
            assert!(matches!(deleted, Err(Error::Conflict(_))));
        }
        let page = session.post(&format!("{about}/unmake-administrator"), &[("id", &id)]).await;
        assert_eq!(page.status, 409);
        assert!(page.text().contains("No other administrator can sign in."), "{}", page.text());
        // A disabled administrator does not count, and a disabled user cannot become an administrator.
        bench.app.users.disable(&actor, root.user, "Away.", false).await.unwrap();
        assert!(matches!(bench.app.users.grant_administrator(&actor, root.user).await, Err(Error::Conflict(_))));
        // The command line can always appoint another administrator.
        bench.app.users.enable(&Actor::Operator, root.user).await.unwrap();
        bench.app.users.grant_administrator(&Actor::Operator, root.user).await.unwrap();
        bench.app.users.revoke_administrator(&actor, maren.user).await.unwrap();
    }

    /// Two administrators demote, disable, or delete each other at the same time on two nodes: one remains.
    async fn never_none_of_two_at_once(bench: TestServer) {
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        for round in 0..8 {
            let one = bench.create_user(&format!("one{round}@x.example"), true).await;
            let two = bench.create_user(&format!("two{round}@x.example"), true).await;
            let (own_one, own_two) = (bench.project_of(&one).await, bench.project_of(&two).await);
            let (a, b) = (Actor::User(one.clone()), Actor::User(two.clone()));
            let results = match round % 4 {
                0 => tokio::join!(
                    bench.app.users.revoke_administrator(&a, two.user),
                    other.users.revoke_administrator(&b, one.user),
                ),
                1 => tokio::join!(
                    async { bench.app.users.disable(&a, two.user, "Out.", false).await.map(|_| ()) },
                    async { other.users.disable(&b, one.user, "Out.", false).await.map(|_| ()) },
                ),
                2 => {
                    let (to_one, to_two) = (plan(own_one, Disposition::Archive), plan(own_two, Disposition::Archive));
                    tokio::join!(
                        bench.app.users.delete(&a, two.user, "Out.", &to_two),
                        other.users.delete(&b, one.user, "Out.", &to_one),
                    )
                }
                // Each demotes themselves.
                _ => tokio::join!(
                    bench.app.users.revoke_administrator(&a, one.user),
                    other.users.revoke_administrator(&b, two.user),
                ),
            };
            let done = [&results.0, &results.1].iter().filter(|it| it.is_ok()).count();
            assert_eq!(done, 1, "{round}: {results:?}");
            assert_eq!(bench.query_number("SELECT COUNT(*) FROM users WHERE admin AND active").await, 1, "{round}");
            // In the next round, no administrator of this round counts.
            let next = bench.create_user(&format!("next{round}@x.example"), true).await;
            bench.execute_sql(&format!("UPDATE users SET active = NOT active WHERE active AND id <> {}", bench.literal(next.user))).await;
            let next = bench.literal(next.user);
            bench.execute_sql(&format!("UPDATE users SET admin = NOT admin WHERE admin AND id <> {next}")).await;
            bench.execute_sql(&format!("UPDATE users SET active = NOT active, admin = NOT admin WHERE id = {next}")).await;
        }
    }

    async fn deletion_requires_new_project_owners(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let elsewhere = {
            let project = bench.project_of(&tove).await;
            bench.add_member(project, &maren, "operator").await;
            let draft = bench.draft(project, "Made by Maren");
            bench.app.keys.create(&maren, draft).await.unwrap().0.id
        };
        let mut session = bench.signed_in(MAREN).await;
        let mut browser = bench.signed_in(ROOT).await;
        let (about, id, project) = (format!("/admin/users/{}", maren.user), maren.user.to_string(), made.project.to_string());
        let path = format!("{about}/delete");
        let page = browser.get(&path).await;
        assert!(page.text().contains("New owner of “maren’s project” (1 key), which has no other owner"), "{}", page.text());
        assert!(!page.text().contains("“tove’s project” ("), "she does not own it");
        // Rejected requests: without a decision for the projects, without a reason, or with an invalid new owner.
        let fields = |reason: &'static str, heir: String| {
            vec![("id", id.clone()), ("reason", reason.to_owned()), ("projects[]", project.clone()), ("heirs[]", heir)]
        };
        let unknown_id = Uuid::from_bytes(crate::support::random()).to_string();
        for (fields, status, words) in [
            (fields("", tove.user.to_string()), 422, "Enter a reason. It is recorded in the audit log."),
            (fields("Left us.", String::new()), 422, "Choose a new owner for each project, or archive it."),
            (fields("Left us.", unknown_id), 422, "Choose a user who can sign in."),
            (fields("Left us.", id.clone()), 422, "Choose a different user."),
            (vec![("id", id.clone()), ("reason", "Left us.".to_owned())], 409, "The projects that only this user owns have changed."),
        ] {
            let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = browser.post(&path, &pairs).await;
            assert_eq!(page.status, status, "{fields:?}: {}", page.text());
            assert!(page.text().contains(words), "{words}: {}", page.text());
        }
        assert_eq!(bench.events("user.deleted").await, 0);
        // A reauthentication is valid for 15 minutes. One second later it is not.
        bench.clock.advance(15 * 60 + 1);
        let heir = plan(made.project, Disposition::TransferTo(tove.user.to_string()));
        let stale = bench.app.users.delete(&Actor::User(root.clone()), maren.user, "Left us.", &heir).await;
        assert!(matches!(stale, Err(Error::ReauthenticationRequired)));
        let good = fields("Left us.", tove.user.to_string());
        let pairs: Vec<_> = good.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post(&path, &pairs).await.status, 403);
        assert_eq!(bench.events("user.deleted").await, 0);
        let mut browser = bench.signed_in(ROOT).await;
        let page = browser.post(&path, &pairs).await;
        assert_eq!((page.status, page.location()), (303, "/admin/users?done=deleted"), "{}", page.text());
        assert!(browser.get(page.location()).await.text().contains("User deleted."));
        assert_eq!(browser.get(&about).await.status, 404);
        assert_eq!(session.get("/keys").await.status, 303);
        assert_eq!(role(&bench, made.project, &tove).await.as_deref(), Some("owner"));
        assert_eq!(role(&bench, made.project, &maren).await, None);
        // The keys stay and keep the name of their creator. The log keeps the id and the name.
        for key in [made.id, elsewhere] {
            let row = bench.key_row(key).await.unwrap();
            assert!(row.active && row.created_by_name == "maren" && row.created_by == Some(maren.user.into()));
        }
        let event = last_event_detail(&bench, "project.transferred").await;
        assert_eq!((&event["before"]["owner_name"], &event["after"]["owner_name"]), (&json!("maren"), &json!("tove")));
        let target = "SELECT target || ' ' || target_name || ' ' || reason FROM audit_events WHERE action = 'user.deleted'";
        assert_eq!(bench.query_texts(target).await, [format!("user:{id} maren Left us.")]);
        assert_eq!(last_event_detail(&bench, "user.deleted").await["before"]["email"], MAREN);
        let whole = bench.query_texts("SELECT detail FROM audit_events").await.join(" ");
        assert!(!whole.contains("argon2") && !whole.contains(PASSWORD));
        // A new account with the same email address is a new user. It gets nothing of the old one back.
        let again = bench.create_user(MAREN, false).await;
        assert!(again.user != maren.user);
        // With the archive option instead, the keys of the project are denied.
        let fresh = bench.app.accounts.caller(root.user, Origin::default(), bench.app.context.now()).await.unwrap().unwrap();
        let own = bench.create_key(&again, "Hers again").await;
        bench.app.users.delete(&Actor::User(fresh), again.user, "Left again.", &plan(own.project, Disposition::Archive)).await.unwrap();
        let answer = bench.browser().json("/v1/keys/verify", &json!({"key": own.secret})).await.json();
        assert_eq!((&answer["valid"], &answer["code"]), (&json!(false), &json!("project_archived")));
        assert_eq!(bench.events("project.archived").await, 1);
        let maker_left = KeyFilter { view: Some(ReviewFilter::Orphaned), ..KeyFilter::default() };
        assert_eq!(bench.app.keys.list_all(&root, &maker_left, "").await.unwrap().total, 3);
    }

    async fn a_project_is_transferred(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.add_member(made.project, &tove, "viewer").await;
        let mut browser = bench.signed_in(ROOT).await;
        let (id, project, to) = (maren.user.to_string(), made.project.to_string(), tove.user.to_string());
        let path = format!("/admin/users/{id}/transfer/{project}");
        assert_eq!(browser.get(&path).await.status, 200);
        for bad in ["", "x", id.as_str()] {
            let page = browser.post(&path, &[("id", &id), ("project", &project), ("to", bad)]).await;
            assert_eq!(page.status, 422, "{bad}: {}", page.text());
        }
        let page = browser.post(&path, &[("id", &id), ("project", &project), ("to", &to), ("stays", "on")]).await;
        assert_eq!((page.status, page.location()), (303, format!("/admin/users/{id}?done=transferred").as_str()));
        assert_eq!(role(&bench, made.project, &tove).await.as_deref(), Some("owner"), "who was a viewer");
        assert_eq!(role(&bench, made.project, &maren).await.as_deref(), Some("operator"));
        assert_eq!(last_event_detail(&bench, "project.transferred").await["former_owner_is"], "operator");
        let actor = Actor::User(root.clone());
        // She is no longer the owner, so the project cannot be transferred from her.
        let again = bench.app.users.transfer(&actor, maren.user, made.project, &to, false).await;
        assert!(matches!(again, Err(Error::NotFound)));
        bench.app.users.transfer(&actor, tove.user, made.project, &root.user.to_string(), false).await.unwrap();
        assert_eq!(role(&bench, made.project, &tove).await, None);
        assert_eq!(role(&bench, made.project, &root).await.as_deref(), Some("owner"));
        bench.app.users.disable(&actor, tove.user, "Away.", false).await.unwrap();
        let (field, _) = invalid_field(bench.app.users.transfer(&actor, root.user, made.project, &to, false).await);
        assert_eq!(field, "to", "a disabled user is no target");
    }

    /// The policy limits keys that are created after it, and changes no existing key.
    async fn the_policy_bounds_the_life_of_keys(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.project_of(&maren).await;
        let mut draft = bench.draft(project, "Endless");
        draft.expires = "never".into();
        let endless = bench.app.keys.create(&maren, draft).await.unwrap().0;
        let mut draft = bench.draft(project, "Long");
        draft.expires = "365d".into();
        let long = bench.app.keys.create(&maren, draft).await.unwrap().0;
        let (before, before_long) = (bench.stored_key(endless.id).await, bench.stored_key(long.id).await);
        let lines = save(&bench, &root, |draft| draft.key_life_max = "45".into()).await;
        assert_eq!(lines, ["1 key expires more than 45 days from now. Its expiry does not change.", "1 key never expires. This does not change."]);
        assert_eq!((bench.stored_key(endless.id).await, bench.stored_key(long.id).await), (before, before_long));
        let event = last_event_detail(&bench, "policy.changed").await;
        assert_eq!((&event["before"]["key_life_max_days"], &event["after"]["key_life_max_days"]), (&json!(null), &json!(45)));
        // The form offers the allowed expiries and preselects the longest.
        let form = bench.app.keys.new_key_form(&maren).await.unwrap();
        let values: Vec<_> = form.expiries.iter().map(|it| it.value.as_str()).collect();
        assert_eq!((values, form.usual.as_str()), (vec!["7d", "30d", "45d"], "45d"));
        let mut browser = bench.signed_in(MAREN).await;
        let page = browser.get("/keys/new").await;
        assert!(page.text().contains("The policy allows a maximum key lifetime of 45 days."), "{}", page.text());
        let create = async |expires: &str, on: &str| {
            let mut draft = bench.draft(project, "Probe");
            (draft.expires, draft.expires_on) = (expires.into(), on.into());
            bench.app.keys.create(&maren, draft).await.map(|made| made.0)
        };
        for (expires, on) in [("46d", ""), ("never", ""), ("date", "2099-01-01")] {
            let (field, words) = invalid_field(create(expires, on).await);
            assert_eq!(field, "expires", "{expires}");
            assert!(words.contains("maximum key lifetime of 45 days"), "{words}");
        }
        create("45d", "").await.unwrap();
        let usual = create("", "").await.unwrap();
        assert_eq!(usual.expires.unwrap().at.seconds_since(bench.app.context.now()), 45 * DAY);
        // The limit also applies to the command line: the operator can first change the policy in the browser.
        let environment = keyward::domain::key::Environment::Live;
        let now = bench.app.context.now();
        let choice = "90d".parse().unwrap();
        let new = NewKey::parse("By hand", project, environment, &choice, &[], "", now).unwrap();
        assert_eq!(invalid_field(bench.app.keys.create_as(&Actor::Operator, new).await).0, "expires");
        // An edit keeps the existing expiry, and may not choose another one beyond the limit.
        let edit = async |id: KeyId, expires: &str| {
            let form = bench.app.keys.edit_form(&maren, id).await.unwrap();
            assert!(form.expiries.iter().all(|it| it.value != "never"));
            let edit = KeyEdit {
                version: form.version, name: "Renamed".into(), expires: expires.into(), expires_on: String::new(),
                scopes: form.key.scopes, issued_to: String::new(), restrictions: Default::default(),
            };
            bench.app.keys.edit(&maren, id, edit).await
        };
        for id in [endless.id, long.id] {
            assert_eq!(edit(id, "keep").await.unwrap().name, "Renamed");
            assert_eq!(invalid_field(edit(id, "90d").await).0, "expires");
        }
        assert_eq!(invalid_field(edit(long.id, "never").await).0, "expires");
        // No expiry is what this key already has, so it may keep that.
        edit(endless.id, "never").await.unwrap();
        edit(endless.id, "30d").await.unwrap();
        assert_eq!(invalid_field(edit(endless.id, "never").await).0, "expires", "once given up, it does not come back");
        // Without a maximum lifetime, and with keys that never expire forbidden.
        assert!(save(&bench, &root, |draft| { draft.key_life_max.clear(); draft.may_never_expire = false; }).await.is_empty());
        assert!(invalid_field(create("never", "").await).1.contains("requires every key to expire"));
        create("365d", "").await.unwrap();
        let form = bench.app.keys.new_key_form(&maren).await.unwrap();
        assert_eq!((form.usual.as_str(), form.expiries.len()), ("90d", 6));
    }

    async fn the_policy_bounds_the_number_of_keys(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let first = bench.create_key(&maren, "1").await;
        bench.create_key(&maren, "2").await;
        bench.create_key(&maren, "3").await;
        let lines = save(&bench, &root, |draft| draft.keys_per_project = "2".into()).await;
        assert_eq!(lines, ["1 project has more than 2 keys. Existing keys stay, but no more can be created."]);
        let project = first.project;
        let create = async || bench.app.keys.create(&maren, bench.draft(project, "Probe")).await;
        assert!(matches!(create().await, Err(Error::Conflict(_))));
        change_key(&bench.app.keys, &maren, first.id, Transition::Delete).await.unwrap();
        assert!(matches!(create().await, Err(Error::Conflict(_))), "two are left");
        assert!(save(&bench, &root, |draft| draft.keys_per_project = "3".into()).await.is_empty(), "a milder one touches nothing");
        create().await.unwrap();
        // A restored key counts, whether its owner or an administrator restores it.
        assert!(matches!(change_key(&bench.app.keys, &maren, first.id, Transition::Restore).await, Err(Error::Conflict(_))));
        assert!(matches!(change_any_key(&bench.app.keys, &root, first.id, Transition::Restore, "Found.").await, Err(Error::Conflict(_))));
        assert_eq!(bench.key_row(first.id).await.unwrap().lifecycle().status(bench.app.context.now()), Status::Deleted);
        // Existing keys can be changed, because a change adds no key.
        let one = bench.app.keys.list(&maren, &KeyFilter::default(), "").await.unwrap().keys[0].id;
        change_key(&bench.app.keys, &maren, one, Transition::Deactivate).await.unwrap();
        change_key(&bench.app.keys, &maren, one, Transition::Activate).await.unwrap();
        // Two nodes compete for the last free slot: only one of them creates a key.
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        for most in 4..10 {
            save(&bench, &root, |draft| draft.keys_per_project = most.to_string()).await;
            let (here, there) = tokio::join!(
                bench.app.keys.create(&maren, bench.draft(project, "Here")),
                other.keys.create(&maren, bench.draft(project, "There")),
            );
            assert!(here.is_ok() != there.is_ok(), "{most}");
            assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys WHERE deleted_at IS NULL").await, most);
        }
    }

    async fn the_policy_bounds_the_life_of_tokens(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let life = async |requested: Option<i64>| {
            let body = json!({"secret_key": made.secret, "expires_in": requested.unwrap_or(DAY)});
            bench.browser().json("/authentication/token", &body).await.json()["expires_in"].as_i64()
        };
        assert_eq!(life(None).await, Some(DAY));
        let lines = save(&bench, &root, |draft| (draft.token_life, draft.token_unit) = ("90".into(), "60".into())).await;
        // Each user's own project allows one day.
        assert_eq!(lines, ["2 projects allow a longer token lifetime. The new maximum applies to new tokens."]);
        assert_eq!((life(None).await, life(Some(600)).await), (Some(90 * 60), Some(600)), "from the next request on");
        save(&bench, &root, |draft| (draft.token_life, draft.token_unit) = ("30".into(), "86400".into())).await;
        assert_eq!(life(Some(10 * DAY)).await, Some(DAY), "the project's own ceiling holds");
    }

    async fn the_form_of_the_policy(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        bench.create_key(&maren, "Gateway").await;
        let mut browser = bench.signed_in(ROOT).await;
        let page = browser.get("/admin/policy").await;
        let version = page.input("version").to_owned();
        let form = |life: &'static str, sign_up: &'static str, factor: &'static str, version: &str, confirmed: &str| {
            let fields = [("version", version), ("key_life_max", life), ("may_never_expire", "on"), ("token_life", "30"),
                ("token_unit", "86400"), ("sign_up", sign_up), ("keys_per_project", ""), ("second_factor", factor),
                ("confirmed", confirmed)];
            fields.map(|(name, value)| (name, value.to_owned())).to_vec()
        };
        fn pairs<'a>(fields: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
            fields.iter().map(|(name, value)| (*name, value.as_str())).collect()
        }
        // All invalid fields are reported at once, and the form keeps the typed values.
        let bad = form("a year", "open", "some", &version, "");
        let page = browser.post("/admin/policy", &pairs(&bad)).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert_eq!(page.input("key_life_max"), "a year");
        for words in ["Enter a whole number from 1 to 36,500, or leave the field blank.", "Configure email, or choose another option.", "Choose an option from the list."] {
            assert!(page.text().contains(words), "{words}");
        }
        // A stricter policy first shows its effects, and nothing is saved.
        let strict = form("30", "invite", "everybody", &version, "");
        let page = browser.post("/admin/policy", &pairs(&strict)).await;
        assert_eq!(page.status, 200, "{}", page.text());
        for words in ["1 key expires more than 30 days from now. Its expiry does not change.", "Two-factor authentication becomes required for 2 users", "Save policy anyway"] {
            assert!(page.text().contains(words), "{words}: {}", page.text());
        }
        assert_eq!((page.input("key_life_max"), page.input("version")), ("30", version.as_str()));
        let confirms = page.input("confirmed").to_owned();
        assert_eq!((bench.events("policy.changed").await, bench.app.policy.get().await.unwrap().key_life_max), (0, None));
        // A confirmation applies only to the values that were confirmed.
        let other = form("20", "invite", "everybody", &version, &confirms);
        let page = browser.post("/admin/policy", &pairs(&other)).await;
        assert_eq!((page.status, bench.events("policy.changed").await), (200, 0));
        let strict = form("30", "invite", "everybody", &version, &confirms);
        let page = browser.post("/admin/policy", &pairs(&strict)).await;
        assert_eq!((page.status, page.location()), (303, "/admin/policy?done=saved"), "{}", page.text());
        assert_eq!(bench.app.policy.get().await.unwrap().key_life_max, Some(30));
        // The policy now requires a second factor from all users, so the administrator is redirected to set up theirs
        // first.
        assert!(browser.get("/admin/policy").await.location().starts_with("/settings/security/second-factor"));
        bench.execute_sql("UPDATE policy SET second_factor = 'nobody'").await;
        // A form that started from an older version of the policy gets a 409.
        let page = browser.post("/admin/policy", &pairs(&form("40", "closed", "nobody", &version, ""))).await;
        assert_eq!(page.status, 409, "{}", page.text());
        assert!(page.text().contains("The policy was changed elsewhere."));
        assert_eq!(page.input("key_life_max"), "40", "nothing that was typed is lost");
        assert_eq!(bench.events("policy.changed").await, 1);
        // A less strict policy is saved at once. Saving the same policy again writes no event.
        for _ in 0..2 {
            let now = browser.get("/admin/policy").await.input("version").to_owned();
            let page = browser.post("/admin/policy", &pairs(&form("60", "invite", "nobody", &now, ""))).await;
            assert_eq!(page.status, 303, "{}", page.text());
        }
        assert_eq!(bench.events("policy.changed").await, 2);
        // Open sign-up is possible after email is configured.
        bench.mail.set_up();
        save(&bench, &root, |draft| draft.sign_up = "open".into()).await;
        assert_eq!(bench.app.policy.get().await.unwrap().sign_up.as_str(), "open");
    }

    /// Two administrators save at the same time: one succeeds, the other gets a conflict.
    async fn two_policies_at_once(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        for round in 1..6 {
            let draft = policy(&bench, &root).await;
            let one = PolicyDraft { keys_per_project: format!("{}", 100 + round), ..draft.clone() };
            let two = PolicyDraft { keys_per_project: format!("{}", 200 + round), ..draft };
            let (one, two) = tokio::join!(bench.app.policy.save(&root, one, ""), other.policy.save(&root, two, ""));
            assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
            assert!(matches!(one.and(two), Err(Error::Conflict(_))));
            assert_eq!(bench.events("policy.changed").await, round);
        }
    }

    async fn keys_are_found_by_owner_and_in_ready_views(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let old = bench.create_key(&maren, "Old").await;
        let mut endless = bench.draft(old.project, "Endless");
        endless.expires = "never".into();
        bench.app.keys.create(&maren, endless).await.unwrap();
        let used = bench.create_key(&maren, "Used").await;
        let gone = bench.create_key(&maren, "Gone").await;
        bench.add_member(old.project, &tove, "operator").await;
        bench.app.keys.create(&tove, bench.draft(old.project, "By Tove")).await.unwrap();
        let environment = keyward::domain::key::Environment::Live;
        let ninety = "365d".parse().unwrap();
        let by_hand = NewKey::parse("By hand", old.project, environment, &ninety, &[], "", bench.app.context.now()).unwrap();
        bench.app.keys.create_as(&Actor::Operator, by_hand).await.unwrap();
        bench.clock.advance(90 * DAY);
        change_key(&bench.app.keys, &maren, gone.id, Transition::Delete).await.unwrap();
        let at = bench.app.context.now().micros();
        bench.execute_sql(&format!("UPDATE keys SET last_used_at = {at} WHERE id = {}", bench.literal(used.id))).await;
        let names = async |filter: KeyFilter| {
            let page = bench.app.keys.list_all(&root, &filter, "").await.unwrap();
            let mut names: Vec<_> = page.keys.iter().map(|key| key.name.clone()).collect();
            names.sort();
            assert_eq!(page.total, names.len() as u64);
            names.join(", ")
        };
        let view = |view| KeyFilter { view: Some(view), ..KeyFilter::default() };
        assert_eq!(names(view(ReviewFilter::Unused)).await, "", "90 days to the instant are not yet over");
        bench.clock.advance(1);
        assert_eq!(names(view(ReviewFilter::Unused)).await, "By Tove, By hand, Endless, Old");
        assert_eq!(names(view(ReviewFilter::NoExpiry)).await, "Endless");
        assert_eq!(names(view(ReviewFilter::Orphaned)).await, "");
        let actor = Actor::User(Caller { authenticated_at: bench.app.context.now(), ..root.clone() });
        bench.app.users.disable(&actor, tove.user, "Away.", false).await.unwrap();
        assert_eq!(names(view(ReviewFilter::Orphaned)).await, "By Tove", "a creator who cannot sign in has left");
        bench.app.users.enable(&actor, tove.user).await.unwrap();
        assert_eq!(names(view(ReviewFilter::Orphaned)).await, "");
        let (p, u) = (bench.literal(old.project), bench.literal(tove.user));
        bench.execute_sql(&format!("DELETE FROM members WHERE project_id = {p} AND user_id = {u}")).await;
        assert_eq!(names(view(ReviewFilter::Orphaned)).await, "By Tove");
        let owned = |who: &Caller| KeyFilter { owner: Some(who.user), ..KeyFilter::default() };
        assert_eq!(names(owned(&tove)).await, "");
        assert_eq!(names(owned(&maren)).await.split(", ").count(), 5);
        let both = KeyFilter { owner: Some(maren.user), view: Some(ReviewFilter::NoExpiry), ..KeyFilter::default() };
        assert_eq!(names(both).await, "Endless");
        let page = bench.app.keys.list_all(&root, &KeyFilter::default(), "").await.unwrap();
        assert_eq!(page.owners.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["maren", "root", "tove"]);
        // The filters are in the URL. They have no effect for callers who are not administrators.
        let mut browser = bench.signed_in(ROOT).await;
        let page = browser.get(&format!("/admin/keys?owner={}&view=endless", maren.user)).await;
        assert!(page.text().contains(">Endless<") && !page.text().contains(">Old<"));
        let hers = bench.app.keys.list(&maren, &view(ReviewFilter::Orphaned), "").await.unwrap();
        assert_eq!((hers.total, hers.owners.len()), (5, 0));
    }

    async fn several_keys_at_once(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let one = bench.create_key(&maren, "One").await;
        let two = bench.create_key(&tove, "Two").await;
        let gone = bench.create_key(&maren, "Gone").await;
        change_key(&bench.app.keys, &maren, gone.id, Transition::Delete).await.unwrap();
        let unknown_id = Uuid::from_bytes(crate::support::random()).to_string();
        let (a, b, c) = (one.id.to_string(), two.id.to_string(), gone.id.to_string());
        let mut browser = bench.signed_in(ROOT).await;
        // The list has a checkbox for each key, and a form that leads to the confirmation page.
        let list = browser.get("/admin/keys").await;
        assert!(list.text().contains("aria-label=\"Select key One\"") && list.text().contains("action=\"/admin/keys/chosen\""));
        let form_path = format!("/admin/keys/chosen?verb=deactivate&id={a}&id={b}");
        let page = browser.get(&form_path).await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("Deactivate 2 keys?"), "{}", page.text());
        // The confirmation page changes nothing. Without a reason the request is rejected.
        let form = [("verb", "deactivate"), ("ids[]", a.as_str()), ("ids[]", &b), ("ids[]", &c), ("ids[]", &unknown_id)];
        let with = |reason: &'static str| { let mut all = form.to_vec(); all.push(("reason", reason)); all };
        let page = browser.post(&form_path, &with(" ")).await;
        assert_eq!(page.status, 422);
        assert!(page.text().contains("Deactivate 2 keys?"), "the confirmation is shown again");
        assert_eq!(bench.events("key.deactivated").await, 0);
        let page = browser.post(&form_path, &with("Leaked.")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        for words in ["2 keys deactivated", "2 keys could not be deactivated", "This key is deleted. Restore it first.", "The key no longer exists."] {
            assert!(page.text().contains(words), "{words}: {}", page.text());
        }
        for id in [one.id, two.id] {
            let row = bench.key_row(id).await.unwrap();
            assert!(!row.active && row.held && row.note.as_deref() == Some("Leaked."));
        }
        assert_eq!(bench.events("key.deactivated").await, 2, "each its own");
        assert_eq!(bench.query_texts("SELECT DISTINCT reason FROM audit_events WHERE action = 'key.deactivated'").await, ["Leaked."]);
        // Repeating the action changes nothing.
        let done = bench.app.keys.transition_selected(&root, &[one.id, two.id, one.id], Transition::Deactivate, "Leaked.").await.unwrap();
        assert_eq!((done.changed, done.same, done.left.len()), (0, 2, 0));
        assert_eq!(bench.events("key.deactivated").await, 2);
        let done = bench.app.keys.transition_selected(&root, &[one.id, two.id], Transition::Delete, "Leaked for good.").await.unwrap();
        assert_eq!((done.changed, done.deleted), (2, true));
        assert!(matches!(change_key(&bench.app.keys, &maren, one.id, Transition::Restore).await, Err(Error::Stopped { .. })), "only an administrator restores it");
        // No key, too many keys, and an unknown action are rejected.
        assert!(matches!(bench.app.keys.transition_selected(&root, &[], Transition::Delete, "Why.").await, Err(Error::Conflict(_))));
        let many: Vec<KeyId> = (0..51).map(|_| bench.app.context.new_id().into()).collect();
        assert!(matches!(bench.app.keys.transition_selected(&root, &many, Transition::Delete, "Why.").await, Err(Error::Conflict(_))));
        let page = browser.post(&form_path, &[("verb", "restore"), ("ids[]", &a), ("reason", "x")]).await;
        assert_eq!(page.status, 422);
        assert_eq!(browser.get("/admin/keys/chosen?verb=delete").await.status, 409);
    }

    /// An administrator can deactivate any key, but can create keys only in projects where they are a member. No
    /// response contains a secret.
    async fn an_administrator_makes_no_key_elsewhere(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        assert!(matches!(bench.app.keys.create(&root, bench.draft(made.project, "Mine")).await, Err(Error::NotFound)));
        let form = bench.app.keys.new_key_form(&root).await.unwrap();
        assert!(form.projects.iter().all(|project| project.id != made.project));
        let mut browser = bench.signed_in(ROOT).await;
        let number = bench.app.context.new_id().to_string();
        let project = made.project.to_string();
        let fields = [("number", number.as_str()), ("name", "Mine"), ("project", &project), ("expires", "30d")];
        assert_eq!(browser.post("/keys/new", &fields).await.status, 404);
        assert_eq!(bench.events("key.created").await, 1);
        // The actions menu is present although the administrator is not a member of the project.
        let page = browser.get("/admin/keys").await;
        assert!(page.text().contains("Actions for key Gateway"), "{}", page.text());
        for path in ["/admin/keys".to_owned(), format!("/admin/keys/{}/delete", made.id), format!("/admin/users/{}", maren.user)] {
            assert!(!browser.get(&path).await.text().contains(&made.secret), "{path}");
        }
        // As a member, the administrator can create a key.
        bench.add_member(made.project, &root, "operator").await;
        bench.app.keys.create(&root, bench.draft(made.project, "Mine")).await.unwrap();
    }

    async fn an_invitation_is_shown_once(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let mut browser = bench.signed_in(ROOT).await;
        assert_eq!(browser.get("/admin/users/invite").await.status, 200);
        let page = browser.post("/admin/users/invite", &[("email", "new@drift.example")]).await;
        assert_eq!(page.status, 409, "sign-up is closed: {}", page.text());
        save(&bench, &root, |draft| draft.sign_up = "invite".into()).await;
        for bad in ["", "nobody", ROOT] {
            let page = browser.post("/admin/users/invite", &[("email", bad)]).await;
            assert_eq!(page.status, 422, "{bad}: {}", page.text());
        }
        let page = browser.post("/admin/users/invite", &[("email", "New@drift.example")]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let link = page.text().split("<code id=\"invitation\">").nth(1).and_then(|rest| rest.split('<').next()).unwrap().to_owned();
        assert!(link.starts_with(&format!("{}/signup?invitation=", crate::support::URL)), "{link}");
        assert!(page.header("cache-control").contains("no-store") && !page.text().contains("keyward.js"), "{}", page.text());
        let code = link.split('=').nth(1).unwrap();
        assert!(!browser.get("/admin/users/invite").await.text().contains(code));
        assert!(!bench.query_texts("SELECT detail || target || target_name FROM audit_events").await.join(" ").contains(code));
    }

    /// An administrator who demotes themselves loses access to the administration pages.
    async fn an_administrator_can_resign(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        bench.create_user(MAREN, true).await;
        let mut browser = bench.signed_in(ROOT).await;
        let (about, id) = (format!("/admin/users/{}", root.user), root.user.to_string());
        assert!(browser.get(&format!("{about}/unmake-administrator")).await.text().contains("This is your own account."));
        assert_eq!(browser.post(&format!("{about}/unmake-administrator"), &[("id", &id)]).await.status, 303);
        assert_eq!(browser.get(&about).await.status, 404);
        assert_eq!(browser.get("/keys").await.status, 200);
        // A form for a user other than the one in its path is rejected.
        let mut maren = bench.signed_in(MAREN).await;
        let page = maren.post(&format!("{about}/disable"), &[("id", &Uuid::max().to_string()), ("reason", "x")]).await;
        assert_eq!(page.status, 422);
    }
}

/// The command-line commands that restore a user's access, and the requests that they reject.
#[test]
fn the_command_line_looks_after_people() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_keyward"))
            .args(arguments)
            .current_dir(&folder)
            .env_clear()
            .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), PASSWORD.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.success(), text)
    };
    let create = |email: &str, more: &[&str]| {
        let (done, text) = run(&[&["admin", "create-user", "--email", email, "--password-stdin"], more].concat());
        assert!(done, "{text}");
    };
    create(ROOT, &["--admin"]);
    create(MAREN, &[]);
    let people = || -> Value { serde_json::from_str(&run(&["admin", "list-users", "--json"]).1).unwrap() };
    let facts = |email: &str| {
        let all = people();
        let found = all.as_array().unwrap().iter().find(|it| it["email"] == email).unwrap().clone();
        assert!(found.get("password_hash").is_none());
        (found["admin"].as_bool().unwrap(), found["active"].as_bool().unwrap())
    };
    assert_eq!((facts(ROOT), facts(MAREN)), ((true, true), (false, true)));
    for verb in ["unmake-admin", "disable-user"] {
        let (done, text) = run(&["admin", verb, "--email", ROOT]);
        assert!(!done && text.contains("No other administrator can sign in"), "{text}");
    }
    let off = |email: &str| run(&["admin", "second-factor-off", "--email", email]);
    let (done, text) = off(MAREN);
    assert!(!done && text.contains(&format!("two-factor authentication of {MAREN} is already off")), "{text}");
    let (done, text) = off("nobody@x.example");
    assert!(!done && text.contains("no user has the email address nobody@x.example"), "{text}");
    let (done, text) = run(&["admin", "make-admin", "--email", " Maren@pelagic.example"]);
    assert!(done && text.contains("is now an administrator"), "{text}");
    let made = run(&["keys", "create", "--project", "maren’s project", "--name", "Job", "--json"]);
    assert!(made.0, "{}", made.1);
    let (done, text) = run(&["admin", "disable-user", "--email", ROOT, "--keys", "--reason", "Lost."]);
    assert!(done && text.contains("Keys deactivated: 0."), "{text}");
    assert_eq!((facts(ROOT), facts(MAREN)), ((true, false), (true, true)));
    assert!(run(&["admin", "list-users"]).1.contains("disabled  administrator  root@keys.example"));
    assert!(run(&["admin", "enable-user", "--email", ROOT]).0);
    assert!(run(&["admin", "unmake-admin", "--email", ROOT]).0);
    assert_eq!((facts(ROOT), facts(MAREN)), ((false, true), (true, true)));
    let (done, text) = run(&["admin", "make-admin", "--email", "nobody@x.example"]);
    assert!(!done && text.contains("not found: check the ID"), "{text}");
}

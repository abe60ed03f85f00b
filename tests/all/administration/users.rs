//! Users: the list, invitations, disabled users, and the projects of a deleted user.

use super::*;

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

    async fn deletion_requires_new_project_owners(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let elsewhere = {
            let project = bench.project_of(&tove).await;
            bench.add_member(project, &maren, "operator").await;
            let draft = bench.draft(project, "Made by Maren");
            bench.app.keys.create_from(&maren, draft).await.unwrap().0.id
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
}

//! The keys of all projects: filters, changes of several keys, and what an administrator may not do.

use super::*;

on_both_engines! {
    async fn keys_are_found_by_owner_and_in_ready_views(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user(TOVE, false).await;
        let old = bench.create_key(&maren, "Old").await;
        let mut endless = bench.draft(old.project, "Endless");
        endless.expires = "never".into();
        bench.app.keys.create_from(&maren, endless).await.unwrap();
        let used = bench.create_key(&maren, "Used").await;
        let gone = bench.create_key(&maren, "Gone").await;
        bench.add_member(old.project, &tove, "operator").await;
        bench.app.keys.create_from(&tove, bench.draft(old.project, "By Tove")).await.unwrap();
        let expires_at = Some(bench.app.context.now().plus_seconds(365 * DAY));
        let by_hand = KeySpec { expires_at, ..KeySpec::new(old.project, "By hand".parse().unwrap()) };
        bench.app.keys.create(&Actor::Operator, by_hand).await.unwrap();
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
        assert!(matches!(bench.app.keys.create_from(&root, bench.draft(made.project, "Mine")).await, Err(Error::NotFound)));
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
        bench.app.keys.create_from(&root, bench.draft(made.project, "Mine")).await.unwrap();
    }
}

//! The policy: its limits on keys and tokens, and its form.

use super::*;

on_both_engines! {
    /// The policy limits keys that are created after it, and changes no existing key.
    async fn the_policy_bounds_the_life_of_keys(bench: TestServer) {
        let root = bench.create_user(ROOT, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let project = bench.project_of(&maren).await;
        let mut draft = bench.draft(project, "Endless");
        draft.expires = "never".into();
        let endless = bench.app.keys.create_from(&maren, draft).await.unwrap().0;
        let mut draft = bench.draft(project, "Long");
        draft.expires = "365d".into();
        let long = bench.app.keys.create_from(&maren, draft).await.unwrap().0;
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
            bench.app.keys.create_from(&maren, draft).await.map(|made| made.0)
        };
        for (expires, on) in [("46d", ""), ("never", ""), ("date", "2099-01-01")] {
            let (field, words) = invalid_field(create(expires, on).await);
            assert_eq!(field, "expires", "{expires}");
            assert!(words.contains("maximum key lifetime of 45 days"), "{words}");
        }
        create("45d", "").await.unwrap();
        let usual = create("", "").await.unwrap();
        assert_eq!(usual.expires_at.unwrap().seconds_since(bench.app.context.now()), 45 * DAY);
        // The limit also applies to the command line: the operator can first change the policy in the browser.
        let expires_at = Some(bench.app.context.now().plus_seconds(90 * DAY));
        let spec = KeySpec { expires_at, ..KeySpec::new(project, "By hand".parse().unwrap()) };
        assert_eq!(invalid_field(bench.app.keys.create(&Actor::Operator, spec).await).0, "expires");
        // An edit keeps the existing expiry, and may not choose another one beyond the limit.
        let edit = async |id: KeyId, expires: &str| {
            let form = bench.app.keys.edit_form(&maren, id).await.unwrap();
            assert!(form.expiries.iter().all(|it| it.value != "never"));
            let edit = KeyEdit {
                version: form.version, name: "Renamed".into(), expires: expires.into(), expires_on: String::new(),
                scopes: form.key.scopes, issued_to: String::new(), restrictions: Default::default(),
            };
            bench.app.keys.edit_from(&maren, id, edit).await
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
        let create = async || bench.app.keys.create_from(&maren, bench.draft(project, "Probe")).await;
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
                bench.app.keys.create_from(&maren, bench.draft(project, "Here")),
                other.keys.create_from(&maren, bench.draft(project, "There")),
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
}

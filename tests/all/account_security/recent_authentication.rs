//! Actions that require recent authentication: in the form, and on a page of their own.

use super::*;

on_both_engines! {
    /// Creating a key without expiry requires recent authentication: in a form, with and without scripts, and in an
    /// edit. 15:00 minutes are recent, 15:01 are not.
    async fn reauthentication_in_the_form(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(15 * 60);
        let fields = new_key(&bench, &mut browser, "At 15:00").await;
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);
        bench.clock.advance(1);
        assert_eq!(keys(&bench).await, 1);

        let fields = new_key(&bench, &mut browser, "At 15:01").await;
        for live in [false, true] {
            let page = if live { browser.post_live("/keys/new", &with_fields(&fields, &[])).await } else { browser.post("/keys/new", &with_fields(&fields, &[])).await };
            assert_eq!(page.status, 403, "{}", page.text());
            assert_eq!(page.input("name"), "At 15:01", "what was typed is still there");
            assert_eq!(page.input("issued_to"), "Harbour office");
            let field = reauth_field(&page).expect("a field for the proof");
            assert!(field.contains("type=\"password\"") && field.contains("autofocus") && !field.contains("value="), "{field}");
            assert_eq!(page.text().matches("name=\"proof\"").count(), 1);
            assert!(page.text().contains("Confirm your password"), "{}", page.text());
        }
        assert_eq!(keys(&bench).await, 1, "nothing was made");
        // A key with an expiry does not require it.
        let mut expires = new_key(&bench, &mut browser, "Expires").await;
        expires[3].1 = "30d".into();
        assert_eq!(browser.post("/keys/new", &with_fields(&expires, &[])).await.status, 200);

        // A wrong password.
        let page = browser.post("/keys/new", &with_fields(&fields, &[("proof", "not the tide at all")])).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("Wrong password or code.") && page.text().contains("id=\"proof-error\""), "{}", page.text());
        assert!(!page.text().contains("not the tide at all"));
        assert_eq!(page.input("name"), "At 15:01");
        assert_eq!(page.text().matches("name=\"proof\"").count(), 1);
        assert_eq!((keys(&bench).await, bench.events("step_up.refused").await, bench.events("step_up.passed").await), (2, 1, 0));

        // The correct password: the form succeeds, and the next one does not require it again.
        let page = browser.post("/keys/new", &with_fields(&fields, &[("proof", PASSWORD)])).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("Save this key now") && !page.text().contains(PASSWORD), "{}", page.text());
        assert_eq!(last_event_detail(&bench, "step_up.passed").await, json!({"by": "password"}));
        let fields = new_key(&bench, &mut browser, "Soon after").await;
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);
        assert_eq!(keys(&bench).await, 4);
        // Reauthentication applies to one session. The user's other sessions are unchanged.
        let mut other = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let fields = new_key(&bench, &mut other, "Elsewhere").await;
        let mut proves = browser;
        assert_eq!(proves.post("/confirm", &[("proof", PASSWORD)]).await.status, 303);
        assert_eq!(other.post("/keys/new", &with_fields(&fields, &[])).await.status, 403);
        assert_eq!(proves.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);

        // An edit that removes the expiry requires it. An edit that keeps the expiry does not.
        let made = bench.create_key(&maren, "Edited").await;
        let version = |updated: i64| updated.to_string();
        let row = bench.key_row(made.id).await.unwrap();
        let (id, at) = (made.id.to_string(), version(row.updated_at));
        let edit = |name: &'static str, expires: &'static str, at: &str| {
            vec![("id", id.clone()), ("version", at.to_owned()), ("name", name.to_owned()), ("expires", expires.to_owned()), ("scopes[]", "data:read".into())]
        };
        let path = format!("/keys/{id}/edit");
        let page = other.post(&path, &with_fields(&edit("Edited", "never", &at), &[])).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(reauth_field(&page).is_some());
        assert_eq!(bench.key_row(made.id).await.unwrap().expires_at, row.expires_at);
        let page = other.post(&path, &with_fields(&edit("Edited", "never", &at), &[("proof", PASSWORD)])).await;
        assert_eq!(page.status, 303, "{}", page.text());
        let after = bench.key_row(made.id).await.unwrap();
        assert_eq!(after.expires_at, None);
        bench.clock.advance(901);
        for expires in ["keep", "never"] {
            let at = version(bench.key_row(made.id).await.unwrap().updated_at);
            let page = other.post(&path, &with_fields(&edit("Renamed", expires, &at), &[])).await;
            assert_eq!(page.status, 303, "{expires}: {}", page.text());
        }
        // The service requires it too, but not at the command line.
        let stale = keyward::service::actor::Caller { authenticated_at: maren.authenticated_at, ..maren.clone() };
        let mut draft = bench.draft(made.project, "By the service");
        draft.expires = "never".into();
        assert!(matches!(bench.app.keys.create_from(&stale, draft).await, Err(Error::ReauthenticationRequired)));
        let refused = bench.app.keys.edit_from(&stale, made.id, KeyEdit {
            version: bench.key_row(made.id).await.unwrap().updated_at, name: "x".into(), expires: "keep".into(), expires_on: String::new(),
            scopes: vec![], issued_to: String::new(), restrictions: Default::default(),
        }).await;
        assert!(refused.is_ok_and(|key| key.status == Status::Active));
    }

    /// A user with a second factor reauthenticates with a code. The password is not accepted.
    async fn reauthentication_by_second_factor(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let Enrolled { secret, codes } = enroll(&bench, &mut browser).await;
        bench.clock.advance(901);
        let page = browser.post("/settings/security/second-factor/off", &[]).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("Confirm with a code from your authenticator app"), "{}", page.text());
        assert!(reauth_field(&page).is_some_and(|field| field.contains("type=\"text\"") && field.contains("one-time-code")));
        for path in ["/settings/security/second-factor/off", "/settings/security/recovery-codes"] {
            for wrong in [PASSWORD, &wrong_code(&secret, now(&bench))] {
                let page = browser.post(path, &[("proof", wrong)]).await;
                assert_eq!(page.status, 403, "{path}: {}", page.text());
                assert!(!page.text().contains(wrong), "{path}");
            }
        }
        for path in ["/settings/security/second-factor/off", "/settings/security/recovery-codes"] {
            let page = browser.post(path, &[]).await;
            assert!(page.status == 403 && reauth_field(&page).is_some(), "{path}: {} {}", page.status, page.text());
        }
        let page = browser.post("/settings/security/recovery-codes", &[("proof", &codes[3])]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(last_event_detail(&bench, "step_up.passed").await, json!({"by": "recovery_code", "codes_left": 9}));
        bench.clock.advance(901);
        let right = code(&secret, now(&bench));
        let page = browser.post("/confirm?next=%2Fsettings%2Fsecurity", &[("proof", &right)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security"), "{}", page.text());
        assert_eq!(browser.post("/confirm", &[("proof", &right)]).await.status, 403, "once");
        let page = browser.post("/settings/security/second-factor/off", &[]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=off"), "{}", page.text());
        assert_eq!(bench.query_number("SELECT (SELECT COUNT(*) FROM second_factors) + (SELECT COUNT(*) FROM recovery_codes)").await, 0);
        assert_eq!(browser.post("/settings/security/second-factor/off", &[]).await.status, 409);
        assert_eq!(browser.post("/settings/security/recovery-codes", &[]).await.status, 409);
        let done = actions(&bench).await;
        assert_eq!(done.last().map(String::as_str), Some("second_factor.removed"), "{done:?}");
        // After that, sign-in needs the password only.
        bench.signed_in(MAREN).await;
    }

    /// The reauthentication page, for links to protected pages. It redirects to a local path only.
    async fn the_reauthentication_page(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let page = browser.get("/confirm?next=%2Fprojects").await;
        assert_eq!(page.status, 200);
        assert!(page.text().contains("action=\"/confirm?next="), "{}", page.text());
        let page = browser.post("/confirm?next=%2Fprojects", &[("proof", "")]).await;
        assert_eq!(page.status, 403);
        let page = browser.post("/confirm?next=%2Fprojects", &[("proof", "not the tide at all")]).await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains("Wrong password or code.") && page.text().contains("action=\"/confirm?next="), "{}", page.text());
        assert_eq!(page.text().matches("name=\"proof\"").count(), 1);
        let page = browser.post("/confirm?next=%2Fprojects", &[("proof", PASSWORD)]).await;
        assert_eq!((page.status, page.location()), (303, "/projects"));
        for elsewhere in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", ""] {
            let page = browser.post(&format!("/confirm?next={elsewhere}"), &[("proof", PASSWORD)]).await;
            assert_eq!((page.status, page.location()), (303, "/keys"), "{elsewhere}");
        }
        let fields = new_key(&bench, &mut browser, "Proved").await;
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[])).await.status, 200);
        let page = bench.browser().post("/confirm?next=%2Fprojects", &[("proof", PASSWORD)]).await;
        assert_eq!(page.status, 303);
        assert!(page.location().starts_with("/login"), "{}", page.location());
        // A user with neither a password nor a second factor must sign in again.
        let jonas = bench.create_user("jonas@pelagic.example", false).await;
        let mut browser = bench.signed_in("jonas@pelagic.example").await;
        bench.execute_sql(&format!("UPDATE users SET password_hash = '' WHERE id = {}", bench.literal(jonas.user))).await;
        bench.clock.advance(901);
        assert!(browser.get("/confirm").await.text().contains("Sign out, sign in again"));
        let fields = new_key(&bench, &mut browser, "Elsewhere").await;
        let page = browser.post("/keys/new", &with_fields(&fields, &[("proof", "")])).await;
        assert_eq!(page.status, 403);
        assert!(page.text().contains("Sign out, sign in again") && reauth_field(&page).is_none(), "{}", page.text());
        assert_eq!(browser.post("/keys/new", &with_fields(&fields, &[("proof", PASSWORD)])).await.status, 403);
    }
}

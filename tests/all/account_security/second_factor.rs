//! Second factor: enrollment, sign-in with a code, recovery codes, and the policy that requires it.

use super::*;

on_both_engines! {
    /// Enrollment, and sign-in with a code after the password. Each code works once.
    async fn a_code_after_the_password(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let page = browser.get("/settings/security").await;
        assert!(page.text().contains("Authenticator app") && !page.text().contains("Required by the policy."), "{}", page.text());
        to_next_step(&bench);

        // After a wrong code the page shows the same secret.
        let page = browser.get("/settings/security/second-factor").await;
        let text = elements(&page, "code")[0].clone();
        let secret = base32(&text);
        assert!(page.text().contains("<svg") && page.text().contains("h7v1h-7z") && !page.text().contains("style="), "{}", page.text());
        let wrong = wrong_code(&secret, now(&bench));
        let refused = browser
            .post("/settings/security/second-factor", &[("sealed", page.input("sealed")), ("one_time_code", &wrong)])
            .await;
        assert_eq!(refused.status, 422, "{}", refused.text());
        assert_eq!(elements(&refused, "code")[0], text);
        assert!(!refused.text().contains(&wrong), "it is not drawn again");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM second_factors").await, 0, "nothing is stored before a code has confirmed it");

        // Each GET of the page shows a new secret.
        assert_ne!(elements(&browser.get("/settings/security/second-factor").await, "code")[0], text);
        // Another user cannot use this user's enrollment form.
        bench.create_user("jonas@pelagic.example", false).await;
        let mut jonas = bench.signed_in("jonas@pelagic.example").await;
        let stolen = [("sealed", refused.input("sealed")), ("one_time_code", &*code(&secret, now(&bench)))];
        assert_eq!(jonas.post("/settings/security/second-factor", &stolen).await.status, 422);

        let fields = [("sealed", refused.input("sealed")), ("one_time_code", &*code(&secret, now(&bench)))];
        let page = browser.post("/settings/security/second-factor", &fields).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(browser.post("/settings/security/second-factor", &fields).await.location(), "/settings/security", "once");
        let page = browser.get("/settings/security/second-factor").await;
        assert_eq!((page.status, page.location()), (303, "/settings/security"));
        let page = browser.get("/settings/security").await;
        assert!(page.text().contains("Turn off") && page.text().contains("10 codes left."), "{}", page.text());

        // The code page follows a correct password only.
        let mut other = bench.browser();
        let page = other.post("/login", &[("email", MAREN), ("password", "not the tide at all")]).await;
        assert_eq!(page.status, 422);
        let page = other.post("/login?next=%2Fsettings%2Fsecurity", &[("email", MAREN), ("password", PASSWORD)]).await;
        assert_eq!((page.status, page.location()), (303, "/login/code?next=%2Fsettings%2Fsecurity"));
        assert_eq!(bench.events("session.started").await, 2, "not before the code");
        let page = other.get("/login/code?next=%2Fsettings%2Fsecurity").await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("action=\"/login/code?next="), "{}", page.text());

        // The code of the enrollment cannot be used again.
        let used = code(&secret, now(&bench));
        let page = send_code(&mut other, &used).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert!(page.text().contains("wrong or was already used") && !page.text().contains(&used), "{}", page.text());
        assert_eq!(send_code(&mut other, " ").await.status, 422);
        bench.clock.advance(30);
        let next = code(&secret, now(&bench));
        let page = other
            .post("/login/code?next=%2Fsettings%2Fsecurity", &[("one_time_code", &format!("{} {}", &next[..3], &next[3..]))])
            .await;
        assert_eq!((page.status, page.location()), (303, "/settings/security"), "{}", page.text());
        assert_eq!(other.get("/keys").await.status, 200);
        assert_eq!(last_event_detail(&bench, "session.started").await, json!({"by": "code"}));

        // The last code does not work in another browser either, nor does the earlier one.
        let mut third = pending(&bench).await;
        assert_eq!(send_code(&mut third, &next).await.status, 422);
        assert_eq!(send_code(&mut third, &used).await.status, 422);
        assert_eq!(third.get("/keys").await.status, 303);
        assert_eq!(bench.events("second_factor.refused").await, 3);
        assert_eq!(bench.events("second_factor.enrolled").await, 1);
    }

    /// A clock may differ by one time step, and no more.
    async fn one_step_of_skew(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        bench.clock.advance(300);
        for (off, taken) in [(-60, false), (60, false), (-30, true), (0, true), (30, true)] {
            let mut browser = pending(&bench).await;
            let page = send_code(&mut browser, &code(&secret, now(&bench) + off)).await;
            assert_eq!(page.status, if taken { 303 } else { 422 }, "{off}: {}", page.text());
        }
    }

    /// A session with a pending second factor has no permissions.
    async fn a_sign_in_that_waits_opens_nothing(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let mut first = bench.signed_in(MAREN).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut first).await;
        let mut browser = pending(&bench).await;
        for path in ["/keys", "/keys/new", "/projects", "/settings/security", "/settings/security/second-factor", "/settings/account", "/confirm"] {
            let page = browser.get(path).await;
            assert_eq!(page.status, 303, "{path}");
            assert!(page.location().starts_with("/login"), "{path}: {}", page.location());
        }
        assert_eq!(browser.get("/login/code").await.status, 200, "it waits for the code");
        for path in ["/settings/security/second-factor/off", "/settings/security/recovery-codes", "/confirm"] {
            let page = browser.post(path, &[("proof", PASSWORD)]).await;
            assert_eq!(page.status, 303, "{path}: without a user no proof is checked");
            assert!(page.location().starts_with("/login?next="), "{path}: {}", page.location());
        }
        for function in ["keys/called", "keys/say_expiry", "keys/say_not_before"] {
            assert_eq!(browser.call(function, &[("id", &maren.user.to_string())]).await.status, 401, "{function}");
        }
        assert_eq!(bench.events("step_up.passed").await + bench.events("step_up.refused").await, 0);
        // A pending session is not in the list of sessions, and lasts ten minutes.
        assert_eq!(bench.app.accounts.security(&maren, None).await.unwrap().sessions.len(), 1);
        bench.clock.advance(599);
        assert_eq!(browser.get("/login/code").await.status, 200);
        bench.clock.advance(1);
        assert_eq!(browser.get("/login/code").await.location(), "/login");
        let page = send_code(&mut browser, &code(&secret, now(&bench))).await;
        assert_eq!((page.status, page.location()), (303, "/login"));
        assert_eq!(bench.events("session.started").await, 1);

        // The pending session's id is invalid after sign-in.
        let mut browser = pending(&bench).await;
        let before = browser.cookie.clone();
        assert_eq!(send_code(&mut browser, &code(&secret, now(&bench))).await.status, 303);
        assert_ne!(browser.cookie, before, "a new id");
        let mut thief = bench.browser();
        thief.cookie = before;
        assert_eq!(thief.get("/keys").await.status, 303);
        assert_eq!(thief.get("/login/code").await.status, 303);
    }

    /// Each recovery code works once, also in concurrent requests. New codes replace all old ones.
    async fn recovery_codes(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut first = bench.signed_in(MAREN).await;
        let Enrolled { codes, .. } = enroll(&bench, &mut first).await;
        let mut browser = pending(&bench).await;
        assert_eq!(send_code(&mut browser, &codes[0].to_uppercase().replace('-', " ")).await.status, 303);
        assert_eq!(last_event_detail(&bench, "session.started").await, json!({"by": "recovery_code", "codes_left": 9}));
        let mut again = pending(&bench).await;
        assert_eq!(send_code(&mut again, &codes[0]).await.status, 422);

        let (mut one, mut two) = (pending(&bench).await, pending(&bench).await);
        let (one, two) = futures::join!(send_code(&mut one, &codes[1]), send_code(&mut two, &codes[1]));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [303, 422], "one wins");

        let page = first.post("/settings/security/recovery-codes", &[]).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_eq!(page.header("cache-control"), "no-store");
        for script in page.text().split("<script").skip(1).map(|it| it.split("</script>").next().unwrap_or_default()) {
            assert!(!script.contains(" src=") && !script.contains("import("), "nothing may read them afterwards: {script}");
        }
        let fresh = elements(&page, "code");
        assert_eq!(fresh.len(), 10);
        assert!(fresh.iter().all(|it| !codes.contains(it)));
        assert!(!first.get("/settings/security/recovery-codes").await.text().contains(&fresh[0]), "shown once");
        assert_eq!(send_code(&mut again, &codes[2]).await.status, 422, "the old ones are worth nothing");
        assert_eq!(send_code(&mut again, &fresh[2]).await.status, 303);
        assert_eq!(bench.events("recovery_codes.made").await, 1);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM recovery_codes").await, 10);
    }

    /// If the policy requires a second factor, users can do nothing else before enrollment.
    async fn the_policy_leads_to_the_second_factor(bench: TestServer) {
        let root = bench.create_user("root@keys.example", true).await;
        bench.create_user(MAREN, false).await;
        let key = bench.create_key(&root, "Gateway").await;
        bench.execute_sql("UPDATE policy SET second_factor = 'administrators'").await;
        let mut maren = bench.signed_in(MAREN).await;
        assert_eq!(maren.get("/keys").await.status, 200, "not of everybody");
        let mut browser = bench.browser();
        let page = browser.post("/login", &[("email", "root@keys.example"), ("password", PASSWORD)]).await;
        assert_eq!(page.status, 303);
        let enrol_page = "/settings/security/second-factor";
        for (path, next) in [
            ("/keys", enrol_page.to_owned()),
            ("/", enrol_page.to_owned()),
            ("/admin/keys?sort=name", format!("{enrol_page}?next=%2Fadmin%2Fkeys%3Fsort%3Dname")),
            ("/settings/security", format!("{enrol_page}?next=%2Fsettings%2Fsecurity")),
            ("/confirm", format!("{enrol_page}?next=%2Fconfirm")),
        ] {
            let page = browser.get(path).await;
            assert_eq!((page.status, page.location()), (303, next.as_str()), "{path}");
        }
        let fields = [("id", key.id.to_string())];
        let path = format!("/keys/{}/deactivate", key.id);
        let page = browser.post(&path, &with_fields(&fields, &[])).await;
        assert_eq!((page.status, page.location()), (303, enrol_page));
        for path in ["/settings/security/sessions", "/settings/account", "/projects/new"] {
            let page = browser.post(path, &with_fields(&fields, &[])).await;
            assert_eq!((page.status, page.location()), (303, enrol_page), "{path}");
        }
        for function in ["keys/called", "keys/say_expiry", "keys/say_not_before"] {
            let page = browser.call(function, &with_fields(&fields, &[])).await;
            assert_eq!((page.status, &page.json()["kind"]), (403, &json!("forbidden")), "{function}: {}", page.text());
        }
        assert!(bench.key_row(key.id).await.unwrap().active);
        // API calls of programs are not affected.
        let page = bench.browser().json("/v1/keys/verify", &json!({"key": key.secret})).await;
        assert_eq!(page.json()["valid"], true);
        assert_eq!(browser.get("/logout").await.status, 200);

        let page = browser.get(&format!("{enrol_page}?next=%2Fadmin%2Fkeys")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let secret = base32(&elements(&page, "code")[0]);
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*code(&secret, now(&bench)))];
        let page = browser.post(&format!("{enrol_page}?next=%2Fadmin%2Fkeys"), &fields).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("href=\"/admin/keys\""), "{}", page.text());
        assert_eq!(browser.get("/keys").await.status, 200);
        assert!(browser.get("/settings/security").await.text().contains("Required by the policy."));
        // The policy does not apply to users of an OpenID Connect provider.
        bench.execute_sql("UPDATE policy SET second_factor = 'everybody'").await;
        assert_eq!(maren.get("/keys").await.status, 303, "at once");
        bench.execute_sql(&format!("UPDATE users SET password_hash = '' WHERE email = '{MAREN}'")).await;
        assert_eq!(maren.get("/keys").await.status, 200);
    }

    /// Enrollment requires recent authentication, to prevent a permanent takeover of an unattended session.
    async fn enabling_it_requires_reauthentication(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let page = browser.get("/settings/security/second-factor").await;
        let text = elements(&page, "code")[0].clone();
        let secret = base32(&text);
        let typed = code(&secret, now(&bench));
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*typed)];
        let page = browser.post("/settings/security/second-factor", &fields).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert_eq!(elements(&page, "code")[0], text);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM second_factors").await, 0);
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*typed), ("proof", PASSWORD)];
        assert_eq!(browser.post("/settings/security/second-factor", &fields).await.status, 200);
        // An enrollment form expires after one hour.
        bench.create_user("jonas@pelagic.example", false).await;
        let mut jonas = bench.signed_in("jonas@pelagic.example").await;
        let page = jonas.get("/settings/security/second-factor").await;
        let secret = base32(&elements(&page, "code")[0]);
        bench.clock.advance(3_601);
        let fields = [("sealed", page.input("sealed")), ("one_time_code", &*code(&secret, now(&bench))), ("proof", PASSWORD)];
        assert_eq!(jonas.post("/settings/security/second-factor", &fields).await.status, 422);
    }

    /// The command line turns off the second factor of a user who has lost the app and the recovery codes.
    async fn turned_off_at_the_command_line(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let command = keyward::service::accounts::Accounts::new(bench.app.context.clone(), bench.app.config.clone());
        let operator = keyward::service::actor::Actor::Operator;
        assert!(command.turn_off_second_factor_of(&operator, "nobody@pelagic.example").await.is_err());
        command.turn_off_second_factor_of(&operator, MAREN).await.expect("turned off");
        let again = command.turn_off_second_factor_of(&operator, MAREN).await.unwrap_err();
        assert!(again.to_string().contains("Two-factor authentication is off for this user."), "{again}");
        bench.signed_in(MAREN).await;
        assert_eq!(bench.query_texts("SELECT actor FROM audit_events WHERE action = 'second_factor.removed'").await, ["operator"]);
    }

    /// No other function of the service starts a session with the password of a user who has a second factor.
    async fn the_service_reports_that_a_code_is_required(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let accounts = &bench.app.accounts;
        let entered = accounts.sign_in(MAREN, &Password::new(PASSWORD.into()), &Origin::default()).await.unwrap();
        assert_eq!((entered.pending_session.user, entered.requires_code), (maren.user, true));
        let unknown_session = accounts.sign_in_code(Uuid::nil().into(), &Password::new("123456".into()), &Origin::default()).await;
        assert!(unknown_session.is_err());
        bench.execute_sql(&format!("UPDATE users SET active = {} WHERE email = '{MAREN}'", if matches!(bench.location, keyward::store::Location::Sqlite(_)) { "0" } else { "FALSE" })).await;
        assert!(accounts.sign_in_code(maren.user, &Password::new("123456".into()), &Origin::default()).await.is_err(), "disabled meanwhile");
    }
}

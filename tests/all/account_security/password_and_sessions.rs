//! Password changes and sessions, also while a sign-in is pending.

use super::*;

on_both_engines! {
    /// A password change ends the other sessions from their next request.
    async fn changing_the_password(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let jonas = bench.create_user("jonas@pelagic.example", false).await;
        let (mut here, mut there) = (bench.signed_in(MAREN).await, bench.signed_in(MAREN).await);
        let mut jonas_there = bench.signed_in("jonas@pelagic.example").await;
        assert_eq!(there.get("/keys").await.status, 200);
        let hashes = bench.query_texts("SELECT password_hash FROM users ORDER BY email").await;
        let path = "/settings/security/password";
        for (current, new, field) in [
            (PASSWORD, "short", "new_password"),
            (PASSWORD, "maren@pelagic.example", "new_password"),
            (PASSWORD, PASSWORD, "new_password"),
            ("", NEW, "password"),
            ("not the tide at all", NEW, "password"),
        ] {
            let page = here.post(path, &[("password", current), ("new_password", new)]).await;
            assert_eq!(page.status, 422, "{new}: {}", page.text());
            assert!(page.text().contains(&format!("id=\"{field}-error\"")), "{new}: {}", page.text());
            assert!(!page.text().contains(NEW) && !page.text().contains(PASSWORD), "never drawn again");
        }
        assert_eq!(bench.query_texts("SELECT password_hash FROM users ORDER BY email").await, hashes);
        assert_eq!(bench.events("password.refused").await, 1);
        assert_eq!(there.get("/keys").await.status, 200);

        let page = here.post(path, &[("password", PASSWORD), ("new_password", NEW)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=password"), "{}", page.text());
        assert_eq!(here.get("/keys").await.status, 200);
        let page = there.get("/keys").await;
        assert_eq!((page.status, page.location()), (303, "/login"), "at the next request");
        assert_eq!(jonas_there.get("/keys").await.status, 200, "others' sessions are not touched");
        assert_eq!(last_event_detail(&bench, "password.changed").await, json!({"sessions_ended": 1}));
        let mut anew = bench.browser();
        assert_eq!(anew.post("/login", &[("email", MAREN), ("password", PASSWORD)]).await.status, 422);
        assert_eq!(anew.post("/login", &[("email", MAREN), ("password", NEW)]).await.status, 303);

        // A sign-in with a pending second factor ends too.
        let Enrolled { secret, .. } = enroll(&bench, &mut here).await;
        let mut waits = bench.browser();
        assert_eq!(waits.post("/login", &[("email", MAREN), ("password", NEW)]).await.location(), "/login/code");
        assert_eq!(here.post(path, &[("password", NEW), ("new_password", PASSWORD)]).await.status, 303);
        assert_eq!(send_code(&mut waits, &code(&secret, now(&bench))).await.location(), "/login");

        // Attempts are throttled like sign-in.
        let origin = Origin { ip: Some([203, 0, 113, 7].into()), ..Origin::default() };
        let from = keyward::service::actor::Caller { origin, ..maren };
        let (wrong, right, new) = (Password::new("not the tide".into()), Password::new(PASSWORD.into()), Password::new(NEW.into()));
        for _ in 0..5 {
            let refused = bench.app.accounts.change_password(&from, &wrong, &new, [0; 32]).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        }
        let paused = bench.app.accounts.change_password(&from, &right, &new, [0; 32]).await;
        assert!(matches!(paused, Err(Error::Paused { .. })), "{paused:?}");

        // A user of an OpenID Connect provider has no password.
        bench.execute_sql(&format!("UPDATE users SET password_hash = '' WHERE id = {}", bench.literal(jonas.user))).await;
        let page = jonas_there.get("/settings/security").await;
        assert!(page.text().contains("Your account has no password") && !page.text().contains("name=\"new_password\""), "{}", page.text());
        assert_eq!(jonas_there.post(path, &[("password", PASSWORD), ("new_password", NEW)]).await.status, 409);
        assert_eq!(jonas_there.post("/settings/security/second-factor", &[("sealed", ""), ("one_time_code", "123456")]).await.status, 403);
        let mut anonymous = bench.browser();
        for password in ["", PASSWORD] {
            assert_eq!(anonymous.post("/login", &[("email", "jonas@pelagic.example"), ("password", password)]).await.status, 422);
        }
    }

    /// A user sees their sessions, and can end their own only.
    async fn sessions(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        bench.create_user("jonas@pelagic.example", false).await;
        let mut there = bench.browser();
        let login = axum::http::Request::post("/login")
            .header("origin", URL)
            .header("user-agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0")
            .header("content-type", "application/x-www-form-urlencoded");
        let page = there.send(login, crate::support::browser::form(&[("email", MAREN), ("password", PASSWORD)])).await;
        assert_eq!(page.status, 303);
        bench.clock.advance(3_600);
        let mut here = bench.signed_in(MAREN).await;
        let mut jonas = bench.signed_in("jonas@pelagic.example").await;
        bench.clock.advance(600);
        here.get("/keys").await;
        let page = json_of(&bench.app.accounts.security(&maren, Some(here.session_digest())).await.unwrap());
        let list = page["sessions"].as_array().expect("sessions");
        assert_eq!(list.len(), 2);
        assert_eq!((&list[0]["here"], &list[1]["here"]), (&json!(true), &json!(false)));
        assert_eq!(list[1]["device"], "Firefox on Windows");
        let micros = |value: &Value| value["at"].as_i64().expect("an instant") / 1_000_000;
        assert_eq!(micros(&list[0]["seen"]), now(&bench));
        assert_eq!((micros(&list[1]["since"]), micros(&list[1]["seen"])), (now(&bench) - 4_200, now(&bench) - 4_200));
        let handle = list[1]["handle"].as_str().unwrap().to_owned();
        assert!(there.cookie.as_deref().is_some_and(|cookie| !cookie.contains(&handle)), "the digest, not the id");
        let shown = here.get("/settings/security").await;
        assert!(shown.text().contains("Firefox on Windows") && shown.text().contains("This session"), "{}", shown.text());

        // Another user's session gets the same response as an unknown one.
        let random = hex::encode(crate::support::random::<32>());
        let theirs = jonas.post("/settings/security/session", &[("session", &handle)]).await;
        let none = jonas.post("/settings/security/session", &[("session", &random)]).await;
        assert_eq!((theirs.status, none.status), (404, 404));
        assert_eq!(theirs.masked(&[&handle]), none.masked(&[&random]));
        for bad in ["", "zz", "00", &handle[..62]] {
            assert_eq!(jonas.post("/settings/security/session", &[("session", bad)]).await.status, 404, "{bad}");
        }
        assert_eq!(there.get("/keys").await.status, 200);
        assert_eq!(bench.events("session.ended").await, 0);

        let page = here.post("/settings/security/session", &[("session", &handle)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=ended"), "{}", page.text());
        assert_eq!(there.get("/keys").await.status, 303);
        assert_eq!(last_event_detail(&bench, "session.ended").await["device"], "Firefox on Windows");
        assert_eq!(here.post("/settings/security/session", &[("session", &handle)]).await.status, 404, "it is gone");

        let (mut one, mut two) = (bench.signed_in(MAREN).await, bench.signed_in(MAREN).await);
        let page = here.post("/settings/security/sessions", &[]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=others"));
        assert_eq!((one.get("/keys").await.status, two.get("/keys").await.status), (303, 303));
        assert_eq!((here.get("/keys").await.status, jonas.get("/keys").await.status), (200, 200));
        assert_eq!(last_event_detail(&bench, "sessions.ended").await, json!({"ended": 2}));
        let mut anonymous = bench.browser();
        for path in ["", "/session", "/sessions", "/password", "/second-factor"] {
            let path = format!("/settings/security{path}");
            let page = anonymous.get(&path).await;
            assert!(page.status == 303 && page.location().starts_with("/login"), "{path}: {}", page.status);
            if path != "/settings/security" {
                let fields = [("session", handle.as_str()), ("password", "x"), ("new_password", "y"), ("one_time_code", "1")];
                let page = anonymous.post(&path, &fields).await;
                assert!(page.status == 303 && page.location().starts_with("/login"), "{path}: {}", page.status);
            }
        }
    }

    /// The password hash takes long to compute. If the password has changed or the user was disabled meanwhile, the
    /// sign-in starts no session.
    async fn a_sign_in_under_way_does_not_outlive_its_password(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (app, origin) = (&bench.app, Origin::default());
        let row = |compared: &PendingSession| NewSessionRow {
            digest: crate::support::random(),
            user_id: compared.user.into(),
            data: "{}".into(),
            agent: None,
            ip: None,
            pending: false,
            created_at: 0,
            expires_at: i64::MAX,
        };
        let right = Password::new(PASSWORD.to_owned());
        let before = app.accounts.sign_in(MAREN, &right, &origin).await.unwrap().pending_session;
        assert!(start_session(&bench.app.context, row(&before), before.verified_password.clone()).await.unwrap());
        let other = Password::new("the ebb turns at ten".to_owned());
        app.accounts.change_password(&maren, &right, &other, crate::support::random()).await.unwrap();
        let late = start_session(&bench.app.context, row(&before), before.verified_password.clone()).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
        let after = app.accounts.sign_in(MAREN, &other, &origin).await.unwrap().pending_session;
        bench.execute_sql("UPDATE users SET active = NOT active").await;
        let disabled = start_session(&bench.app.context, row(&after), after.verified_password.clone()).await;
        assert!(matches!(disabled, Err(Error::Conflict(_))), "{disabled:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
    }

    /// The account changes between the password and the code: the page reports it, and no error is logged.
    async fn a_code_after_the_password_changed_starts_no_session(bench: TestServer) {
        bench.create_user(MAREN, false).await;
        let enrolled = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let mut late = pending(&bench).await;
        bench.execute_sql("UPDATE users SET password_hash = password_hash || ' '").await;
        let log = LogCapture::start();
        let page = send_code(&mut late, &code(&enrolled.secret, now(&bench))).await;
        assert_eq!(page.status, 409, "{}", page.text());
        assert!(page.text().contains("Your account was changed during the sign-in. Sign in again."), "{}", page.text());
        let logged = String::from_utf8_lossy(&log.logged()).into_owned();
        assert!(!logged.contains("request.failed") && !logged.contains("database.failed"), "{logged}");
        assert!(!late.cookie.as_deref().unwrap_or_default().contains("keyward="), "{:?}", late.cookie);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 1, "that of the browser that set the code up");
    }
}

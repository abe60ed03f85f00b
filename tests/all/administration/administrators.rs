//! The administrator role: one administrator always remains.

use super::*;

on_both_engines! {
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

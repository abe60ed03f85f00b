//! Guesses at codes and at reauthentication are throttled.

use super::*;

on_both_engines! {
    /// Codes are throttled like passwords: for each client address, and by a limit for all addresses together.
    async fn codes_that_are_guessed(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let accounts = &bench.app.accounts;
        let from = |last: u8| Origin { ip: Some([203, 0, 113, last].into()), ..Origin::default() };
        let (wrong, right) = (Password::new(wrong_code(&secret, now(&bench))), Password::new(code(&secret, now(&bench))));
        for _ in 0..5 {
            assert!(matches!(accounts.sign_in_code(maren.user, &wrong, &from(1)).await, Err(Error::Invalid(_))));
        }
        let paused = accounts.sign_in_code(maren.user, &right, &from(1)).await;
        assert!(matches!(paused, Err(Error::Paused { seconds: 60 })), "{paused:?}");
        // The correct password does not lift the limit. Another address, which has no failed attempt, can sign in.
        assert!(accounts.sign_in(MAREN, &Password::new(PASSWORD.into()), &from(1)).await.is_ok());
        assert!(matches!(accounts.sign_in_code(maren.user, &right, &from(1)).await, Err(Error::Paused { .. })));
        accounts.sign_in_code(maren.user, &right, &from(2)).await.expect("another address");
        bench.clock.advance(60);
        let right = Password::new(code(&secret, now(&bench)));
        accounts.sign_in_code(maren.user, &right, &from(1)).await.expect("a minute later");
        assert_eq!(bench.events("second_factor.refused").await, 5);
    }

    /// An attacker with only the password cannot block the owner's sign-in from a known address, nor any action within
    /// a session, and gains no additional guesses.
    async fn codes_that_are_guessed_do_not_keep_the_owner_out(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let Enrolled { secret, .. } = enroll(&bench, &mut bench.signed_in(MAREN).await).await;
        let accounts = &bench.app.accounts;
        let from = |last: u8| Origin { ip: Some([203, 0, 113, last].into()), ..Origin::default() };
        let (password, right) = (Password::new(PASSWORD.into()), || Password::new(code(&secret, now(&bench))));
        accounts.sign_in_code(maren.user, &right(), &from(1)).await.expect("the owner's address is known");
        to_next_step(&bench);
        let wrong = Password::new(wrong_code(&secret, now(&bench)));
        // With the correct password each time, which does not make an address known.
        for last in 100..120 {
            assert!(accounts.sign_in(MAREN, &password, &from(last)).await.unwrap().requires_code);
            assert!(matches!(accounts.sign_in_code(maren.user, &wrong, &from(last)).await, Err(Error::Invalid(_))));
        }
        assert!(accounts.sign_in(MAREN, &password, &from(120)).await.is_ok());
        let refused = accounts.sign_in_code(maren.user, &wrong, &from(120)).await;
        assert!(matches!(refused, Err(Error::Paused { seconds: 60 })), "one count for all of them: {refused:?}");

        accounts.sign_in_code(maren.user, &right(), &from(1)).await.expect("from the known address");
        to_next_step(&bench);
        // A session at a new address.
        let caller = keyward::service::actor::Caller { origin: from(2), ..maren };
        assert!(accounts.reauthenticate(&caller, &right()).await.unwrap());
        accounts.change_password(&caller, &password, &Password::new(NEW.into()), [0; 32]).await.expect("it is changed");
        assert_eq!(bench.events("second_factor.refused").await, 20);
    }

    /// Reauthentication attempts are throttled. The browser tests cover the text of the pages.
    async fn proofs_that_are_guessed(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let accounts = &bench.app.accounts;
        let origin = Origin { ip: Some([203, 0, 113, 7].into()), ..Origin::default() };
        let caller = keyward::service::actor::Caller { origin, ..maren };
        let (wrong, right) = (Password::new("not the tide at all".into()), Password::new(PASSWORD.into()));
        for _ in 0..5 {
            assert!(!accounts.reauthenticate(&caller, &wrong).await.unwrap());
        }
        let paused = accounts.reauthenticate(&caller, &right).await;
        assert!(matches!(paused, Err(Error::Paused { seconds: 60 })), "{paused:?}");
        bench.clock.advance(60);
        assert!(accounts.reauthenticate(&caller, &right).await.unwrap());
        assert_eq!((bench.events("step_up.refused").await, bench.events("step_up.passed").await), (5, 1));
        assert_eq!(bench.query_texts("SELECT DISTINCT ip FROM audit_events WHERE action = 'step_up.refused'").await, ["203.0.113.7"]);
    }
}

//! Email addresses: all spellings share one account and one throttle counter, and invalid addresses are refused.

use crate::support::{PASSWORD, TestServer};
use keyward::{
    domain::{email::Email, sensitive::Password},
    service::{
        Error,
        accounts::NewUser,
        actor::{Actor, Origin},
        users::Users,
    },
};
use std::time::Duration;

const UNICODE: &str = "ann@bücher.example";
const ASCII: &str = "ann@xn--bcher-kva.example";

fn person(email: &str) -> NewUser {
    let password = Password::new(PASSWORD.into());
    NewUser { email: email.into(), name: "Ann".into(), password, admin: false, project: String::new() }
}

fn from(last: u8) -> Origin {
    Origin { ip: Some([203, 0, 113, last].into()), ..Origin::default() }
}

async fn status(bench: &TestServer, email: &str, password: &str) -> (u16, String) {
    let page = bench.browser().post("/login", &[("email", email), ("password", password)]).await;
    (page.status, page.text().to_owned())
}

fn is_wrong_email<T: std::fmt::Debug>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Invalid(fields)) if fields.iter().any(|field| field.name == "email"))
}

on_both_engines! {
    async fn an_international_domain_is_one_account(bench: TestServer) {
        let accounts = &bench.app.accounts;
        accounts.create_user(&Actor::Operator, person(UNICODE)).await.unwrap();
        assert_eq!(bench.query_texts("SELECT email FROM users").await, [ASCII]);
        let twice = accounts.create_user(&Actor::Operator, person(" Ann@XN--BCHER-KVA.Example ")).await;
        assert!(is_wrong_email(&twice), "{twice:?}");
        for email in [UNICODE, ASCII, "ANN@BÜCHER.EXAMPLE", "ann@bu\u{308}cher.example"] {
            assert_eq!(status(&bench, email, PASSWORD).await.0, 303, "{email}");
        }
        bench.mail.set_up();
        accounts.request_reset(UNICODE, &from(1)).await.unwrap();
        for _ in 0..500 {
            if let Some(letter) = bench.mail.take().pop() {
                assert_eq!(letter.to.as_str(), ASCII, "mail goes to the A-label");
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no mail");
    }

    /// A row of the previous release stores its domain in U-labels.
    async fn a_stored_u_label_is_the_same_account(bench: TestServer) {
        let accounts = &bench.app.accounts;
        let id = accounts.create_user(&Actor::Operator, person(UNICODE)).await.unwrap();
        bench.execute_sql(&format!("UPDATE users SET email = '{UNICODE}'")).await;
        for email in [UNICODE, ASCII] {
            assert_eq!(status(&bench, email, PASSWORD).await.0, 303, "{email}");
            assert!(is_wrong_email(&accounts.create_user(&Actor::Operator, person(email)).await), "{email}");
            assert_eq!(Users::new(bench.app.context.clone()).find_by_email(email).await.unwrap(), id, "{email}");
            let link = accounts.reset_link(&Actor::Operator, email).await.unwrap();
            let code = link.split("code=").nth(1).unwrap();
            accounts.reset_password(code, &Password::new(PASSWORD.into()), &from(2)).await.unwrap();
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 1);
        // If both accounts exist from an earlier release, the one with A-labels is used: browsers can submit it.
        bench.execute_sql(&format!(
            "INSERT INTO users (id, email, name, password_hash, admin, active, created_at) \
             SELECT {}, '{ASCII}', 'Other', '', admin, active, created_at FROM users",
            bench.literal(uuid::Uuid::from_u128(7))
        )).await;
        let found = Users::new(bench.app.context.clone()).find_by_email(UNICODE).await.unwrap();
        assert_eq!(uuid::Uuid::from(found), uuid::Uuid::from_u128(7));
    }

    async fn what_is_no_address_is_refused_everywhere(bench: TestServer) {
        let root = bench.create_user("root@keys.example", true).await;
        let project = bench.project_of(&root).await;
        bench.mail.set_up();
        bench.execute_sql("UPDATE policy SET sign_up = 'open'").await;
        let (app, accounts) = (&bench.app, &bench.app.accounts);
        let long = format!("ann@example.com{}x", " ".repeat(320));
        for bad in ["ann@@example.com", "ann@[127.0.0.1]", "ann@127.0.0.1", "ann@example..com", "ann", "a b@example.com", &long] {
            assert!(is_wrong_email(&accounts.create_user(&Actor::Operator, person(bad)).await), "create: {bad}");
            assert!(is_wrong_email(&accounts.invite(&Actor::Operator, bad).await.map(|_| ())), "invite: {bad}");
            let invited = app.projects.invite(&root, project, "viewer", bad, &app.config).await;
            assert!(is_wrong_email(&invited.map(|_| ())), "project: {bad}");
            assert!(is_wrong_email(&accounts.request_sign_up(bad, &from(3)).await), "sign-up: {bad}");
            assert!(is_wrong_email(&accounts.request_reset(bad, &from(3)).await), "reset: {bad}");
            assert!(is_wrong_email(&accounts.reset_link(&Actor::Operator, bad).await), "link: {bad}");
            assert!(is_wrong_email(&accounts.turn_off_second_factor_of(&Actor::Operator, bad).await), "second factor: {bad}");
            let known = Users::new(app.context.clone()).find_by_email(bad).await;
            assert!(matches!(known, Err(Error::NotFound)), "{bad}");
            assert_eq!(status(&bench, bad, PASSWORD).await.0, 422, "sign-in: {bad}");
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 1);
        assert!(bench.mail.take().is_empty());
    }

    /// The throttle counts the parsed address, so padding does not create another account.
    async fn a_padded_address_is_one_account_to_the_throttle(bench: TestServer) {
        let email = "maren@pelagic.example";
        bench.create_user(email, false).await;
        let wrong = Password::new("not the tide at all".into());
        let written = |n: usize| match n % 4 {
            0 => format!("{email}{}", " ".repeat(n + 1)),
            1 => format!("\t{}{email}", "\u{a0}".repeat(n)),
            2 => email.to_uppercase(),
            _ => format!("{}\r\n", email.replace(".example", "。example")),
        };
        for n in 0..5 {
            let refused = bench.app.accounts.sign_in(&written(n), &wrong, &from(4)).await;
            assert!(matches!(refused, Err(Error::BadCredentials { .. })), "{n}: {refused:?}");
        }
        for n in 5..10 {
            let paused = bench.app.accounts.sign_in(&written(n), &wrong, &from(4)).await;
            assert!(matches!(paused, Err(Error::Paused { seconds: 60 })), "{n}: {paused:?}");
        }
        // An input that is longer than any address is refused before it is counted or compared.
        for n in 0..20 {
            let long = format!("{email}{}x", " ".repeat(400 + n));
            assert!(is_wrong_email(&bench.app.accounts.sign_in(&long, &wrong, &from(5)).await));
        }
        assert_eq!(bench.events("session.refused").await, 5);
    }

    /// Guesses from many client addresses at one account are slowed down. The known client address of the owner is not.
    async fn distributed_guesses_are_slowed(bench: TestServer) {
        let email: &'static str = "maren@pelagic.example";
        bench.create_user(email, false).await;
        let accounts = bench.app.accounts.clone();
        accounts.sign_in(email, &Password::new(PASSWORD.into()), &from(250)).await.unwrap();
        let guesses = (0..60).map(|n| {
            let accounts = accounts.clone();
            tokio::spawn(async move {
                let wrong = Password::new("not the tide at all".into());
                matches!(accounts.sign_in(email, &wrong, &from(n)).await, Err(Error::Paused { .. }))
            })
        });
        let mut paused = 0;
        for guess in guesses.collect::<Vec<_>>() {
            paused += u32::from(guess.await.unwrap());
        }
        assert_eq!(paused, 47, "ten are free, one more is due, and two wait for their turn");
        accounts.sign_in(email, &Password::new(PASSWORD.into()), &from(250)).await.unwrap();
    }
}

#[test]
fn two_spellings_are_one_value() {
    assert_eq!(UNICODE.parse::<Email>(), ASCII.parse::<Email>());
}

//! Accounts: first-run setup, sign-in and sign-out, passwords, and the stored data afterwards.

use crate::support::{PASSWORD, TestServer, html::error_of};
use keyward::{
    domain::sensitive::Password,
    service::{
        Error, Services,
        accounts::{FirstUser, NewUser},
        actor::{Actor, Origin},
        audit::{self, Chain},
    },
};
use std::{
    net::IpAddr,
    sync::{Arc, Mutex},
};

const EMAIL: &str = "maren@pelagic.example";
const NAME: &str = "Maren Okafor";

/// The printed setup codes, in order.
type Printed = Arc<Mutex<Vec<String>>>;

async fn open(app: &Services) -> Printed {
    let printed = Printed::default();
    let printer = printed.clone();
    let opened = app.accounts.open_setup(move |code| printer.lock().unwrap().push(code.expose().to_owned())).await;
    assert!(opened.unwrap());
    printed
}

fn last(printed: &Printed) -> String {
    printed.lock().unwrap().last().expect("a code was printed").clone()
}

fn setup_form(code: &str) -> [(&str, &str); 5] {
    [("code", code), ("name", NAME), ("email", EMAIL), ("password", PASSWORD), ("project", "Buoys")]
}

fn first_user(code: &str, email: &str) -> FirstUser {
    FirstUser {
        code: code.into(),
        name: NAME.into(),
        email: email.into(),
        password: Password::new(PASSWORD.into()),
        project: "Buoys".into(),
    }
}

fn person(email: &str, password: &str) -> NewUser {
    NewUser {
        email: email.into(),
        name: "Tove".into(),
        password: Password::new(password.into()),
        admin: false,
        project: String::new(),
    }
}

fn from(ip: [u8; 4]) -> Origin {
    Origin { ip: Some(IpAddr::from(ip)), ..Origin::default() }
}

/// Returns the names of the invalid fields of a rejected request.
fn fields<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Vec<&'static str> {
    match outcome {
        Err(Error::Invalid(fields)) => fields.into_iter().map(|field| field.name).collect(),
        other => panic!("not refused for its fields: {other:?}"),
    }
}

async fn users(bench: &TestServer) -> i64 {
    bench.query_number("SELECT COUNT(*) FROM users").await
}

on_both_engines! {
    /// First-run setup creates an administrator, with a project that offers the default scopes.
    async fn the_first_start(bench: TestServer) {
        let printed = open(&bench.app).await;
        let code = last(&printed);
        assert!(bench.app.accounts.repeat_setup_code().await.unwrap(), "it is printed again while there is no account");
        assert_eq!(last(&printed), code, "the same code");
        let mut browser = bench.browser();
        for path in ["/", "/keys", "/login"] {
            let mut page = browser.get(path).await;
            while page.status == 303 && page.location() != "/setup" {
                let next = page.location().to_owned();
                page = browser.get(&next).await;
            }
            assert_eq!((page.status, page.location()), (303, "/setup"), "{path} leads to the first start");
        }
        let page = browser.get(&format!("/setup?code={code}")).await;
        assert_eq!((page.status, page.input("code")), (200, code.as_str()), "the printed link fills the code in");
        assert_eq!(browser.get("/setup").await.input("code"), "", "and nothing else does");

        let page = browser.post("/setup", &setup_form(&code)).await;
        assert_eq!((page.status, page.location()), (303, "/keys"), "{}", page.text());
        assert!(!bench.app.accounts.repeat_setup_code().await.unwrap(), "not after its use");
        let keys = browser.get("/keys").await;
        assert_eq!(keys.status, 200, "and is signed in");
        assert!(keys.text().contains(NAME));
        let account = browser.account().await.expect("signed in");
        assert_eq!((account.is_admin, account.email.as_str()), (true, EMAIL));
        let form = bench.app.keys.new_key_form(&bench.caller(EMAIL).await).await.unwrap();
        assert_eq!((form.projects.len(), form.projects[0].name.as_str()), (1, "Buoys"));
        let scopes: Vec<_> = form.projects[0].scopes.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(scopes, ["data:read", "data:write", "usage:read", "keyward:keys.read", "keyward:keys.write"]);
        assert_eq!(bench.query_texts("SELECT role FROM members").await, ["owner"]);
        assert_eq!(bench.events("user.created").await, 1);
        assert!(matches!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { .. }));
    }

    /// Setup requires the code from every address. After a wrong code the form keeps every value except the password.
    async fn a_wrong_setup_code(bench: TestServer) {
        let printed = open(&bench.app).await;
        let code = last(&printed);
        let mut browser = bench.browser();
        for wrong in ["", "0", &code[1..]] {
            let page = browser.post("/setup", &setup_form(wrong)).await;
            assert_eq!(page.status, 422, "{wrong}");
            assert!(!error_of(&page, "code").is_empty());
            assert_eq!((page.input("name"), page.input("email"), page.input("project")), (NAME, EMAIL, "Buoys"));
            assert_eq!(page.input("password"), "");
            assert!(!page.text().contains(PASSWORD));
            assert!(page.headers.get("set-cookie").is_none());
        }
        for ip in [[127, 0, 0, 1], [10, 0, 0, 1], [203, 0, 113, 7]] {
            let refused = bench.app.accounts.set_up(first_user("", EMAIL), &from(ip)).await;
            assert_eq!(fields(refused), ["code"], "{ip:?}");
            // Three wrong codes so far, then a fourth and a fifth.
            if printed.lock().unwrap().len() == 2 {
                break;
            }
        }
        assert_eq!(users(&bench).await, 0);
        assert_eq!(printed.lock().unwrap().len(), 2, "five wrong codes: another is printed");
        let fresh = last(&printed);
        assert_ne!(fresh, code);
        let page = browser.post("/setup", &setup_form(&code)).await;
        assert_eq!(page.status, 422, "the old one is good no more");
        assert_eq!(users(&bench).await, 0);
        // Users may type the code in lowercase, with a hyphen and with spaces around it.
        let typed = format!(" {}-{} ", &fresh[..13].to_lowercase(), &fresh[13..]);
        assert_eq!(browser.post("/setup", &setup_form(&typed)).await.status, 303);
        assert_eq!(users(&bench).await, 1);
    }

    /// Setup is not available before a code is printed. A correct code is not used up by a form with invalid fields.
    async fn a_setup_code_is_good_once(bench: TestServer) {
        let mut browser = bench.browser();
        let page = browser.post("/setup", &setup_form("")).await;
        assert_eq!(page.status, 404, "no code has been printed: {}", page.text());
        let code = last(&open(&bench.app).await);
        let mut form = setup_form(&code);
        (form[1].1, form[2].1, form[3].1) = ("", "maren", "short");
        let page = browser.post("/setup", &form).await;
        assert_eq!(page.status, 422);
        for field in ["name", "email"] {
            assert!(!error_of(&page, field).is_empty(), "{field}");
        }
        assert_eq!((users(&bench).await, page.input("email")), (0, "maren"));
        assert_eq!(browser.post("/setup", &setup_form(&code)).await.status, 303);

        let mut other = bench.browser();
        let mut form = setup_form(&code);
        form[2].1 = "tove@drift.example";
        let page = other.post("/setup", &form).await;
        assert_eq!((page.status, page.location()), (303, "/login"), "it is closed: {}", page.text());
        assert!(page.headers.get("set-cookie").is_none());
        let page = other.get(&format!("/setup?code={code}")).await;
        assert_eq!((page.status, page.location()), (303, "/login"));
        assert_eq!(users(&bench).await, 1);
        assert!(!bench.app.accounts.open_setup(|_| panic!("no code is printed")).await.unwrap());
    }

    /// Two setup forms at the same time, on one node and on two: only one administrator is created.
    async fn two_first_starts_at_once(bench: TestServer) {
        let other = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), crate::support::URL).await;
        let (here, there) = (last(&open(&bench.app).await), last(&open(&other).await));
        assert_ne!(here, there, "every start has its own code");
        let origin = Origin::default();
        let outcomes = tokio::join!(
            bench.app.accounts.set_up(first_user(&here, "a@pelagic.example"), &origin),
            bench.app.accounts.set_up(first_user(&here, "b@pelagic.example"), &origin),
            other.accounts.set_up(first_user(&there, "c@pelagic.example"), &origin),
        );
        let outcomes = [outcomes.0, outcomes.1, outcomes.2];
        assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|it| matches!(it, Ok(_) | Err(Error::Invalid(_) | Error::NotFound))), "{outcomes:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users WHERE admin").await, 1);
        assert_eq!((users(&bench).await, bench.query_number("SELECT COUNT(*) FROM projects").await), (1, 1));
        assert!(matches!(audit::verify(&bench.app.context).await.unwrap(), Chain::Intact { .. }));
    }

    /// A wrong password, an unknown email address, and an inactive account get the same page, byte for byte.
    async fn a_rejected_sign_in_reveals_nothing(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        bench.create_user("tove@drift.example", false).await;
        bench.execute_sql("UPDATE users SET active = FALSE WHERE email = 'tove@drift.example'").await;
        let cases = [
            (EMAIL, "not the tide at all"),
            ("nobody@pelagic.example", PASSWORD),
            ("tove@drift.example", PASSWORD),
        ];
        let mut pages = Vec::new();
        for (email, password) in cases {
            let mut browser = bench.browser();
            let form = [("email", email), ("password", password)];
            let page = browser.post("/login", &form).await;
            let live = browser.post_live("/login", &form).await;
            for page in [&page, &live] {
                assert_eq!((page.status, page.input("email"), page.input("password")), (422, email, ""));
                assert!(!page.text().contains(password));
                assert!(page.headers.get("set-cookie").is_none() && browser.cookie.is_none());
            }
            pages.push((page.masked(&[email]), live.masked(&[email])));
        }
        assert!(pages.iter().all(|page| *page == pages[0]));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
        assert_eq!(bench.events("session.refused").await, 6);
        // Text that is not an email address belongs to no account: it is rejected before a password comparison, and it
        // is not written to the audit log.
        let page = bench.browser().post("/login", &[("email", "not an address"), ("password", PASSWORD)]).await;
        assert_eq!((page.status, page.input("email")), (422, "not an address"));
        assert!(page.text().contains("Enter an email address") && !page.text().contains(PASSWORD), "{}", page.text());
        assert_eq!(bench.events("session.refused").await, 6);
        let typed = bench.query_number("SELECT COUNT(*) FROM audit_events WHERE target_name LIKE '%nobody%' OR detail LIKE '%nobody%'");
        assert_eq!(typed.await, 0, "what was typed as an address may be a password");
    }

    /// The sign-in page reports all empty fields at once.
    async fn empty_fields_are_named(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let mut browser = bench.browser();
        let page = browser.post("/login", &[("email", ""), ("password", "")]).await;
        assert_eq!(page.status, 422);
        assert_eq!(error_of(&page, "email"), "Enter your email address.");
        assert_eq!(error_of(&page, "password"), "Enter your password.");
        let page = browser.post("/login", &[("email", EMAIL), ("password", "")]).await;
        assert_eq!((page.status, page.input("email")), (422, EMAIL));
        assert!(!page.text().contains("id=\"email-error\""));
        assert_eq!(bench.events("session.refused").await, 0, "an empty form is no try");
    }

    /// Sign-in ignores the case of the email address. Sign-out ends the session on the server.
    async fn in_and_out(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        for live in [false, true] {
            let mut browser = bench.browser();
            let page = browser.post("/login", &[("email", " MAREN@Pelagic.Example "), ("password", PASSWORD)]).await;
            assert_eq!((page.status, page.location()), (303, "/keys"), "{}", page.text());
            assert_eq!(browser.get("/keys").await.status, 200);
            assert_eq!(browser.get("/login").await.location(), "/keys", "signed in already");
            let mut copy = bench.browser();
            copy.cookie.clone_from(&browser.cookie);
            let page = if live { browser.post_live("/logout", &[]).await } else { browser.post("/logout", &[]).await };
            assert_eq!((page.status, page.location()), (303, "/login"));
            assert_eq!(browser.cookie, None, "the browser forgets it");
            assert_eq!(copy.get("/keys").await.status, 303, "and the server too");
            assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
        }
        assert_eq!((bench.events("session.started").await, bench.events("session.ended").await), (2, 2));
        // A second sign-out is not an error.
        assert_eq!(bench.browser().post("/logout", &[]).await.status, 303);
    }

    /// Failed sign-ins pause only the IP address that they come from.
    async fn failures_pause_one_address(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        bench.create_user("tove@drift.example", false).await;
        let accounts = &bench.app.accounts;
        let (wrong, right) = (Password::new("not the tide at all".into()), Password::new(PASSWORD.into()));
        let attacker = from([203, 0, 113, 7]);
        for left in [None, Some(3), Some(2), Some(1), Some(0)] {
            match accounts.sign_in(EMAIL, &wrong, &attacker).await {
                Err(Error::BadCredentials { tries_left }) => assert_eq!(tries_left, left),
                other => panic!("{other:?}"),
            }
        }
        for password in [&wrong, &right] {
            let paused = accounts.sign_in(EMAIL, password, &attacker).await;
            assert!(matches!(paused, Err(Error::Paused { seconds: 60 })), "{paused:?}");
        }
        let caps = accounts.sign_in(&EMAIL.to_uppercase(), &right, &attacker).await;
        assert!(matches!(caps, Err(Error::Paused { .. })), "however the address is written");
        assert_eq!(accounts.sign_in(EMAIL, &right, &from([203, 0, 113, 8])).await.unwrap().pending_session.user, maren.user);
        assert!(accounts.sign_in("tove@drift.example", &right, &attacker).await.is_ok());
        assert!(accounts.sign_in(EMAIL, &right, &Origin::default()).await.is_ok(), "an address that is not known");
        bench.clock.advance(60);
        assert_eq!(accounts.sign_in(EMAIL, &right, &attacker).await.unwrap().pending_session.user, maren.user, "a pause, not a lock");
        // Failures for an unknown email address are counted in the same way.
        for _ in 0..5 {
            assert!(accounts.sign_in("nobody@x.example", &wrong, &from([198, 51, 100, 1])).await.is_err());
        }
        let paused = accounts.sign_in("nobody@x.example", &wrong, &from([198, 51, 100, 1])).await;
        assert!(matches!(paused, Err(Error::Paused { .. })));
    }

    /// Failed sign-ins from other addresses never lock the owner out of the account.
    async fn no_account_is_locked_out(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let accounts = &bench.app.accounts;
        let wrong = Password::new("not the tide at all".into());
        for last in 0..10 {
            assert!(accounts.sign_in(EMAIL, &wrong, &from([198, 51, 100, last])).await.is_err());
        }
        let mut browser = bench.browser();
        let page = browser.post("/login", &[("email", EMAIL), ("password", PASSWORD)]).await;
        assert_eq!(page.status, 303, "{}", page.text());
        assert_eq!(browser.account().await.expect("signed in").email, EMAIL);
    }

    /// The accepted passwords. No password is stored in plain text.
    async fn passwords(bench: TestServer) {
        let accounts = &bench.app.accounts;
        let refused = [
            "",
            "eleven char",
            &"wide blue sea ".repeat(19),
            "password1234",
            "123456789012",
            "qwertyuiop12",
            "aaaaaaaaaaaa",
            "tove.dahl@drift.example",
            "tove.dahl123",
        ];
        for password in refused {
            let outcome = accounts.create_user(&Actor::Operator, person("tove.dahl@drift.example", password)).await;
            assert_eq!(fields(outcome), ["password"], "{password}");
        }
        assert_eq!(users(&bench).await, 0);
        let taken = ["the tide turns at nine", "ørken og regn i april", "twelve chars", &"wide blue sea ".repeat(18), "  spaces count  "];
        for (n, password) in taken.into_iter().enumerate() {
            let email = format!("p{n}@drift.example");
            let id = accounts.create_user(&Actor::Operator, person(&email, password)).await.unwrap_or_else(|e| panic!("{password}: {e:?}"));
            let signed_in = accounts.sign_in(&email, &Password::new(password.into()), &Origin::default()).await;
            assert_eq!(signed_in.unwrap().pending_session.user, id);
            let trimmed = Password::new(format!("{password} "));
            assert!(accounts.sign_in(&email, &trimmed, &Origin::default()).await.is_err(), "nothing is trimmed");
        }
        let hashes = bench.query_texts("SELECT password_hash FROM users").await;
        assert!(hashes.iter().all(|hash| hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$")), "{hashes:?}");
    }

    /// An email address belongs to one user, in any spelling. All invalid fields are reported at once.
    async fn people(bench: TestServer) {
        let accounts = &bench.app.accounts;
        accounts.create_user(&Actor::Operator, person("tove@drift.example", PASSWORD)).await.unwrap();
        for again in ["tove@drift.example", " TOVE@Drift.Example "] {
            let outcome = accounts.create_user(&Actor::Operator, person(again, PASSWORD)).await;
            assert_eq!(fields(outcome), ["email"], "{again}");
        }
        let (a, b) = tokio::join!(
            accounts.create_user(&Actor::Operator, person("twin@drift.example", PASSWORD)),
            accounts.create_user(&Actor::Operator, person("TWIN@drift.example", PASSWORD)),
        );
        assert_eq!([a, b].iter().filter(|it| it.is_ok()).count(), 1);
        let wrong = NewUser { name: "\n".into(), project: "x".repeat(101), ..person("none", "short") };
        assert_eq!(fields(accounts.create_user(&Actor::Operator, wrong).await), ["name", "project", "email"]);
        assert_eq!(users(&bench).await, 2);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM projects").await, 2, "a rejected request creates no project");
        assert_eq!(bench.query_texts("SELECT name FROM projects").await, ["Tove’s project", "Tove’s project"]);
        assert_eq!(bench.events("user.created").await, 2);
    }

    /// Concurrent sign-in attempts do not get past the pause: it counts an attempt when the attempt begins.
    async fn a_volley_of_guesses_is_paused(bench: TestServer) {
        bench.create_user(EMAIL, false).await;
        let from = Origin { ip: Some([203, 0, 113, 9].into()), ..Origin::default() };
        let wrong = Password::new("the tide turns at ten".into());
        let volley = (0..30).map(|_| bench.app.accounts.sign_in(EMAIL, &wrong, &from));
        let outcomes = futures::future::join_all(volley).await;
        let tried = outcomes.iter().filter(|o| matches!(o, Err(Error::BadCredentials { .. }))).count();
        let paused = outcomes.iter().filter(|o| matches!(o, Err(Error::Paused { .. }))).count();
        assert_eq!((tried, paused), (5, 25));
        assert_eq!(bench.events("session.refused").await, 5);
    }
}

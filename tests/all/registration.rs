//! Registration and password reset: sign-up by policy, invitations, reset links, and the emails that carry them.

use crate::support::{Engine, PASSWORD, TestServer, browser::Page, config, database, log::LogCapture};
use keyward::{
    config::{MailSettings, OidcSettings, SignInSettings, SmtpTls},
    domain::{email::Email, sensitive::Password},
    service::{
        Error,
        accounts::NewAccount,
        actor::{Actor, Origin},
        mail::{EmailMessage, Mailer as _},
        random::SystemRandom,
        smtp::SmtpMailer,
    },
};
use std::{
    net::IpAddr,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

const MAREN: &str = "maren@pelagic.example";
const NEWCOMER: &str = "jonas@pelagic.example";
const NEW: &str = "a calm sea at dawn, mostly";

/// Asserts that a code appears in no event, no one-time link row, and no log line.
async fn assert_code_not_stored(bench: &TestServer, log: &LogCapture, code: &str) {
    let events = "SELECT actor_name || target || target_name || COALESCE(reason, '') || detail FROM audit_events";
    let links = "SELECT COALESCE(email, '') || COALESCE(next, '') FROM one_time_links";
    for text in [bench.query_texts(events).await, bench.query_texts(links).await].concat() {
        assert!(!text.contains(code), "{text}");
    }
    for digest in bench.query_blobs("SELECT digest FROM one_time_links").await {
        assert!(digest.len() == 32 && !digest.windows(code.len().min(32)).any(|it| code.as_bytes().starts_with(it)));
    }
    assert!(!String::from_utf8_lossy(&log.logged()).contains(code), "a code in the log");
}

async fn policy(bench: &TestServer, sign_up: &str) {
    bench.execute_sql(&format!("UPDATE policy SET sign_up = '{sign_up}'")).await;
}

/// Waits for exactly `count` emails. Emails are sent in the background, after the responses.
async fn sent_emails(bench: &TestServer, count: usize) -> Vec<EmailMessage> {
    let mut all = Vec::new();
    for _ in 0..200 {
        all.extend(bench.mail.take());
        if all.len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // No further email follows.
    tokio::time::sleep(Duration::from_millis(60)).await;
    all.extend(bench.mail.take());
    assert_eq!(all.len(), count, "{all:?}");
    all
}

/// Returns the path of the link in an email that starts with this path.
fn link<'a>(letter: &'a EmailMessage, path: &str) -> &'a str {
    let from =
        letter.text.find(&format!("{}{path}", crate::support::URL)).unwrap_or_else(|| panic!("{path}: {letter:?}"));
    letter.text[from + crate::support::URL.len()..].split_whitespace().next().expect("a path")
}

fn code(path: &str) -> &str {
    path.split('=').nth(1).expect("a code")
}

fn from(ip: [u8; 4]) -> Origin {
    Origin { ip: Some(IpAddr::from(ip)), ..Origin::default() }
}

/// Returns the status, the location, and the body of a response without the parts that differ each time.
fn normalize(page: &Page, words: &[&str]) -> (u16, String, String) {
    (page.status, page.location().to_owned(), page.masked(words))
}

fn account(code: &str) -> NewAccount {
    NewAccount { code: code.into(), name: "Jonas Lindqvist".into(), password: Password::new(NEW.into()) }
}

fn new_account(code: &str) -> [(&str, &str); 3] {
    [("code", code), ("name", "Jonas Lindqvist"), ("password", NEW)]
}

/// Returns a service on which users can sign in only with an OIDC provider.
async fn without_passwords(engine: Engine) -> TestServer {
    let folder = tempfile::tempdir().expect("a folder");
    let location = database(engine, &folder).await;
    let oidc = OidcSettings {
        issuer: "http://127.0.0.1:9".into(),
        client_id: "keyward".into(),
        client_secret: "a secret".to_owned().into(),
        name: "Pelagic ID".into(),
    };
    let sign_in = SignInSettings { passwords: false, oidc: Some(oidc) };
    TestServer::with_config(location, folder, keyward::config::Config { sign_in, ..config(crate::support::URL) }).await
}

on_both_engines! {
    /// With sign-up closed, or open but without mail, the sign-up page does not exist and a submission has no effect.
    async fn sign_up_is_closed_by_default(bench: TestServer) {
        bench.create_user(MAREN, true).await;
        let nowhere = bench.browser().get("/nowhere").await;
        for mode in ["closed", "invite", "open"] {
            policy(&bench, mode).await;
            let page = bench.browser().get("/signup").await;
            assert_eq!(normalize(&page, &[]), normalize(&nowhere, &[]), "{mode}");
            for email in [MAREN, NEWCOMER, "nonsense"] {
                let page = bench.browser().post("/signup", &[("email", email)]).await;
                assert_eq!(page.status, 404, "{mode} {email}");
            }
            let login = bench.browser().get("/login").await;
            assert!(!login.text().contains("/signup") && login.text().contains("/reset"), "{mode}");
            let ways = bench.app.accounts.instance().await.unwrap().ways;
            assert_eq!((ways.sign_up, ways.mail), (false, false), "{mode}");
        }
        bench.mail.set_up();
        policy(&bench, "invite").await;
        assert_eq!(bench.browser().get("/signup").await.status, 404, "nor without an invitation");
        sent_emails(&bench, 0).await;
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM one_time_links").await, 0);
    }

    /// Open sign-up confirms the email address first. The owner of an existing account is told by email only.
    async fn open_sign_up_confirms_the_address(bench: TestServer) {
        let log = LogCapture::start();
        policy(&bench, "open").await;
        bench.mail.set_up();
        bench.create_user(MAREN, false).await;
        bench.create_user("off@pelagic.example", false).await;
        bench.execute_sql("UPDATE users SET active = FALSE WHERE email = 'off@pelagic.example'").await;
        assert!(bench.browser().get("/login").await.text().contains("href=\"/signup\""));
        assert_eq!(bench.browser().get("/signup").await.status, 200);

        let mut answers = Vec::new();
        for email in [MAREN, NEWCOMER, "off@pelagic.example"] {
            let page = bench.browser().post("/signup", &[("email", email)]).await;
            let live = bench.browser().post_live("/signup", &[("email", email)]).await;
            answers.push((normalize(&page, &[email]), normalize(&live, &[email])));
        }
        assert_eq!((answers[0].0.0, answers[0].0.1.as_str()), (303, "/signup?asked=yes"));
        assert_eq!((answers[0].1.0, answers[0].1.1.as_str()), (303, "/signup?asked=yes"));
        assert!(answers.iter().all(|it| it == &answers[0]), "{answers:?}");
        let confirmation = bench.browser().get("/signup?asked=yes").await;
        assert!(confirmation.status == 200 && confirmation.text().contains("Check your email"));
        let bad = bench.browser().post("/signup", &[("email", "nonsense")]).await;
        assert!(bad.status == 422 && bad.text().contains("email-error"));

        let letters = sent_emails(&bench, 4).await;
        let to = |email: &str| letters.iter().filter(|it| it.to.as_str() == email).collect::<Vec<_>>();
        assert!(to(MAREN).iter().all(|it| it.text.contains("You already have an account") && !it.text.contains("code=")));
        let path = link(to(NEWCOMER)[0], "/signup/new?code=");
        assert!(to(NEWCOMER)[0].subject.contains("Keyward") && to("off@pelagic.example").is_empty());
        assert_code_not_stored(&bench, &log, code(path)).await;

        let mut browser = bench.browser();
        let page = browser.get(path).await;
        assert!(page.status == 200 && page.text().contains(NEWCOMER), "{}", page.text());
        assert_eq!(page.input("code"), code(path));
        let weak = [("code", code(path)), ("name", ""), ("password", "password1234")];
        let page = browser.post(path, &weak).await;
        assert_eq!(page.status, 422, "{}", page.text());
        assert!(page.text().contains("name-error") && page.text().contains("password-error"));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 2);

        let page = browser.post(path, &new_account(code(path))).await;
        assert_eq!((page.status, page.location()), (303, "/keys"), "{}", page.text());
        let account = browser.account().await.expect("signed in");
        assert_eq!((account.email.as_str(), account.is_admin), (NEWCOMER, false));
        let projects = bench.app.projects.list(&bench.caller(NEWCOMER).await).await.unwrap();
        assert_eq!(projects.len(), 1, "a project of their own");
        for (action, count) in [("user.created", 3), ("project.created", 3), ("user.signed_up", 1)] {
            assert_eq!(bench.events(action).await, count, "{action}");
        }
        // A registration ends both the used link and the other link to the same address.
        for path in [path, link(to(NEWCOMER)[1], "/signup/new?code=")] {
            assert_eq!(bench.browser().get(path).await.status, 404);
            let page = bench.browser().post(path, &new_account(code(path))).await;
            assert_eq!(page.status, 404, "{}", page.text());
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 3);
        assert_code_not_stored(&bench, &log, code(path)).await;
    }

    /// A link is valid for 24 hours, for its own purpose, and only while the policy allows sign-up.
    async fn a_link_ends(bench: TestServer) {
        policy(&bench, "open").await;
        bench.mail.set_up();
        bench.create_user(MAREN, false).await;
        bench.browser().post("/signup", &[("email", NEWCOMER)]).await;
        bench.browser().post("/reset", &[("email", MAREN)]).await;
        let all = sent_emails(&bench, 2).await;
        let of = |email: &str, path: &str| link(all.iter().find(|it| it.to.as_str() == email).unwrap(), path).to_owned();
        let (sign_up, reset) = (of(NEWCOMER, "/signup/new?code="), of(MAREN, "/reset/new?code="));
        let crossed = [format!("/signup/new?code={}", code(&reset)), format!("/reset/new?code={}", code(&sign_up))];
        for path in crossed {
            assert_eq!(bench.browser().get(&path).await.status, 404, "another kind's");
        }
        assert!(matches!(bench.app.accounts.sign_up(account(code(&reset)), &Origin::default()).await, Err(Error::Conflict(_))));
        let new = Password::new(NEW.into());
        let crossed = bench.app.accounts.reset_password(code(&sign_up), &new, &Origin::default()).await;
        assert!(matches!(crossed, Err(Error::Conflict(_))), "{crossed:?}");

        for mode in ["closed", "invite"] {
            policy(&bench, mode).await;
            assert_eq!(bench.browser().get(&sign_up).await.status, 404, "{mode}");
            let refused = bench.app.accounts.sign_up(account(code(&sign_up)), &Origin::default()).await;
            assert!(matches!(refused, Err(Error::Conflict(_))), "{mode}");
        }
        policy(&bench, "open").await;
        bench.clock.advance(24 * 3_600 - 1);
        assert_eq!(bench.browser().get(&sign_up).await.status, 200);
        bench.clock.advance(1);
        assert_eq!(bench.browser().get(&sign_up).await.status, 404);
        let late = bench.app.accounts.sign_up(account(code(&sign_up)), &Origin::default()).await;
        assert!(matches!(late, Err(Error::Conflict(_))), "{late:?}");
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM one_time_links").await, 0, "swept");
    }

    /// Two concurrent submissions of one link create one account.
    async fn two_use_a_link_at_once(bench: TestServer) {
        policy(&bench, "open").await;
        bench.mail.set_up();
        bench.create_user(MAREN, false).await;
        bench.browser().post("/signup", &[("email", NEWCOMER)]).await;
        let path = link(&sent_emails(&bench, 1).await[0], "/signup/new?code=").to_owned();
        let use_it = || async { bench.app.accounts.sign_up(account(code(&path)), &Origin::default()).await };
        let (one, other) = tokio::join!(use_it(), use_it());
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        let refused = one.and(other).expect_err("one of them");
        assert!(matches!(refused, Error::Conflict(_)), "{refused:?}");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 2);
        assert_eq!(bench.events("user.signed_up").await, 1);

        bench.browser().post("/reset", &[("email", MAREN)]).await;
        let path = link(&sent_emails(&bench, 1).await[0], "/reset/new?code=").to_owned();
        let reset = |password: &'static str| {
            let (app, code) = (bench.app.clone(), code(&path).to_owned());
            async move { app.accounts.reset_password(&code, &Password::new(password.into()), &Origin::default()).await }
        };
        let (one, other) = tokio::join!(reset(NEW), reset("another calm sea, at dusk"));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(bench.events("password.reset").await, 1);
    }

    /// Administrators send invitations. A link creates one account with the invited address.
    async fn invitations(bench: TestServer) {
        let log = LogCapture::start();
        let (maren, other) = (bench.create_user(MAREN, true).await, bench.create_user("other@pelagic.example", false).await);
        let (maren, other) = (Actor::User(maren), Actor::User(other));
        let accounts = &bench.app.accounts;
        policy(&bench, "closed").await;
        assert!(matches!(accounts.invite(&maren, NEWCOMER).await, Err(Error::Conflict(_))), "closed");
        policy(&bench, "invite").await;
        assert!(matches!(accounts.invite(&other, NEWCOMER).await, Err(Error::NotFound)), "no administrator");
        for bad in ["", "nonsense", "OTHER@pelagic.example"] {
            assert!(matches!(accounts.invite(&maren, bad).await, Err(Error::Invalid(_))), "{bad}");
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM one_time_links").await, 0);

        let first = accounts.invite(&maren, NEWCOMER).await.unwrap();
        assert!(!first.mailed, "there is no mail: it is shown to be copied");
        bench.mail.set_up();
        let second = accounts.invite(&maren, &format!(" {} ", NEWCOMER.to_uppercase())).await.unwrap();
        let letter = sent_emails(&bench, 1).await.remove(0);
        assert!(second.mailed && letter.to.as_str() == NEWCOMER && letter.text.contains(&second.link), "{letter:?}");
        assert_eq!(bench.events("user.invited").await, 2);
        let path = second.link.strip_prefix(crate::support::URL).unwrap();
        assert!(path.starts_with("/signup?invitation="));
        assert_code_not_stored(&bench, &log, code(path)).await;

        let lead = bench.browser().get(path).await;
        assert_eq!(lead.status, 303);
        let page = bench.browser().get(lead.location()).await;
        assert!(page.status == 200 && page.text().contains(NEWCOMER), "{}", page.text());
        let dead = first.link.replace(&format!("{}/signup?invitation=", crate::support::URL), "/signup/new?code=");
        assert_eq!(bench.browser().get(&dead).await.status, 404, "the last one counts");

        bench.clock.advance(7 * 86_400 - 1);
        policy(&bench, "closed").await;
        assert_eq!(bench.browser().get(lead.location()).await.status, 404, "closed again");
        policy(&bench, "open").await;
        let mut browser = bench.browser();
        let page = browser.post(lead.location(), &new_account(code(path))).await;
        assert_eq!((page.status, page.location()), (303, "/keys"), "{}", page.text());
        assert_eq!(browser.account().await.expect("signed in").email, NEWCOMER);
        assert_eq!(bench.browser().get(lead.location()).await.status, 404, "once");
        let by = bench.query_texts("SELECT detail FROM audit_events WHERE action = 'user.signed_up'").await;
        assert_eq!(by, ["{\"by\":\"invitation\"}"]);

        let late = accounts.invite(&maren, "late@pelagic.example").await.unwrap();
        bench.clock.advance(7 * 86_400);
        assert!(matches!(accounts.registration_prefill(code(&late.link)).await, Err(Error::NotFound)));
    }

    /// Emails of all kinds to one address share one limit: repeated, project, and concurrent invitations.
    async fn an_address_gets_five_emails_an_hour(bench: TestServer) {
        let root = bench.create_user(MAREN, true).await;
        let project = bench.project_of(&root).await;
        let (accounts, projects, config) = (&bench.app.accounts, &bench.app.projects, &bench.app.config);
        let actor = Actor::User(root.clone());
        let too_many = |error: &Error| matches!(error, Error::Invalid(fields) if fields[0].name == "email" && fields[0].message.contains("maximum number of emails for one hour"));
        policy(&bench, "open").await;
        // Without mail, no email is sent and no invitation is refused.
        for _ in 0..7 {
            accounts.invite(&actor, "shown@pelagic.example").await.unwrap();
        }
        bench.mail.set_up();
        for _ in 0..2 {
            accounts.invite(&actor, NEWCOMER).await.unwrap();
        }
        bench.browser().post("/signup", &[("email", NEWCOMER)]).await;
        sent_emails(&bench, 3).await;
        let invitations = (0..20).map(|_| projects.invite(&root, project, "viewer", NEWCOMER, config));
        let answers = futures::future::join_all(invitations).await;
        assert_eq!(answers.iter().filter(|it| it.is_ok()).count(), 2, "{answers:?}");
        assert!(answers.iter().filter_map(|it| it.as_ref().err()).all(too_many), "{answers:?}");
        assert!(accounts.invite(&actor, NEWCOMER).await.is_err_and(|error| too_many(&error)));
        bench.browser().post("/signup", &[("email", NEWCOMER)]).await;
        sent_emails(&bench, 2).await;
        let mut browser = bench.signed_in(MAREN).await;
        let id = project.to_string();
        let form = [("id", id.as_str()), ("role", "viewer"), ("email", NEWCOMER)];
        let page = browser.post(&format!("/projects/{id}/invite"), &form).await;
        assert!(page.status == 422 && page.text().contains("maximum number of emails for one hour"), "{}", page.text());
        // The limit does not apply to another address, to a link that is handed over, or after an hour.
        projects.invite(&root, project, "viewer", "other@pelagic.example", config).await.unwrap();
        assert!(projects.invite(&root, project, "viewer", "", config).await.unwrap().link.is_some());
        bench.clock.advance(3_600);
        projects.invite(&root, project, "viewer", NEWCOMER, config).await.unwrap();
        sent_emails(&bench, 2).await;
    }

    /// Password reset: the same response for every address, a link for one use within an hour, and no sessions left.
    async fn a_new_password(bench: TestServer) {
        let log = LogCapture::start();
        let none = bench.browser().get("/reset").await;
        assert!(none.status == 200 && none.text().contains("Ask an administrator") && !none.text().contains("<form"));
        assert_eq!(bench.browser().post("/reset", &[("email", MAREN)]).await.status, 409, "no mail");
        bench.mail.set_up();
        bench.create_user(MAREN, false).await;
        for email in ["off@pelagic.example", "elsewhere@pelagic.example"] {
            bench.create_user(email, false).await;
        }
        bench.execute_sql("UPDATE users SET active = FALSE WHERE email = 'off@pelagic.example'").await;
        bench.execute_sql("UPDATE users SET password_hash = '' WHERE email = 'elsewhere@pelagic.example'").await;
        let mut laptop = bench.signed_in(MAREN).await;
        assert_eq!(laptop.get("/keys").await.status, 200);

        let mut answers = Vec::new();
        for email in [MAREN, NEWCOMER, "off@pelagic.example", "elsewhere@pelagic.example"] {
            let page = bench.browser().post("/reset", &[("email", email)]).await;
            answers.push(normalize(&page, &[email]));
        }
        assert!(answers.iter().all(|it| it == &answers[0]), "{answers:?}");
        assert_eq!((answers[0].0, answers[0].1.as_str()), (303, "/reset?asked=yes"));
        let all = sent_emails(&bench, 2).await;
        let elsewhere = all.iter().find(|it| it.to.as_str() == "elsewhere@pelagic.example").unwrap();
        assert!(elsewhere.text.contains("has no password") && !elsewhere.text.contains("code="), "{elsewhere:?}");
        let path = link(all.iter().find(|it| it.to.as_str() == MAREN).unwrap(), "/reset/new?code=").to_owned();
        assert_eq!(bench.events("password.reset_asked").await, 2);
        assert_code_not_stored(&bench, &log, code(&path)).await;

        let mut browser = bench.browser();
        let page = browser.get(&path).await;
        assert_eq!((page.status, page.input("code")), (200, code(&path)));
        for weak in ["short", "password1234", MAREN] {
            let page = browser.post(&path, &[("code", code(&path)), ("password", weak)]).await;
            assert!(page.status == 422 && page.text().contains("password-error") && !page.text().contains(&format!("\"{weak}\"")));
        }
        assert_eq!(laptop.get("/keys").await.status, 200, "nothing has changed yet");
        let page = browser.post(&path, &[("code", code(&path)), ("password", NEW)]).await;
        assert_eq!((page.status, page.location()), (303, "/login?done=reset"), "{}", page.text());
        assert!(browser.get("/login?done=reset").await.text().contains("Password changed."));
        assert_eq!(browser.get("/keys").await.status, 303, "it signs in no browser");
        assert_eq!(laptop.get("/keys").await.status, 303, "and ends existing sessions");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM sessions").await, 0);
        assert_eq!(browser.post("/login", &[("email", MAREN), ("password", PASSWORD)]).await.status, 422);
        assert_eq!(browser.post("/login", &[("email", MAREN), ("password", NEW)]).await.status, 303);
        assert_eq!(browser.get(&path).await.status, 404, "once");
        let again = bench.app.accounts.reset_password(code(&path), &Password::new(PASSWORD.into()), &from([192, 0, 2, 1])).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        assert_eq!(bench.events("password.reset").await, 1);
        assert_code_not_stored(&bench, &log, code(&path)).await;
        assert_code_not_stored(&bench, &log, NEW).await;
    }

    /// A reset link is refused when it is expired or superseded, or when the user is disabled.
    async fn a_reset_link_ends(bench: TestServer) {
        policy(&bench, "closed").await;
        bench.create_user(MAREN, false).await;
        let accounts = &bench.app.accounts;
        let new = Password::new(NEW.into());
        let reset = async |link: &str| accounts.reset_password(code(link), &new, &Origin::default()).await;
        let late = accounts.reset_link(&Actor::Operator, MAREN).await.unwrap();
        bench.clock.advance(3_599);
        assert!(accounts.check_reset_code(code(&late)).await.is_ok());
        bench.clock.advance(1);
        assert!(matches!(accounts.check_reset_code(code(&late)).await, Err(Error::NotFound)));
        assert!(matches!(reset(&late).await, Err(Error::Conflict(_))));

        let off = accounts.reset_link(&Actor::Operator, MAREN).await.unwrap();
        bench.execute_sql("UPDATE users SET active = FALSE").await;
        assert!(matches!(reset(&off).await, Err(Error::Conflict(_))));
        assert_eq!(bench.browser().get(off.strip_prefix(crate::support::URL).unwrap()).await.status, 404);
        assert!(matches!(accounts.reset_link(&Actor::Operator, MAREN).await, Err(Error::Conflict(_))));
        bench.execute_sql("UPDATE users SET active = TRUE").await;

        let (one, other) =
            (accounts.reset_link(&Actor::Operator, MAREN).await.unwrap(), accounts.reset_link(&Actor::Operator, MAREN).await.unwrap());
        reset(&other).await.unwrap();
        assert!(matches!(reset(&one).await, Err(Error::Conflict(_))), "the others end with it");
        assert!(matches!(accounts.reset_link(&Actor::Operator, NEWCOMER).await, Err(Error::NotFound)));
        let other_user = bench.create_user("other@pelagic.example", false).await;
        let refused = accounts.reset_link(&Actor::User(other_user), MAREN).await;
        assert!(matches!(refused, Err(Error::NotFound)), "{refused:?}");
    }

    /// Repeated requests are throttled per client address, and the number of emails per mailbox is limited.
    async fn emails_are_limited(bench: TestServer) {
        policy(&bench, "open").await;
        bench.mail.set_up();
        bench.create_user(MAREN, false).await;
        let accounts = &bench.app.accounts;
        for email in [MAREN, NEWCOMER] {
            for _ in 0..5 {
                accounts.request_reset(email, &from([192, 0, 2, 7])).await.unwrap();
            }
            let paused = accounts.request_reset(email, &from([192, 0, 2, 7])).await;
            assert!(matches!(paused, Err(Error::Paused { seconds: 1..=60 })), "{email}: {paused:?}");
        }
        sent_emails(&bench, 5).await;
        // Another client address may send a request, but the mailbox has reached its limit for this hour.
        accounts.request_reset(MAREN, &from([192, 0, 2, 8])).await.unwrap();
        accounts.request_sign_up(MAREN, &from([192, 0, 2, 8])).await.unwrap();
        sent_emails(&bench, 0).await;
        bench.clock.advance(3_601);
        accounts.request_reset(MAREN, &from([192, 0, 2, 8])).await.unwrap();
        sent_emails(&bench, 1).await;
    }
}

/// Without password sign-in, only the provider is offered. The pages for passwords do not exist.
#[tokio::test]
async fn passwords_can_be_switched_off() {
    let bench = without_passwords(Engine::Sqlite).await;
    bench.mail.set_up();
    policy(&bench, "open").await;
    // Before the first user exists, users sign in with the provider, and the setup page explains how.
    let setup = bench.browser().get("/setup").await;
    assert!(setup.status == 200 && setup.text().contains("make-admin") && !setup.text().contains("<form"));
    let fields = [("code", "x"), ("name", "M"), ("email", MAREN), ("password", PASSWORD), ("project", "")];
    let page = bench.browser().post("/setup", &fields).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert_eq!(bench.browser().get("/login").await.status, 200);

    bench.create_user(MAREN, false).await;
    let login = bench.browser().get("/login").await;
    assert!(login.text().contains("Sign in with Pelagic ID") && !login.text().contains("<form"), "{}", login.text());
    assert!(!login.text().contains("/reset") && !login.text().contains("/signup"));
    let page = bench.browser().post("/login", &[("email", MAREN), ("password", PASSWORD)]).await;
    assert_eq!(page.status, 403, "the right password too: {}", page.text());
    for path in ["/reset", "/signup", "/signup/new?code=x", "/reset/new?code=x"] {
        assert_eq!(bench.browser().get(path).await.status, 404, "{path}");
    }
    for path in ["/reset", "/signup"] {
        let page = bench.browser().post(path, &[("email", MAREN)]).await;
        assert_eq!(page.status, 404, "{path}: {}", page.text());
    }
    sent_emails(&bench, 0).await;
    let link = bench.app.accounts.reset_link(&Actor::Operator, MAREN).await.unwrap();
    let new = Password::new(NEW.into());
    let refused = bench.app.accounts.reset_password(code(&link), &new, &Origin::default()).await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");

    // The provider is unreachable: the sign-in page reports it.
    let page = bench.browser().get("/login/oidc").await;
    assert_eq!((page.status, page.location()), (303, "/login?refused=provider"));
    assert!(bench.browser().get(page.location()).await.text().contains("Sign-in failed."));
    let bench = TestServer::new(Engine::Sqlite).await;
    assert_eq!(bench.browser().get("/login/oidc").await.status, 404, "not set up");
    assert_eq!(bench.browser().get("/login/oidc/callback?code=x&state=y").await.status, 404);
}

/// `keyward admin reset-link` and `make-admin` beside a running server.
#[tokio::test]
async fn the_command_line_makes_a_link_for_a_live_server() {
    let bench = TestServer::new(Engine::Sqlite).await;
    bench.create_user(MAREN, false).await;
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_keyward"))
            .args(arguments)
            .current_dir(bench.folder.path())
            .env_clear()
            .env("KEYWARD_DATABASE_URL", "sqlite:keyward.db")
            .output()
            .expect("it runs");
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (done, stdout, _) = run(&["admin", "reset-link", "--email", MAREN]);
    let path = stdout.trim().strip_prefix(crate::support::URL).expect("a link and nothing else").to_owned();
    assert!(done && path.starts_with("/reset/new?code="), "{stdout}");
    let (_, stdout, _) = run(&["admin", "reset-link", "--email", MAREN, "--public-url", "https://keys.example.com"]);
    assert!(stdout.starts_with("https://keys.example.com/reset/new?code="), "{stdout}");
    let page = bench.browser().post(&path, &[("code", code(&path)), ("password", NEW)]).await;
    assert_eq!((page.status, page.location()), (303, "/login?done=reset"), "{}", page.text());
    let (done, _, stderr) = run(&["admin", "reset-link", "--email", NEWCOMER]);
    assert!(!done && stderr.contains("no user has the email address"), "{stderr}");
    let (done, stdout, _) = run(&["admin", "make-admin", "--email", MAREN]);
    assert!(done && stdout.contains("is now an administrator"), "{stdout}");
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM users WHERE admin = TRUE").await, 1);
    assert!(run(&["admin", "make-admin", "--email", MAREN]).0, "once more changes nothing");
    assert_eq!((bench.events("user.made_administrator").await, bench.events("password.reset_asked").await), (1, 2));

    bench.execute_sql("UPDATE users SET active = FALSE").await;
    let (done, _, stderr) = run(&["admin", "reset-link", "--email", MAREN]);
    assert!(!done && stderr.contains("account is disabled"), "{stderr}");
}

/// Starts an SMTP server that sends `greeting` as its response to EHLO. Returns its port and the received lines.
pub async fn smtp(greeting: &'static str) -> (u16, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, received) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(String::new())));
    let kept = received.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (read, mut write) = stream.into_split();
            let mut lines = BufReader::new(read).lines();
            write.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
            let mut in_letter = false;
            while let Ok(Some(line)) = lines.next_line().await {
                kept.lock().unwrap().push_str(&format!("{line}\n"));
                let answer = match line.split(' ').next().unwrap_or_default() {
                    "." if in_letter => {
                        in_letter = false;
                        "250 taken\r\n"
                    }
                    _ if in_letter => continue,
                    "EHLO" => greeting,
                    "AUTH" => "235 hello\r\n",
                    "MAIL" => "250 ok\r\n",
                    "RCPT" if line.contains("nobody@") => "550 no such mailbox\r\n",
                    "RCPT" => "250 ok\r\n",
                    "DATA" => {
                        in_letter = true;
                        "354 go on\r\n"
                    }
                    "QUIT" => "221 bye\r\n",
                    _ => "502 what?\r\n",
                };
                if write.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    (port, received)
}

pub fn mailer(port: u16, tls: SmtpTls) -> SmtpMailer {
    let settings = MailSettings {
        host: "127.0.0.1".into(),
        port,
        tls,
        login: Some(keyward::config::SmtpLogin {
            user: "keyward".into(),
            password: "hunter2hunter2".to_owned().into(),
        }),
        from: "Pelagic <keys@pelagic.example>".parse().unwrap(),
    };
    SmtpMailer::new(&settings, &"https://keys.pelagic.example".parse().unwrap(), Arc::new(SystemRandom)).unwrap()
}

pub fn test_email(to: &str) -> EmailMessage {
    EmailMessage {
        to: Email::from_row(to),
        subject: "Your account at Pelagic Ærø".into(),
        text: "Hello.\n.\nA line that begins with a dot.\n".into(),
    }
}

#[tokio::test]
async fn an_email_is_sent_by_smtp() {
    let (port, received) = smtp("250-mail.example\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n").await;
    mailer(port, SmtpTls::None).send(test_email(MAREN)).await.unwrap();
    let session = received.lock().unwrap().clone();
    for line in [
        "EHLO keys.pelagic.example",
        "AUTH PLAIN ",
        "MAIL FROM:<keys@pelagic.example>",
        "RCPT TO:<maren@pelagic.example>",
        "From: Pelagic <keys@pelagic.example>",
        "To: maren@pelagic.example",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
        "Message-ID: <",
        "@keys.pelagic.example>",
        "\n..\n",
    ] {
        assert!(session.contains(line), "{line}: {session}");
    }
    assert!(!session.contains("hunter2"), "encoded, not in clear: {session}");
    let refused = mailer(port, SmtpTls::None).send(test_email("nobody@pelagic.example")).await.unwrap_err();
    assert!(refused.to_string().contains("550"), "{refused}");
    let injected = test_email("maren@pelagic.example\r\nRCPT TO:<eve@example.com>");
    assert!(mailer(port, SmtpTls::None).send(injected).await.is_err());
    assert!(!received.lock().unwrap().contains("eve@"));
}

/// If STARTTLS is required, nothing is sent to a server without it. An unreachable server is an error.
#[tokio::test]
async fn required_starttls_sends_nothing_in_clear() {
    let (port, received) = smtp("250-mail.example\r\n250 AUTH PLAIN\r\n").await;
    let refused = mailer(port, SmtpTls::StartTls).send(test_email(MAREN)).await.unwrap_err();
    assert!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    let received_text = received.lock().unwrap().clone();
    assert!(!received_text.contains("AUTH") && !received_text.contains("MAIL"), "{received_text}");
    assert!(mailer(1, SmtpTls::None).send(test_email(MAREN)).await.is_err());
}

//! Reauthentication: sensitive actions require recent authentication. The actions are in the table in
//! `crates/core/src/reauthentication.rs`. `matrix.rs` checks that each form, server function and route matches the
//! table.

use crate::support::{Bench, PASSWORD, browser::Page};
use axum::http::Request;
use keyward::{
    domain::{ids::ProjectId, time::Timestamp},
    service::{
        Error,
        actor::{Actor, Caller, PROOF_HOLDS},
        keys::{KeyDraft, KeyEdit},
        projects::ScopesChoice,
    },
};

const ADMIN: &str = "root@keys.example";
const MAREN: &str = "maren@pelagic.example";

fn old(caller: &Caller) -> Caller {
    Caller { proved: Timestamp::from_seconds(0), ..caller.clone() }
}

fn is_asked<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::StepUp))
}

fn asks(page: &Page) -> bool {
    page.status == 403 && page.text().matches("name=\"proof\"").count() == 1
}

fn draft(bench: &Bench, project: ProjectId, scope: &str) -> KeyDraft {
    KeyDraft { scopes: vec![scope.to_owned()], ..bench.draft(project, scope) }
}

/// A path, the fields of its form, and the audit event that it records.
type Form<'a> = (String, &'a [(&'a str, &'a str)], &'a str);

on_both_engines! {
    /// Forms show the password field, and succeed with the password.
    async fn administration_asks_for_the_password(bench: Bench) {
        bench.person(ADMIN, true).await;
        let maren = bench.person(MAREN, false).await;
        let mut browser = bench.signed_in(ADMIN).await;
        let id = maren.user.to_string();
        let at = |verb: &str| format!("/admin/users/{id}/{verb}");
        let version = browser.get("/admin/policy").await.input("version").to_owned();
        let policy = [("version", version.as_str()), ("key_life_max", ""), ("token_life", "7"), ("token_unit", "86400"), ("sign_up", "closed"),
            ("keys_per_project", "9"), ("second_factor", "nobody"), ("may_never_expire", "on")];
        let only_id = [("id", id.as_str())];
        let with_reason = [("id", id.as_str()), ("reason", "Left us.")];
        let forms: [Form<'_>; 5] = [
            (at("make-administrator"), &only_id, "user.made_administrator"),
            (at("unmake-administrator"), &only_id, "user.unmade_administrator"),
            (at("disable"), &with_reason, "user.disabled"),
            (at("enable"), &only_id, "user.enabled"),
            ("/admin/policy".to_owned(), &policy, "policy.changed"),
        ];
        for (path, fields, event) in forms {
            bench.clock.advance(PROOF_HOLDS + 1);
            let page = browser.post(&path, fields).await;
            assert!(asks(&page), "{path}: {} {}", page.status, page.text());
            assert_eq!(bench.events(event).await, 0, "{path}");
            let page = browser.post(&path, &[fields, &[("proof", "not the tide at all")]].concat()).await;
            assert!(asks(&page) && bench.events(event).await == 0, "{path}: {}", page.text());
            let page = browser.post(&path, &[fields, &[("proof", PASSWORD)]].concat()).await;
            assert_eq!(page.status, 303, "{path}: {}", page.text());
            assert_eq!(bench.events(event).await, 1, "{path}");
        }
    }

    /// A key gets a management scope only after recent authentication, on creation and on edit. It can keep a scope
    /// that it has.
    async fn management_scopes_ask(bench: Bench) {
        let maren = bench.person(MAREN, false).await;
        let (keys, project) = (&bench.app.keys, bench.project_of(&maren).await);
        for scope in ["keyward:keys.read", "keyward:keys.write"] {
            assert!(is_asked(&keys.create(&old(&maren), draft(&bench, project, scope)).await.map(|_| ())), "{scope}");
        }
        assert_eq!(bench.number("SELECT COUNT(*) FROM keys").await, 0);
        keys.create(&old(&maren), draft(&bench, project, "data:read")).await.unwrap();
        let (plain, _) = keys.create(&maren, draft(&bench, project, "data:read")).await.unwrap();
        let version = bench.key_row(plain.id).await.unwrap().updated_at;
        let edit = |scopes: &[&str], version: i64| KeyEdit {
            version,
            name: "Edited".into(),
            expires: "keep".into(),
            expires_on: String::new(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            issued_to: String::new(),
            rules: Default::default(),
        };
        let scopes = ["data:read", "keyward:keys.read"];
        assert!(is_asked(&keys.edit(&old(&maren), plain.id, edit(&scopes, version)).await));
        keys.edit(&maren, plain.id, edit(&scopes, version)).await.unwrap();
        let version = bench.key_row(plain.id).await.unwrap().updated_at;
        keys.edit(&old(&maren), plain.id, edit(&["keyward:keys.read"], version)).await.unwrap();
        let operator = KeyDraft { expires: "30d".into(), ..draft(&bench, project, "keyward:keys.write") };
        keys.create_as_operator(operator).await.unwrap();
    }

    /// A lifetime of many years requires recent authentication, as an unlimited one does, on creation and on edit. The
    /// maximum is 36,500 days.
    async fn a_long_life_asks(bench: Bench) {
        let maren = bench.person(MAREN, false).await;
        let (keys, project) = (&bench.app.keys, bench.project_of(&maren).await);
        let until = |expires: &str, on: &str| KeyDraft {
            expires: expires.to_owned(),
            expires_on: on.to_owned(),
            ..draft(&bench, project, "data:read")
        };
        for (expires, on) in [("never", ""), ("date", "2099-01-01"), ("1831d", ""), ("36500d", "")] {
            assert!(is_asked(&keys.create(&old(&maren), until(expires, on)).await.map(|_| ())), "{expires} {on}");
            keys.create(&maren, until(expires, on)).await.unwrap();
        }
        let (key, _) = keys.create(&old(&maren), until("1826d", "")).await.unwrap();
        let version = bench.key_row(key.id).await.unwrap().updated_at;
        let edit = |on: &str| KeyEdit {
            version,
            name: "Edited".into(),
            expires: "date".into(),
            expires_on: on.to_owned(),
            scopes: vec!["data:read".into()],
            issued_to: String::new(),
            rules: Default::default(),
        };
        assert!(is_asked(&keys.edit(&old(&maren), key.id, edit("2099-01-01")).await));
        let too_far = |error: Error| matches!(error, Error::Invalid(fields) if fields[0].name == "expires_on" && fields[0].message.contains("36500"));
        assert!(keys.edit(&maren, key.id, edit("9999-12-29")).await.is_err_and(too_far));
        assert!(keys.create(&maren, until("date", "9999-12-29")).await.is_err_and(too_far));
        let by_hand = keys.create_as_operator(until("date", "9999-12-29")).await;
        assert!(by_hand.is_err_and(too_far));
        keys.edit(&maren, key.id, edit("2099-01-01")).await.unwrap();
        keys.create_as_operator(until("date", "2099-01-01")).await.unwrap();
    }

    /// A project, too, can offer a management scope only after recent authentication.
    async fn offering_a_management_scope_asks(bench: Bench) {
        let root = bench.person(ADMIN, true).await;
        let project = bench.project_of(&root).await;
        let choose = async |caller: &Caller, scopes: &[&str]| {
            let version = bench.app.projects.scopes_form(&root, project).await.unwrap().version;
            let scopes = scopes.iter().map(ToString::to_string).collect();
            let choice = ScopesChoice { version, default: false, scopes, retire: vec![] };
            bench.app.projects.set_scopes(caller, project, choice).await
        };
        choose(&old(&root), &["data:read"]).await.unwrap();
        assert!(is_asked(&choose(&old(&root), &["data:read", "keyward:keys.write"]).await));
        choose(&root, &["data:read", "keyward:keys.write"]).await.unwrap();
        choose(&old(&root), &["keyward:keys.write"]).await.unwrap();
    }

    /// The export is a same-origin POST. A GET changes nothing and redirects to the page.
    async fn the_export_asks(bench: Bench) {
        let root = bench.person(ADMIN, true).await;
        let mut browser = bench.signed_in(ADMIN).await;
        let page = browser.get("/admin/audit/export?from=2026-01-02&to=2026-01-03&evil=https://a.example").await;
        assert_eq!((page.status, page.location()), (303, "/admin/audit?from=2026-01-02&to=2026-01-03"));
        assert_eq!(browser.get("/admin/audit/export").await.location(), "/admin/audit");
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")] {
            let request = Request::post("/admin/audit/export")
                .header(name, value)
                .header("content-type", "application/x-www-form-urlencoded");
            assert_eq!(browser.send(request, String::new()).await.status, 403, "{value}");
        }
        bench.clock.advance(PROOF_HOLDS + 1);
        let page = browser.post("/admin/audit/export", &[("from", "2026-01-02")]).await;
        assert!(asks(&page), "{} {}", page.status, page.text());
        assert!(page.text().contains("value=\"2026-01-02\"") && page.text().contains("Export these days"), "{}", page.text());
        assert!(is_asked(&bench.app.audit.export(&old(&root), "", "").await.map(|_| ())));
        assert_eq!(bench.events("audit.exported").await, 0);
        let page = browser.post("/admin/audit/export", &[("proof", PASSWORD)]).await;
        assert_eq!((page.status, page.header("content-type")), (200, "application/x-ndjson"));
        assert!(page.text().starts_with('{'), "{}", page.text());
        assert_eq!((bench.events("audit.exported").await, bench.events("step_up.passed").await), (1, 1));
        let signed_out = bench.browser().post("/admin/audit/export", &[]).await;
        assert!(signed_out.location().starts_with("/login?next="), "{}", signed_out.location());
    }

    /// The service requires recent authentication independent of the form. Command-line actions do not require it.
    async fn the_service_asks(bench: Bench) {
        let root = bench.person(ADMIN, true).await;
        let maren = bench.person(MAREN, false).await;
        let (users, stale) = (&bench.app.users, Actor::User(old(&root)));
        assert!(is_asked(&users.make_administrator(&stale, maren.user).await));
        assert!(is_asked(&users.unmake_administrator(&stale, root.user).await));
        assert!(is_asked(&users.disable(&stale, maren.user, "Left us.", false).await));
        assert!(is_asked(&users.enable(&stale, maren.user).await));
        users.make_administrator(&Actor::Operator, maren.user).await.unwrap();
        // A user who is not an administrator gets `NotFound`, not a reauthentication request.
        let other = Actor::User(old(&bench.person("tove@pelagic.example", false).await));
        assert!(matches!(users.make_administrator(&other, maren.user).await, Err(Error::NotFound)));
    }
}

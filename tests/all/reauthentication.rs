//! Reauthentication: sensitive actions require recent authentication. The actions are in the table in
//! `crates/core/src/reauthentication.rs`. `matrix.rs` checks that each form, server function and route matches the
//! table.

use crate::support::{
    PASSWORD, TestServer,
    browser::Page,
    test_data::{KeyEdit, KeyForms as _},
};
use axum::http::Request;
use keyward::{
    domain::{ids::ProjectId, time::Timestamp},
    service::{
        Error,
        actor::{Actor, Caller, REAUTHENTICATION_MAX_AGE},
        keys::KeyDraft,
        projects::ScopesChoice,
    },
};

const ADMIN: &str = "root@keys.example";
const MAREN: &str = "maren@pelagic.example";

fn with_old_authentication(caller: &Caller) -> Caller {
    Caller { authenticated_at: Timestamp::from_seconds(0), ..caller.clone() }
}

fn is_reauth_required<T>(answer: &Result<T, Error>) -> bool {
    matches!(answer, Err(Error::ReauthenticationRequired))
}

fn page_requires_reauth(page: &Page) -> bool {
    page.status == 403 && page.text().matches("name=\"proof\"").count() == 1
}

fn draft(bench: &TestServer, project: ProjectId, scope: &str) -> KeyDraft {
    KeyDraft { scopes: vec![scope.to_owned()], ..bench.draft(project, scope) }
}

/// A path, the fields of its form, and the audit event that it records.
type Form<'a> = (String, &'a [(&'a str, &'a str)], &'a str);

on_both_engines! {
    /// Forms show the password field, and succeed with the password.
    async fn administration_requires_reauthentication(bench: TestServer) {
        bench.create_user(ADMIN, true).await;
        let maren = bench.create_user(MAREN, false).await;
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
            bench.clock.advance(REAUTHENTICATION_MAX_AGE + 1);
            let page = browser.post(&path, fields).await;
            assert!(page_requires_reauth(&page), "{path}: {} {}", page.status, page.text());
            assert_eq!(bench.events(event).await, 0, "{path}");
            let page = browser.post(&path, &[fields, &[("proof", "not the tide at all")]].concat()).await;
            assert!(page_requires_reauth(&page) && bench.events(event).await == 0, "{path}: {}", page.text());
            let page = browser.post(&path, &[fields, &[("proof", PASSWORD)]].concat()).await;
            assert_eq!(page.status, 303, "{path}: {}", page.text());
            assert_eq!(bench.events(event).await, 1, "{path}");
        }
    }

    /// A key gets a management scope only after recent authentication, on creation and on edit. It can keep a scope
    /// that it has.
    async fn management_scopes_require_reauthentication(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (keys, project) = (&bench.app.keys, bench.project_of(&maren).await);
        for scope in ["keyward:keys.read", "keyward:keys.write"] {
            assert!(is_reauth_required(&keys.create_from(&with_old_authentication(&maren), draft(&bench, project, scope)).await.map(|_| ())), "{scope}");
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM keys").await, 0);
        keys.create_from(&with_old_authentication(&maren), draft(&bench, project, "data:read")).await.unwrap();
        let (plain, _) = keys.create_from(&maren, draft(&bench, project, "data:read")).await.unwrap();
        let version = bench.key_row(plain.id).await.unwrap().updated_at;
        let edit = |scopes: &[&str], version: i64| KeyEdit {
            version,
            name: "Edited".into(),
            expires: "keep".into(),
            expires_on: String::new(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
            issued_to: String::new(),
            restrictions: Default::default(),
        };
        let scopes = ["data:read", "keyward:keys.read"];
        assert!(is_reauth_required(&keys.edit_from(&with_old_authentication(&maren), plain.id, edit(&scopes, version)).await));
        keys.edit_from(&maren, plain.id, edit(&scopes, version)).await.unwrap();
        let version = bench.key_row(plain.id).await.unwrap().updated_at;
        keys.edit_from(&with_old_authentication(&maren), plain.id, edit(&["keyward:keys.read"], version)).await.unwrap();
        let operator = KeyDraft { expires: "30d".into(), ..draft(&bench, project, "keyward:keys.write") };
        keys.create_from(&Actor::Operator, operator).await.unwrap();
    }

    /// A lifetime of many years requires recent authentication, as an unlimited one does, on creation and on edit. The
    /// maximum is 36,500 days.
    async fn a_long_lifetime_requires_reauthentication(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (keys, project) = (&bench.app.keys, bench.project_of(&maren).await);
        let until = |expires: &str, on: &str| KeyDraft {
            expires: expires.to_owned(),
            expires_on: on.to_owned(),
            ..draft(&bench, project, "data:read")
        };
        for (expires, on) in [("never", ""), ("date", "2099-01-01"), ("1831d", ""), ("36500d", "")] {
            assert!(is_reauth_required(&keys.create_from(&with_old_authentication(&maren), until(expires, on)).await.map(|_| ())), "{expires} {on}");
            keys.create_from(&maren, until(expires, on)).await.unwrap();
        }
        let (key, _) = keys.create_from(&with_old_authentication(&maren), until("1826d", "")).await.unwrap();
        let version = bench.key_row(key.id).await.unwrap().updated_at;
        let edit = |on: &str| KeyEdit {
            version,
            name: "Edited".into(),
            expires: "date".into(),
            expires_on: on.to_owned(),
            scopes: vec!["data:read".into()],
            issued_to: String::new(),
            restrictions: Default::default(),
        };
        assert!(is_reauth_required(&keys.edit_from(&with_old_authentication(&maren), key.id, edit("2099-01-01")).await));
        let too_far = |error: Error| matches!(error, Error::Invalid(fields) if fields[0].name == "expires_on" && fields[0].message.contains("36,500"));
        assert!(keys.edit_from(&maren, key.id, edit("9999-12-29")).await.is_err_and(too_far));
        assert!(keys.create_from(&maren, until("date", "9999-12-29")).await.is_err_and(too_far));
        let by_hand = keys.create_from(&Actor::Operator, until("date", "9999-12-29")).await;
        assert!(by_hand.is_err_and(too_far));
        keys.edit_from(&maren, key.id, edit("2099-01-01")).await.unwrap();
        keys.create_from(&Actor::Operator, until("date", "2099-01-01")).await.unwrap();
    }

    /// A project, too, can offer a management scope only after recent authentication.
    async fn offering_a_management_scope_requires_reauthentication(bench: TestServer) {
        let root = bench.create_user(ADMIN, true).await;
        let project = bench.project_of(&root).await;
        let choose = async |caller: &Caller, scopes: &[&str]| {
            let version = bench.app.projects.scopes_form(&root, project).await.unwrap().version;
            let scopes = scopes.iter().map(ToString::to_string).collect();
            let choice = ScopesChoice { version, default: false, scopes, retire: vec![] };
            bench.app.projects.set_scopes(caller, project, choice).await
        };
        choose(&with_old_authentication(&root), &["data:read"]).await.unwrap();
        assert!(is_reauth_required(&choose(&with_old_authentication(&root), &["data:read", "keyward:keys.write"]).await));
        choose(&root, &["data:read", "keyward:keys.write"]).await.unwrap();
        choose(&with_old_authentication(&root), &["keyward:keys.write"]).await.unwrap();
    }

    /// The export is a same-origin POST. A GET changes nothing and redirects to the page.
    async fn the_export_requires_reauthentication(bench: TestServer) {
        let root = bench.create_user(ADMIN, true).await;
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
        bench.clock.advance(REAUTHENTICATION_MAX_AGE + 1);
        let page = browser.post("/admin/audit/export", &[("from", "2026-01-02")]).await;
        assert!(page_requires_reauth(&page), "{} {}", page.status, page.text());
        assert!(page.text().contains("value=\"2026-01-02\"") && page.text().contains("Export selected days"), "{}", page.text());
        assert!(is_reauth_required(&bench.app.audit.export(&with_old_authentication(&root), "", "").await.map(|_| ())));
        assert_eq!(bench.events("audit.exported").await, 0);
        let page = browser.post("/admin/audit/export", &[("proof", PASSWORD)]).await;
        assert_eq!((page.status, page.header("content-type")), (200, "application/x-ndjson"));
        assert!(page.text().starts_with('{'), "{}", page.text());
        assert_eq!((bench.events("audit.exported").await, bench.events("step_up.passed").await), (1, 1));
        let signed_out = bench.browser().post("/admin/audit/export", &[]).await;
        assert!(signed_out.location().starts_with("/login?next="), "{}", signed_out.location());
    }

    /// The service requires recent authentication independent of the form. Command-line actions do not require it.
    async fn the_service_requires_reauthentication(bench: TestServer) {
        let root = bench.create_user(ADMIN, true).await;
        let maren = bench.create_user(MAREN, false).await;
        let (users, stale) = (&bench.app.users, Actor::User(with_old_authentication(&root)));
        assert!(is_reauth_required(&users.grant_administrator(&stale, maren.user).await));
        assert!(is_reauth_required(&users.revoke_administrator(&stale, root.user).await));
        assert!(is_reauth_required(&users.disable(&stale, maren.user, "Left us.", false).await));
        assert!(is_reauth_required(&users.enable(&stale, maren.user).await));
        users.grant_administrator(&Actor::Operator, maren.user).await.unwrap();
        // A user who is not an administrator gets `NotFound`, not a reauthentication request.
        let other = Actor::User(with_old_authentication(&bench.create_user("tove@pelagic.example", false).await));
        assert!(matches!(users.grant_administrator(&other, maren.user).await, Err(Error::NotFound)));
    }
}

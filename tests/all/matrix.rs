//! The authorization matrix: every role at every page, form, server function, and route, on every kind of object.
//!
//! It checks the response, the stored state afterwards, and that objects of other users look missing. The rows are in
//! `authorization_matrix/rows`.

use crate::authorization_matrix::{
    fixtures::{CallerKind, MatrixFixture, ObjectState, RequestKind},
    rows::{self, ReauthRule, Row, Rule, VIEWED_BY_ADMIN},
    runner::{authorized_cell, first_difference, normalize, run_with_old_authentication, walk},
};
use crate::support::{Engine, TestServer, URL};
use axum::http::{Method, Request};
use keyward::{
    features::{access::Access, form_routes, page_access},
    http::{form_paths, page_paths, routes::ROUTES},
    service::reauthentication::{KEY_WITHOUT_EXPIRY, MANAGEMENT_SCOPE, Reauthentication, TABLE, requirement},
};

on_both_engines! {
    async fn pages(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let rows: Vec<_> = rows::pages().into_iter().chain(rows::page_variants()).collect();
        walk(&stage, &rows).await.finish("pages");
    }

    /// A page renders the same each time. Its parts wait for the database, and their order of completion has no effect.
    async fn a_page_renders_the_same_each_time(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        for row in rows::pages().iter().filter(|row| !row.varies) {
            for who in [CallerKind::Owner, CallerKind::Administrator] {
                let at = stage.object(row.about, *row.about.states().get(1).unwrap_or(&ObjectState::Unnamed));
                let mut first = None;
                for _ in 0..5 {
                    let page = stage.send(who, row.request_kind, &at.fill_path(&row.path), &[]).await;
                    let drawn = normalize(&page, &[]);
                    let first = first.get_or_insert_with(|| drawn.clone());
                    assert!(*first == drawn, "{who:?} {}: {}", row.path, first_difference(first, &drawn));
                }
            }
        }
    }

    async fn forms(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let rows: Vec<_> = rows::forms().into_iter().chain(rows::variants()).collect();
        walk(&stage, &rows).await.finish("forms");
    }

    /// A form acts only on the objects that its path names: with another value in the field of a path parameter, with
    /// a second value, or without the field, it is refused, and nothing changes.
    async fn a_form_is_bound_to_its_path(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let rows = rows::forms();
        let (mut tested, mut wrong) = (0, Vec::new());
        for route in form_routes() {
            let row = rows.iter().find(|row| row.template == route.path).expect(route.path);
            let (who, which) = authorized_cell(row);
            let at = stage.object(row.about, which);
            let (path, own) = (at.fill_path(&row.path), (row.fields)(&at));
            for binding in route.bindings() {
                let value_in = |fields: &[(&'static str, String)]| {
                    fields.iter().find(|(name, _)| *name == binding.field).expect(route.path).1.clone()
                };
                // Preferably an object on which the caller may do the same.
                let states = || row.about.states().iter().copied();
                let allowed = states().filter(|state| row.expected(who, *state).status == row.status);
                let mut others = allowed.chain(states()).map(|state| value_in(&(row.fields)(&stage.object(row.about, state))));
                let mine = value_in(&own);
                let other = (binding.field, others.find(|it| *it != mine).expect("another object"));
                let without: Vec<_> = own.iter().filter(|(name, _)| *name != binding.field).cloned().collect();
                let replaced = [without.clone(), vec![other.clone()]].concat();
                let (before, after) = ([vec![other.clone()], own.clone()].concat(), [own.clone(), vec![other]].concat());
                for (what, fields) in [("another", replaced), ("another and its own", before), ("its own and another", after), ("none", without)] {
                    let events = stage.schema.read_state(&stage.bench).await.events;
                    let page = stage.send(who, RequestKind::Form, &path, &fields).await;
                    let state = stage.schema.read_state(&stage.bench).await;
                    let cell = format!("{who:?} {} {which:?}, {}: {what}", row.path, binding.field);
                    if page.status != 422 || !page.text().contains("The form could not be read.") {
                        wrong.push(format!("{cell}: {} {}", page.status, page.location()));
                    }
                    // The response renders the page, and records that an administrator who is not a member views it.
                    let differences = stage.base.differences(&state, &["looks"]);
                    let newest = format!("SELECT action FROM audit_events ORDER BY seq DESC LIMIT {}", state.events - events);
                    let mut actions = stage.bench.query_texts(&newest).await;
                    actions.retain(|action| action != VIEWED_BY_ADMIN);
                    if !differences.is_empty() || !actions.is_empty() {
                        wrong.push(format!("{cell}: nothing may change, but {actions:?} {differences:?}"));
                    }
                    if state.tables != stage.base.tables {
                        stage.schema.restore(&stage.bench).await;
                    }
                    tested += 1;
                }
            }
        }
        println!("matrix: {tested} forms that do not match their path");
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(tested > 150, "{tested}");
    }

    async fn functions(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        walk(&stage, &rows::functions()).await.finish("server functions");
    }

    async fn plain(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        walk(&stage, &rows::plain()).await.finish("plain addresses");
    }

    async fn dangerous(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        walk(&stage, &rows::dangerous()).await.finish("dangerous forms");
    }

    async fn an_old_authentication_does_not_count(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let rows: Vec<_> = [rows::pages(), rows::page_variants(), rows::forms(), rows::variants(), rows::functions(), rows::plain(), rows::dangerous()].into_iter().flatten().collect();
        run_with_old_authentication(&stage, &rows).await.finish("addresses with an old proof");
    }

    async fn routes(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        walk(&stage, &rows::routes()).await.finish("routes of programs");
    }
}

/// Asserts that each mounted path has a row and each row a mounted path. The message has the missing row.
fn complete(kind: &str, mounted: &[String], rows: &[Row], row: impl Fn(&str) -> String) {
    let named: Vec<_> = rows.iter().map(|row| row.template.to_owned()).collect();
    let mut wrong = Vec::new();
    for path in mounted.iter().filter(|path| !named.contains(path)) {
        wrong.push(format!(
            "the {kind} {path} has no row. Add to its table in tests/all/authorization_matrix/rows, with the rule that is right:\n        {}",
            row(path)
        ));
    }
    for path in named.iter().filter(|path| !mounted.contains(path)) {
        wrong.push(format!(
            "there is no {kind} {path} (any more). Remove its row from tests/all/authorization_matrix/rows"
        ));
    }
    let mut once = named.clone();
    once.sort_unstable();
    once.dedup();
    if once.len() != named.len() {
        wrong.push(format!("a {kind} has two rows"));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each row requires reauthentication as the table defines for its event.
///
/// Each action that requires it has a row, or a test at the place in the comment.
#[test]
fn every_action_requires_reauthentication_as_in_the_table() {
    let rows: Vec<_> = [rows::pages(), rows::forms(), rows::variants(), rows::functions(), rows::plain()]
        .into_iter()
        .flatten()
        .collect();
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| row.request_kind != RequestKind::Get) {
        let Some(event) = row.event else { continue };
        let asks = match requirement(event) {
            // The page of the response requires it of an administrator who is not a member:
            // `project.seen_by_administrator`.
            Reauthentication::Never
                if row.reauth == ReauthRule::OnlyAdmin && row.path.starts_with("/projects/{id}") =>
            {
                continue;
            }
            Reauthentication::Never | Reauthentication::Always => ReauthRule::Never,
            Reauthentication::IfOld => ReauthRule::Always,
            // Only if the actor is not a member. A member who joins does not reauthenticate.
            Reauthentication::IfOldAsAdministrator if row.reauth == ReauthRule::Never && event == "member.joined" => {
                continue;
            }
            Reauthentication::IfOldAsAdministrator => ReauthRule::OnlyAdmin,
        };
        if row.reauth != asks {
            wrong.push(format!(
                "{}: {event} requires {:?}, and its row asks {:?}",
                row.path,
                requirement(event),
                row.reauth
            ));
        }
    }
    let elsewhere = [
        // `account_security`: a one-time code.
        "recovery_codes.made",
        "second_factor.enrolled",
        "second_factor.removed",
        // `oidc.rs`.
        "identity.linked",
        // `registration.rs`: this action has no page.
        "password.reset_asked",
        // `rows::dangerous`, `reauthentication.rs`.
        KEY_WITHOUT_EXPIRY,
        MANAGEMENT_SCOPE,
        // A page, and the content that loads after it.
        "project.seen_by_administrator",
    ];
    for (action, required) in TABLE {
        let is_tested = rows.iter().any(|row| row.event == Some(*action)) || elsewhere.contains(action);
        if !matches!(required, Reauthentication::Never) && !is_tested {
            wrong.push(format!("{action} requires {required:?}, and no row does it"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

// Leptos needs a runtime to find the routes.
#[tokio::test]
async fn every_page_has_its_row() {
    let mounted: Vec<_> = page_paths().into_iter().map(ToOwned::to_owned).collect();
    complete("page", &mounted, &rows::pages(), |path| format!("page({path:?}, SignedIn),"));
}

#[test]
fn every_form_has_its_row() {
    let mounted: Vec<_> = form_paths().into_iter().map(ToOwned::to_owned).collect();
    complete("form", &mounted, &rows::forms(), |path| {
        format!("form({path:?}, SignedIn, |at| vec![id(at), field(\"name\", \"Tide\")]),")
    });
}

/// Returns the access that a page or form with this rule declares.
fn access_of(rule: Rule) -> Access {
    match rule {
        Rule::Admin(permission) => Access::Administrator(permission),
        Rule::SignedIn
        | Rule::HomeMember
        | Rule::LinkSignedIn
        | Rule::DeviceCode(_)
        | Rule::Only(_)
        | Rule::Can(_)
        | Rule::Either(..) => Access::SignedIn,
        Rule::Redirects(_) | Rule::NotFound | Rule::SignedOut | Rule::Anyone | Rule::Link => Access::Public,
        Rule::Secret | Rule::Token | Rule::AnyToken | Rule::Gateway | Rule::ManagementToken => {
            panic!("{rule:?} is a rule of API routes")
        }
    }
}

/// Each page and each form declares the access that its row expects.
#[test]
fn every_page_and_form_declares_its_access() {
    // Without a session, it is rendered for a request with an unknown client (`authorize.rs`). The row has a known one.
    const PUBLIC_PAGES: [&str; 1] = ["/authorize"];
    let pages = page_access();
    let forms: Vec<_> = form_routes().iter().map(|route| (route.path.to_owned(), route.access)).collect();
    let mut wrong = Vec::new();
    for (kind, rows, declared) in [("page", rows::pages(), pages), ("form", rows::forms(), forms)] {
        for row in &rows {
            let found: Vec<_> = declared.iter().filter(|(path, _)| path == row.template).collect();
            let is_public = kind == "page" && PUBLIC_PAGES.contains(&row.template);
            let expected = if is_public { Access::Public } else { access_of(row.rule) };
            if !matches!(found[..], [(_, access)] if *access == expected) {
                wrong.push(format!("the {kind} {} declares {found:?}, and its row expects {expected:?}", row.template));
            }
        }
        assert_eq!(declared.len(), rows.len(), "{kind}s");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_server_function_has_its_row() {
    let mounted: Vec<_> = leptos::server_fn::axum::server_fn_paths().collect();
    assert!(mounted.iter().all(|(_, method)| method == axum::http::Method::POST));
    let mounted: Vec<_> = mounted.iter().map(|(path, _)| path.trim_start_matches("/api/").to_owned()).collect();
    complete("function", &mounted, &rows::functions(), |path| {
        format!("function({path:?}, SignedIn, Nothing, no_fields),")
    });
}

/// Form actions and page data have no address of their own: the response is that of an unknown address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn form_actions_and_page_data_have_no_address() {
    const NAMES: &str = "
        admin/audit/list admin/keys/activate admin/keys/change_chosen admin/keys/chosen admin/keys/deactivate
        admin/keys/delete admin/keys/get admin/keys/list admin/keys/restore admin/policy/get admin/policy/save
        admin/users/delete admin/users/disable admin/users/enable admin/users/get admin/users/invite
        admin/users/list admin/users/make_administrator admin/users/transfer admin/users/unmake_administrator
        authorize/answer authorize/get clients/register clients/remove device/answer device/check device/get
        entry/ask_reset entry/ask_sign_up entry/reset entry/reset_opens entry/sign_up entry/welcome grants/mine
        grants/of_project grants/revoke grants/revoke_mine keys/activate keys/create keys/deactivate keys/delete
        keys/edit keys/edit_form keys/form keys/get keys/history keys/list keys/restore projects/accept
        projects/archive projects/create projects/get projects/history projects/invitation projects/invite
        projects/join projects/keys projects/leave projects/list projects/members projects/remove_member
        projects/rename projects/save_config projects/scopes_form projects/set_life projects/set_role
        projects/set_scopes projects/unarchive projects/withdraw scopes/add scopes/edit scopes/list scopes/remove
        scopes/retire scopes/unretire security/begin security/change_password security/end_session
        security/end_sessions security/get security/new_codes security/turn_off security/turn_on session/confirm
        session/instance session/me session/pending session/proof session/setup session/sign_in session/sign_in_code
        session/sign_out settings/account settings/save_account settings/theme
    ";
    let bench = TestServer::new(Engine::Sqlite).await;
    bench.create_user("root@keys.example", true).await;
    let mut paths: Vec<_> = NAMES.split_whitespace().map(|name| format!("/api/{name}")).collect();
    // The names of the types and functions, as `#[server]` without an address would form them.
    paths.extend(["/api/create_key", "/api/edit_key", "/api/list_keys", "/api/CreateKey"].map(ToOwned::to_owned));
    for mut browser in [bench.browser(), bench.signed_in("root@keys.example").await] {
        let unknown = browser.call("nothing", &[]).await;
        assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not_found"));
        for path in &paths {
            let page = browser.call(path.trim_start_matches("/api/"), &[]).await;
            assert_eq!(
                normalize(&page, std::slice::from_ref(path)),
                normalize(&unknown, &["/api/nothing".to_owned()]),
                "{path}"
            );
            for method in [Method::GET, Method::PUT] {
                let request = Request::builder().method(method.clone()).uri(path).header("origin", URL);
                let page = browser.send(request.header("accept", "application/json"), String::new()).await;
                assert_eq!(page.status, 404, "{method} {path}: {}", page.text());
            }
        }
    }
}

#[test]
fn every_route_has_its_row() {
    // An endpoint with several methods has one row.
    let mut mounted: Vec<_> = ROUTES.iter().map(|route| route.path.to_owned()).collect();
    mounted.dedup();
    complete("route", &mounted, &rows::routes(), |path| format!("bearer({path:?}, Token), // or json(…)"));
}

/// The other paths are in no table, so the test reads them from the source files that mount them.
#[test]
fn every_plain_address_has_its_row() {
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/web/src/http");
    let mut mounted = Vec::new();
    for file in std::fs::read_dir(source).expect("the sources") {
        let path = file.expect("a file").path();
        // The files beside the router mount the routes. The folders contain the handlers.
        if path.is_dir() {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("a source");
        let routes = text.split(".route(\"").skip(1).filter_map(|rest| rest.split('"').next());
        mounted.extend(routes.map(ToOwned::to_owned));
    }
    complete("plain", &mounted, &rows::plain(), |path| format!("page({path:?}, SignedIn),"));
}

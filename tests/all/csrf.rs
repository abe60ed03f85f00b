//! CSRF, mass assignment, forged forwarding headers and hosts, and the security headers of every kind of response.

use crate::architecture::files;
use crate::authorization_matrix::{
    database_state::State,
    fixtures::{CallerKind, MatrixFixture, ObjectKind, ObjectState, RequestKind},
    response_headers::{self, Responder},
    rows::{self, VIEWED_BY_ADMIN},
    runner::authorized_cell,
};
use crate::support::{
    PASSWORD, TestServer, URL,
    browser::{Page, form},
    json_of, rust_source,
    socket_requests::parse_response,
};
use axum::http::{Method, Request};
use keyward::{
    config::Config,
    http::{AppState, router, serve::serve},
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const FORM: &str = "application/x-www-form-urlencoded";

/// Returns a value with an effect if a field of this name were stored or shown.
fn injected_value(name: &str, stage: &MatrixFixture) -> String {
    let elsewhere = stage.object(ObjectKind::Project, ObjectState::Elsewhere);
    let value = match name {
        "admin" | "active" | "in_default" | "own_scopes" | "may_never_expire" | "may_change" | "may_start" => "1",
        "held" => "0",
        "role" | "granted_by" => "owner",
        "sign_up" => "open",
        "second_factor" => "nobody",
        "environment" => "test",
        "scopes" | "scope" => "keyward:admin",
        "password_hash" => "$argon2id$v=19$m=8,t=1,p=1$Zm9yZ2VkZm9yZ2Vk$Zm9yZ2VkZm9yZ2Vk",
        "digest" | "hash" | "prev" | "id_digest" => "f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0",
        "email" => "forged@forged.example",
        name if name == "project" || name.contains("project_id") => &elsewhere.project,
        name if name == "user" || name.ends_with("user_id") || name.ends_with("_by") => &elsewhere.user,
        name if name == "id" || name.ends_with("_id") || name == "form_number" => &elsewhere.id,
        name if name.ends_with("_at") || name.ends_with("_max") || name == "generation" || name == "position" => {
            "1234567"
        }
        name => return format!("forged-{name}"),
    };
    value.to_owned()
}

/// Collects the names of all members of a JSON value.
fn members(json: &Value, names: &mut BTreeSet<String>) {
    match json {
        Value::Object(map) => {
            for (name, value) in map {
                names.insert(name.clone());
                members(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, names)),
        _ => {}
    }
}

/// Returns the names of the JSON members of all types that pages can show.
fn page_data_names() -> BTreeSet<String> {
    let crates = ["domain/", "ui/", "web/"];
    let sources = files().into_iter().filter(|(path, _)| crates.iter().any(|it| path.starts_with(it)));
    sources.flat_map(|(_, code)| rust_source::json_names(&code)).collect()
}

/// Asserts that data of pages has no other names: the consent page, the security page, and an invitation.
async fn assert_page_data_is_named(stage: &MatrixFixture, names: &BTreeSet<String>) {
    let app = &stage.bench.app;
    let owner = stage.bench.caller("owner@pelagic.example").await;
    let at = stage.object(ObjectKind::Project, ObjectState::Home);
    let shown = [
        json_of(&app.consent.device_prompt(&owner, &at.device).await.expect("readable")),
        json_of(&app.consent.list_own(&owner).await.expect("readable")),
        json_of(&app.accounts.security(&owner, None).await.expect("readable")),
        json_of(&app.accounts.begin_second_factor(&owner, "").await.expect("readable")),
        json_of(&app.projects.invitation(Some(&owner), &at.code).await.expect("readable")),
    ];
    let mut written = BTreeSet::new();
    shown.iter().for_each(|json| members(json, &mut written));
    assert!(written.len() > 30, "{written:?}");
    assert_eq!(written.difference(names).collect::<Vec<_>>(), Vec::<&String>::new());
}

/// Returns the names of all stored fields with their table, and of all shown fields without a table.
async fn fields(stage: &MatrixFixture) -> Vec<(String, String)> {
    let mut all: Vec<_> = stage.schema.columns().into_iter().map(|(t, c)| (t.to_owned(), c.to_owned())).collect();
    let stored: BTreeSet<_> = all.iter().map(|(_, column)| column.clone()).collect();
    let shown = page_data_names();
    assert_page_data_is_named(stage, &shown).await;
    assert!(stored.len() > 40 && shown.len() > 100, "{} columns, {} members", stored.len(), shown.len());
    all.extend(shown.difference(&stored).map(|name| (String::new(), name.clone())));
    all
}

/// The effect of a request: its response, and the rows that did not exist before.
struct RequestEffect {
    status: u16,
    text: String,
    state: State,
    rows: Vec<(String, BTreeMap<String, String>)>,
}

async fn send_and_restore(
    stage: &MatrixFixture,
    who: CallerKind,
    how: RequestKind,
    path: &str,
    fields: &[(&str, String)],
) -> RequestEffect {
    let page = stage.send(who, how, path, fields).await;
    let state = stage.schema.read_state(&stage.bench).await;
    let rows = state.rows_missing_in(&stage.base);
    if !state.differences(&stage.base, &[]).is_empty() {
        stage.schema.restore(&stage.bench).await;
    }
    RequestEffect { status: page.status, text: String::from_utf8_lossy(&page.bytes).into_owned(), state, rows }
}

/// Returns the columns that differ between two equal requests, such as ids and digests.
fn varying_columns(one: &RequestEffect, two: &RequestEffect) -> BTreeSet<(String, String)> {
    assert_eq!(one.rows.len(), two.rows.len(), "the same was done twice");
    let pairs = one.rows.iter().zip(&two.rows);
    pairs
        .flat_map(|((table, a), (_, b))| {
            let differ = a.iter().filter(|(column, value)| b.get(*column) != Some(*value));
            differ.map(|(column, _)| (table.clone(), column.clone())).collect::<Vec<_>>()
        })
        .collect()
}

/// Asserts that a request with extra fields has the same effect as without them, or is refused without any effect.
fn assert_same_effect(
    what: &str,
    plain: &RequestEffect,
    chance: &BTreeSet<(String, String)>,
    slipped: &RequestEffect,
    values: &[String],
    base: &State,
) {
    if slipped.status != plain.status {
        assert!((400..500).contains(&slipped.status), "{what}: {} {}", slipped.status, slipped.text);
        assert_eq!(slipped.state.differences(base, &[]), Vec::<String>::new(), "{what}: it was refused, and yet");
        return;
    }
    let without = |came: &RequestEffect| -> Vec<_> {
        let known = |table: &String, row: &BTreeMap<String, String>| {
            let fixed = row.iter().filter(|(column, _)| !chance.contains(&(table.clone(), (*column).clone())));
            (table.clone(), fixed.map(|(c, v)| (c.clone(), v.clone())).collect::<BTreeMap<_, _>>())
        };
        came.rows.iter().map(|(table, row)| known(table, row)).collect()
    };
    assert_eq!(without(slipped), without(plain), "{what}: something else was stored");
    for (table, column) in chance {
        for (_, row) in slipped.rows.iter().filter(|(it, _)| it == table) {
            let stored = row[column].to_lowercase().replace('-', "");
            let taken =
                values.iter().find(|value| value.len() > 3 && stored.contains(&value.to_lowercase().replace('-', "")));
            assert!(taken.is_none(), "{what}: {table}.{column} holds what was slipped in, {taken:?}");
        }
    }
}

/// The path with more pairs in its query.
fn with_query(path: &str, pairs: &str) -> String {
    let separator = if path.contains('?') { '&' } else { '?' };
    format!("{path}{separator}{pairs}")
}

on_both_engines! {
    /// Mass assignment: extra fields change nothing.
    ///
    /// The name of every column of every table and of everything that is shown is sent with every form, function, and
    /// body: in the body and in the query, plain and nested.
    async fn nothing_changes_but_what_an_input_is_for(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let fields = fields(&stage).await;
        let all = [rows::forms(), rows::variants(), rows::functions(), rows::routes()];
        let (mut inputs, mut requests, mut shaped, mut refused) = (0, 0, 0, 0);
        // No user here has a management token. `management.rs` and `openapi.rs` test the bodies of the management API.
        let has_body = |row: &&rows::Row| row.request_kind != RequestKind::Bearer && row.rule != rows::Rule::ManagementToken;
        for row in all.iter().flatten().filter(has_body) {
            inputs += 1;
            let (who, which) = authorized_cell(row);
            let at = stage.object(row.about, which);
            let (path, own) = (at.fill_path(&row.path), (row.fields)(&at));
            let plain = send_and_restore(&stage, who, row.request_kind, &path, &own).await;
            let again = send_and_restore(&stage, who, row.request_kind, &path, &own).await;
            let chance = varying_columns(&plain, &again);
            let taken = |name: &str| {
                own.iter().any(|(it, _)| it.trim_end_matches("[]") == name) || row.accepts.contains(&name)
            };
            let extras: Vec<_> = fields.iter().filter(|(_, name)| !taken(name)).collect();
            let values: Vec<_> = extras.iter().map(|(_, name)| injected_value(name, &stage)).collect();
            let each = |shape: fn(&str, &str) -> String| -> Vec<(String, String)> {
                let all: BTreeMap<_, _> = extras.iter().zip(&values).map(|((table, name), value)| (shape(table, name), value.clone())).collect();
                all.into_iter().filter(|(name, _)| !name.starts_with(['[', '.']) && !taken(name.split(['[', '.']).next().unwrap_or_default())).collect()
            };
            let flat = each(|_, name| name.to_owned());
            let shapes = [
                flat.clone(),
                each(|table, name| format!("{}[{name}]", table.trim_end_matches('s'))),
                each(|table, name| format!("{}.{name}", table.trim_end_matches('s'))),
                each(|_, name| format!("{name}[]")),
            ];
            for (at, more) in shapes.iter().enumerate() {
                let all: Vec<_> =
                    own.iter().cloned().chain(more.iter().map(|(name, value)| (name.as_str(), value.clone()))).collect();
                let slipped = send_and_restore(&stage, who, row.request_kind, &path, &all).await;
                assert_same_effect(&format!("{who:?} {} shape {at}", row.path), &plain, &chance, &slipped, &values, &stage.base);
                refused += usize::from(slipped.status != plain.status);
                shaped += 1;
                requests += 1;
            }
            let pairs: Vec<_> = flat.iter().map(|(n, v)| (n.as_str(), v.as_str())).filter(|(n, _)| *n != "next").collect();
            let slipped = send_and_restore(&stage, who, row.request_kind, &with_query(&path, &form(&pairs)), &own).await;
            assert_same_effect(&format!("{who:?} {} in the address", row.path), &plain, &chance, &slipped, &values, &stage.base);
            requests += 1;
            // A strict JSON body is refused at its first unknown member, so each name is sent alone.
            for (name, value) in flat.iter().filter(|_| row.request_kind == RequestKind::Json) {
                let all: Vec<_> = own.iter().cloned().chain([(name.as_str(), value.clone())]).collect();
                let slipped = send_and_restore(&stage, who, row.request_kind, &path, &all).await;
                assert_eq!(slipped.status, 422, "{} {name}: {}", row.path, slipped.text);
                assert_same_effect(&format!("{} {name}", row.path), &plain, &chance, &slipped, &values, &stage.base);
                requests += 1;
            }
        }
        let names = fields.iter().map(|(_, name)| name).collect::<BTreeSet<_>>().len();
        println!("mass assignment: {names} names sent to {inputs} inputs in {requests} requests, {refused} of {shaped} with all of them refused");
        assert!(refused < shaped / 2, "most of them were read: otherwise this shows nothing");
    }

    /// CSRF: no form and no server function accepts a cross-origin request, even with the cookie of an allowed user.
    async fn other_origins_change_nothing(bench: TestServer) {
        const FOREIGN: [&[(&str, &str)]; 19] = [
            &[],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "https://127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1:3001")],
            &[("origin", "http://127.0.0.1")],
            &[("origin", "http://evil.127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1:3000.evil.example")],
            &[("origin", "http://user@127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1:3000/")],
            &[("origin", "HTTP://127.0.0.1:3000, https://evil.example")],
            &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")],
            &[("origin", "http://evil.127.0.0.1:3000"), ("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
            &[("sec-fetch-site", "same-origin, cross-site")],
            &[("referer", "http://127.0.0.1:3000/keys")],
        ];
        let stage = MatrixFixture::new(bench).await;
        let (mut targets, mut requests) = (0, 0);
        let mut ids = HashSet::new();
        for row in [rows::forms(), rows::variants(), rows::functions()].iter().flatten() {
            targets += 1;
            let (who, which) = authorized_cell(row);
            let at = stage.object(row.about, which);
            let (path, own) = (at.fill_path(&row.path), (row.fields)(&at));
            let accept = if row.request_kind == RequestKind::Call { "application/json" } else { "text/html" };
            for headers in FOREIGN {
                for (kind, body) in bodies(&own) {
                    let mut request = Request::post(&path).header("accept", accept).header("content-type", kind);
                    for (name, value) in headers {
                        request = request.header(*name, *value);
                    }
                    let page = stage.browser(who).send(request, body).await;
                    requests += 1;
                    assert_eq!(page.status, 403, "{path} {headers:?} {kind}: {}", page.text());
                    assert!(page.headers.get("set-cookie").is_none(), "{path} {headers:?} {kind}");
                    let wrong = response_headers::header_errors(&page, Responder::Browser, &mut ids);
                    assert!(wrong.is_empty(), "{path} {headers:?} {kind}: {wrong:?}");
                }
            }
            let after = stage.schema.read_state(&stage.bench).await;
            assert_eq!(stage.base.differences(&after, &[]), Vec::<String>::new(), "{path}");
            assert_eq!(after.events, stage.base.events, "{path}: an event was written");
        }
        println!("cross-site: {targets} targets x {} origins x 4 bodies = {requests} requests, none accepted", FOREIGN.len());
        // With this server's origin, or with `Sec-Fetch-Site: same-origin`, the same request is accepted.
        for row in [rows::forms(), rows::variants(), rows::functions()].iter().flatten() {
            let (who, which) = authorized_cell(row);
            let at = stage.object(row.about, which);
            let (path, own) = (at.fill_path(&row.path), (row.fields)(&at));
            let accept = if row.request_kind == RequestKind::Call { "application/json" } else { "text/html" };
            for (name, value) in [("origin", URL), ("sec-fetch-site", "same-origin")] {
                let request = Request::post(&path).header("accept", accept).header("content-type", FORM).header(name, value);
                let page = stage.browser(who).send(request, bodies(&own)[0].1.clone()).await;
                assert_eq!(page.status, row.expected(who, which).status, "{path} {name}: {}", page.text());
                stage.schema.restore(&stage.bench).await;
            }
        }
    }

    /// Every unsafe method requires this server's origin, and no GET does what a POST does.
    async fn other_methods_change_nothing(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let mut events = stage.base.events;
        for row in [rows::forms(), rows::variants(), rows::functions()].iter().flatten() {
            let (who, which) = authorized_cell(row);
            let at = stage.object(row.about, which);
            let (path, own) = (at.fill_path(&row.path), (row.fields)(&at));
            let body = bodies(&own)[0].1.clone();
            for method in [Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS, Method::HEAD, Method::GET, Method::TRACE] {
                for origin in [None, Some(URL)] {
                    let mut request = Request::builder().method(method.clone()).uri(with_query(&path, &body));
                    if let Some(origin) = origin {
                        request = request.header("origin", origin);
                    }
                    let request = request.header("content-type", FORM).header("accept", "*/*");
                    let page = stage.browser(who).send(request, body.clone()).await;
                    let expected = if method.is_safe() || origin.is_some() { page.status } else { 403 };
                    assert_eq!(page.status, expected, "{method} {path}: {}", page.text());
                    let fine = page.status < 500 && (page.status != 200 || method.is_safe());
                    assert!(fine, "{method} {path}: {}", page.status);
                }
            }
            let after = stage.schema.read_state(&stage.bench).await;
            // An administrator who opens the page of another user's project writes an audit event.
            let looks = who == CallerKind::Administrator && row.template.starts_with("/projects/{id}");
            let but_for: &[&str] = if looks { &["looks"] } else { &[] };
            assert_eq!(stage.base.differences(&after, but_for), Vec::<String>::new(), "{path}");
            let written = after.events - events;
            let newest = format!("SELECT action FROM audit_events ORDER BY seq DESC LIMIT {written}");
            let actions = if written == 0 { Vec::new() } else { stage.bench.query_texts(&newest).await };
            assert!(actions.iter().all(|it| looks && it == VIEWED_BY_ADMIN), "{path}: {actions:?}");
            events = after.events;
            if after.tables != stage.base.tables {
                stage.schema.restore(&stage.bench).await;
            }
        }
    }

    /// The headers of every status: of a page, a form, a server function, an API route, and a file.
    async fn headers_of_every_status(bench: TestServer) {
        let stage = MatrixFixture::new(bench).await;
        let mut ids = HashSet::new();
        let mut seen = BTreeSet::new();
        let mut check = |what: &str, page: &Page, side: Responder, status: u16| {
            assert_eq!(page.status, status, "{what}: {}", String::from_utf8_lossy(&page.bytes));
            let wrong = response_headers::header_errors(page, side, &mut ids);
            assert!(wrong.is_empty(), "{what} {status}: {}", wrong.join("\n"));
            seen.insert((status, side == Responder::Browser));
        };
        let (browser, program) = (Responder::Browser, Responder::Program);
        let home = stage.object(ObjectKind::Project, ObjectState::Home);
        let config = format!("/v1/projects/{}/config", home.id);
        let ours = |path: &str| Request::post(path.to_owned()).header("origin", URL).header("content-type", FORM);
        let send = async |who: CallerKind, request: axum::http::request::Builder, body: &str| {
            stage.browser(who).send(request, body.to_owned()).await
        };
        let get = |path: &str| Request::get(path.to_owned()).header("accept", "text/html");
        use CallerKind::{Anonymous, Operator, Owner};

        check("a page", &send(Owner, get("/keys"), "").await, browser, 200);
        check("a function", &send(Owner, ours("/api/keys/say_not_before"), "").await, browser, 200);
        check("a config", &stage.send(CallerKind::Program, RequestKind::Bearer, &config, &[]).await, program, 200);
        check("to the sign-in page", &send(Anonymous, get("/keys"), "").await, browser, 303);
        check("a sign-in", &send(Anonymous, ours("/login").header("accept", "text/html"), &form(&[("email", "viewer@pelagic.example"), ("password", PASSWORD)])).await, browser, 303);
        check("an anonymous call", &send(Anonymous, ours("/api/keys/say_not_before"), "").await, browser, 401);
        check("no token", &send(Anonymous, Request::get(&config), "").await, program, 401);
        let elsewhere = stage.object(ObjectKind::Project, ObjectState::Elsewhere);
        check("not an owner", &stage.send(Operator, RequestKind::Form, &format!("/projects/{}", home.id), &[("id", home.id.clone()), ("version", home.version.clone()), ("config", "{}".into())]).await, browser, 403);
        check("another origin", &send(Owner, Request::post("/logout").header("accept", "text/html"), "").await, browser, 403);
        check("another's", &send(Owner, get(&format!("/projects/{}", elsewhere.id)), "").await, browser, 404);
        check("no such function", &send(Owner, ours("/api/keys/nothing"), "").await, browser, 404);
        check("no such route", &send(Owner, get("/v1/nothing"), "").await, program, 404);
        check("no such file", &send(Owner, get("/pkg/nothing.js"), "").await, browser, 404);
        check("a method of pages", &send(Owner, Request::put("/keys").header("origin", URL).header("accept", "text/html"), "").await, browser, 405);
        check("a method of functions", &send(Owner, Request::put("/api/keys/called").header("origin", URL), "").await, browser, 405);
        check("a method of programs", &send(Owner, Request::delete("/v1/keys/verify"), "").await, program, 405);
        check("a plain form to a function", &send(Owner, ours("/api/keys/called").header("accept", "text/html"), "").await, browser, 406);
        check("a form number twice", &{
            let at = stage.object(ObjectKind::Project, ObjectState::Home);
            let row = rows::forms().into_iter().find(|row| row.template == "/keys/new").expect("a row");
            stage.send(Owner, RequestKind::Form, "/keys/new", &(row.fields)(&at)).await;
            stage.send(Owner, RequestKind::Form, "/keys/new", &(row.fields)(&at)).await
        }, browser, 409);
        let long = format!("name={}", "x".repeat(5 * 1024 * 1024));
        let length = long.len();
        check("too long a form", &send(Owner, ours("/keys/new").header("accept", "text/html").header("content-length", length), &long).await, browser, 413);
        check("too long a call", &send(Owner, ours("/api/keys/called").header("content-length", length), &long).await, browser, 413);
        check("too long a body", &send(Owner, Request::post("/v1/keys/verify").header("content-type", "application/json").header("content-length", length), &long).await, program, 413);
        check("not JSON", &send(Owner, Request::post("/v1/keys/verify").header("content-type", "text/plain"), "{}").await, program, 415);
        check("bad JSON", &send(Owner, Request::post("/v1/keys/verify").header("content-type", "application/json"), "{").await, program, 400);
        for path in ["/keys", "/api/keys/called", "/v1/keys/verify"] {
            // The host is checked before the route, so API routes and pages have the same response.
            check("a foreign host", &send(Owner, get(path).header("host", "evil.example"), "").await, program, 421);
        }
        check("a wrong form", &stage.send(Owner, RequestKind::Form, "/keys/new", &[("name", String::new())]).await, browser, 422);
        check("wrong arguments", &stage.send(Owner, RequestKind::Call, "/api/keys/called", &[("id", "x".into())]).await, browser, 422);
        check("a wrong body", &stage.send(Owner, RequestKind::Json, "/v1/keys/verify", &[("nothing", "x".into())]).await, program, 422);
        // Only failures from a client address lead to a pause of a minute, so these requests go over a socket.
        let port = listen(&stage.bench, "10.0.0.0/8").await;
        let wrong = form(&[("email", "operator@pelagic.example"), ("password", "not the tide at all")]);
        let mut paused = String::new();
        for _ in 0..8 {
            paused = send_form(port, "POST /login", &[], &wrong).await;
        }
        check("too many tries", &parse_response(paused.as_bytes()), browser, 429);
        // An internal error: the table does not exist.
        stage.bench.execute_sql("ALTER TABLE projects RENAME TO gone").await;
        check("a broken page", &send(Owner, get("/projects"), "").await, browser, 500);
        let key = stage.object(ObjectKind::Key, ObjectState::Home).id;
        check("a broken call", &stage.send(Owner, RequestKind::Call, "/api/keys/called", &[("id", key)]).await, browser, 500);
        check("a broken route", &stage.send(CallerKind::OtherProgram, RequestKind::Bearer, &config, &[]).await, program, 401);
        let body = [("secret_key", stage.object(ObjectKind::Key, ObjectState::Archived).secret)];
        check("a broken exchange", &stage.send(Anonymous, RequestKind::Json, "/authentication/token", &body).await, program, 503);
        stage.bench.execute_sql("ALTER TABLE sessions RENAME TO forgotten").await;
        check("no sessions, a page", &send(Owner, get("/keys"), "").await, browser, 503);
        check("no sessions, a call", &send(Owner, ours("/api/keys/say_not_before"), "").await, browser, 503);
        println!("headers: {} kinds of answer", seen.len());
    }

    /// Forwarding headers are accepted only from a trusted proxy, and the audit log has the correct client address.
    async fn forged_addresses(bench: TestServer) {
        bench.create_user("maren@pelagic.example", false).await;
        let mut read = 0;
        // The connections of this test come from 127.0.0.1.
        for (proxies, believed) in [("10.0.0.0/8", false), ("127.0.0.0/8", true)] {
            let port = listen(&bench, proxies).await;
            let cases: [(&[&str], &str); 13] = [
                (&[], "127.0.0.1"),
                (&["X-Forwarded-For: 203.0.113.7"], "203.0.113.7"),
                (&["x-FORWARDED-for: 203.0.113.7"], "203.0.113.7"),
                (&["Forwarded: for=203.0.113.7"], "203.0.113.7"),
                (&["Forwarded: for=\"[2001:db8::7]:4711\""], "2001:db8::7"),
                (&["X-Forwarded-For: 198.51.100.1, 203.0.113.7"], "203.0.113.7"),
                (&["X-Forwarded-For: 198.51.100.1", "X-Forwarded-For: 203.0.113.7"], "203.0.113.7"),
                (&["X-Forwarded-For: 203.0.113.7, 127.0.0.2"], "203.0.113.7"),
                (&["X-Forwarded-For: 203.0.113.7", "Forwarded: for=198.51.100.1"], "127.0.0.1"),
                (&["X-Forwarded-For: nonsense"], "127.0.0.1"),
                (&["X-Forwarded-For: 203.0.113.7, "], "127.0.0.1"),
                (&["Forwarded: by=203.0.113.7"], "127.0.0.1"),
                (&["X-Real-IP: 203.0.113.7", "CF-Connecting-IP: 203.0.113.7", "True-Client-IP: 203.0.113.7", "Client-IP: 203.0.113.7"], "127.0.0.1"),
            ];
            for (headers, expected) in cases {
                // Advances the clock, so that no attempt is throttled.
                bench.clock.advance(3_600);
                let answer = send_form(port, "POST /login", headers, &form(&[("email", "maren@pelagic.example"), ("password", "wrong tide")])).await;
                assert!(answer.starts_with("HTTP/1.1 422"), "{headers:?}: {answer}");
                let expected = if believed { expected } else { "127.0.0.1" };
                let ips = bench.query_texts("SELECT COALESCE(ip, '') FROM audit_events ORDER BY seq DESC LIMIT 1").await;
                assert_eq!(ips, [expected], "{headers:?}, proxies {proxies}");
                let lower = answer.to_lowercase();
                assert!(!lower.contains("\r\nserver:") && !lower.contains("\r\nx-powered-by:"), "{answer}");
                read += 1;
            }
        }
        assert_eq!(read, 26);
    }

    /// Every spelling of a foreign host is refused. Repeated and contradictory host headers are refused too.
    async fn forged_hosts(bench: TestServer) {
        bench.create_user("maren@pelagic.example", false).await;
        const HOST: &str = "127.0.0.1:3000";
        for (proxies, believed) in [("10.0.0.0/8", false), ("127.0.0.0/8", true)] {
            let port = listen(&bench, proxies).await;
            let if_believed = |status: u16, otherwise: u16| if believed { status } else { otherwise };
            let cases: [(&str, &[&str], u16); 19] = [
                ("/login", &["Host: 127.0.0.1:3000"], 200),
                ("/login", &["hOsT: 127.0.0.1:3000"], 200),
                ("/login", &["Host: evil.example"], 421),
                ("/login", &["Host: evil.example, 127.0.0.1:3000"], 400),
                ("/login", &["Host: 127.0.0.1:3000, evil.example"], 400),
                ("/login", &["Host: evil.example@127.0.0.1:3000"], 400),
                ("/login", &["Host: "], 421),
                ("/login", &[], 400),
                ("/login", &["Host: 127.0.0.1:3000", "Host: evil.example"], 400),
                ("/login", &["Host: evil.example", "Host: 127.0.0.1:3000"], 400),
                ("/login", &["Host: 127.0.0.1:3000", "Host: 127.0.0.1:3000"], 400),
                ("http://evil.example/login", &["Host: 127.0.0.1:3000"], 421),
                ("http://127.0.0.1:3000/login", &["Host: 127.0.0.1:3000"], 200),
                ("http://evil.example/login", &["Host: evil.example"], 421),
                ("/login", &["Host: 127.0.0.1:3000", "X-Forwarded-Host: evil.example"], if_believed(421, 200)),
                ("/login", &["Host: 127.0.0.1:3000", "Forwarded: for=1.2.3.4;host=evil.example"], if_believed(421, 200)),
                ("/login", &["Host: inside:8080", "X-Forwarded-Host: 127.0.0.1:3000"], if_believed(200, 421)),
                ("/login", &["Host: inside:8080", "Forwarded: for=1.2.3.4;host=\"127.0.0.1:3000\""], if_believed(200, 421)),
                ("/login", &["Host: 127.0.0.1:3000", "X-Forwarded-Proto: https", "X-Forwarded-Port: 443", "X-Original-URL: /admin/keys", "X-Rewrite-URL: /admin/keys"], 200),
            ];
            for (target, headers, status) in cases {
                let answer = send_lines(port, &format!("GET {target}"), headers, "").await;
                assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{target} {headers:?}, proxies {proxies}: {answer}");
                assert!(!answer.contains("evil") && !answer.contains("inside"), "{target} {headers:?}: it is repeated: {answer}");
            }
        }
        assert_eq!(HOST, URL.trim_start_matches("http://"));
    }
}

/// Encodes the same fields in each way that a browser or a script of another origin can send.
fn bodies(fields: &[(&'static str, String)]) -> [(&'static str, String); 4] {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let json: serde_json::Map<_, _> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let part = |(name, value): &(&str, &str)| {
        format!("--tide\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let parts: String = pairs.iter().map(part).collect();
    let lines: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    [
        (FORM, form(&pairs)),
        ("text/plain", lines.join("\r\n")),
        ("application/json", Value::Object(json).to_string()),
        ("multipart/form-data; boundary=tide", format!("{parts}--tide--\r\n")),
    ]
}

/// Starts another listener for this service that trusts these proxies, and returns its port.
async fn listen(bench: &TestServer, proxies: &str) -> u16 {
    let trusted_proxies = vec![proxies.parse().expect("a network")];
    let app = bench.app.with_config(Config { trusted_proxies, ..crate::support::config(URL) });
    let router = router(AppState::new(app));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(serve(listener, router, std::future::pending()));
    port
}

/// Sends a request with exactly these lines and returns the whole response.
async fn send_lines(port: u16, what: &str, headers: &[&str], body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("it listens");
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    let text = format!(
        "{what} HTTP/1.1\r\n{headers}Accept: text/html\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await.expect("it is sent");
    let mut answer = Vec::new();
    // The server may close the connection as soon as it has refused the request.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a same-origin form with more headers.
async fn send_form(port: u16, what: &str, more: &[&str], body: &str) -> String {
    let kind = format!("Content-Type: {FORM}");
    let origin = format!("Origin: {URL}");
    let headers = [&["Host: 127.0.0.1:3000", origin.as_str(), kind.as_str()], more].concat();
    send_lines(port, what, &headers, body).await
}

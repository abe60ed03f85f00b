//! The management API: permissions, responses, and the stored state after each request.

use crate::support::{
    TestServer,
    browser::{Browser, Page},
    test_data::{CreatedKey, KeyForms as _, change_any_key, change_key},
};
use axum::http::{Method, Request};
use keyward::{
    domain::{
        ids::{KeyId, ProjectId},
        transition::Transition,
    },
    service::{
        actor::Caller,
        keys::KeyDraft,
        tokens::{Target, TokenParameters},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

const MAREN: &str = "maren@pelagic.example";
const READ: &str = "keyward:keys.read";
const WRITE: &str = "keyward:keys.write";

/// Creates a key with these scopes. `more` changes the draft.
async fn create_key(
    bench: &TestServer,
    caller: &Caller,
    scopes: &[&str],
    more: impl FnOnce(&mut KeyDraft),
) -> CreatedKey {
    let project = bench.project_of(caller).await;
    let mut draft = bench.draft(project, "Manager");
    draft.scopes = scopes.iter().map(|it| (*it).to_owned()).collect();
    more(&mut draft);
    let (key, secret) = bench.app.keys.create_from(caller, draft).await.expect("a key is made");
    CreatedKey { id: key.id, project, secret: secret.expose().to_owned() }
}

/// Returns a management token with these scopes.
async fn token(bench: &TestServer, made: &CreatedKey, scopes: &[&str]) -> String {
    let wish = TokenParameters { life: None, scopes: Some(scopes), target: Target::ByScopes };
    let ip = Some("10.1.2.3".parse().unwrap());
    bench.app.tokens.exchange(&made.secret, ip, &wish).await.unwrap().expect("a token").access_token
}

/// Returns a key with all management scopes, and its token.
async fn manager(bench: &TestServer, caller: &Caller) -> (CreatedKey, String) {
    let made = create_key(bench, caller, &[READ, WRITE, "data:read"], |_| ()).await;
    let token = token(bench, &made, &[READ, WRITE]).await;
    (made, token)
}

async fn call(
    bench: &TestServer,
    method: &str,
    path: &str,
    token: &str,
    heads: &[(&str, &str)],
    body: Option<&Value>,
) -> Page {
    let mut program: Browser = bench.browser();
    let mut request = Request::builder().method(method.parse::<Method>().unwrap()).uri(path);
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in heads {
        request = request.header(*name, *value);
    }
    if body.is_some() {
        request = request.header("content-type", "application/json");
    }
    program.send(request, body.map(ToString::to_string).unwrap_or_default()).await
}

async fn get(bench: &TestServer, path: &str, token: &str) -> Page {
    call(bench, "GET", path, token, &[], None).await
}

fn keys_path(project: ProjectId) -> String {
    format!("/v1/projects/{project}/keys")
}

fn key_path(project: ProjectId, id: impl std::fmt::Display) -> String {
    format!("/v1/projects/{project}/keys/{id}")
}

/// Every endpoint with its required scope and a valid request body.
fn addresses(
    project: impl std::fmt::Display,
    key: impl std::fmt::Display,
) -> Vec<(&'static str, String, &'static str, Option<Value>)> {
    let key = format!("/v1/projects/{project}/keys/{key}");
    vec![
        ("GET", format!("/v1/projects/{project}"), READ, None),
        ("GET", format!("/v1/projects/{project}/keys"), READ, None),
        ("GET", key.clone(), READ, None),
        ("POST", format!("/v1/projects/{project}/keys"), WRITE, Some(json!({"name": "Made"}))),
        ("PATCH", key.clone(), WRITE, Some(json!({"name": "Renamed"}))),
        ("POST", format!("{key}/deactivate"), WRITE, None),
        ("POST", format!("{key}/activate"), WRITE, None),
        ("DELETE", key.clone(), WRITE, None),
        ("POST", format!("{key}/restore"), WRITE, None),
    ]
}

/// The stored keys, and the number of audit events.
async fn stored(bench: &TestServer) -> (Vec<String>, i64) {
    let sql = "SELECT name || scopes || networks || COALESCE(CAST(expires_at AS TEXT), '-') || CAST(active AS TEXT) \
        || COALESCE(CAST(deleted_at AS TEXT), '-') || CAST(updated_at AS TEXT) FROM keys ORDER BY id";
    (bench.query_texts(sql).await, bench.query_number("SELECT COUNT(*) FROM audit_events").await)
}

const ANY: &[(&str, &str)] = &[("if-match", "*")];

on_both_engines! {
    /// Denied callers: no credential, the secret itself, a token for the project, a token without the scope, and a key
    /// that is no longer valid.
    ///
    /// Each response has its challenge, and nothing changes.
    async fn who_may_not(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let target = bench.create_key(&maren, "Target").await;
        let reader = token(&bench, &made, &[READ]).await;
        let writer = token(&bench, &made, &[WRITE]).await;
        let project = bench.browser().json("/authentication/token", &json!({"secret_key": made.secret})).await;
        let project = project.json()["access_token"].as_str().unwrap().to_owned();
        let before = stored(&bench).await;
        for (method, path, scope, body) in addresses(made.project, target.id) {
            let ask = async |token: &str| call(&bench, method, &path, token, ANY, body.as_ref()).await;
            for (token, status, code, error) in [
                ("", 401, "missing_token", ""),
                ("nonsense", 401, "invalid_token", "invalid_token"),
                (made.secret.as_str(), 401, "invalid_token", "invalid_token"),
                (project.as_str(), 401, "wrong_audience", "invalid_token"),
                (if scope == READ { &writer } else { &reader }, 403, "missing_scope", "insufficient_scope"),
            ] {
                let page = ask(token).await;
                assert_eq!((page.status, page.problem().as_str()), (status, code), "{method} {path}");
                let challenge = page.header("www-authenticate");
                assert!(challenge.starts_with(r#"Bearer realm="management""#), "{challenge}");
                let metadata = format!("{}/.well-known/oauth-protected-resource/v1", crate::support::URL);
                let end = format!(r#", scope="{scope}", resource_metadata="{metadata}""#);
                assert!(challenge.ends_with(&end), "{challenge}");
                let named = challenge.split(r#"error=""#).nth(1).and_then(|it| it.split('"').next()).unwrap_or_default();
                assert_eq!(named, error, "{method} {path}");
            }
            // The key has the scope, but the token does not.
            let page = ask(if scope == READ { &writer } else { &reader }).await.json();
            assert!(page["detail"].as_str().unwrap().starts_with("This token does not have the scope"), "{page}");
            let both = [("authorization", "Bearer a"), ("authorization", "Bearer b")];
            let page = call(&bench, method, &path, "", &both, body.as_ref()).await;
            assert_eq!((page.status, page.problem().as_str()), (400, "several_credentials"));
        }
        assert_eq!(stored(&bench).await, before, "nothing has changed");

        // The key of the token becomes invalid, by each of its restrictions.
        let now = bench.app.context.now().micros();
        let id = bench.literal(made.id);
        for (sql, code) in [
            (format!("UPDATE keys SET expires_at = {now} WHERE id = {id}"), "expired"),
            (format!("UPDATE keys SET not_before = {} WHERE id = {id}", now + 1), "not_yet_valid"),
            (format!("UPDATE keys SET active = (1 = 0) WHERE id = {id}"), "inactive"),
            (format!("UPDATE projects SET archived_at = {now}"), "project_archived"),
            (format!("UPDATE keys SET deleted_at = {now} WHERE id = {id}"), "deleted"),
        ] {
            let sql = if matches!(bench.location, keyward::store::Location::Sqlite(_)) { sql.replace("(1 = 0)", "0") } else { sql };
            bench.execute_sql(&sql).await;
            let before = stored(&bench).await;
            for (method, path, _, body) in addresses(made.project, target.id) {
                let page = call(&bench, method, &path, &full, ANY, body.as_ref()).await;
                assert_eq!((page.status, page.problem().as_str()), (401, code), "{method} {path}");
            }
            assert_eq!(stored(&bench).await, before, "nothing has changed");
        }
    }

    /// Another project and its content look missing: the responses are equal to the byte.
    async fn what_is_anothers_is_missing(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let tove = bench.create_user("tove@drift.example", false).await;
        let (made, full) = manager(&bench, &maren).await;
        let theirs = bench.create_key(&tove, "Theirs").await;
        let before = stored(&bench).await;
        let mut missing: Option<(Vec<u8>, Vec<String>)> = None;
        let nil = Uuid::nil();
        let random = Uuid::from_bytes(crate::support::random());
        let of = |project: String, key: String| addresses(project, key);
        let cases = [
            of(nil.to_string(), nil.to_string()),
            of(random.to_string(), random.to_string()),
            of(theirs.project.to_string(), theirs.id.to_string()),
            of(theirs.project.to_string(), made.id.to_string()),
            of("nonsense".into(), "nonsense".into()),
            of(Uuid::from(made.project).simple().to_string(), made.id.to_string()),
        ];
        for (method, path, _, body) in cases.into_iter().flatten() {
            let page = call(&bench, method, &path, &full, ANY, body.as_ref()).await;
            assert_eq!((page.status, page.problem().as_str()), (404, "not_found"), "{method} {path}");
            let heads = page.headers.iter().filter(|(name, _)| *name != "x-request-id");
            let seen = (page.bytes.clone(), heads.map(|(name, value)| format!("{name}: {value:?}")).collect());
            assert_eq!(missing.get_or_insert_with(|| seen.clone()), &seen, "{method} {path}");
        }
        // In the program's own project: a key of another project, or none.
        for key in [theirs.id.to_string(), random.to_string(), "nonsense".into()] {
            let of_key = addresses(made.project, &key).into_iter().filter(|(_, path, ..)| path.contains(&key));
            for (method, path, _, body) in of_key {
                let page = call(&bench, method, &path, &full, ANY, body.as_ref()).await;
                assert_eq!((page.status, &page.bytes), (404, &missing.as_ref().unwrap().0), "{method} {path}");
            }
        }
        assert_eq!(stored(&bench).await, before, "nothing has changed");
    }

    /// The responses for the project and its keys.
    async fn reading(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let body = get(&bench, "/v1/projects", &full).await.json();
        assert_eq!(body["projects"].as_array().unwrap().len(), 1);
        assert_eq!(body["projects"][0]["project_id"], made.project.to_string());
        let page = get(&bench, &format!("/v1/projects/{}", made.project), &full).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"));
        assert_eq!(page.json(), body["projects"][0]);
        assert_eq!(page.json()["keys"], 1);
        let page = get(&bench, &key_path(made.project, made.id), &full).await;
        assert_eq!((page.status, page.header("etag").len() > 2), (200, true));
        let body = page.json();
        assert_eq!((&body["name"], &body["status"], &body["created_by"]), (&json!("Manager"), &json!("active"), &json!("maren")));
        assert_eq!(body["scopes"], json!([READ, WRITE, "data:read"]));
        assert_eq!((&body["rate_limit"], &body["gone_at"]), (&Value::Null, &Value::Null));
        assert!(!page.text().contains(&made.secret[12..]), "no secret");
    }

    /// Pages and filters of a list.
    async fn listing(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        for n in 0..7 {
            let more = json!({"name": format!("Boje {n} 100%"), "issued_to": if n % 2 == 0 { "Ada" } else { "Ægir" }});
            // Two keys that are created in one millisecond have no defined order.
            bench.clock.advance(1);
            assert_eq!(call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&more)).await.status, 201);
        }
        let (mut cursor, mut names) = (String::new(), Vec::new());
        for _ in 0..4 {
            let page = get(&bench, &format!("{}?limit=3{cursor}", keys_path(made.project)), &full).await.json();
            assert_eq!(page["total"], 8);
            names.extend(page["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
            if names.len() == 3 {
                // A key that is created between two pages moves no other key.
                let more = json!({"name": "Late"});
                assert_eq!(call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&more)).await.status, 201);
                bench.execute_sql("DELETE FROM keys WHERE name = 'Late'").await;
            }
        }
        let newest: Vec<_> = (0..7).rev().map(|n| format!("Boje {n} 100%")).chain(["Manager".into()]).collect();
        assert_eq!(names, newest);
        let count = async |query: &str| {
            let page = get(&bench, &format!("{}?{query}", keys_path(made.project)), &full).await;
            assert_eq!(page.status, 200, "{query}: {}", page.text());
            (page.json()["keys"].as_array().unwrap().len(), page.json()["total"].as_i64().unwrap())
        };
        assert_eq!(count("issued_to=Ada").await, (4, 4));
        assert_eq!(count("issued_to=ada").await, (0, 0));
        assert_eq!(count("text=ada").await, (4, 4));
        assert_eq!(count("text=%C3%86gir").await, (3, 3));
        assert_eq!(count("text=BOJE%203").await, (1, 1));
        assert_eq!(count("text=100%25").await, (7, 7));
        assert_eq!(count("text=_oje").await, (0, 0), "a pattern is a text here");
        assert_eq!(count("text=kw_live_&limit=2").await, (2, 8));
        assert_eq!(count("environment=test").await, (0, 0));
        assert_eq!(count("status=active&environment=live").await, (8, 8));
        assert_eq!(count("status=deleted").await, (0, 0));
        let one = get(&bench, &format!("{}?text=Boje%203", keys_path(made.project)), &full).await.json();
        let id = one["keys"][0]["key_id"].as_str().unwrap().to_owned();
        assert_eq!(call(&bench, "DELETE", &key_path(made.project, &id), &full, &[], None).await.status, 200);
        assert_eq!(count("status=deleted").await, (1, 1));
        assert_eq!(count("").await, (7, 7));
        for wrong in ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=bm9uZQ", "status=lost", "sort=name", "text=a&text=b"] {
            let page = get(&bench, &format!("{}?{wrong}", keys_path(made.project)), &full).await;
            assert_eq!(page.status, 422, "{wrong}");
            assert!(["invalid_query", "invalid"].contains(&page.problem().as_str()), "{wrong}");
        }
    }

    /// A created key works and names its maker. Only this one response has its secret.
    async fn making(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let request = json!({
            "name": "Nightly", "scopes": ["data:read"], "issued_to": "crew", "networks": ["203.0.113.0/24"],
            "expires_in_days": 7, "rate_limit": "100/minute,burst=20",
        });
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&request)).await;
        assert_eq!((page.status, page.header("cache-control")), (201, "no-store"), "{}", page.text());
        let body = page.json();
        let (id, secret) = (body["key_id"].as_str().unwrap(), body["secret"].as_str().unwrap());
        assert_eq!(page.header("location"), key_path(made.project, id));
        let shown = get(&bench, page.header("location"), &full).await;
        assert_eq!(shown.header("etag"), page.header("etag"));
        let mut without = body.clone();
        without.as_object_mut().unwrap().remove("secret");
        assert_eq!(shown.json(), without);
        assert_eq!((&body["created_by"], &body["rate_limit"]), (&json!("Manager"), &json!("100/minute,burst=20")));
        let verdict = bench.browser().json("/v1/keys/verify", &json!({"key": secret, "ip": "203.0.113.9"})).await.json();
        assert_eq!((&verdict["valid"], &verdict["key_id"]), (&json!(true), &json!(id)));
        let sql = "SELECT actor || ' ' || actor_name || ' ' || acting || ' ' || target FROM audit_events WHERE action = 'key.created' ORDER BY seq DESC";
        assert_eq!(bench.query_texts(sql).await[0], format!("key:{} Manager program key:{id}", made.id));
        for text in bench.query_texts("SELECT detail FROM audit_events").await {
            assert!(!text.contains(&secret[12..]), "no secret in the log");
        }

        // Omitted members have the values of the maker.
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "Plain"}))).await.json();
        assert_eq!((&page["scopes"], &page["networks"], &page["environment"]), (&json!([]), &json!([]), &json!("live")));
        assert_eq!(page["expires_at"], get(&bench, &key_path(made.project, made.id), &full).await.json()["expires_at"]);

        // All errors of a body at once, and unknown members.
        let kept = stored(&bench).await;
        let wrong = json!({"name": " ", "scopes": ["a b"], "networks": ["10.0.0.1/8"], "not_before": "soon", "rate_limit": "often", "expires_at": "2020-01-01T00:00:00Z"});
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&wrong)).await;
        assert_eq!((page.status, page.problem().as_str()), (422, "invalid"));
        let names: Vec<_> = page.json()["errors"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect();
        assert_eq!(names, ["name", "scopes", "expires_at", "networks", "not_before", "rate_limit"]);
        for (body, status, code) in [
            (json!({}), 422, "invalid_body"),
            (json!({"name": "A", "secret": "x"}), 422, "invalid_body"),
            (json!({"name": "A", "created_by": "x"}), 422, "invalid_body"),
            (json!({"name": "A", "networks": null}), 422, "invalid_body"),
            (json!({"name": "A", "environment": "moon"}), 422, "invalid_body"),
            (json!({"name": "A", "environment": null}), 422, "invalid_body"),
            (json!({"name": "A", "environment": {"live": null}}), 422, "invalid_body"),
            (json!({"name": "A", "expires_in_days": 3, "expires_at": null}), 422, "invalid_body"),
            (json!({"name": "A", "expires_in_days": 0}), 422, "invalid"),
            (json!({"name": "A", "scopes": ["data:none"]}), 403, "wider_than_maker"),
            (json!(["A"]), 422, "invalid_body"),
        ] {
            let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&body)).await;
            assert_eq!((page.status, page.problem().as_str()), (status, code), "{body}");
        }
        // An error names the member as it was sent, whichever rule failed. A missing member is named too.
        bench.execute_sql("UPDATE policy SET key_life_max = 30").await;
        let late = keyward::service::time_format::rfc3339(bench.app.context.now().plus_seconds(60 * 86_400));
        for (member, value) in [("expires_in_days", json!(60)), ("expires_at", json!(late))] {
            let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "A", member: value}))).await;
            assert_eq!((page.status, &page.json()["errors"][0]["name"]), (422, &json!(member)), "{}", page.text());
        }
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({}))).await.json();
        assert!(page["detail"].as_str().unwrap().contains("the field name is missing"), "{page}");
        bench.execute_sql("UPDATE policy SET keys_per_project = 1").await;
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "One more"}))).await;
        assert_eq!((page.status, page.problem().as_str()), (409, "conflict"));
        assert_eq!(stored(&bench).await, kept, "nothing has changed");
    }

    /// One idempotency key creates one key. Each program has its own idempotency keys.
    async fn making_once(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let (_, other) = manager(&bench, &maren).await;
        let number = [("idempotency-key", "\"night of the 21st\"")];
        let request = json!({"name": "Once", "scopes": ["data:read"]});
        let first = call(&bench, "POST", &keys_path(made.project), &full, &number, Some(&request)).await;
        assert_eq!(first.status, 201);
        let kept = stored(&bench).await;
        let again = call(&bench, "POST", &keys_path(made.project), &full, &number, Some(&request)).await;
        assert_eq!((again.status, again.problem().as_str()), (409, "already_made"));
        assert_eq!(again.header("x-keyward-key-id"), first.json()["key_id"].as_str().unwrap());
        assert!(!again.text().contains("kw_live"));
        for other in [json!({"name": "Once"}), json!({"name": "Twice", "scopes": ["data:read"]})] {
            let page = call(&bench, "POST", &keys_path(made.project), &full, &number, Some(&other)).await;
            assert_eq!((page.status, page.problem().as_str()), (422, "idempotency_key_reused"));
        }
        assert_eq!(stored(&bench).await, kept, "nothing has changed");
        let digest = bench.query_blobs("SELECT request_digest FROM keys WHERE request_digest IS NOT NULL").await;
        assert_eq!((digest.len(), digest[0].len()), (1, 32));
        assert_eq!(call(&bench, "POST", &keys_path(made.project), &other, &number, Some(&request)).await.status, 201);
        for wrong in [vec![("idempotency-key", "")], vec![("idempotency-key", "a"), ("idempotency-key", "b")]] {
            let page = call(&bench, "POST", &keys_path(made.project), &full, &wrong, Some(&request)).await;
            assert_eq!((page.status, page.problem().as_str()), (400, "invalid_idempotency_key"));
        }
        // A timestamp that was in the future at the first request.
        let soon = keyward::service::time_format::rfc3339(bench.app.context.now().plus_seconds(60));
        let number = [("idempotency-key", "soon")];
        let timed = json!({"name": "Soon", "not_before": soon});
        assert_eq!(call(&bench, "POST", &keys_path(made.project), &full, &number, Some(&timed)).await.status, 201);
        bench.clock.advance(61);
        let again = call(&bench, "POST", &keys_path(made.project), &full, &number, Some(&timed)).await;
        assert_eq!((again.status, again.problem().as_str()), (409, "already_made"));
        // Concurrent requests.
        let number = [("idempotency-key", "at once")];
        let path = keys_path(made.project);
        let ask = || call(&bench, "POST", &path, &full, &number, Some(&request));
        let (a, b, c) = futures::join!(ask(), ask(), ask());
        let mut all = [a.status, b.status, c.status];
        all.sort_unstable();
        assert_eq!(all, [201, 409, 409]);
    }

    /// A new key with more privileges than its maker is denied by name, and nothing is created.
    async fn what_is_made_is_no_wider(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let narrow = |draft: &mut KeyDraft| {
            draft.restrictions.networks = "10.0.0.0/8".into();
            draft.expires = "30d".into();
            draft.environment = "test".into();
        };
        let made = create_key(&bench, &maren, &[READ, WRITE, "data:read"], narrow).await;
        let full = token(&bench, &made, &[READ, WRITE]).await;
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "As its maker"}))).await;
        assert_eq!(page.status, 201, "{}", page.text());
        let own = get(&bench, &key_path(made.project, made.id), &full).await.json();
        for member in ["networks", "expires_at", "environment"] {
            assert_eq!(page.json()[member], own[member], "{member}");
        }
        let kept = stored(&bench).await;
        for (member, value, named) in [
            ("scopes", json!(["data:read", "data:write"]), "scopes"),
            ("networks", json!([]), "networks"),
            ("networks", json!(["10.0.0.0/8", "192.0.2.7"]), "networks"),
            ("networks", json!(["10.0.0.0/7"]), "networks"),
            ("environment", json!("live"), "environment"),
            ("expires_in_days", json!(31), "expires_at"),
            ("expires_at", json!(null), "expires_at"),
        ] {
            let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "Wider", member: value}))).await;
            assert_eq!((page.status, page.problem().as_str()), (403, "wider_than_maker"), "{member}");
            assert_eq!(page.json()["errors"][0]["name"], named);
        }
        assert_eq!(stored(&bench).await, kept, "nothing has changed");
        // A new key gets no more management scopes than the token has.
        let writer = token(&bench, &made, &[WRITE]).await;
        for (scopes, status) in [(json!([READ]), 403), (json!([WRITE]), 201), (json!(["data:read"]), 201)] {
            let page = call(&bench, "POST", &keys_path(made.project), &writer, &[], Some(&json!({"name": "Deputy", "scopes": scopes}))).await;
            assert_eq!(page.status, status, "{scopes}");
        }
        // A new key cannot get a scope that the project no longer offers.
        bench.execute_sql("UPDATE scopes SET in_default = (1 = 0) WHERE name = 'data:read'").await;
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "Late", "scopes": ["data:read"]}))).await;
        assert_eq!((page.status, page.problem().as_str()), (422, "invalid"));
    }

    /// An edit starts from a version, adds no privileges, and writes what it changed to the audit log.
    async fn editing(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let target = create_key(&bench, &maren, &["data:write"], |draft| draft.restrictions.networks = "10.0.0.0/8".into()).await;
        let path = key_path(target.project, target.id);
        let tag = get(&bench, &path, &full).await.header("etag").to_owned();
        let kept = stored(&bench).await;
        let edit = async |heads: &[(&str, &str)], body: Value| call(&bench, "PATCH", &path, &full, heads, Some(&body)).await;
        for (heads, status, code) in [
            (vec![], 428, "if_match_required"),
            (vec![("if-match", "\"1\"")], 412, "changed_meanwhile"),
            (vec![("if-match", "W/\"1\"")], 412, "changed_meanwhile"),
        ] {
            let page = edit(&heads, json!({"name": "Renamed"})).await;
            assert_eq!((page.status, page.problem().as_str()), (status, code));
        }
        let matching = [("if-match", tag.as_str())];
        for (body, status, code) in [
            (json!({}), 422, "invalid_body"),
            (json!({"project_id": Uuid::nil()}), 422, "invalid_body"),
            (json!({"environment": "test"}), 422, "invalid_body"),
            (json!({"name": ""}), 422, "invalid"),
            // The key has privileges that the program does not have. They may be removed, but none may be added.
            (json!({"scopes": ["data:write", "data:read"]}), 403, "wider_than_maker"),
            (json!({"networks": []}), 403, "wider_than_maker"),
            (json!({"expires_at": null}), 403, "wider_than_maker"),
            (json!({"scopes": ["data:read"], "expires_at": null}), 403, "wider_than_maker"),
        ] {
            let page = edit(&matching, body.clone()).await;
            assert_eq!((page.status, page.problem().as_str()), (status, code), "{body}");
        }
        assert_eq!(stored(&bench).await, kept, "nothing has changed");
        let page = edit(&matching, json!({"name": "Renamed", "networks": ["10.1.0.0/16"], "rate_limit": "5/hour"})).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert_ne!(page.header("etag"), tag);
        let body = page.json();
        assert_eq!((&body["name"], &body["networks"], &body["scopes"]), (&json!("Renamed"), &json!(["10.1.0.0/16"]), &json!(["data:write"])));
        assert_eq!(bench.key_row(target.id).await.unwrap().rate_limit.as_deref(), Some("5/hour"));
        assert_eq!(edit(&matching, json!({"name": "Again"})).await.status, 412);
        assert_eq!(edit(ANY, json!({"rate_limit": null})).await.status, 403, "it would be used more often");
        // Within the program's own privileges, every edit is allowed.
        let page = edit(ANY, json!({"scopes": ["data:read"], "networks": [], "rate_limit": null})).await;
        assert_eq!((page.status, &page.json()["networks"]), (200, &json!([])));
        let actors = bench.query_texts("SELECT actor || ' ' || acting FROM audit_events WHERE action = 'key.edited' ORDER BY seq").await;
        assert_eq!(actors, vec![format!("key:{} program", made.id); 2]);

        // Its own key: privileges can only be removed.
        let own = key_path(made.project, made.id);
        let myself = async |body: Value| call(&bench, "PATCH", &own, &full, ANY, Some(&body)).await.status;
        assert_eq!(myself(json!({"scopes": [READ, WRITE, "data:read", "data:write"]})).await, 403);
        assert_eq!(myself(json!({"expires_at": null})).await, 403);
        // The rate limit is not a privilege: the program could create another key without a limit.
        assert_eq!(myself(json!({"rate_limit": "9/second"})).await, 200);
        assert_eq!(myself(json!({"rate_limit": null})).await, 200);
        assert_eq!(myself(json!({"scopes": [READ, WRITE], "name": "Less"})).await, 200);
        assert_eq!(myself(json!({"scopes": [READ, WRITE, "data:read"]})).await, 403, "what was given up is gone");
        assert_eq!(myself(json!({"scopes": [READ]})).await, 200);
        assert_eq!(myself(json!({"scopes": [READ, WRITE]})).await, 403);
    }

    /// Deactivation and activation, as stored and as verified. A key with more privileges stays inactive.
    async fn stopping_and_starting(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "Buoy", "scopes": ["data:read"]}))).await.json();
        let (id, secret) = (page["key_id"].as_str().unwrap().to_owned(), page["secret"].as_str().unwrap().to_owned());
        let key_id: KeyId = id.parse().unwrap();
        let path = key_path(made.project, &id);
        let verdict = async || {
            let response = bench.browser().json("/v1/keys/verify", &json!({"key": secret})).await.json();
            response["code"].as_str().unwrap_or("good").to_owned()
        };
        for (verb, status, code, event) in [
            ("deactivate", "inactive", "inactive", "key.deactivated"),
            ("deactivate", "inactive", "inactive", "key.deactivated"),
            ("activate", "active", "good", "key.activated"),
            ("delete", "deleted", "deleted", "key.deleted"),
            ("delete", "deleted", "deleted", "key.deleted"),
            ("restore", "active", "good", "key.restored"),
        ] {
            let page = match verb {
                "delete" => call(&bench, "DELETE", &path, &full, &[], None).await,
                verb => call(&bench, "POST", &format!("{path}/{verb}"), &full, &[], None).await,
            };
            assert_eq!((page.status, &page.json()["status"]), (200, &json!(status)), "{verb}");
            assert_eq!(page.json()["gone_at"].is_string(), status == "deleted");
            assert_eq!(verdict().await, code, "{verb}");
            assert_eq!(bench.events(event).await, 1, "{verb} twice is one change");
            // The same request with the old entity tag succeeds, because nothing is left to change.
            let (method, to) = if verb == "delete" { ("DELETE", path.clone()) } else { ("POST", format!("{path}/{verb}")) };
            assert_eq!(call(&bench, method, &to, &full, &[("if-match", "\"1\"")], None).await.status, 200, "{verb}");
            let row = bench.key_row(key_id).await.unwrap();
            assert_eq!((row.active, row.deleted_at.is_some()), (status != "inactive", status == "deleted"));
        }
        // Only the version that the program has read is changed.
        let kept = stored(&bench).await;
        let tag = get(&bench, &path, &full).await.header("etag").to_owned();
        for (method, to) in [("POST", "/deactivate"), ("DELETE", "")] {
            for stale in ["\"1\"", "W/\"1\"", ""] {
                let page = call(&bench, method, &format!("{path}{to}"), &full, &[("if-match", stale)], None).await;
                assert_eq!((page.status, page.problem().as_str()), (412, "changed_meanwhile"), "{stale}");
            }
        }
        assert_eq!(stored(&bench).await, kept, "nothing has changed");
        let page = call(&bench, "POST", &format!("{path}/deactivate"), &full, &[("if-match", &tag)], None).await;
        assert_eq!(page.status, 200);
        call(&bench, "POST", &format!("{path}/activate"), &full, &[("if-match", page.header("etag"))], None).await;
        let by = bench.query_texts("SELECT DISTINCT actor FROM audit_events WHERE action IN ('key.deactivated', 'key.deleted')").await;
        assert_eq!(by, [format!("key:{}", made.id)]);
        call(&bench, "DELETE", &path, &full, &[], None).await;
        for (method, to) in [("POST", "/deactivate"), ("POST", "/activate"), ("PATCH", "")] {
            let page = call(&bench, method, &format!("{path}{to}"), &full, ANY, Some(&json!({"name": "x"}))).await;
            assert_eq!((page.status, page.problem().as_str()), (409, "conflict"), "{to}");
        }

        // A key with more privileges than the program can be deactivated, but not activated again.
        let wider = create_key(&bench, &maren, &["data:write"], |_| ()).await;
        let wide = key_path(wider.project, wider.id);
        for verb in ["activate", "restore"] {
            assert_eq!(call(&bench, "POST", &format!("{wide}/{verb}"), &full, &[], None).await.status, 200, "it is so already");
        }
        for (stop, start) in [("/deactivate", "/activate"), ("", "/restore")] {
            let method = if stop.is_empty() { "DELETE" } else { "POST" };
            assert_eq!(call(&bench, method, &format!("{wide}{stop}"), &full, &[], None).await.status, 200);
            let kept = stored(&bench).await;
            let page = call(&bench, "POST", &format!("{wide}{start}"), &full, &[], None).await;
            assert_eq!((page.status, page.problem().as_str()), (403, "wider_than_maker"));
            assert_eq!(stored(&bench).await, kept);
            if stop == "/deactivate" {
                change_key(&bench.app.keys, &maren, wider.id, Transition::Activate).await.unwrap();
            }
        }
        // A key of another environment cannot be changed.
        let test = create_key(&bench, &maren, &[], |draft| draft.environment = "test".into()).await;
        for (method, verb) in [("POST", "/deactivate"), ("DELETE", ""), ("PATCH", "")] {
            let page = call(&bench, method, &format!("{}{verb}", key_path(test.project, test.id)), &full, ANY, Some(&json!({"name": "x"}))).await;
            assert_eq!((page.status, page.problem().as_str()), (403, "wider_than_maker"), "{method}");
            assert_eq!(page.json()["errors"][0]["name"], "environment");
        }
        // Only an administrator can activate a key that an administrator deactivated.
        let held = create_key(&bench, &maren, &[], |_| ()).await;
        let admin = bench.create_user("admin@pelagic.example", true).await;
        change_any_key(&bench.app.keys, &admin, held.id, Transition::Deactivate, "Found in a repository").await.unwrap();
        let page = call(&bench, "POST", &format!("{}/activate", key_path(held.project, held.id)), &full, &[], None).await;
        assert_eq!((page.status, page.problem().as_str()), (403, "forbidden"));
        let shown = get(&bench, &key_path(held.project, held.id), &full).await.json();
        assert_eq!(shown["stopped_because"], "Found in a repository");
    }

    /// Keys remain valid after the end of the program that created them, as they do after the end of a user.
    async fn the_end_of_the_maker_is_not_the_end_of_the_made(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        let page = call(&bench, "POST", &keys_path(made.project), &full, &[], Some(&json!({"name": "Heir", "scopes": [WRITE, "data:read"]}))).await.json();
        let heir = CreatedKey { id: page["key_id"].as_str().unwrap().parse().unwrap(), project: made.project, secret: page["secret"].as_str().unwrap().into() };
        let own = key_path(made.project, made.id);
        assert_eq!(call(&bench, "POST", &format!("{own}/deactivate"), &full, &[], None).await.status, 200, "itself");
        assert_eq!(call(&bench, "POST", &format!("{own}/activate"), &full, &[], None).await.status, 401, "it is no more");
        let verdict = bench.browser().json("/v1/keys/verify", &json!({"key": heir.secret})).await.json();
        assert_eq!(verdict["valid"], true);
        let its = token(&bench, &heir, &[WRITE]).await;
        let page = call(&bench, "POST", &keys_path(made.project), &its, &[], Some(&json!({"name": "Grandchild", "scopes": ["data:read"]}))).await;
        assert_eq!(page.status, 201);
        assert_eq!(page.json()["created_by"], "Heir");
    }

    /// A token from a user's consent can read keys but cannot change them.
    async fn what_a_person_allowed(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, _) = manager(&bench, &maren).await;
        bench.execute_sql("INSERT INTO project_scopes (project_id, scope) SELECT id, 'keyward:keys.read' FROM projects").await;
        bench.execute_sql("INSERT INTO project_scopes (project_id, scope) SELECT id, 'keyward:keys.write' FROM projects").await;
        bench.execute_sql("UPDATE projects SET own_scopes = (1 = 1)").await;
        let consent = &bench.app.consent;
        let client = consent.register(&maren, made.project, "Buoy", "http://127.0.0.1/cb").await.unwrap();
        let client_id = format!("client:{client}");
        let refused = consent.start_device_authorization(None, &client_id, &format!("{READ} {WRITE}"), None).await.unwrap().unwrap_err();
        assert_eq!(refused.code(), "invalid_scope", "no consent for scopes that no client gets: {refused}");
        let device = consent.start_device_authorization(None, &client_id, READ, None).await.unwrap().unwrap();
        consent.decide_device(&maren, &device.user_code, Some((vec![READ.to_owned()], 3_600))).await.unwrap();
        // A grant from before this rule.
        bench.execute_sql(&format!("UPDATE grants SET scopes = '{}'", json!([READ, WRITE]))).await;
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"), ("client_id", client_id.as_str()),
            ("device_code", device.device_code.expose()),
        ];
        let token = crate::support::oauth::post(&mut bench.browser(), "/oauth/token", "", &fields).await.token();
        assert_eq!(get(&bench, &keys_path(made.project), &token).await.status, 200);
        let kept = stored(&bench).await;
        for (method, path, scope, body) in addresses(made.project, made.id) {
            if scope == WRITE {
                let page = call(&bench, method, &path, &token, ANY, body.as_ref()).await;
                assert_eq!((page.status, page.problem().as_str()), (403, "key_needed"), "{method} {path}");
            }
        }
        assert_eq!(stored(&bench).await, kept, "nothing has changed");
    }

    /// A method that an endpoint does not support.
    async fn other_methods(bench: TestServer) {
        let maren = bench.create_user(MAREN, false).await;
        let (made, full) = manager(&bench, &maren).await;
        for (method, path, allow) in [
            ("DELETE", "/v1/projects".to_owned(), "GET,HEAD"),
            ("PUT", keys_path(made.project), "GET,HEAD,POST"),
            ("GET", format!("{}/activate", key_path(made.project, made.id)), "POST"),
        ] {
            let page = call(&bench, method, &path, &full, &[], None).await;
            assert_eq!((page.status, page.problem().as_str()), (405, "method_not_allowed"), "{path}");
            assert_eq!(page.header("allow"), allow);
        }
    }
}

//! Token introspection (RFC 7662), token revocation (RFC 7009) and the signed list of revoked tokens, on one node and
//! on several.

use crate::support::{
    TestServer, URL,
    browser::{Browser, Page},
    change_feed::{start_change_feed, wait_until},
    forged_tokens,
    oauth::{ACCESS_TOKEN, basic, claims, exchange, post, token},
    test_data::{CreatedKey, change_key},
};
use axum::http::Request;
use keyward::{
    domain::transition::Transition,
    http::{AppState, router, routes::ROUTES},
    service::{
        Services,
        clock::Clock as _,
        verify::{STALE_AFTER, VerifyRequest},
    },
};
use serde_json::{Value, json};
use std::time::Instant;
use uuid::Uuid;

const EMAIL: &str = "maren@pelagic.example";
const LIST: &str = "/.well-known/revoked-tokens";

/// Starts another node on the same database.
async fn node(bench: &TestServer) -> Services {
    crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await
}

/// Returns the introspection response to a client key.
async fn introspect(bench: &TestServer, asker: &CreatedKey, token: &str) -> Value {
    let page = post(&mut bench.browser(), "/oauth/introspect", &basic(asker), &[("token", token)]).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.text());
    page.json()
}

async fn revoke(bench: &TestServer, by: &CreatedKey, token: &str) -> Page {
    post(&mut bench.browser(), "/oauth/revoke", &basic(by), &[("token", token)]).await
}

/// Returns the reason code of verify, or `good`.
async fn verdict(app: &Services, token: &str) -> &'static str {
    let checked = app.tokens.check_credential(token, &VerifyRequest::default()).await.expect("the store answers");
    checked.map_or_else(|refused| refused.code(), |_| "good")
}

/// Returns the claims of the revocation list. Checks its signature with the published key.
async fn list(bench: &TestServer) -> Value {
    // The cached list may be up to 1 s old.
    bench.clock.advance(1);
    let page = bench.browser().send(Request::get(LIST), String::new()).await;
    assert_eq!((page.status, page.header("content-type")), (200, "application/jwt"), "{}", page.text());
    let (header, claims) = forged_tokens::parts(page.text());
    assert_eq!((&header["typ"], &header["alg"]), (&json!("keyward-revoked+jwt"), &json!("EdDSA")));
    let x = bench.app.tokens.jwks()["keys"][0]["x"].as_str().expect("a key").to_owned();
    let decoding = jsonwebtoken::DecodingKey::from_ed_components(&x).expect("a key");
    let mut rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::EdDSA);
    (rules.validate_exp, rules.validate_aud) = (false, false);
    jsonwebtoken::decode::<Value>(page.text(), &decoding, &rules).expect("it is signed");
    let now = bench.clock.now().seconds();
    assert_eq!(claims["iss"], URL);
    assert!(
        claims["iat"].as_i64().is_some_and(|iat| iat <= now) && claims["exp"].as_i64().is_some_and(|exp| exp > now)
    );
    claims
}

/// Returns whether a verifier with the list denies a token, by the rules of `docs/oauth/revoked-tokens.md`.
fn is_denied_by_list(list: &Value, token: &str) -> bool {
    let claims = claims(token);
    let revoked = list["tokens"].as_array().expect("tokens");
    let via = claims["via"].as_array().cloned().unwrap_or_default();
    let grant = claims["grant_id"].as_str().map(|id| format!("grant:{id}"));
    let before = |of: Option<&str>| of.and_then(|of| list["before"][of].as_i64());
    let cut = [before(claims["sub"].as_str()), before(grant.as_deref()), before(claims["aud"].as_str())];
    via.iter().chain([&claims["jti"]]).any(|jti| revoked.contains(jti))
        || cut.into_iter().flatten().any(|before| claims["iat"].as_i64().expect("an instant") < before)
}

on_both_engines! {
    /// Introspection returns the members of RFC 7662, to keys of the token's project only.
    async fn introspection(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, colleague) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Orders").await);
        let tove = bench.create_user("tove@drift.example", false).await;
        let stranger = bench.create_key(&tove, "Elsewhere").await;
        let good = token(&bench, &made, &[("scope", "data:read")]).await.token();
        let response = introspect(&bench, &colleague, &good).await;
        let claims = claims(&good);
        for name in ["scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti"] {
            assert_eq!(response[name], claims[name], "{name}");
        }
        assert_eq!((&response["active"], &response["token_type"], &response["project_id"]), (&json!(true), &json!("Bearer"), &json!(made.project)));
        let inactive = json!({"active": false});
        assert_eq!(introspect(&bench, &stranger, &good).await, inactive, "another project's");
        for nonsense in ["x", "a.b.c", &made.secret, &format!("{good}x")] {
            assert_eq!(introspect(&bench, &made, nonsense).await, inactive);
        }

        // The client may also authenticate with a key or a token as bearer. Any other caller is rejected.
        let mut program = bench.browser();
        let fields = [("token", good.as_str()), ("token_type_hint", "refresh_token")];
        for bearer in [&colleague.secret, &good] {
            let page = post(&mut program, "/oauth/introspect", &format!("Bearer {bearer}"), &fields).await;
            assert_eq!((page.status, &page.json()["active"]), (200, &json!(true)));
        }
        let page = post(&mut program, "/oauth/introspect", "", &fields).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"));
        let page = post(&mut program, "/oauth/introspect", "Bearer a.b.c", &fields).await;
        assert_eq!((page.status, &page.json()["error"]), (401, &json!("invalid_token")));
        assert!(page.header("www-authenticate").starts_with("Bearer "));
        let page = post(&mut program, "/oauth/introspect", &basic(&colleague), &[]).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (400, "invalid_request"));

        // A token loses the scopes and the status that its key loses. Introspection does not count as a use of the key.
        bench.execute_sql(&format!("UPDATE keys SET rate_limit = '1/hour' WHERE id = {}", bench.literal(made.id))).await;
        for _ in 0..3 {
            assert_eq!(introspect(&bench, &colleague, &good).await["active"], json!(true));
        }
        bench.execute_sql(&format!("UPDATE keys SET scopes = '[]', rate_limit = NULL WHERE id = {}", bench.literal(made.id))).await;
        assert_eq!(introspect(&bench, &colleague, &good).await["scope"], "");
        change_key(&bench.app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
        assert_eq!(introspect(&bench, &colleague, &good).await, inactive);
        change_key(&bench.app.keys, &maren, made.id, Transition::Activate).await.unwrap();
        assert_eq!(introspect(&bench, &colleague, &good).await["active"], json!(true));
        // Only its own key can introspect a management token.
        bench.execute_sql(&format!("UPDATE keys SET scopes = '[\"keyward:keys.read\"]' WHERE id = {}", bench.literal(made.id))).await;
        let managing = token(&bench, &made, &[]).await.token();
        assert_eq!(introspect(&bench, &colleague, &managing).await, inactive);
        assert_eq!(introspect(&bench, &made, &managing).await["aud"], format!("{URL}/v1"));
        bench.clock.advance(3_600);
        assert_eq!(introspect(&bench, &colleague, &good).await, inactive, "expired");
    }

    /// A revoked token is denied everywhere at once, with the tokens exchanged from it. Only its own key can revoke it.
    async fn revocation(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, colleague) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Orders").await);
        let hearing = start_change_feed(&bench.app).await;
        let first = token(&bench, &made, &[]).await.token();
        let other = token(&bench, &made, &[]).await.token();
        let narrowed = exchange(&bench, &first, ACCESS_TOKEN, &[]).await.token();
        let twice = exchange(&bench, &narrowed, ACCESS_TOKEN, &[]).await.token();
        let mut program = bench.browser();

        // Only the key that the token was issued to can revoke it.
        let page = post(&mut program, "/oauth/revoke", "", &[("token", &first)]).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"));
        let page = revoke(&bench, &colleague, &first).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (400, "unauthorized_client"));
        let page = post(&mut program, "/oauth/revoke", &basic(&made), &[]).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (400, "invalid_request"));
        for nonsense in ["x", "a.b.c", &made.secret, &format!("{first}x")] {
            let page = revoke(&bench, &made, nonsense).await;
            assert_eq!((page.status, page.text()), (200, ""), "nothing to do");
        }
        assert_eq!((bench.events("token.revoked").await, verdict(&bench.app, &first).await), (0, "good"));

        for _ in 0..2 {
            let page = revoke(&bench, &made, &narrowed).await;
            assert_eq!((page.status, page.text(), page.header("cache-control")), (200, "", "no-store"));
        }
        assert_eq!(bench.events("token.revoked").await, 1);
        assert_eq!(verdict(&bench.app, &first).await, "good", "not what it came from");
        assert_eq!(verdict(&bench.app, &other).await, "good");
        let config = format!("/v1/projects/{}/config", made.project);
        for token in [&narrowed, &twice] {
            assert_eq!(verdict(&bench.app, token).await, "token_revoked");
            let page = program.bearer("/v1/auth", token).await;
            assert_eq!((page.status, page.header("x-keyward-code")), (401, "token_revoked"));
            assert!(page.header("www-authenticate").contains("invalid_token"));
            assert_eq!(program.bearer(&config, token).await.problem(), "token_revoked");
            assert_eq!(program.json("/v1/keys/verify", &json!({"token": token})).await.json()["code"], "token_revoked");
            assert_eq!(introspect(&bench, &colleague, token).await, json!({"active": false}));
            let page = exchange(&bench, token, ACCESS_TOKEN, &[]).await;
            assert_eq!((page.oauth_error().as_str(), &page.json()["code"]), ("invalid_request", &json!("token_revoked")));
            let bearer = post(&mut program, "/oauth/introspect", &format!("Bearer {token}"), &[("token", &first)]).await;
            assert_eq!(bearer.status, 401, "nor does it prove who asks");
        }
        // At most 1,000 single revocations in 24 h, because the list is public.
        let known = bench.app.tokens.parse(&other).unwrap();
        for n in 0..999 {
            let mut another = (*known).clone();
            another.jti = Uuid::from_u128(n);
            bench.app.tokens.revoke(&another, &Default::default()).await.unwrap().unwrap();
        }
        let page = revoke(&bench, &made, &other).await;
        assert_eq!((page.status, page.oauth_error().as_str(), page.header("retry-after")), (429, "temporarily_unavailable", "86400"));
        assert_eq!(revoke(&bench, &made, &narrowed).await.status, 200, "it is revoked already");
        assert_eq!(verdict(&bench.app, &other).await, "good");
        let event = "SELECT DISTINCT actor || ' ' || target || ' ' || target_name FROM audit_events WHERE action = 'token.revoked'";
        assert_eq!(bench.query_texts(event).await, [format!("key:{0} key:{0} Gateway", made.id)]);
        hearing.abort();
    }

    /// Revocation works whatever the status, restrictions and rate limit of the key, so a leaked token can always be
    /// revoked.
    async fn revocation_whatever_the_key_may_do(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let id = bench.literal(made.id);
        let mut program = bench.browser();
        for (what, sql, back) in [
            ("used up", "rate_limit = '1/hour'", "rate_limit = NULL"),
            ("from elsewhere", "networks = '[\"192.0.2.0/24\"]'", "networks = '[]'"),
            ("inactive", "active = FALSE", "active = TRUE"),
            ("not yet", "not_before = 4000000000000000", "not_before = NULL"),
            ("expired", "expires_at = 1", "expires_at = NULL"),
            ("deleted", "deleted_at = 1", "deleted_at = NULL"),
        ] {
            let good = token(&bench, &made, &[]).await.token();
            bench.execute_sql(&format!("UPDATE keys SET {sql} WHERE id = {id}")).await;
            for _ in 0..2 {
                program.bearer("/v1/auth", &made.secret).await;
            }
            let page = program.bearer("/v1/auth", &made.secret).await;
            assert!([401, 403, 429].contains(&page.status), "{what}: the key is refused: {}", page.status);
            assert_eq!(revoke(&bench, &made, &good).await.status, 200, "{what}");
            bench.execute_sql(&format!("UPDATE keys SET {back} WHERE id = {id}")).await;
            assert_eq!(verdict(&bench.app, &good).await, "token_revoked", "{what}");
        }
        // Even then, only the key itself can revoke the token.
        let good = token(&bench, &made, &[]).await.token();
        let (other, unknown) = (bench.create_key(&maren, "Orders").await, bench.create_key(&maren, "Gone").await);
        bench.execute_sql(&format!("DELETE FROM keys WHERE id = {}", bench.literal(unknown.id))).await;
        assert_eq!(revoke(&bench, &other, &good).await.oauth_error(), "unauthorized_client");
        let mixed = |secret: &str| CreatedKey { id: made.id, project: made.project, secret: secret.to_owned() };
        for wrong_client in [mixed(&other.secret), mixed("x"), unknown] {
            let page = revoke(&bench, &wrong_client, &good).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"));
        }
        assert_eq!(verdict(&bench.app, &good).await, "good");
    }

    /// Another node denies a revoked token within 1 s. A node without the change feed reads the database, and so does a
    /// new node.
    async fn revocation_on_other_nodes(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let other = node(&bench).await;
        let (here, there) = (start_change_feed(&bench.app).await, start_change_feed(&other).await);
        let tokens: Vec<_> = futures::future::join_all((0..4).map(async |_| token(&bench, &made, &[]).await.token())).await;
        for token in &tokens {
            assert_eq!((verdict(&bench.app, token).await, verdict(&other, token).await), ("good", "good"));
        }
        assert_eq!(revoke(&bench, &made, &tokens[0]).await.status, 200);
        assert_eq!(verdict(&bench.app, &tokens[0]).await, "token_revoked", "at once");
        let began = Instant::now();
        wait_until("the other node has received it", async || verdict(&other, &tokens[0]).await == "token_revoked").await;
        println!("revoked: received after {:?}", began.elapsed());
        // This node no longer receives changes, so it reads the database.
        there.abort();
        let _ = there.await;
        assert_eq!(revoke(&bench, &made, &tokens[1]).await.status, 200);
        bench.clock.advance(i64::try_from(STALE_AFTER).unwrap() / 1_000_000 + 1);
        assert_eq!(verdict(&other, &tokens[1]).await, "token_revoked");
        assert_eq!(verdict(&other, &tokens[2]).await, "good");
        // The node receives changes again, and has caught up without reading the database for each token.
        let there = start_change_feed(&other).await;
        for (token, expected) in tokens.iter().zip(["token_revoked", "token_revoked", "good", "good"]) {
            assert_eq!(verdict(&other, token).await, expected);
        }
        let new = node(&bench).await;
        assert_eq!(verdict(&new, &tokens[1]).await, "token_revoked", "without a subscription it reads the store");
        for task in [here, there] {
            task.abort();
        }
    }

    /// The list contains the revoked tokens that have not expired, and a cutoff for each disabled subject for as long
    /// as a token of it could live.
    async fn the_revocation_list(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, other) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Orders").await);
        bench.execute_sql("UPDATE policy SET token_life_max = 7200, token_life_ever = 7200").await;
        let empty = list(&bench).await;
        assert_eq!((&empty["tokens"], &empty["before"]), (&json!([]), &json!({})));
        let (first, second) = (token(&bench, &made, &[]).await.token(), token(&bench, &made, &[]).await.token());
        let narrowed = exchange(&bench, &first, ACCESS_TOKEN, &[]).await.token();
        let others = token(&bench, &other, &[]).await.token();
        assert_eq!(revoke(&bench, &made, &first).await.status, 200);
        let now = list(&bench).await;
        assert_eq!((&now["tokens"], &now["before"]), (&json!([claims(&first)["jti"]]), &json!({})));
        for (token, refused) in [(&first, true), (&narrowed, true), (&second, false), (&others, false)] {
            assert_eq!(is_denied_by_list(&now, token), refused);
        }

        // Deactivation and activation, deletion and restoration.
        let sub = format!("key:{}", made.id);
        change_key(&bench.app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
        let now = list(&bench).await;
        assert!(now["before"][&sub].is_i64() && is_denied_by_list(&now, &second) && !is_denied_by_list(&now, &others), "{now}");
        change_key(&bench.app.keys, &maren, made.id, Transition::Activate).await.unwrap();
        assert!(!is_denied_by_list(&list(&bench).await, &second), "good again, as it is here");
        change_key(&bench.app.keys, &maren, made.id, Transition::Delete).await.unwrap();
        assert!(is_denied_by_list(&list(&bench).await, &second));
        change_key(&bench.app.keys, &maren, made.id, Transition::Restore).await.unwrap();
        assert!(!is_denied_by_list(&list(&bench).await, &second));

        // Archiving sets one cutoff for the audience, however many keys the project has.
        let actor = keyward::service::actor::Actor::User(maren.clone());
        bench.app.projects.archive(&actor, made.project, false).await.unwrap();
        let now = list(&bench).await;
        assert!(now["before"][format!("{URL}/projects/{}", made.project)].is_i64());
        assert!(is_denied_by_list(&now, &second) && is_denied_by_list(&now, &others));
        bench.app.projects.archive(&actor, made.project, true).await.unwrap();
        assert!(!is_denied_by_list(&list(&bench).await, &others));

        // An edit that removes scopes sets a cutoff: older tokens have too many scopes, new ones do not. A rename or an
        // added scope sets none.
        let mut browser = bench.signed_in(EMAIL).await;
        let mut edit = async |name: &str, scopes: &[&str]| {
            let path = format!("/keys/{}/edit", made.id);
            let (id, version) = (made.id.to_string(), browser.get(&path).await.input("version").to_owned());
            let mut fields = vec![("id", id.as_str()), ("version", &version), ("name", name), ("expires", "keep")];
            fields.extend(scopes.iter().map(|scope| ("scopes[]", *scope)));
            let page = browser.post(&path, &fields).await;
            assert_eq!(page.status, 303, "{}", page.text());
        };
        edit("Renamed", &["data:read", "usage:read", "data:write"]).await;
        assert!(!is_denied_by_list(&list(&bench).await, &second));
        edit("Renamed", &["data:read"]).await;
        let now = list(&bench).await;
        assert!(is_denied_by_list(&now, &second) && !is_denied_by_list(&now, &others), "{now}");
        // For some seconds another node may issue tokens from a stale snapshot, so the cutoff covers them.
        let meanwhile = token(&bench, &made, &[]).await.token();
        assert!(is_denied_by_list(&now, &meanwhile));
        bench.clock.advance(5);
        let new = token(&bench, &made, &[]).await.token();
        assert!(!is_denied_by_list(&now, &new) && !is_denied_by_list(&list(&bench).await, &new));

        // A cutoff is kept as long as such a token could live, and no longer, also for a purged key.
        change_key(&bench.app.keys, &maren, other.id, Transition::Delete).await.unwrap();
        bench.clock.advance(3_600);
        let now = list(&bench).await;
        assert_eq!(now["tokens"], json!([]), "expired");
        assert_eq!(now["before"].as_object().unwrap().len(), 2);
        bench.clock.advance(3_598);
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert_eq!(list(&bench).await["before"].as_object().unwrap().len(), 1, "what was issued while it spread may be alive");
        bench.clock.advance(5);
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        let now = list(&bench).await;
        assert_eq!(now["before"], json!({}), "no token from then is alive");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM revoked_tokens").await, 0);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM token_cutoffs").await, 0);
    }

    /// A key that is purged after seven days stays on the list while tokens of it may be alive.
    async fn a_key_that_is_gone_stays_on_the_list(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql("UPDATE policy SET token_life_max = 864000, token_life_ever = 864000").await;
        bench.execute_sql("UPDATE projects SET token_life_max = 864000").await;
        let token = token(&bench, &made, &[("expires_in", "864000")]).await.token();
        change_key(&bench.app.keys, &maren, made.id, Transition::Delete).await.unwrap();
        bench.clock.advance(8 * 86_400);
        keyward::service::maintenance::run_once(&bench.app).await.unwrap();
        assert!(bench.key_row(made.id).await.is_none());
        assert!(is_denied_by_list(&list(&bench).await, &token));
        bench.clock.advance(2 * 86_400 + 5);
        assert!(!is_denied_by_list(&list(&bench).await, &token));
    }

    /// The list is cacheable: its `ETag` stays the same while the content does, and a conditional request gets no body.
    async fn the_list_is_cacheable(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let get = async |tag: &str| {
            let request = Request::get(LIST);
            let request = if tag.is_empty() { request } else { request.header("if-none-match", tag) };
            bench.browser().send(request, String::new()).await
        };
        let page = get("").await;
        let tag = page.header("etag").to_owned();
        assert!(tag.starts_with("W/\"") && page.header("cache-control") == "public, max-age=5", "{tag}");
        for same in [tag.clone(), format!("\"x\", {tag}"), tag[2..].to_owned(), "*".into()] {
            let page = get(&same).await;
            assert_eq!((page.status, page.text(), page.header("etag")), (304, "", tag.as_str()), "{same}");
        }
        assert_eq!(get("\"x\"").await.status, 200);
        let good = token(&bench, &made, &[]).await.token();
        assert_eq!(revoke(&bench, &made, &good).await.status, 200);
        bench.clock.advance(1);
        let page = get(&tag).await;
        assert_eq!(page.status, 200);
        assert_ne!(page.header("etag"), tag);
        let small = page.text().len();
        bench.clock.advance(600);
        assert_eq!(get(page.header("etag")).await.status, 200, "signed anew, so that it does not grow old");
        for _ in 0..50 {
            let good = token(&bench, &made, &[]).await.token();
            assert_eq!(revoke(&bench, &made, &good).await.status, 200);
        }
        bench.clock.advance(1);
        let each = (get("").await.text().len() - small) / 50;
        println!("revoked: {small} bytes with one token, {each} more for each");
        assert!(each <= 52, "{each}");
        // The list is not accepted as a token, nor a token as a list.
        let list = get("").await.text().to_owned();
        assert_eq!(verdict(&bench.app, &list).await, "invalid_token");
    }

    /// The authorization server metadata (RFC 8414) names existing endpoints that support what it states.
    async fn metadata(bench: TestServer) {
        let mut program: Browser = bench.browser();
        let page = program.send(Request::get("/.well-known/oauth-authorization-server"), String::new()).await;
        assert_eq!((page.status, page.header("content-type")), (200, "application/json"));
        let metadata = page.json();
        assert_eq!(metadata["issuer"], URL);
        let mut addresses = 0;
        for (name, value) in metadata.as_object().unwrap() {
            let Some(path) = value.as_str().and_then(|it| it.strip_prefix(URL)).filter(|it| !it.is_empty()) else { continue };
            if name == "authorization_endpoint" {
                // A page, tested by `pages.rs` and the matrix.
                continue;
            }
            let route = ROUTES.iter().find(|route| route.path == path).unwrap_or_else(|| panic!("{name}: no {path}"));
            assert_eq!(route.method == "POST", name.ends_with("_endpoint"), "{name}");
            addresses += 1;
        }
        assert!(addresses >= 5, "{metadata}");
        let posts = ROUTES.iter().filter(|route| route.path.starts_with("/oauth/"));
        for route in posts {
            assert!(metadata.as_object().unwrap().values().any(|it| *it == format!("{URL}{}", route.path)), "{}", route.path);
        }
        for kind in metadata["grant_types_supported"].as_array().unwrap() {
            let page = post(&mut program, "/oauth/token", "", &[("grant_type", kind.as_str().unwrap())]).await;
            assert_ne!(page.json()["error"], "unsupported_grant_type", "{kind}");
        }
        // Another public URL is another issuer.
        let other = TestServer::with_url(crate::support::Engine::Sqlite, "https://keys.example.com").await;
        let router = router(AppState::new(other.app.clone()));
        let mut program = Browser::new(router, "https://keys.example.com");
        let page = program.send(Request::get("/.well-known/oauth-authorization-server"), String::new()).await;
        assert_eq!(page.json()["token_endpoint"], "https://keys.example.com/oauth/token");
    }
}

//! Token endpoint, `POST /oauth/token`: client authentication, audience, scopes and lifetime of access tokens, and
//! error responses (RFC 6749 section 5).

use crate::support::{
    TestServer, URL,
    browser::Page,
    forged_tokens,
    oauth::{ACCESS_TOKEN, EXCHANGE, KEY, basic, claims, exchange, post, token},
    test_data::{CreatedKey, change_key},
};
use axum::http::Request;
use keyward::domain::transition::Transition;
use serde_json::{Value, json};
use uuid::Uuid;

const EMAIL: &str = "maren@pelagic.example";
const READ: &str = "keyward:keys.read";
const WRITE: &str = "keyward:keys.write";

/// An invalid token request: a description, the `Authorization` header, the form fields; the expected status and error
/// code.
type ErrorCase<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, u16, &'a str);

/// An audience case: the scopes of the key, the requested scopes, the requested resource; the expected audience and
/// scopes, or the error code.
type AudienceCase<'a> = (&'a [&'a str], &'a str, &'a str, Result<(&'a str, &'a str), &'a str>);

/// Sets the scopes of a key.
async fn set_key_scopes(bench: &TestServer, made: &CreatedKey, scopes: &[&str]) {
    let scopes = json!(scopes);
    bench.execute_sql(&format!("UPDATE keys SET scopes = '{scopes}' WHERE id = {}", bench.literal(made.id))).await;
}

fn project_resource(made: &CreatedKey) -> String {
    format!("{URL}/projects/{}", made.project)
}

on_both_engines! {
    /// The secret is accepted as the client secret in HTTP Basic and in the body. Both give the same token.
    async fn a_key_is_a_client(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let id = format!("key:{}", made.id);
        let kind = ("grant_type", "client_credentials");
        let in_body = [kind, ("client_id", id.as_str()), ("client_secret", made.secret.as_str())];
        // The form that curl sends for `--user key:ID:SECRET`, without percent-encoding, is accepted too.
        let as_it_stands = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{id}:{}", made.secret));
        let pages = [
            post(&mut program, "/oauth/token", &basic(&made), &[kind]).await,
            post(&mut program, "/oauth/token", &basic(&made), &[kind, ("client_id", &id)]).await,
            post(&mut program, "/oauth/token", &basic(&made), &[kind, ("client_secret", ""), ("scope", "")]).await,
            post(&mut program, "/oauth/token", &format!("Basic {as_it_stands}"), &[kind]).await,
            post(&mut program, "/oauth/token", "", &in_body).await,
            post(&mut program, "/oauth/token", "", &[&in_body[..], &[("state", "kept out"), ("state", "twice")]].concat()).await,
        ];
        // An unknown parameter is ignored, even if it occurs twice.
        for page in &pages {
            let token = page.token();
            let body = page.json();
            assert_eq!((&body["expires_in"], &body["scope"]), (&json!(3_600), &json!("data:read usage:read")));
            assert!(body.get("issued_token_type").is_none());
            let (header, claims) = forged_tokens::parts(&token);
            assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
            assert_eq!((&claims["sub"], &claims["client_id"]), (&json!(id), &json!(id)));
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!(URL), &json!(project_resource(&made))));
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3_600);
            assert!(claims["jti"].as_str().unwrap().parse::<Uuid>().is_ok());
            assert!(claims.get("via").is_none() && claims.get("grant_id").is_none());
            let config = format!("/v1/projects/{}/config", made.project);
            assert_eq!(program.bearer(&config, &token).await.status, 200);
            assert!(!page.text().contains(&made.secret));
        }
    }

    /// Every invalid client authentication and every invalid parameter has its status and error code.
    async fn token_error_responses(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, other) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Sonde").await);
        let mut program = bench.browser();
        let (id, right) = (format!("key:{}", made.id), basic(&made));
        let kind = ("grant_type", "client_credentials");
        let mixed = basic(&CreatedKey { id: other.id, project: made.project, secret: made.secret.clone() });
        let bearer = right.replace("Basic", "Bearer");
        let (secret, cut) = (made.secret.as_str(), &made.secret[..63]);
        let cases: Vec<ErrorCase<'_>> = vec![
            ("no client", "", vec![kind], 401, "invalid_client"),
            ("an id alone", "", vec![kind, ("client_id", &id)], 401, "invalid_client"),
            ("a secret alone", "", vec![kind, ("client_secret", secret)], 401, "invalid_client"),
            ("a wrong secret", "", vec![kind, ("client_id", &id), ("client_secret", cut)], 401, "invalid_client"),
            ("another key's id", &mixed, vec![kind], 401, "invalid_client"),
            ("no key's id", "", vec![kind, ("client_id", "gateway"), ("client_secret", secret)], 401, "invalid_client"),
            ("the secret as a bearer token", &bearer, vec![kind], 401, "invalid_client"),
            ("unreadable", "Basic %%%", vec![kind], 401, "invalid_client"),
            ("both ways", &right, vec![kind, ("client_id", &id), ("client_secret", secret)], 400, "invalid_request"),
            ("two ids", &right, vec![kind, ("client_id", "key:x")], 400, "invalid_request"),
            ("no grant type", &right, vec![], 400, "invalid_request"),
            ("an empty one", &right, vec![("grant_type", "")], 400, "invalid_request"),
            ("two of them", &right, vec![kind, kind], 400, "invalid_request"),
            ("another one", &right, vec![("grant_type", "password")], 400, "unsupported_grant_type"),
            ("scopes twice", &right, vec![kind, ("scope", "data:read"), ("scope", "")], 400, "invalid_request"),
            ("a scope that it lacks", &right, vec![kind, ("scope", "data:read data:write")], 400, "invalid_scope"),
            ("no scope at all", &right, vec![kind, ("scope", "\"")], 400, "invalid_scope"),
            ("a management scope that it lacks", &right, vec![kind, ("scope", READ)], 400, "invalid_scope"),
            ("no resource", &right, vec![kind, ("resource", "https://api.example")], 400, "invalid_target"),
            ("management without scopes for it", &right, vec![kind, ("resource", "http://127.0.0.1:3000/v1")], 400, "invalid_target"),
            ("no number", &right, vec![kind, ("expires_in", "1h")], 400, "invalid_request"),
            ("no time", &right, vec![kind, ("expires_in", "0")], 400, "invalid_request"),
            ("less than none", &right, vec![kind, ("expires_in", "-1")], 400, "invalid_request"),
        ];
        for (what, authorization, fields, status, error) in cases {
            let page = post(&mut program, "/oauth/token", authorization, &fields).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (status, error), "{what}");
            assert!(!page.text().contains(&made.secret[12..]), "{what}");
        }
        let two = [kind, ("resource", &project_resource(&made)), ("resource", "http://127.0.0.1:3000/v1")];
        assert_eq!(post(&mut program, "/oauth/token", &right, &two).await.oauth_error(), "invalid_target");
        let own = project_resource(&made);
        let same = [kind, ("resource", own.as_str()), ("resource", own.as_str()), ("audience", own.as_str()), ("audience", "")];
        assert_eq!(claims(&post(&mut program, "/oauth/token", &right, &same).await.token())["aud"], json!(own));
        // A secret in the query is rejected, because a URL is logged. So is a body of another content type.
        let request = Request::post("/oauth/token?client_secret=x").header("authorization", &right);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(program.send(request, "grant_type=client_credentials".into()).await.oauth_error(), "invalid_request");
        for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
            let request = Request::post("/oauth/token").header("authorization", &right).header("content-type", kind);
            let page = program.send(request, "grant_type=client_credentials".into()).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (400, "invalid_request"), "{kind}");
        }
        let request = Request::post("/oauth/token").header("authorization", &right).header("authorization", &right);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(program.send(request, "grant_type=client_credentials".into()).await.oauth_error(), "invalid_request");
        let large = format!("grant_type=client_credentials&scope={}", "x".repeat(70_000));
        let request = Request::post("/oauth/token").header("authorization", &right).header("content-length", large.len());
        let page = program.send(request.header("content-type", "application/x-www-form-urlencoded"), large).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (413, "invalid_request"));
        let foreign = Request::post("/oauth/token").header("host", "evil.example").header("authorization", &right);
        let page = program.send(foreign, "grant_type=client_credentials".into()).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (421, "invalid_request"));
    }

    /// Each restriction of a key has its error code, and so has its rate limit.
    async fn a_key_that_is_not_good_is_no_client(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let now = keyward::service::clock::Clock::now(&*bench.clock).micros();
        bench.execute_sql("UPDATE keys SET rate_limit = '1/hour'").await;
        let first = token(&bench, &made, &[]).await.token();
        let page = token(&bench, &made, &[]).await;
        assert_eq!((page.status, page.oauth_error().as_str(), page.header("retry-after")), (429, "temporarily_unavailable", "3600"));
        assert_eq!(page.json()["code"], "rate_limited");
        let subject = exchange(&bench, &first, ACCESS_TOKEN, &[]).await;
        assert_eq!((subject.status, subject.header("retry-after")), (429, "3600"), "its tokens count as the key does");
        bench.execute_sql("UPDATE keys SET rate_limit = NULL").await;
        for (change, code) in [
            ("networks = '[\"203.0.113.0/24\"]'".to_owned(), "wrong_network"),
            (format!("expires_at = {now}"), "expired"),
            (format!("not_before = {}", now + 1), "not_yet_valid"),
            ("active = FALSE".to_owned(), "inactive"),
            (format!("deleted_at = {now}"), "deleted"),
        ] {
            bench.execute_sql(&format!("UPDATE keys SET {change}")).await;
            let page = token(&bench, &made, &[]).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (401, "invalid_client"), "{code}");
            assert_eq!(page.json()["code"], code);
            let page = exchange(&bench, &made.secret, KEY, &[]).await;
            assert_eq!((page.status, page.oauth_error().as_str()), (400, "invalid_request"), "{code}");
            assert_eq!(page.json()["code"], code);
        }
        let stranger = CreatedKey { id: made.id, project: made.project, secret: "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ".into() };
        let page = token(&bench, &stranger, &[]).await;
        assert_eq!((page.status, page.json()["code"].as_str()), (401, Some("unknown")));
    }

    /// Scopes determine the audience. Management has an audience of its own. A token for one audience is rejected at
    /// the other.
    async fn what_a_token_is_for(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, other) = (bench.create_key(&maren, "Gateway").await, bench.create_user("tove@drift.example", false).await);
        let elsewhere = bench.create_key(&other, "Elsewhere").await;
        let (own, theirs, v1) = (project_resource(&made), project_resource(&elsewhere), format!("{URL}/v1"));
        let all = ["data:read", "data:write", READ, WRITE];
        let management = format!("{READ} {WRITE}");
        let cases: Vec<AudienceCase<'_>> = vec![
            (&all, "", "", Ok((&own, "data:read data:write"))),
            (&all, "data:write data:read data:read", "", Ok((&own, "data:read data:write"))),
            (&all, READ, "", Ok((&v1, READ))),
            (&all, "", &v1, Ok((&v1, &management))),
            (&all, WRITE, &v1, Ok((&v1, WRITE))),
            (&all, "", &own, Ok((&own, "data:read data:write"))),
            (&all, "data:read", &own, Ok((&own, "data:read"))),
            (&all, "data:read keyward:keys.read", "", Err("invalid_scope")),
            (&all, "data:read keyward:keys.read", &v1, Err("invalid_scope")),
            (&all, "data:read", &v1, Err("invalid_target")),
            (&all, READ, &own, Err("invalid_target")),
            (&all, "data:read", &theirs, Err("invalid_target")),
            (&[READ], "", "", Ok((&v1, READ))),
            (&[READ], "", &own, Ok((&own, ""))),
            (&[], "", "", Ok((&own, ""))),
            (&[], "", &v1, Err("invalid_target")),
            (&[READ], WRITE, "", Err("invalid_scope")),
        ];
        for (held, requested, resource, expected) in cases {
            set_key_scopes(&bench, &made, held).await;
            let what = format!("{held:?}: {requested:?} for {resource:?}");
            let fields = [("scope", requested), ("resource", resource)];
            for page in [token(&bench, &made, &fields).await, exchange(&bench, &made.secret, KEY, &fields).await] {
                match expected {
                    Err(error) => assert_eq!((page.status, page.oauth_error().as_str()), (400, error), "{what}"),
                    Ok((aud, scope)) => {
                        let claims = claims(&page.token());
                        assert_eq!((&claims["aud"], &claims["scope"]), (&json!(aud), &json!(scope)), "{what}");
                        assert_eq!(page.json()["scope"], scope, "{what}");
                    }
                }
            }
        }
        set_key_scopes(&bench, &made, &all).await;
        let (ours, managing) = (token(&bench, &made, &[]).await.token(), token(&bench, &made, &[("scope", READ)]).await.token());
        let check = async |token: &str, scope: &str| {
            let checked = bench.app.tokens.check_for_management(token, scope).await.expect("no fault");
            checked.map_or_else(|refused| refused.code(), |_| "good")
        };
        assert_eq!(check(&managing, READ).await, "good");
        assert_eq!(check(&managing, WRITE).await, "missing_scope");
        assert_eq!(check(&ours, READ).await, "wrong_audience");
        let mut program = bench.browser();
        let config = format!("/v1/projects/{}/config", made.project);
        assert_eq!(program.bearer(&config, &managing).await.problem(), "wrong_audience");
        let page = program.json("/v1/keys/verify", &json!({"key": managing})).await;
        assert_eq!(page.json()["code"], "wrong_audience");
        let page = program.bearer("/v1/auth", &managing).await;
        assert_eq!((page.status, page.header("x-keyward-code")), (401, "wrong_audience"));
        // A token loses each scope and status that its key loses.
        set_key_scopes(&bench, &made, &["data:read"]).await;
        assert_eq!(check(&managing, READ).await, "missing_scope");
        change_key(&bench.app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
        assert_eq!(check(&managing, READ).await, "inactive");
        // The older endpoint issues tokens for the project only.
        change_key(&bench.app.keys, &maren, made.id, Transition::Activate).await.unwrap();
        set_key_scopes(&bench, &made, &[READ]).await;
        let page = program.json("/authentication/token", &json!({"secret_key": made.secret})).await;
        let claims = claims(page.json()["access_token"].as_str().unwrap());
        assert_eq!((&claims["aud"], &claims["scope"]), (&json!(own), &json!("")));
    }

    /// The lifetime is the minimum of the requested one, the project's maximum, and what the key and the subject token
    /// have left.
    async fn how_long_a_token_lives(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let life = |page: &Page| page.json()["expires_in"].as_i64().expect("a life");
        assert_eq!(life(&token(&bench, &made, &[("expires_in", "60")]).await), 60);
        let ceiling = bench.query_number("SELECT token_life_max FROM projects LIMIT 1").await;
        assert_eq!(life(&token(&bench, &made, &[("expires_in", "99999999")]).await), ceiling.min(86_400));
        let short = token(&bench, &made, &[("expires_in", "100")]).await.token();
        bench.clock.advance(40);
        let page = exchange(&bench, &short, ACCESS_TOKEN, &[("expires_in", "99999")]).await;
        assert_eq!(life(&page), 60, "no longer than the token it came from");
        assert_eq!(life(&exchange(&bench, &short, ACCESS_TOKEN, &[]).await), 60);
        assert_eq!(life(&exchange(&bench, &short, ACCESS_TOKEN, &[("expires_in", "7")]).await), 7);
        let end = keyward::service::clock::Clock::now(&*bench.clock).plus_seconds(30).micros();
        bench.execute_sql(&format!("UPDATE keys SET expires_at = {end}")).await;
        assert_eq!(life(&token(&bench, &made, &[]).await), 30);
        assert_eq!(life(&exchange(&bench, &short, ACCESS_TOKEN, &[]).await), 30);
        bench.clock.advance(60);
        let page = exchange(&bench, &short, ACCESS_TOKEN, &[]).await;
        assert_eq!((page.oauth_error().as_str(), &page.json()["code"]), ("invalid_request", &json!("token_expired")));
    }

    /// Token exchange (RFC 8693): of a key, of a token, with and without client authentication, and how often in a row.
    async fn a_token_is_exchanged_for_a_narrower_one(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let (made, other) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Sonde").await);
        let page = exchange(&bench, &made.secret, KEY, &[]).await;
        assert_eq!(page.json()["issued_token_type"], ACCESS_TOKEN);
        let first = page.token();
        let page = exchange(&bench, &first, ACCESS_TOKEN, &[("scope", "usage:read"), ("requested_token_type", ACCESS_TOKEN)]).await;
        let second = page.token();
        let (of_first, of_second) = (claims(&first), claims(&second));
        assert_eq!((&of_second["scope"], &of_second["sub"]), (&json!("usage:read"), &of_first["sub"]));
        assert_eq!(of_second["via"], json!([of_first["jti"]]));
        let page = exchange(&bench, &second, ACCESS_TOKEN, &[("scope", "data:read")]).await;
        assert_eq!(page.oauth_error(), "invalid_scope", "what was given up is not had again");
        for (fields, error) in [
            (vec![("audience", project_resource(&made))], ""),
            (vec![("audience", project_resource(&made)), ("resource", project_resource(&made))], ""),
            (vec![("audience", project_resource(&made)), ("resource", format!("{URL}/v1"))], "invalid_target"),
            (vec![("audience", "orders".to_owned())], "invalid_target"),
            (vec![("actor_token", first.clone())], "invalid_request"),
            (vec![("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token".to_owned())], "invalid_request"),
        ] {
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let page = exchange(&bench, &first, ACCESS_TOKEN, &fields).await;
            if error.is_empty() { page.token(); } else { assert_eq!(page.oauth_error(), error, "{fields:?}"); }
        }
        for (subject, kind) in [("x", ACCESS_TOKEN), (made.secret.as_str(), ACCESS_TOKEN), (first.as_str(), KEY), (first.as_str(), "urn:ietf:params:oauth:token-type:jwt")] {
            assert_eq!(exchange(&bench, subject, kind, &[]).await.oauth_error(), "invalid_request", "{kind}");
        }
        // An authenticated client must be the client that the subject token was issued to.
        let mut program = bench.browser();
        let exchange_fields = [("grant_type", EXCHANGE), ("subject_token", first.as_str()), ("subject_token_type", ACCESS_TOKEN)];
        post(&mut program, "/oauth/token", &basic(&made), &exchange_fields).await.token();
        assert_eq!(post(&mut program, "/oauth/token", &basic(&other), &exchange_fields).await.oauth_error(), "invalid_request");
        let with_id = |id: String| [exchange_fields.iter().map(|(n, v)| (*n, (*v).to_owned())).collect(), vec![("client_id", id)]].concat();
        for (id, fine) in [(format!("key:{}", made.id), true), (format!("key:{}", other.id), false), ("loopback".to_owned(), false)] {
            let fields: Vec<(&str, String)> = with_id(id);
            let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(post(&mut program, "/oauth/token", "", &fields).await.status == 200, fine);
        }
        // A request counts as one use of the key, even if the key is both client and subject.
        bench.execute_sql(&format!("UPDATE keys SET rate_limit = '9/hour' WHERE id = {}", bench.literal(made.id))).await;
        let of_key = [("grant_type", EXCHANGE), ("subject_token", made.secret.as_str()), ("subject_token_type", KEY)];
        for fields in [&exchange_fields, &of_key] {
            post(&mut program, "/oauth/token", &basic(&made), fields).await.token();
        }
        let left = bench.browser().json("/v1/keys/verify", &json!({"key": made.secret})).await.json();
        assert_eq!(left["rate_limit"]["remaining"], json!(6), "{left}");
        bench.execute_sql(&format!("UPDATE keys SET rate_limit = NULL WHERE id = {}", bench.literal(made.id))).await;
        // Eight exchanges in a row are allowed. Each token lists its predecessors in `via`.
        let mut token = first;
        for n in 1..=8 {
            token = exchange(&bench, &token, ACCESS_TOKEN, &[]).await.token();
            assert_eq!(claims(&token)["via"].as_array().map(Vec::len), Some(n));
        }
        let page = exchange(&bench, &token, ACCESS_TOKEN, &[]).await;
        assert_eq!((page.oauth_error().as_str(), &page.json()["code"]), ("invalid_request", &json!("exchanged_too_often")));
        let page = bench.browser().json("/v1/keys/verify", &json!({"key": token})).await;
        assert_eq!(page.json()["valid"], Value::Bool(true), "and it is as good as the first");
    }
}

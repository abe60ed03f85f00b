//! API for programs: token exchange, project config and verify. Each denial has its reason code, and a revocation holds
//! from the next request.

use crate::support::{
    browser::{Browser, Page},
    forged_tokens,
    test_data::{CreatedKey, KeyForms as _, change_key},
};
use axum::http::{Method, Request};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use keyward::{
    domain::{filter::KeyFilter, key::Status, transition::Transition},
    http::routes::{ROUTES, Route},
    service::{
        Error,
        actor::Actor,
        clock::Clock as _,
        keys::{Keys, Precondition},
    },
};
use serde_json::{Value, json};
use uuid::Uuid;

const EMAIL: &str = "maren@pelagic.example";
/// The test vector of `docs/reference/secret-format.md`: well-formed, but not the secret of a key.
const VECTOR: &str = "kw_live_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmn2f8raQ";

/// The endpoints that take a secret in JSON, and the name of its member.
const BODIES: [(&str, &str); 2] = [("/authentication/token", "secret_key"), ("/v1/keys/verify", "key")];

async fn exchange(program: &mut Browser, secret: &str) -> Page {
    program.json("/authentication/token", &json!({"secret_key": secret})).await
}

async fn token(program: &mut Browser, secret: &str) -> String {
    let page = exchange(program, secret).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.json()["access_token"].as_str().expect("a token").to_owned()
}

async fn verify(program: &mut Browser, body: Value) -> Value {
    let page = program.json("/v1/keys/verify", &body).await;
    assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.text());
    page.json()
}

/// Returns the reason code with which verify denies a secret, or `good`.
async fn code(program: &mut Browser, body: Value) -> String {
    let answer = verify(program, body).await;
    if answer["valid"] == true {
        return "good".into();
    }
    assert_eq!(answer.as_object().unwrap().len(), 3, "an error has no other fields: {answer}");
    assert!(answer["message"].as_str().is_some_and(|text| !text.is_empty()));
    answer["code"].as_str().unwrap().to_owned()
}

/// Returns the reason code with which the project's config endpoint denies a token, or `good`. Checks the challenge in
/// `WWW-Authenticate`.
async fn token_code(program: &mut Browser, made: &CreatedKey, token: &str) -> String {
    let page = program.bearer(&format!("/v1/projects/{}/config", made.project), token).await;
    if page.status == 200 {
        return "good".into();
    }
    assert_eq!(page.status, 401, "{}", page.text());
    let challenge = page.header("www-authenticate");
    assert!(challenge.starts_with(r#"Bearer error="invalid_token", error_description=""#), "{challenge}");
    assert!(!page.text().contains(token) && !challenge.contains(token), "the token is not repeated");
    page.problem()
}

on_both_engines! {
    /// The token has the documented claims, and its signature is valid under the published key.
    async fn a_key_is_exchanged_for_a_token(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let page = exchange(&mut program, &made.secret).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.text());
        let body = page.json();
        assert_eq!(body.as_object().unwrap().len(), 4, "{body}");
        assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(86_400)));
        assert_eq!(body["scope"], "data:read usage:read");
        let token = body["access_token"].as_str().unwrap();

        let jwks = program.get("/.well-known/jwks.json").await;
        let jwks: JwkSet = serde_json::from_slice(&jwks.bytes).unwrap();
        let (header, claims) = forged_tokens::parts(token);
        assert_eq!((&header["typ"], &header["alg"]), (&json!("at+jwt"), &json!("EdDSA")));
        let jwk = jwks.find(header["kid"].as_str().unwrap()).expect("the key is published");
        assert!(!serde_json::to_string(&jwks).unwrap().contains("\"d\""), "and its private half is not");

        let now = bench.clock.now().seconds();
        let subject = format!("key:{}", made.id);
        let expected = json!({
            "iss": crate::support::URL,
            "aud": format!("{}/projects/{}", crate::support::URL, made.project),
            "sub": subject,
            "client_id": subject,
            "iat": now,
            "exp": now + 86_400,
            "scope": "data:read usage:read",
            "jti": claims["jti"],
        });
        assert_eq!(claims, expected);
        assert!(claims["jti"].as_str().unwrap().parse::<Uuid>().is_ok());
        let again = forged_tokens::parts(&self::token(&mut program, &made.secret).await).1;
        assert_ne!(again["jti"], claims["jti"], "every token has its own id");

        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[claims["aud"].as_str().unwrap()]);
        let read = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(jwk).unwrap(), &rules).unwrap();
        assert_eq!(read.claims, claims);
    }

    /// The lifetime is the minimum of the requested one, the project's maximum and the remaining lifetime of the key.
    async fn the_life_of_a_token(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        for (requested, expected) in [(1, 1), (3_600, 3_600), (86_400, 86_400), (86_401, 86_400), (i64::MAX, 86_400)] {
            let body = json!({"secret_key": made.secret, "expires_in": requested});
            let page = program.json("/authentication/token", &body).await;
            assert_eq!(page.json()["expires_in"], expected, "{requested}: {}", page.text());
        }
        for wrong in [json!(0), json!(-1), json!(i64::MIN), json!("60"), json!(1.5), json!([60]), json!(1e30), json!(true)] {
            let page = program.json("/authentication/token", &json!({"secret_key": made.secret, "expires_in": wrong})).await;
            assert_eq!((page.status, page.problem().as_str()), (422, "invalid_body"), "{wrong}");
        }
        bench.execute_sql("UPDATE projects SET token_life_max = 600").await;
        assert_eq!(exchange(&mut program, &made.secret).await.json()["expires_in"], 600);
        bench.execute_sql("UPDATE projects SET token_life_max = 86400").await;
        let end = bench.clock.now().plus_seconds(100);
        bench.execute_sql(&format!("UPDATE keys SET expires_at = {}", end.micros())).await;
        let page = exchange(&mut program, &made.secret).await;
        assert_eq!(page.json()["expires_in"], 100);
        let token = page.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(token_code(&mut program, &made, &token).await, "good");
        bench.clock.advance(99);
        assert_eq!(token_code(&mut program, &made, &token).await, "good");
        bench.clock.advance(1);
        assert_eq!(token_code(&mut program, &made, &token).await, "token_expired");
        let page = exchange(&mut program, &made.secret).await;
        assert_eq!((page.status, page.problem().as_str()), (401, "expired"));
    }

    /// A denied key gets no token. The response names the rule that denied it and what the server accepts.
    async fn no_token_for_a_refused_key(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let (keys, id) = (&bench.app.keys, made.id);
        let mut expect = async |secret: &str, code: &str| {
            let page = exchange(&mut program, secret).await;
            assert_eq!((page.status, page.problem().as_str()), (401, code));
            assert!(!page.header("www-authenticate").is_empty());
            assert!(!page.text().contains(secret), "{}", page.text());
        };
        expect("kw_live_short", "malformed").await;
        expect(VECTOR, "unknown").await;
        change_key(keys, &maren, id, Transition::Deactivate).await.unwrap();
        expect(&made.secret, "inactive").await;
        change_key(keys, &maren, id, Transition::Delete).await.unwrap();
        expect(&made.secret, "deleted").await;
    }

    /// Tokens that this server did not issue, or issued for another purpose, are denied.
    async fn foreign_tokens_are_refused(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let tove = bench.create_user("tove@drift.example", false).await;
        let other = bench.create_key(&tove, "Elsewhere").await;
        let mut program = bench.browser();
        let token = token(&mut program, &made.secret).await;
        let (header, claims) = forged_tokens::parts(&token);
        let kid = header["kid"].as_str().unwrap().to_owned();
        let signature = token.rsplit('.').next().unwrap().to_owned();
        let with = |changes: Value| {
            let mut claims = claims.clone();
            for (name, value) in changes.as_object().unwrap() {
                claims[name] = value.clone();
            }
            claims
        };
        let mut expect = async |what: &str, token: String, code: &str| {
            assert_eq!(token_code(&mut program, &made, &token).await, code, "{what}");
        };

        expect("as issued", token.clone(), "good").await;
        expect("signed again", forged_tokens::sign(&bench, &forged_tokens::header(&kid), &claims).await, "good").await;

        // The signature does not match the claims.
        let aud = json!({"aud": format!("{}/projects/{}", crate::support::URL, other.project)});
        expect("other claims", forged_tokens::assemble(&header, &with(aud.clone()), &signature), "invalid_token").await;
        let longer = with(json!({"exp": claims["exp"].as_i64().unwrap() + 1}));
        expect("a longer life", forged_tokens::assemble(&header, &longer, &signature), "invalid_token").await;
        let flipped = if signature.starts_with('A') { "B" } else { "A" };
        expect("another signature", forged_tokens::assemble(&header, &claims, &format!("{flipped}{}", &signature[1..])), "invalid_token").await;
        expect("no signature", forged_tokens::assemble(&header, &claims, ""), "invalid_token").await;
        for alg in ["none", "None", "HS256", "RS256", "ES256"] {
            let unsigned = json!({"typ": "at+jwt", "alg": alg, "kid": kid});
            expect(alg, forged_tokens::assemble(&unsigned, &claims, ""), "invalid_token").await;
            expect(alg, forged_tokens::assemble(&unsigned, &claims, &signature), "invalid_token").await;
        }
        // The public key as an HMAC secret (algorithm confusion).
        let jwks = bench.app.tokens.jwks();
        let x = jwks["keys"][0]["x"].as_str().unwrap().to_owned();
        let raw = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &x).unwrap();
        for secret in [raw.as_slice(), x.as_bytes()] {
            let header = Header { alg: Algorithm::HS256, ..forged_tokens::header(&kid) };
            let forged = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap();
            expect("HS256 with the public key", forged, "invalid_token").await;
        }

        // The server's own signature, on another kind of token or with other claims.
        for typ in [None, Some("JWT"), Some("id+jwt"), Some("AT+JWT-x")] {
            let header = Header { typ: typ.map(Into::into), ..forged_tokens::header(&kid) };
            expect("another kind", forged_tokens::sign(&bench, &header, &claims).await, "invalid_token").await;
        }
        let unknown = forged_tokens::header(&Uuid::nil().to_string());
        expect("another key", forged_tokens::sign(&bench, &unknown, &claims).await, "invalid_token").await;
        let now = bench.clock.now().seconds();
        // In a token of a key, subject and client are the same (RFC 9068 section 2.2).
        let of_key = |id: Uuid| json!({"sub": format!("key:{id}"), "client_id": format!("key:{id}")});
        let cases = [
            ("another project", aud, "wrong_audience"),
            ("the management interface", json!({"aud": format!("{}/v1", crate::support::URL)}), "wrong_audience"),
            ("another issuer", json!({"iss": "https://evil.example"}), "invalid_token"),
            ("expired at this very second", json!({"exp": now}), "token_expired"),
            ("good for a second", json!({"exp": now + 1}), "good"),
            ("a person", json!({"sub": format!("user:{}", maren.user)}), "invalid_token"),
            ("nobody", json!({"sub": "key:"}), "invalid_token"),
            ("a key that is not there", of_key(Uuid::nil()), "unknown"),
            ("another project's key", of_key(other.id.into()), "wrong_project"),
            ("another key than the client", json!({"sub": format!("key:{}", other.id)}), "invalid_token"),
        ];
        for (what, changes, code) in cases {
            expect(what, forged_tokens::sign(&bench, &forged_tokens::header(&kid), &with(changes)).await, code).await;
        }
        for claim in ["iss", "aud", "sub", "exp"] {
            let mut without = claims.clone();
            without.as_object_mut().unwrap().remove(claim);
            expect(claim, forged_tokens::sign(&bench, &forged_tokens::header(&kid), &without).await, "invalid_token").await;
        }
        for nonsense in ["x", "a.b.c", "....", "{}", &made.secret, &"A".repeat(5_000)] {
            expect(nonsense, nonsense.to_owned(), "invalid_token").await;
        }
    }

    /// The config endpoint accepts a token of its project and no other credential.
    async fn a_token_reads_its_projects_config(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let other = bench.create_key(&bench.create_user("tove@drift.example", false).await, "Elsewhere").await;
        let mut program = bench.browser();
        let bearer = token(&mut program, &made.secret).await;
        let (mine, theirs) = (made.project, other.project);
        let addresses = [
            format!("/v1/projects/{mine}/config"),
            format!("/pops/{mine}/config"),
            format!("/pops/{mine}/config?auto_start=false&x=y"),
            format!("/v1/projects/{mine}/config?a=b&&c"),
        ];
        let page = program.bearer(&addresses[0], &bearer).await;
        assert_eq!((page.status, page.text()), (200, "{}"));
        let config = json!({"url": "wss://worker.pelagic.example", "depth": 40, "nested": {"ø": [1, null]}});
        bench.app.projects.set_config(&Actor::Operator, mine, &config.to_string()).await.unwrap();
        for address in &addresses {
            let page = program.bearer(address, &bearer).await;
            assert_eq!((page.status, page.json()), (200, config.clone()), "{address}");
            assert_eq!((page.header("content-type"), page.header("cache-control")), ("application/json", "no-store"));
        }
        let get = Request::get(&addresses[0]).header("authorization", format!("bEARER   {bearer}"));
        assert_eq!(program.send(get, String::new()).await.status, 200, "the scheme has no case");

        for (address, code) in [
            (format!("/v1/projects/{theirs}/config"), "wrong_audience"),
            (format!("/pops/{}/config", Uuid::nil()), "wrong_audience"),
            ("/pops/nonsense/config".to_owned(), "wrong_audience"),
        ] {
            let page = program.bearer(&address, &bearer).await;
            assert_eq!((page.status, page.problem().as_str()), (401, code), "{address}");
            assert!(page.header("www-authenticate").starts_with("Bearer "), "{address}");
        }
        for (header, code) in [
            (String::new(), "missing_token"),
            ("Bearer".into(), "missing_token"),
            ("Bearer  ".into(), "missing_token"),
            (format!("Basic {bearer}"), "missing_token"),
            (format!("Bearer {}", made.secret), "invalid_token"),
        ] {
            let get = Request::get(&addresses[0]).header("authorization", &header);
            let page = program.send(get, String::new()).await;
            assert_eq!((page.status, page.problem().as_str()), (401, code), "{header}");
            assert!(page.header("www-authenticate").starts_with("Bearer"));
        }
        let page = program.get(&format!("{}?access_token={bearer}", addresses[0])).await;
        assert_eq!((page.status, page.problem().as_str()), (401, "missing_token"), "never in the query");
    }

    /// The response for a valid key.
    async fn a_good_key(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let answer = verify(&mut program, json!({"key": made.secret})).await;
        let expires = bench.key_row(made.id).await.unwrap().expires_at.unwrap() / 1_000_000;
        let expires_at = answer["expires_at"].as_str().unwrap();
        let expected = json!({
            "valid": true, "key_id": made.id, "project_id": made.project, "name": "Gateway", "environment": "live",
            "scopes": ["data:read", "usage:read"], "expires_at": expires_at,
        });
        assert_eq!(answer, expected);
        let parsed = time::OffsetDateTime::parse(expires_at, &time::format_description::well_known::Rfc3339).unwrap();
        assert_eq!(parsed.unix_timestamp(), expires);
        bench.execute_sql("UPDATE keys SET expires_at = NULL").await;
        assert_eq!(verify(&mut program, json!({"key": made.secret})).await["expires_at"], Value::Null);
    }

    /// Every rule, in the order of evaluation: each is broken together with all later ones.
    async fn every_rule_in_its_order(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let (elsewhere, here) = (Uuid::nil().to_string(), made.project.to_string());
        // A request for which the key breaks every rule.
        let worst = |secret: &str| json!({"key": secret, "project": elsewhere, "scopes": ["data:write"]});

        let mut typo = made.secret.clone();
        typo.replace_range(20..21, if &typo[20..21] == "a" { "b" } else { "a" });
        let malformed =
            ["", "kw_live_", &made.secret[1..], &typo, &format!("{}\u{a0}", made.secret), &"ø".repeat(32), &"x".repeat(9_000)];
        for secret in malformed {
            assert_eq!(code(&mut program, worst(secret)).await, "malformed", "{secret:?}");
        }
        // ASCII whitespace around a key is ignored, as in a header.
        assert_eq!(code(&mut program, worst(&format!(" {}\r\n", made.secret))).await, code(&mut program, worst(&made.secret)).await);
        assert_eq!(code(&mut program, worst(VECTOR)).await, "unknown");

        let now = bench.clock.now().micros();
        bench.execute_sql(&format!("UPDATE keys SET deleted_at = {now}, active = FALSE, not_before = {}, expires_at = {now}", now + 1)).await;
        bench.execute_sql(&format!("UPDATE projects SET archived_at = {now}")).await;
        assert_eq!(code(&mut program, worst(&made.secret)).await, "deleted");
        bench.execute_sql("UPDATE keys SET deleted_at = NULL").await;
        assert_eq!(code(&mut program, worst(&made.secret)).await, "project_archived");
        bench.execute_sql("UPDATE projects SET archived_at = NULL").await;
        assert_eq!(code(&mut program, worst(&made.secret)).await, "inactive");
        bench.execute_sql("UPDATE keys SET active = TRUE").await;
        assert_eq!(code(&mut program, worst(&made.secret)).await, "not_yet_valid");
        bench.execute_sql(&format!("UPDATE keys SET not_before = {now}")).await;
        assert_eq!(code(&mut program, worst(&made.secret)).await, "expired", "a key that expires at t is refused at t");
        bench.execute_sql(&format!("UPDATE keys SET expires_at = {}", now + 1)).await;
        assert_eq!(code(&mut program, worst(&made.secret)).await, "wrong_project", "and is good a microsecond before");

        let ask = |project: Value, scopes: Value| json!({"key": made.secret, "project": project, "scopes": scopes});
        let none = json!([]);
        let cases = [
            (ask(json!(elsewhere), none.clone()), "wrong_project"),
            (ask(json!([elsewhere, Uuid::max()]), none.clone()), "wrong_project"),
            (ask(json!([elsewhere, here]), none.clone()), "good"),
            (ask(json!(here), none.clone()), "good"),
            (ask(json!(here), json!(["data:write"])), "missing_scope"),
            (ask(json!(here), json!(["data:read", "data:write"])), "missing_scope"),
            (ask(json!(here), json!(["data:rea"])), "missing_scope"),
            (ask(json!(here), json!([""])), "missing_scope"),
            (ask(json!(here), json!(["usage:read", "data:read"])), "good"),
        ];
        for (body, expected) in cases {
            assert_eq!(code(&mut program, body.clone()).await, expected, "{body}");
        }
        let page = program.json("/v1/keys/verify", &ask(json!([]), json!([]))).await;
        assert_eq!((page.status, page.problem().as_str()), (422, "invalid_body"), "no project at all is a mistake");
    }

    /// A revocation holds from the next request, for the key and for its tokens, even if another process made it.
    async fn revocation_holds_at_the_next_request(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let bearer = token(&mut program, &made.secret).await;
        let (keys, id) = (&bench.app.keys, made.id);
        let elsewhere = Keys::new(crate::support::open_context(&bench.location, bench.clock.clone()).await);
        let mut expect = async |expected: &str| {
            assert_eq!(code(&mut program, json!({"key": made.secret})).await, expected);
            assert_eq!(token_code(&mut program, &made, &bearer).await, expected);
        };
        expect("good").await;
        change_key(keys, &maren, id, Transition::Deactivate).await.unwrap();
        expect("inactive").await;
        change_key(keys, &maren, id, Transition::Activate).await.unwrap();
        expect("good").await;
        elsewhere.transition(&Actor::Operator, id, Transition::Deactivate, Precondition::default()).await.unwrap();
        expect("inactive").await;
        change_key(&elsewhere, &maren, id, Transition::Activate).await.unwrap();
        expect("good").await;
        change_key(&elsewhere, &maren, id, Transition::Delete).await.unwrap();
        expect("deleted").await;
        change_key(keys, &maren, id, Transition::Restore).await.unwrap();
        expect("good").await;
        let now = bench.clock.now().micros();
        bench.execute_sql(&format!("UPDATE keys SET expires_at = {now}")).await;
        expect("expired").await;
        assert_eq!((bench.events("key.deactivated").await, bench.events("key.deleted").await), (2, 1));
    }

    /// A deleted key can be restored unchanged for seven days. Then it is purged, and its audit events remain.
    async fn deleted_keys_come_back_for_seven_days(bench: TestServer) {
        const WEEK: i64 = 7 * 86_400;
        let maren = bench.create_user(EMAIL, false).await;
        let (active, inactive) = (bench.create_key(&maren, "Gateway").await, bench.create_key(&maren, "Sonde").await);
        let keys = &bench.app.keys;
        change_key(keys, &maren, inactive.id, Transition::Deactivate).await.unwrap();
        // The stored row without `updated_at`, which restoration changes.
        let stored = async |id| {
            let mut row = bench.key_row(id).await.unwrap();
            row.updated_at = 0;
            format!("{row:?}")
        };
        let before = (stored(active.id).await, stored(inactive.id).await);
        for made in [&active, &inactive] {
            change_key(keys, &maren, made.id, Transition::Delete).await.unwrap();
        }
        bench.clock.advance(WEEK - 1);
        assert_eq!(keys.purge().await.unwrap(), 0);
        assert_eq!(change_key(keys, &maren, active.id, Transition::Restore).await.unwrap().status, Status::Active);
        assert_eq!(change_key(keys, &maren, inactive.id, Transition::Restore).await.unwrap().status, Status::Inactive);
        assert_eq!((stored(active.id).await, stored(inactive.id).await), before);
        let mut program = bench.browser();
        assert_eq!(code(&mut program, json!({"key": active.secret})).await, "good");
        assert_eq!(code(&mut program, json!({"key": inactive.secret})).await, "inactive");

        let bearer = token(&mut program, &active.secret).await;
        change_key(keys, &maren, active.id, Transition::Delete).await.unwrap();
        bench.clock.advance(WEEK);
        // The period ends exactly to the second, whether or not the background job has purged the key.
        assert!(matches!(change_key(keys, &maren, active.id, Transition::Restore).await, Err(Error::NotFound)));
        assert!(matches!(keys.get_for(&maren, active.id).await, Err(Error::NotFound)));
        let deleted = KeyFilter { status: Some(Status::Deleted), ..KeyFilter::default() };
        assert!(keys.list(&maren, &deleted, "").await.unwrap().keys.is_empty());
        assert_eq!(code(&mut program, json!({"key": active.secret})).await, "deleted");
        assert_eq!(keys.purge().await.unwrap(), 1);
        assert!(bench.key_row(active.id).await.is_none());
        assert!(matches!(change_key(keys, &maren, active.id, Transition::Restore).await, Err(Error::NotFound)));
        assert_eq!(code(&mut program, json!({"key": active.secret})).await, "unknown");
        // The token from before the deletion has expired by now.
        assert_eq!(token_code(&mut program, &active, &bearer).await, "token_expired");
        let trail = format!("SELECT action FROM audit_events WHERE target = 'key:{}' ORDER BY seq", active.id);
        let expected = ["key.created", "key.deleted", "key.restored", "key.deleted", "key.purged"];
        assert_eq!(bench.query_texts(&trail).await, expected);
        assert!(bench.key_row(inactive.id).await.is_some());
    }

    /// The last use is recorded after the response and written in batches. A denied request does not count as a use.
    async fn last_use_is_noted(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        let last_used = async || {
            bench.app.usage.flush().await.unwrap();
            bench.key_row(made.id).await.unwrap().last_used_at
        };
        assert_eq!(last_used().await, None);
        code(&mut program, json!({"key": made.secret, "scopes": ["data:write"]})).await;
        assert_eq!(last_used().await, None, "refused");
        code(&mut program, json!({"key": made.secret})).await;
        let first = bench.clock.now().micros();
        assert_eq!(last_used().await, Some(first));
        bench.clock.advance(60);
        assert_eq!(last_used().await, Some(first));
        let bearer = token(&mut program, &made.secret).await;
        assert_eq!(last_used().await, Some(first + 60_000_000), "exchanging uses the key");
        bench.clock.advance(60);
        assert_eq!(token_code(&mut program, &made, &bearer).await, "good");
        assert_eq!(last_used().await, Some(first + 120_000_000), "so does its token");
        change_key(&bench.app.keys, &maren, made.id, Transition::Deactivate).await.unwrap();
        bench.clock.advance(60);
        assert_eq!(token_code(&mut program, &made, &bearer).await, "inactive");
        assert_eq!(last_used().await, Some(first + 120_000_000));
    }

    /// An invalid body gets the right status, a message and a code, never a server error, and the response never echoes
    /// it.
    async fn bad_bodies(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let secret = bench.create_key(&maren, "Gateway").await.secret;
        let mut program = bench.browser();
        let before = bench.query_number("SELECT COUNT(*) FROM audit_events").await;
        for (path, member) in BODIES {
            let deep = format!("{{\"{member}\": {}", "[".repeat(20_000));
            let deep_unknown = format!("{{\"x\": {}{}}}", "[".repeat(20_000), "]".repeat(20_000));
            let long = format!("{{\"{member}\": \"{secret}{}\"}}", "x".repeat(64 * 1024));
            let mut not_utf8 = format!("{{\"{member}\": \"{secret}").into_bytes();
            not_utf8.extend([0xff, 0xfe, b'"', b'}']);
            let quoted = |text: &str| text.replace("KEY", &format!("\"{secret}\"")).replace("MEMBER", &format!("\"{member}\""));
            let text = |text: &str| quoted(text).into_bytes();
            let bodies: Vec<(&str, Vec<u8>, u16, &str)> = vec![
                ("nothing", Vec::new(), 400, "malformed_json"),
                ("half", text("{MEMBER: KEY"), 400, "malformed_json"),
                ("the bare secret", secret.clone().into_bytes(), 400, "malformed_json"),
                ("a comma too many", text("{MEMBER: KEY,}"), 400, "malformed_json"),
                ("two", text("{MEMBER: KEY} {}"), 400, "malformed_json"),
                ("not UTF-8", not_utf8, 400, "malformed_json"),
                ("not there", text("{}"), 422, "invalid_body"),
                ("null", text("{MEMBER: null}"), 422, "invalid_body"),
                ("a number", text("{MEMBER: 1}"), 422, "invalid_body"),
                ("a list", text("{MEMBER: [KEY]}"), 422, "invalid_body"),
                ("an object", text("{MEMBER: {MEMBER: KEY}}"), 422, "invalid_body"),
                ("a list for a body", text("[KEY]"), 422, "invalid_body"),
                ("a string for a body", text("KEY"), 422, "invalid_body"),
                ("null for a body", text("null"), 422, "invalid_body"),
                ("twice", text("{MEMBER: KEY, MEMBER: KEY}"), 422, "invalid_body"),
                ("an unknown member", text("{MEMBER: KEY, \"secret\": KEY}"), 422, "invalid_body"),
                ("deep", deep.into_bytes(), 422, "invalid_body"),
                ("deep, unknown", deep_unknown.into_bytes(), 422, "invalid_body"),
                ("long", long.into_bytes(), 413, "body_too_large"),
            ];
            for (what, body, status, code) in bodies {
                for said_length in [false, true] {
                    let mut post = Request::post(path).header("content-type", "application/json");
                    if said_length {
                        post = post.header("content-length", body.len());
                    }
                    let page = program.send_bytes(post, body.clone()).await;
                    assert_eq!((page.status, page.problem().as_str()), (status, code), "{path} {what}: {}", page.text());
                    assert!(!page.text().contains(&secret[12..]), "{path} {what} repeats the secret");
                    let words = match what {
                        "not there" => format!("the field {member} is missing"),
                        "twice" => format!("the field {member} occurs more than once"),
                        "an unknown member" | "deep, unknown" => "it contains an unknown field".to_owned(),
                        "null" | "a number" | "a list" | "an object" => "a field has the wrong type".to_owned(),
                        _ => String::new(),
                    };
                    assert!(page.text().contains(&words), "{path} {what}: {}", page.text());
                }
            }
            let body = format!("{{\"{member}\": \"{secret}\"}}");
            for kind in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data"] {
                let mut post = Request::post(path);
                if !kind.is_empty() {
                    post = post.header("content-type", kind);
                }
                let page = program.send(post, body.clone()).await;
                assert_eq!((page.status, page.problem().as_str()), (415, "unsupported_media_type"), "{path} {kind}");
            }
            let post = Request::post(path).header("content-type", "application/json; charset=utf-8");
            assert_eq!(program.send(post, body).await.status, 200);
        }
        let wrong = [
            json!({"key": secret, "project": "not an id"}),
            json!({"key": secret, "project": {"id": 1}}),
            // `null`, for example from a variable that was never set, does not mean "any project".
            json!({"key": secret, "project": null}),
            json!({"key": secret, "scopes": "data:read"}),
            json!({"key": secret, "scopes": null}),
            json!({"key": secret, "scopes": [1]}),
        ];
        for body in wrong {
            let page = program.json("/v1/keys/verify", &body).await;
            assert_eq!((page.status, page.problem().as_str()), (422, "invalid_body"), "{body}");
            assert!(!page.text().contains(&secret), "{}", page.text());
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM audit_events").await, before);
    }

    /// Methods that a path does not support, and unknown paths. A program sends no `Origin`.
    async fn wrong_methods_and_addresses(bench: TestServer) {
        let mut program = bench.browser();
        for route in ROUTES {
            let path = route.path.replace("{id}", &Uuid::nil().to_string());
            for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::TRACE] {
                // Several routes of the table may have the same path.
                let taken = |it: &Route| it.path == route.path && (it.any_method || it.method == method);
                if ROUTES.iter().any(taken) {
                    continue;
                }
                let request = Request::builder().method(&method).uri(&path).header("content-type", "application/json");
                let page = program.send(request, "{}".into()).await;
                let error = if path.starts_with("/oauth/") { page.oauth_error() } else { page.problem() };
                let expected = if path.starts_with("/oauth/") { "invalid_request" } else { "method_not_allowed" };
                assert_eq!((page.status, error.as_str()), (405, expected), "{method} {path}");
                let allow = page.header("allow");
                assert!(allow.split(',').any(|it| it == route.method.as_str()), "{method} {path}: Allow: {allow}");
                assert!(!allow.split(',').any(|it| it == method.as_str()), "{method} {path}: Allow: {allow}");
            }
        }
        for path in ["/v1/nothing", "/v1/", "/v1/keys/verify/", "/v1/projects/x/nothing", "/pops/x", "/.well-known/nothing", "/oauth/nothing", "/authentication/nothing", "/sdk/v2.js"] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                for accept in ["application/json", "text/html,*/*", ""] {
                    let request = Request::builder().method(&method).uri(path).header("accept", accept);
                    let page = program.send(request, String::new()).await;
                    let oauth = path.starts_with("/oauth/");
                    let error = if oauth { page.oauth_error() } else { page.problem() };
                    let expected = if oauth { "invalid_request" } else { "not_found" };
                    assert_eq!((page.status, error.as_str()), (404, expected), "{method} {path}");
                    assert!(page.headers.get("set-cookie").is_none());
                }
            }
        }
    }

    /// Cross-origin pages may call the endpoints that the table allows, and never with a user's cookie.
    async fn other_origins(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        let mut program = bench.browser();
        for route in ROUTES {
            let path = route.path.replace("{id}", &made.project.to_string());
            let body = json!({"secret_key": made.secret}).to_string();
            let preflight = Request::options(&path)
                .header("origin", "https://app.example")
                .header("access-control-request-method", route.method.as_str())
                .header("access-control-request-headers", "authorization,content-type");
            let call = Request::builder()
                .method(&route.method)
                .uri(&path)
                .header("origin", "https://app.example")
                .header("content-type", "application/json");
            let preflight_response = program.send(preflight, String::new()).await;
            let called = program.send(call, body).await;
            let allowed = if route.cors { "*" } else { "" };
            for page in [&preflight_response, &called] {
                assert_eq!(page.header("access-control-allow-origin"), allowed, "{path}");
                assert_eq!(page.header("access-control-allow-credentials"), "", "{path}");
            }
            let otherwise = if route.any_method { 401 } else { 405 };
            assert_eq!(preflight_response.status, if route.cors { 200 } else { otherwise }, "{path}");
            if route.cors {
                assert!(preflight_response.header("access-control-allow-methods").contains(route.method.as_str()), "{path}");
                let headers = preflight_response.header("access-control-allow-headers");
                assert!(headers.contains("authorization") && headers.contains("content-type"), "{path}");
            }
        }
        for path in ["/keys", "/login", "/api/keys/called", "/"] {
            let preflight = Request::options(path)
                .header("origin", "https://app.example")
                .header("access-control-request-method", "POST");
            let page = program.send(preflight, String::new()).await;
            assert_eq!(page.header("access-control-allow-origin"), "", "{path}");
        }
    }
}

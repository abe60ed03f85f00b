//! OAuth authorization endpoint and consent pages, as a browser without JavaScript and a program see them.

use crate::support::{
    PASSWORD, TestServer, URL,
    browser::{Browser, Page, form},
    oauth::{claims, post},
};
use axum::http::Request;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward::{
    domain::ids::ProjectId,
    service::actor::{Actor, Caller},
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const REDIRECT: &str = "https://buoywatch.example/done";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

struct OAuthFixture {
    bench: TestServer,
    owner: Caller,
    project: ProjectId,
    client: String,
}

impl OAuthFixture {
    async fn new(bench: TestServer) -> Self {
        let owner = bench.create_user("owner@pelagic.example", false).await;
        let project = bench.project_of(&owner).await;
        let client = bench.app.consent.register(&owner, project, "Buoy <Watch>", REDIRECT).await.expect("registered");
        Self { bench, owner, project, client: format!("client:{client}") }
    }

    fn query(&self, more: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", self.client.as_str()),
            ("redirect_uri", REDIRECT),
            ("scope", "data:read usage:read"),
            ("state", "a&b=c\"<x>"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in more {
            pairs.retain(|(it, _)| it != name);
            pairs.push((name, value));
        }
        form(&pairs)
    }

    fn web_message_query(&self) -> String {
        let resource = format!("{URL}/projects/{}", self.project);
        let page = "https://buoywatch.example";
        self.query(&[
            ("client_id", "origin"),
            ("redirect_uri", page),
            ("resource", &resource),
            ("response_mode", "web_message"),
        ])
    }

    async fn signed_in(&self) -> Browser {
        self.bench.signed_in("owner@pelagic.example").await
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Page {
        post(&mut self.bench.browser(), "/oauth/token", "", fields).await
    }

    /// Submits the consent form with `allow`, and returns the authorization code.
    async fn obtain_code(&self, browser: &mut Browser) -> String {
        let query = self.query(&[]);
        let fields = [("request", query.as_str()), ("answer", "allow"), ("scopes[]", "data:read"), ("life", "86400")];
        let page = browser.post(&format!("/authorize?{query}"), &fields).await;
        assert_eq!(page.status, 303, "{}", page.text());
        value(page.location(), "code")
    }
}

fn value(address: &str, name: &str) -> String {
    let url: url::Url = address.parse().unwrap_or_else(|_| panic!("no address: {address}"));
    let found = url.query_pairs().find(|(it, _)| it == name);
    found.unwrap_or_else(|| panic!("no {name}: {address}")).1.into_owned()
}

/// Returns the part of a text between two others.
fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("no {before}"));
    rest.split(after).next().unwrap_or_default().to_owned()
}

on_both_engines! {
    async fn the_consent_page_and_its_form(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        let query = stage.query(&[]);
        let here = format!("/authorize?{query}");
        // Without a session, the request redirects to the sign-in page and back.
        let mut browser = stage.bench.browser();
        let page = browser.get(&here).await;
        assert_eq!(page.status, 303);
        assert!(page.location().starts_with("/login?next="), "{}", page.location());
        let login = page.location().to_owned();
        // Before sign-in an error is not redirected to the client either: a link with an error would send anyone who
        // follows it to another site.
        let mistaken = browser.get(&format!("/authorize?{}", stage.query(&[("response_type", "token")]))).await;
        assert_eq!(mistaken.status, 303);
        assert!(mistaken.location().starts_with("/login?next="), "{}", mistaken.location());
        assert_eq!(browser.get(&login).await.status, 200);
        let back = browser.post(&login, &[("email", "owner@pelagic.example"), ("password", PASSWORD)]).await;
        assert_eq!((back.status, back.location()), (303, here.as_str()));

        let page = browser.get(&here).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.text().contains("Buoy &lt;Watch&gt;") && page.text().contains("buoywatch.example"));
        assert_eq!(page.text().matches("name=\"scopes[]\"").count(), 2);
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self' https://buoywatch.example;"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "no-store");

        // A scope that was not offered is rejected with a field error, and the form keeps the typed values.
        let wrong = [("request", query.as_str()), ("answer", "allow"), ("scopes[]", "data:write"), ("life", "5")];
        let refused = browser.post(&here, &wrong).await;
        assert_eq!(refused.status, 422);
        assert!(refused.text().contains("data:write was not requested"), "{}", refused.text());
        assert!(refused.header("content-security-policy").contains("https://buoywatch.example"));
        let code = stage.obtain_code(&mut browser).await;
        assert_eq!(code.len(), 43);
        let denied = browser.post(&here, &[("request", &query), ("answer", "deny")]).await;
        assert_eq!(denied.status, 303);
        assert_eq!(value(denied.location(), "error"), "access_denied");
        assert_eq!((value(denied.location(), "state"), value(denied.location(), "iss")), ("a&b=c\"<x>".into(), URL.into()));
        // The CSP of other pages does not allow their forms to redirect to the client.
        let other = browser.get("/settings/security").await;
        assert!(other.text().contains("Buoy &lt;Watch&gt;") && !other.text().contains(&code));
        assert!(other.header("content-security-policy").contains("form-action 'self';"));
    }

    /// A CSP cannot name an IPv6 address: `form-action` stays at Keyward's origin, and a page with a `Refresh` header
    /// leads to the client.
    async fn an_ipv6_address_widens_no_policy(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        let mut browser = stage.signed_in().await;
        let resource = format!("{URL}/projects/{}", stage.project);
        let to = "http://[::1]:50123/cb";
        let query = stage.query(&[("client_id", "loopback"), ("redirect_uri", to), ("resource", &resource)]);
        let here = format!("/authorize?{query}");
        let page = browser.get(&here).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let policy = page.header("content-security-policy");
        assert!(policy.contains("form-action 'self';") && !policy.contains('*'), "{policy}");
        for (answer, name) in [("allow", "code"), ("deny", "error")] {
            let fields = [("request", query.as_str()), ("answer", answer), ("scopes[]", "data:read"), ("life", "86400")];
            let page = browser.post(&here, &fields).await;
            assert_eq!((page.status, page.location(), page.header("cache-control")), (200, "", "no-store"));
            let leads = page.header("refresh").strip_prefix("0;url=").expect("it leads on").to_owned();
            assert!(leads.starts_with(&format!("{to}?")) && !value(&leads, name).is_empty(), "{leads}");
            assert_eq!(value(&leads, "state"), "a&b=c\"<x>");
            assert!(page.text().contains(&format!("href=\"{}\"", leads.replace('&', "&amp;"))), "{}", page.text());
        }
    }

    async fn opener_policy_of_the_web_message_page(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        let query = stage.web_message_query();
        let here = format!("/authorize?{query}");
        let mut browser = stage.bench.browser();
        let led = browser.get(&here).await;
        assert_eq!((led.status, led.header("cross-origin-opener-policy")), (303, "unsafe-none"));
        let login = led.location().to_owned();
        assert_eq!(browser.get(&login).await.header("cross-origin-opener-policy"), "unsafe-none");
        assert_eq!(browser.get("/login").await.header("cross-origin-opener-policy"), "same-origin");
        let back = browser.post(&login, &[("email", "owner@pelagic.example"), ("password", PASSWORD)]).await;
        assert_eq!((back.status, back.header("cross-origin-opener-policy")), (303, "unsafe-none"));
        let page = browser.get(&here).await;
        assert_eq!((page.status, page.header("cross-origin-opener-policy")), (200, "unsafe-none"));
        assert!(page.header("content-security-policy").contains("form-action 'self';"), "the form leads nowhere else");
        // Another user responds: sign-out and sign-in keep the authorization request and the opener policy.
        let not_me = between(page.text(), "href=\"/logout?next=", "\"");
        let not_me = format!("/logout?next={}", not_me.replace("&amp;", "&"));
        let prompt = browser.get(&not_me).await;
        assert_eq!((prompt.status, prompt.header("cross-origin-opener-policy")), (200, "unsafe-none"));
        assert_eq!(between(prompt.text(), "action=\"", "\"").replace("&amp;", "&"), not_me);
        let out = browser.post(&not_me, &[]).await;
        assert_eq!((out.status, out.header("cross-origin-opener-policy")), (303, "unsafe-none"));
        assert_eq!(out.location(), login);
        browser.post(&login, &[("email", "owner@pelagic.example"), ("password", PASSWORD)]).await;
        for next in ["%2F%2Fevil.example", "https%3A%2F%2Fevil.example", "%2Fkeys"] {
            let out = stage.signed_in().await.post(&format!("/logout?next={next}"), &[]).await;
            assert_eq!((out.status, out.location()), (303, "/login"), "{next}");
        }
        let response = browser.post(&here, &[("request", &query), ("answer", "allow"), ("life", "3600")]).await;
        assert_eq!((response.status, response.header("cross-origin-opener-policy")), (200, "unsafe-none"));
        assert!(response.text().contains("data-origin=\"https://buoywatch.example\""), "{}", response.text());
        let code = between(response.text(), "data-code=\"", "\"");
        assert!(!response.text().contains("keyward.js"), "nothing else runs there");
        let token_fields = [
            ("grant_type", "authorization_code"), ("client_id", "origin"), ("code", &code),
            ("redirect_uri", "https://buoywatch.example"), ("code_verifier", VERIFIER),
        ];
        let token = stage.token(&token_fields).await.token();
        assert_eq!(claims(&token)["scope"], "");
    }

    async fn an_unknown_client_gets_no_redirect(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        let mut browser = stage.signed_in().await;
        for query in [
            stage.query(&[("client_id", "client:0192f3a0-0000-7000-8000-000000000001")]),
            stage.query(&[("redirect_uri", "https://evil.example/")]),
            format!("{}&client_id=loopback", stage.query(&[])),
            format!("{}&redirect_uri=https%3A%2F%2Fevil.example%2F", stage.query(&[])),
        ] {
            let page = browser.get(&format!("/authorize?{query}")).await;
            assert_eq!((page.status, page.location()), (400, ""), "{query}");
            assert!(page.text().contains("Invalid authorization request"));
            assert!(page.header("content-security-policy").contains("form-action 'self';"));
            let refused = browser.post("/authorize", &[("request", &query), ("answer", "allow"), ("life", "3600")]).await;
            assert!(refused.status >= 400 && refused.location().is_empty(), "{query}: {}", refused.status);
        }
        let page = browser.get(&format!("/authorize?{}", stage.query(&[("response_type", "token")]))).await;
        assert_eq!(page.status, 303);
        assert_eq!(value(page.location(), "error"), "unsupported_response_type");
        assert_eq!(stage.bench.query_number("SELECT COUNT(*) FROM grants").await, 0);
    }

    async fn a_code_becomes_a_token_that_follows_its_grant(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        let mut browser = stage.signed_in().await;
        let code = stage.obtain_code(&mut browser).await;
        let token_fields = |code| [
            ("grant_type", "authorization_code"), ("client_id", stage.client.as_str()), ("code", code),
            ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER),
        ];
        for (missing, error) in [("code", "invalid_request"), ("redirect_uri", "invalid_request"), ("code_verifier", "invalid_request"), ("client_id", "invalid_client")] {
            let fields: Vec<_> = token_fields(&code).into_iter().filter(|(name, _)| *name != missing).collect();
            assert_eq!(stage.token(&fields).await.oauth_error(), error, "{missing}");
        }
        let page = stage.token(&token_fields(&code)).await;
        let token = page.token();
        assert_eq!((&page.json()["expires_in"], &page.json()["scope"]), (&json!(3_600), &json!("data:read")));
        let token_claims = claims(&token);
        assert_eq!(token_claims["sub"], format!("user:{}", stage.owner.user));
        assert_eq!(token_claims["client_id"], stage.client.as_str());
        assert_eq!(token_claims["aud"], format!("{URL}/projects/{}", stage.project));
        let config = format!("/v1/projects/{}/config", stage.project);
        assert_eq!(stage.bench.browser().bearer(&config, &token).await.status, 200);
        let good = stage.bench.browser().json("/v1/keys/verify", &json!({"key": token, "scopes": ["data:read"]})).await.json();
        assert_eq!((&good["valid"], &good["issued_to"]), (&json!(true), &json!("owner")), "{good}");
        // Use of the token updates only the last use of the grant.
        stage.bench.app.usage.flush().await.unwrap();
        let mine = stage.bench.app.consent.list_own(&stage.owner).await.unwrap().grants;
        assert!(mine[0].last_used.is_some());
        let grant = mine[0].id.to_string();
        assert_eq!(token_claims["grant_id"], grant.as_str());
        let page = browser.post("/settings/security/grant", &[("grant", &grant)]).await;
        assert_eq!((page.status, page.location()), (303, "/settings/security?done=revoked"));
        assert_eq!(stage.bench.browser().bearer(&config, &token).await.status, 401);
        // The reason code is that of a deleted key, but the message does not mention a key.
        let bad = stage.bench.browser().json("/v1/keys/verify", &json!({"key": token})).await.json();
        let words = bad["message"].as_str().expect("words");
        assert_eq!((&bad["valid"], &bad["code"]), (&json!(false), &json!("deleted")));
        assert!(words.contains("was revoked") && !words.contains("key"), "{words}");
        let cut = stage.bench.query_texts("SELECT holder FROM token_cutoffs").await;
        assert_eq!(cut, [format!("grant:{grant}")]);
        assert_eq!(stage.token(&token_fields(&code)).await.oauth_error(), "invalid_grant");
        // A token request that repeats the requested scopes gets only the granted ones.
        let code = stage.obtain_code(&mut browser).await;
        let again = [&token_fields(&code)[..], &[("scope", "data:read usage:read")]].concat();
        assert_eq!(stage.token(&again).await.json()["scope"], "data:read");
        // A grant whose code yields no token does not stay active.
        let code = stage.obtain_code(&mut browser).await;
        let elsewhere = [&token_fields(&code)[..], &[("resource", "http://127.0.0.1:3000/v1")]].concat();
        assert_eq!(stage.token(&elsewhere).await.oauth_error(), "invalid_target");
        assert_eq!(stage.bench.app.consent.list_own(&stage.owner).await.unwrap().grants.len(), 1);
        // A token revoked while its project is archived stays revoked. Revocation also accepts the client id of the
        // authorization request.
        let code = stage.obtain_code(&mut browser).await;
        let token = stage.token(&token_fields(&code)).await.token();
        let actor = Actor::User(stage.owner.clone());
        stage.bench.app.projects.archive(&actor, stage.project, false).await.unwrap();
        let mut program = stage.bench.browser();
        let foreign = [("token", token.as_str()), ("client_id", "client:0192f3a0-0000-7000-8000-000000000001")];
        assert_eq!(post(&mut program, "/oauth/revoke", "", &foreign).await.oauth_error(), "unauthorized_client");
        let revoked = post(&mut program, "/oauth/revoke", "", &[("token", &token), ("client_id", "origin")]).await;
        assert_eq!((revoked.status, revoked.text()), (200, ""));
        stage.bench.app.projects.archive(&actor, stage.project, true).await.unwrap();
        let bad = program.json("/v1/keys/verify", &json!({"key": token})).await.json();
        assert_eq!((&bad["valid"], &bad["code"]), (&json!(false), &json!("token_revoked")));
        // A stolen token can be used to create and revoke 1,000 tokens. The next revocation then ends the grant: the
        // limit does not keep the token valid.
        let code = stage.obtain_code(&mut browser).await;
        let token = stage.token(&token_fields(&code)).await.token();
        let known = stage.bench.app.tokens.parse(&token).unwrap();
        for n in 0..1_000 {
            let mut another = (*known).clone();
            another.jti = Uuid::from_u128(n);
            stage.bench.app.tokens.revoke(&another, &Default::default()).await.unwrap().unwrap();
        }
        let revoked = post(&mut program, "/oauth/revoke", "", &[("token", &token)]).await;
        assert_eq!((revoked.status, revoked.text()), (200, ""));
        let bad = program.json("/v1/keys/verify", &json!({"key": token})).await.json();
        assert_eq!((&bad["valid"], &bad["code"]), (&json!(false), &json!("deleted")));
        let why = stage.bench.query_texts("SELECT reason FROM audit_events WHERE action = 'grant.ended' ORDER BY seq DESC").await;
        assert!(why[0].contains("1,000 of its tokens were revoked"), "{why:?}");
        // The lifetime of the token is the requested one, but at most the allowed one.
        let code = stage.obtain_code(&mut browser).await;
        let long = [&token_fields(&code)[..], &[("expires_in", "999999")]].concat();
        assert_eq!(stage.token(&long).await.json()["expires_in"], 86_400);
    }

    async fn a_device_receives_the_decision(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        let mut program = stage.bench.browser();
        let begin = [("client_id", stage.client.as_str()), ("scope", "data:read")];
        let page = post(&mut program, "/oauth/device_authorization", "", &begin).await;
        assert_eq!((page.status, page.header("cache-control")), (200, "no-store"), "{}", page.text());
        let device_response = page.json();
        assert_eq!((&device_response["expires_in"], &device_response["interval"]), (&json!(600), &json!(5)));
        assert_eq!(device_response["verification_uri"], format!("{URL}/device"));
        let (code, device) = (device_response["user_code"].as_str().unwrap(), device_response["device_code"].as_str().unwrap());
        let complete = device_response["verification_uri_complete"].as_str().unwrap();
        assert_eq!(complete, format!("{URL}/device?user_code={code}"));
        let poll_fields = [("grant_type", DEVICE), ("client_id", stage.client.as_str()), ("device_code", device)];
        assert_eq!(stage.token(&poll_fields).await.oauth_error(), "authorization_pending");
        assert_eq!(stage.token(&poll_fields).await.oauth_error(), "slow_down");
        let mut browser = stage.signed_in().await;
        let page = browser.get(complete.trim_start_matches(URL)).await;
        assert_eq!((page.status, page.input("user_code")), (200, code));
        assert!(!page.text().contains("Allow</button>"), "it is confirmed first");
        assert_eq!(browser.post("/device", &[("user_code", "BBBB-BBBB")]).await.status, 422);
        let on = browser.post("/device", &[("user_code", &code.to_lowercase())]).await;
        assert_eq!(on.status, 303);
        let confirm = on.location().to_owned();
        let page = browser.get(&confirm).await;
        assert!(page.text().contains(code) && page.text().contains("Buoy &lt;Watch&gt;"), "{}", page.text());
        let typed = page.input("user_code").to_owned();
        let yes = [("user_code", typed.as_str()), ("answer", "allow"), ("scopes[]", "data:read"), ("life", "3600")];
        let done = browser.post(&confirm, &yes).await;
        assert_eq!((done.status, done.location()), (303, "/device?done=allowed"), "{}", done.text());
        let token = stage.token(&poll_fields).await.token();
        assert_eq!(claims(&token)["scope"], "data:read");
        assert_eq!(stage.token(&poll_fields).await.oauth_error(), "invalid_grant");
        assert_eq!(browser.get(&confirm).await.status, 404);
        for (fields, error) in [
            (&[("client_id", "loopback")][..], "unauthorized_client"),
            (&[("client_id", "client:x")], "invalid_client"),
            (&[], "invalid_client"),
            (&[("client_id", stage.client.as_str()), ("scope", "nothing:read")], "invalid_scope"),
            (&[("client_id", stage.client.as_str()), ("resource", "https://x.example/")], "invalid_target"),
        ] {
            assert_eq!(post(&mut program, "/oauth/device_authorization", "", fields).await.oauth_error(), error);
        }
        // RFC 8707 section 2: `resource` may be repeated, but a token is for one.
        let own = format!("{URL}/projects/{}", stage.project);
        let own = ("resource", own.as_str());
        let client = ("client_id", stage.client.as_str());
        let once = post(&mut program, "/oauth/device_authorization", "", &[client, own, own]).await;
        assert_eq!(once.status, 200, "{}", once.text());
        let several = [client, own, ("resource", "http://127.0.0.1:3000/v1")];
        let several = post(&mut program, "/oauth/device_authorization", "", &several).await;
        assert_eq!((several.status, several.oauth_error().as_str()), (400, "invalid_target"));
    }

    async fn another_user_decides_for_no_device(bench: TestServer) {
        let stage = OAuthFixture::new(bench).await;
        stage.bench.create_user("priya@drift.example", false).await;
        let begin = [("client_id", stage.client.as_str()), ("scope", "data:read")];
        let device_response = post(&mut stage.bench.browser(), "/oauth/device_authorization", "", &begin).await.json();
        let (code, device) = (device_response["user_code"].as_str().unwrap(), device_response["device_code"].as_str().unwrap());
        let mut priya = stage.bench.signed_in("priya@drift.example").await;
        for answer in ["deny", "allow"] {
            let fields = [("user_code", code), ("answer", answer), ("life", "3600"), ("scopes[]", "data:read")];
            let page = priya.post(&format!("/device/confirm?user_code={code}"), &fields).await;
            assert_eq!(page.status, 404, "{answer}: {}", page.text());
        }
        let polling = [("grant_type", DEVICE), ("client_id", stage.client.as_str()), ("device_code", device)];
        assert_eq!(stage.token(&polling).await.oauth_error(), "authorization_pending", "it goes on waiting");
        assert_eq!(stage.bench.events("grant.denied").await, 0);
        // Errors by method or body size have the OAuth error format, and allow any origin to read them (CORS).
        let long = form(&[("grant_type", "client_credentials"), ("scope", &"x".repeat(80_000))]);
        let request = Request::post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
        let page = stage.bench.browser().send(request.header("content-length", long.len()), long).await;
        assert_eq!((page.status, page.oauth_error().as_str()), (413, "invalid_request"));
        assert_eq!(page.header("access-control-allow-origin"), "*");
        let page = stage.bench.browser().send(Request::get("/oauth/token"), String::new()).await;
        assert_eq!((page.status, page.oauth_error().as_str(), page.header("allow")), (405, "invalid_request", "POST"));
    }

    async fn the_metadata_lists_the_endpoints(bench: TestServer) {
        let page = bench.browser().get("/.well-known/oauth-authorization-server").await.json();
        assert_eq!(page["authorization_endpoint"], format!("{URL}/authorize"));
        assert_eq!(page["device_authorization_endpoint"], format!("{URL}/oauth/device_authorization"));
        assert_eq!(page["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(page["authorization_response_iss_parameter_supported"], true);
        let kinds: Vec<_> = page["grant_types_supported"].as_array().unwrap().iter().filter_map(|it| it.as_str()).collect();
        assert!(kinds.contains(&"authorization_code") && kinds.contains(&DEVICE));
    }
}

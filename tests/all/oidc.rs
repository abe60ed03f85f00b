//! OpenID Connect sign-in, against a test provider that can be made to send invalid responses.

use crate::support::{Engine, PASSWORD, TestServer, browser::Browser, config, database};
use aws_lc_rs::{
    encoding::AsDer as _,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{Ed25519KeyPair, KeyPair as _},
};
use axum::{
    Json, Router,
    extract::State,
    http::HeaderMap,
    routing::{get, post},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use keyward::{
    config::{Config, OidcSettings, SignInSettings},
    service::actor::Actor,
};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::net::TcpListener;

const MAREN: &str = "maren@pelagic.example";
const CLIENT: &str = "keyward & co";
const SECRET: &str = "s3cret: with / all+sorts";

/// A signing key of the provider.
#[derive(Clone)]
struct Key {
    kid: String,
    algorithm: Algorithm,
    der: Vec<u8>,
}

impl Key {
    fn ed25519(kid: &str) -> Self {
        let der = Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec();
        Self { kid: kid.into(), algorithm: Algorithm::EdDSA, der }
    }

    fn rsa(kid: &str) -> Self {
        let der = RsaKeyPair::generate(KeySize::Rsa2048).unwrap().as_der().unwrap().as_ref().to_vec();
        Self { kid: kid.into(), algorithm: Algorithm::RS256, der }
    }

    fn encoding(&self) -> EncodingKey {
        match self.algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(&self.der),
            _ => {
                let pem =
                    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(&self.der));
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
            }
        }
    }

    fn jwk(&self) -> Value {
        if self.algorithm == Algorithm::EdDSA {
            let pair = Ed25519KeyPair::from_pkcs8(&self.der).unwrap();
            let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
            return json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": x});
        }
        let mut jwk = serde_json::to_value(Jwk::from_encoding_key(&self.encoding(), self.algorithm).unwrap()).unwrap();
        jwk["kid"] = self.kid.clone().into();
        jwk["use"] = "sig".into();
        jwk
    }

    fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.kid.clone());
        jsonwebtoken::encode(&header, claims, &self.encoding()).unwrap()
    }
}

/// The provider's configured responses, and the requests that it has received.
#[derive(Default)]
struct ProviderState {
    discovery: Value,
    jwks: Value,
    id_token: String,
    userinfo: Value,
    /// The PKCE code challenge of the sign-in in progress.
    challenge: String,
    requests: Vec<String>,
}

type SharedState = Arc<Mutex<ProviderState>>;

struct Provider {
    issuer: String,
    key: Key,
    state: SharedState,
}

impl Provider {
    async fn start(key: Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let discovery = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/auth?tenant=pelagic"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "userinfo_endpoint": format!("{issuer}/me"),
        });
        let unknown = json!({"kty": "XYZ", "kid": "of a kind that is to come"});
        let jwks = json!({"keys": [unknown, key.jwk()]});
        let state = SharedState::new(Mutex::new(ProviderState { discovery, jwks, ..ProviderState::default() }));
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async |State(state): State<SharedState>| {
                    let mut state = state.lock().unwrap();
                    state.requests.push("discovery".into());
                    Json(state.discovery.clone())
                }),
            )
            .route(
                "/jwks",
                get(async |State(state): State<SharedState>| {
                    let mut state = state.lock().unwrap();
                    state.requests.push("jwks".into());
                    Json(state.jwks.clone())
                }),
            )
            .route(
                "/me",
                get(async |State(state): State<SharedState>, headers: HeaderMap| {
                    assert_eq!(headers["authorization"], "Bearer of-access");
                    Json(state.lock().unwrap().userinfo.clone())
                }),
            )
            .route("/token", post(token))
            .with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { issuer, key, state }
    }

    fn change(&self, change: impl FnOnce(&mut ProviderState)) {
        change(&mut self.state.lock().unwrap());
    }

    fn count_requests(&self, what: &str) -> usize {
        self.state.lock().unwrap().requests.iter().filter(|it| *it == what).count()
    }

    /// A Keyward server that signs users in with this provider.
    async fn bench(&self, engine: Engine, passwords: bool) -> TestServer {
        let folder = tempfile::tempdir().expect("a folder");
        let location = database(engine, &folder).await;
        let oidc = OidcSettings {
            issuer: self.issuer.clone(),
            client_id: CLIENT.into(),
            client_secret: SECRET.to_owned().into(),
            name: "Pelagic ID".into(),
        };
        let sign_in = SignInSettings { passwords, oidc: Some(oidc) };
        TestServer::with_config(location, folder, Config { sign_in, ..config(crate::support::URL) }).await
    }

    /// The claims of a valid ID token, issued now.
    fn claims(&self, bench: &TestServer, nonce: &str) -> Value {
        let now = bench.app.context.now().seconds();
        json!({
            "iss": self.issuer, "sub": "m-17", "aud": CLIENT, "exp": now + 300, "iat": now, "nonce": nonce, "auth_time": now,
            "email": "Maren@Pelagic.example", "email_verified": true, "name": "Maren Okafor",
        })
    }

    /// Returns from the provider to the callback with an ID token that `lie` has changed. Returns the redirect's
    /// location.
    async fn complete_sign_in(
        &self,
        bench: &TestServer,
        browser: &mut Browser,
        lie: impl FnOnce(&Self, &mut Value) -> Option<String>,
    ) -> String {
        let parameters = start_sign_in(browser, "/login/oidc").await;
        let mut claims = self.claims(bench, &parameters["nonce"]);
        let token = lie(self, &mut claims).unwrap_or_else(|| self.key.sign(&claims));
        self.change(|state| {
            state.id_token = token;
            state.challenge = parameters["code_challenge"].clone();
        });
        browser.get(&format!("/login/oidc/callback?code=abc&state={}", parameters["state"])).await.location().to_owned()
    }
}

/// Token endpoint: issues the ID token if the client secret and the code verifier are correct.
async fn token(State(state): State<SharedState>, headers: HeaderMap, body: String) -> Json<Value> {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = STANDARD.encode(format!("{}:{}", encode(CLIENT), encode(SECRET)));
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut state = state.lock().unwrap();
    state.requests.push("token".into());
    let in_header = headers.get("authorization").is_some_and(|it| it.to_str().unwrap() == format!("Basic {basic}"));
    let in_form = form.get("client_secret").is_some_and(|it| it == SECRET) && form["client_id"] == CLIENT;
    let posts = state.discovery.get("token_endpoint_auth_methods_supported").is_some();
    assert!(if posts { in_form && !headers.contains_key("authorization") } else { in_header && !in_form }, "{form:?}");
    assert_eq!((form["grant_type"].as_str(), form["code"].as_str()), ("authorization_code", "abc"));
    assert_eq!(form["redirect_uri"], format!("{}/login/oidc/callback", crate::support::URL));
    assert_eq!(URL_SAFE_NO_PAD.encode(Sha256::digest(&form["code_verifier"])), state.challenge, "PKCE");
    Json(json!({"id_token": state.id_token, "access_token": "of-access", "token_type": "Bearer"}))
}

/// Starts a sign-in at `path`. Returns the parameters of the authorization request.
async fn start_sign_in(browser: &mut Browser, path: &str) -> HashMap<String, String> {
    let request = axum::http::Request::get(path).header("accept", "text/html").header("sec-fetch-site", "same-origin");
    let page = browser.send(request, String::new()).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let set = page.header("set-cookie");
    assert!(
        set.starts_with("keyward-oidc=") && set.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"),
        "{set}"
    );
    let location = url::Url::parse(page.location()).unwrap_or_else(|e| panic!("{e}: {}", page.location()));
    let parameters: HashMap<_, _> = location.query_pairs().into_owned().collect();
    assert_eq!((parameters["response_type"].as_str(), parameters["code_challenge_method"].as_str()), ("code", "S256"));
    assert_eq!((parameters["client_id"].as_str(), parameters["scope"].as_str()), (CLIENT, "openid profile email"));
    assert_eq!((parameters["tenant"].as_str(), location.path()), ("pelagic", "/auth"));
    parameters
}

async fn email_of(browser: &mut Browser) -> Value {
    browser.account().await.map_or(Value::Null, |account| account.email.into())
}

/// Runs each test on both engines, with a provider whose key is Ed25519.
macro_rules! on_both {
    ($($(#[$attribute:meta])* async fn $name:ident($bench:ident, $provider:ident) $body:block)+) => {$(
        mod $name {
            use super::*;

            async fn test($bench: &TestServer, $provider: &Provider) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let provider = Provider::start(Key::ed25519("one")).await;
                test(&provider.bench(Engine::Sqlite, true).await, &provider).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let provider = Provider::start(Key::ed25519("one")).await;
                test(&provider.bench(Engine::Postgres, true).await, &provider).await;
            }
        }
    )+};
}

on_both! {
    /// The first sign-in creates the user and the second one finds it, by issuer and subject.
    async fn the_first_sign_in_makes_the_person(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let mut browser = bench.browser();
        assert!(browser.get("/login?next=/projects").await.text().contains("href=\"/login/oidc?next=%2Fprojects\""));
        let to = provider.complete_sign_in(bench, &mut browser, |_, _| None).await;
        assert_eq!((to.as_str(), email_of(&mut browser).await), ("/keys", MAREN.into()));
        assert!(!browser.cookie.as_deref().unwrap().contains("keyward-oidc"), "used up");
        assert_eq!(bench.app.projects.list(&bench.caller(MAREN).await).await.unwrap().len(), 1);
        let other = &mut bench.browser();
        // The email address and the name at the provider may change. The subject identifies the user.
        let to = provider.complete_sign_in(bench, other, |_, claims| {
            claims["email"] = "maren.new@pelagic.example".into();
            claims["email_verified"] = false.into();
            None
        });
        assert_eq!((to.await.as_str(), email_of(other).await), ("/keys", MAREN.into()));
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 2);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM identities").await, 1);
        assert_eq!(provider.count_requests("discovery"), 1, "kept");
        assert_eq!(provider.count_requests("jwks"), 1, "kept");
        for (action, count) in [("user.created", 2), ("identity.linked", 1), ("session.started", 2)] {
            assert_eq!(bench.events(action).await, count, "{action}");
        }
        // No password signs this user in, not even the empty one.
        for password in ["", PASSWORD, " "] {
            let page = bench.browser().post("/login", &[("email", MAREN), ("password", password)]).await;
            assert_eq!(page.status, 422, "{}", page.text());
        }
        bench.execute_sql("UPDATE users SET active = FALSE WHERE admin = FALSE").await;
        let mut browser = bench.browser();
        assert_eq!(provider.complete_sign_in(bench, &mut browser, |_, _| None).await, "/login?refused=disabled");
        assert!(email_of(&mut browser).await.is_null());
        assert!(bench.browser().get("/login?refused=disabled").await.text().contains("account is disabled"));
        assert_eq!(bench.events("session.refused").await, 3, "two wrong passwords, and this");
        let secrets = "SELECT actor_name || target_name || COALESCE(reason, '') || detail FROM audit_events";
        for text in bench.query_texts(secrets).await {
            assert!(!text.contains(SECRET) && !text.contains("of-access") && !text.contains("eyJ"), "{text}");
        }
    }

    /// An email address alone does not link an account at the provider to an existing user.
    async fn an_address_alone_joins_nothing(bench, provider) {
        bench.create_user(MAREN, true).await;
        let mut browser = bench.browser();
        assert_eq!(provider.complete_sign_in(bench, &mut browser, |_, _| None).await, "/login?refused=taken");
        assert!(bench.browser().get("/login?refused=taken").await.text().contains("link your account under"));
        provider.change(|state| state.userinfo = json!({"sub": "m-17"}));
        for (change, why) in [(json!(null), "no-email"), (json!("nonsense"), "no-email")] {
            let to = provider.complete_sign_in(bench, &mut browser, |_, claims| {
                claims["email"] = change;
                None
            });
            assert_eq!(to.await, format!("/login?refused={why}"));
        }
        for unconfirmed in [json!(false), json!("false"), json!(0)] {
            let to = provider.complete_sign_in(bench, &mut browser, |_, claims| {
                claims["email"] = "eve@pelagic.example".into();
                claims["email_verified"] = unconfirmed;
                None
            });
            assert_eq!(to.await, "/login?refused=unconfirmed");
        }
        assert!(email_of(&mut browser).await.is_null());
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 1);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM identities").await, 0);
        assert_eq!(bench.events("session.refused").await, 6);
    }

    /// If the ID token has no email address, the userinfo endpoint is requested. Its subject must be the same.
    async fn user_info_is_requested(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let bare = |_: &Provider, claims: &mut Value| {
            for name in ["email", "email_verified", "name"] {
                claims.as_object_mut().unwrap().remove(name);
            }
            None
        };
        provider.change(|state| state.userinfo = json!({"sub": "somebody else", "email": MAREN}));
        let mut browser = bench.browser();
        assert_eq!(provider.complete_sign_in(bench, &mut browser, bare).await, "/login?refused=provider");
        provider.change(|state| state.userinfo = json!({"sub": "m-17", "email": MAREN, "email_verified": false}));
        assert_eq!(provider.complete_sign_in(bench, &mut browser, bare).await, "/login?refused=unconfirmed");
        provider.change(|state| state.userinfo = json!({"sub": "m-17", "email": MAREN, "name": " Maren \n"}));
        assert_eq!(provider.complete_sign_in(bench, &mut browser, bare).await, "/keys");
        let account = browser.account().await.expect("signed in");
        assert_eq!((account.email.as_str(), account.name.as_str(), account.is_admin), (MAREN, "Maren", false));
    }

    /// If the ID token does not state whether the email address is verified, userinfo may state that it is not.
    async fn user_info_can_have_an_unconfirmed_address(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let silent = |_: &Provider, claims: &mut Value| {
            claims.as_object_mut().unwrap().remove("email_verified");
            None
        };
        let mut browser = bench.browser();
        for email in [json!("MAREN@pelagic.example"), json!(null)] {
            provider.change(|state| state.userinfo = json!({"sub": "m-17", "email": email, "email_verified": false}));
            assert_eq!(provider.complete_sign_in(bench, &mut browser, silent).await, "/login?refused=unconfirmed", "{email}");
        }
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 1);
        provider.change(|state| state.userinfo = json!({"sub": "m-17", "email": MAREN, "email_verified": true}));
        assert_eq!(provider.complete_sign_in(bench, &mut browser, silent).await, "/keys");
        // If the ID token states it, userinfo is not requested.
        let userinfo_requests = provider.count_requests("me");
        assert_eq!(provider.complete_sign_in(bench, &mut bench.browser(), |_, _| None).await, "/keys");
        assert_eq!(provider.count_requests("me"), userinfo_requests);
    }

    /// The request has `max_age`, so the ID token should have `auth_time`. Without it the sign-in does not count as
    /// recent authentication. An access token is no substitute for the ID token.
    async fn a_sign_in_without_auth_time_is_not_recent(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let mut browser = bench.browser();
        let to = provider.complete_sign_in(bench, &mut browser, |_, claims| {
            claims.as_object_mut().unwrap().remove("auth_time");
            None
        });
        assert_eq!(to.await, "/keys");
        bench.execute_sql("UPDATE users SET admin = TRUE").await;
        // Another sign-in does not help, so the page does not offer it. The password does.
        let (refused, confirm) = (browser.post("/admin/audit/export", &[]).await, browser.get("/confirm").await);
        assert_eq!((refused.status, confirm.status), (403, 200), "no recent authentication");
        for page in [refused, confirm] {
            let text = page.text();
            assert!(text.contains("does not report when you signed in") && text.contains("a link to set a password"), "{text}");
            assert!(!text.contains("name=\"proof\"") && !text.contains("sign in again"), "{text}");
        }
        let link = bench.app.accounts.reset_link(&Actor::Operator, MAREN).await.unwrap();
        let code = link.split_once("code=").unwrap().1;
        let page = browser.post("/reset/new", &[("code", code), ("password", PASSWORD)]).await;
        assert_eq!(page.location(), "/login?done=reset", "{}", page.text());
        assert_eq!(bench.signed_in(MAREN).await.post("/admin/audit/export", &[]).await.status, 200);
        bench.execute_sql("UPDATE users SET admin = FALSE WHERE email <> 'root@keys.example'").await;
        let mut browser = bench.browser();
        let to = provider.complete_sign_in(bench, &mut browser, |provider, claims| {
            let mut header = Header::new(provider.key.algorithm);
            header.kid = Some(provider.key.kid.clone());
            header.typ = Some("at+jwt".into());
            Some(jsonwebtoken::encode(&header, &claims, &provider.key.encoding()).unwrap())
        });
        assert_eq!(to.await, "/login?refused=provider");
        // A user who authenticated at the provider long ago is signed in, and must reauthenticate for sensitive
        // actions.
        let to = provider.complete_sign_in(bench, &mut browser, |_, claims| {
            claims["auth_time"] = (claims["iat"].as_i64().unwrap() - 901).into();
            None
        });
        assert_eq!(to.await, "/keys");
        bench.execute_sql("UPDATE users SET admin = TRUE").await;
        assert_eq!(browser.post("/admin/audit/export", &[]).await.status, 403);
        for malformed in ["ann@@example.com", "ann@[127.0.0.1]"] {
            let mut browser = bench.browser();
            let to = provider.complete_sign_in(bench, &mut browser, |_, claims| {
                claims["sub"] = "m-18".into();
                claims["email"] = malformed.into();
                None
            });
            assert_eq!(to.await, "/login?refused=no-email", "{malformed}");
        }
    }

    /// A signed-in user who has just reauthenticated links an account at the provider to their account.
    async fn an_account_is_linked(bench, provider) {
        bench.create_user(MAREN, false).await;
        let mut browser = bench.signed_in(MAREN).await;
        let link = async |browser: &mut Browser, subject: &str| {
            let parameters = start_sign_in(browser, "/settings/security/link").await;
            let mut claims = provider.claims(bench, &parameters["nonce"]);
            claims["sub"] = subject.into();
            provider.change(|state| {
                state.id_token = provider.key.sign(&claims);
                state.challenge = parameters["code_challenge"].clone();
            });
            browser.get(&format!("/login/oidc/callback?code=abc&state={}", parameters["state"])).await.location().to_owned()
        };
        let foreign = browser.get("/settings/security/link").await;
        assert_eq!(foreign.location(), "/settings/security?refused=proof", "not from a page of ours");
        assert_eq!(link(&mut browser, "m-17").await, "/settings/security?done=linked");
        assert_eq!(link(&mut browser, "m-17").await, "/settings/security?done=linked", "again changes nothing");
        assert_eq!((bench.events("identity.linked").await, bench.query_number("SELECT COUNT(*) FROM identities").await), (1, 1));
        bench.create_user("eve@pelagic.example", false).await;
        let mut eve = bench.signed_in("eve@pelagic.example").await;
        assert_eq!(link(&mut eve, "m-17").await, "/settings/security?refused=other");
        // The linked account signs the user in, whatever its email address is.
        let mut other = bench.browser();
        assert_eq!(provider.complete_sign_in(bench, &mut other, |_, _| None).await, "/keys");
        assert_eq!(email_of(&mut other).await, MAREN);
        // A link is not made if another user finishes it, or if the user has signed out in between.
        let parameters = start_sign_in(&mut browser, "/settings/security/link").await;
        browser.post("/logout", &[]).await;
        let mut claims = provider.claims(bench, &parameters["nonce"]);
        claims["sub"] = "m-18".into();
        provider.change(|state| {
            state.id_token = provider.key.sign(&claims);
            state.challenge = parameters["code_challenge"].clone();
        });
        let page = browser.get(&format!("/login/oidc/callback?code=abc&state={}", parameters["state"])).await;
        assert_eq!(page.location(), "/login?refused=again");
        let to = bench.browser().get("/settings/security/link").await;
        assert_eq!(to.location(), "/login?next=%2Fsettings%2Fsecurity", "the user is not signed in");
        let mut late = bench.signed_in(MAREN).await;
        bench.clock.advance(901);
        let request = axum::http::Request::get("/settings/security/link").header("sec-fetch-site", "same-origin");
        assert_eq!(late.send(request, String::new()).await.location(), "/settings/security?refused=proof", "too long ago");
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM identities").await, 1);
    }

    /// State, cookie and time bind the callback to its authorization request, and each callback works once.
    async fn a_sign_in_is_used_once(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let mut browser = bench.browser();
        let parameters = start_sign_in(&mut browser, "/login/oidc?next=/projects").await;
        let cookie = browser.cookie.clone();
        provider.change(|state| {
            state.id_token = provider.key.sign(&provider.claims(bench, &parameters["nonce"]));
            state.challenge = parameters["code_challenge"].clone();
        });
        let back = format!("/login/oidc/callback?code=abc&state={}", parameters["state"]);
        // The callback is rejected without the cookie, with another browser's cookie, and with a missing, wrong or
        // repeated state.
        let mut stranger = bench.browser();
        assert_eq!(stranger.get(&back).await.location(), "/login?refused=again");
        start_sign_in(&mut stranger, "/login/oidc").await;
        assert_eq!(stranger.get(&back).await.location(), "/login?refused=again");
        let with = |state: &str| format!("/login/oidc/callback?code=abc{state}");
        for state in ["", "&state=", "&state=AAAA", &format!("&state={0}&state={0}", parameters["state"])] {
            browser.cookie = cookie.clone();
            assert_eq!(browser.get(&with(state)).await.location(), "/login?refused=again", "{state}");
        }
        assert_eq!(provider.count_requests("token"), 0);
        browser.cookie = cookie.clone();
        assert_eq!(browser.get(&back).await.location(), "/projects");
        browser.cookie = cookie;
        assert_eq!(browser.get(&back).await.location(), "/login?refused=again", "once");
        assert_eq!(provider.count_requests("token"), 1);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM one_time_links").await, 1, "the stranger's");

        let parameters = start_sign_in(&mut browser, "/login/oidc").await;
        bench.clock.advance(600);
        let late = browser.get(&format!("/login/oidc/callback?code=abc&state={}", parameters["state"])).await;
        assert_eq!(late.location(), "/login?refused=again", "ten minutes");
        for next in ["https://evil.example", "//evil.example", "/\\evil.example"] {
            let parameters = start_sign_in(&mut browser, &format!("/login/oidc?next={next}")).await;
            provider.change(|state| {
                state.id_token = provider.key.sign(&provider.claims(bench, &parameters["nonce"]));
                state.challenge = parameters["code_challenge"].clone();
            });
            let back = format!("/login/oidc/callback?code=abc&state={}", parameters["state"]);
            assert_eq!(browser.get(&back).await.location(), "/keys", "{next}");
        }
        // The code of a password reset link does not work as a sign-in, and the attempt does not consume the code.
        let link = bench.app.accounts.reset_link(&Actor::Operator, "root@keys.example").await.unwrap();
        let code = link.split('=').nth(1).unwrap();
        let mut derive = Sha256::new();
        derive.update("keyward oidc state");
        derive.update([0]);
        derive.update(code);
        browser.cookie = Some(format!("keyward-oidc={code}"));
        let state = URL_SAFE_NO_PAD.encode(derive.finalize());
        let page = browser.get(&format!("/login/oidc/callback?code=abc&state={state}")).await;
        assert_eq!(page.location(), "/login?refused=again");
        assert!(bench.app.accounts.check_reset_code(code).await.is_ok());
    }

    /// The user denies consent at the provider, the provider returns another error, or the response names another
    /// issuer (RFC 9207).
    async fn invalid_provider_responses(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let mut browser = bench.browser();
        let mut back = async |more: &str| {
            let begun = start_sign_in(&mut browser, "/login/oidc").await;
            provider.change(|state| {
                state.id_token = provider.key.sign(&provider.claims(bench, &begun["nonce"]));
                state.challenge = begun["code_challenge"].clone();
            });
            browser.get(&format!("/login/oidc/callback?state={}{more}", begun["state"])).await.location().to_owned()
        };
        assert_eq!(back("&error=access_denied&error_description=%3Cscript%3E").await, "/login?refused=denied");
        for error in ["&error=server_error", "&error=%3Cscript%3E", "", "&code=abc&iss=https%3A%2F%2Fevil.example"] {
            assert_eq!(back(error).await, "/login?refused=provider", "{error}");
        }
        let iss: String = url::form_urlencoded::byte_serialize(provider.issuer.as_bytes()).collect();
        assert_eq!(back(&format!("&code=abc&iss={iss}")).await, "/keys");
        assert_eq!(back(&format!("&error=access_denied&iss={iss}")).await, "/login?refused=denied");
        assert!(bench.browser().get("/login?refused=denied").await.text().contains("access was denied at the identity provider"));
        assert!(!bench.browser().get("/login?refused=%3Cscript%3E").await.text().contains("notice"));
        // The provider's metadata promises `iss` in every response, so a response without it is rejected as another
        // provider's.
        provider.change(|state| state.discovery["authorization_response_iss_parameter_supported"] = true.into());
        bench.clock.advance(3_600);
        assert_eq!(back("&code=abc").await, "/login?refused=provider");
        assert_eq!(back(&format!("&code=abc&iss={iss}")).await, "/keys");
        // The provider requires `client_secret_post`.
        provider.change(|state| state.discovery["token_endpoint_auth_methods_supported"] = json!(["client_secret_post"]));
        bench.clock.advance(3_600);
        assert_eq!(back(&format!("&code=abc&iss={iss}")).await, "/keys");
    }

    /// Concurrent sign-ins fetch the metadata once. While it is refreshed, and if that fails, the cached metadata is used
    /// until it expires.
    async fn metadata_is_fetched_once_and_survives_a_failed_refresh(bench, provider) {
        let oidc = bench.app.oidc.as_ref().expect("a provider");
        let starts = futures::future::join_all((0..20).map(|_| oidc.start(None, None))).await;
        assert!(starts.iter().all(Result::is_ok));
        assert_eq!(provider.count_requests("discovery"), 1);
        let right = provider.state.lock().unwrap().discovery.clone();
        provider.change(|state| state.discovery["issuer"] = "https://evil.example".into());
        bench.clock.advance(1_800);
        assert!(oidc.start(None, None).await.is_ok(), "cached");
        for _ in 0..500 {
            if provider.count_requests("discovery") > 1 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(provider.count_requests("discovery"), 2, "refreshed in the background");
        bench.clock.advance(1_799);
        assert!(oidc.start(None, None).await.is_ok(), "the refresh failed");
        bench.clock.advance(1);
        let expired = oidc.start(None, None).await;
        assert!(matches!(expired, Err(keyward::service::oidc::SignInFailure::Provider(_))));
        provider.change(|state| state.discovery = right);
        assert!(oidc.start(None, None).await.is_ok());
    }

    /// Two concurrent first sign-ins of one person create one account, and both are signed in.
    async fn two_first_sign_ins_at_once(bench, provider) {
        bench.create_user("root@keys.example", true).await;
        let identity = keyward::service::oidc::Identity {
            issuer: provider.issuer.clone(),
            subject: "m-17".into(),
            email: Some(MAREN.into()),
            unconfirmed: false,
            name: None,
        };
        let come = || async { bench.app.accounts.sign_in_with(&identity, &Default::default()).await.unwrap().unwrap() };
        let (one, other) = tokio::join!(come(), come());
        assert_eq!(one, other);
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 2);
    }
}

/// Every kind of invalid ID token is rejected.
#[tokio::test]
async fn bad_tokens_are_refused() {
    let key = Key::rsa("one");
    let provider = Provider::start(key.clone()).await;
    let bench = provider.bench(Engine::Sqlite, true).await;
    bench.create_user("root@keys.example", true).await;
    let now = bench.app.context.now().seconds();
    let changes = [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{}/", provider.issuer))),
        ("aud", json!("another client")),
        ("aud", json!([])),
        ("aud", json!([CLIENT, "another client"])),
        ("azp", json!("another client")),
        ("exp", json!(now - 61)),
        ("exp", json!(null)),
        ("iat", json!(now + 120)),
        ("iat", json!(now - 700)),
        ("iat", json!(null)),
        ("nbf", json!(now + 120)),
        ("nonce", json!("another")),
        ("nonce", json!(null)),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
        ("sub", json!(null)),
    ];
    let mut browser = bench.browser();
    for (name, value) in changes {
        let to = provider.complete_sign_in(&bench, &mut browser, |_, claims| {
            claims[name] = value.clone();
            None
        });
        assert_eq!(to.await, "/login?refused=provider", "{name}: {value}");
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    type Forge = fn(&Provider, &Value, &dyn Fn(&Value) -> String) -> String;
    let forged: [(&str, Forge); 8] = [
        ("alg none", |_, claims, part| format!("{}.{}.", part(&json!({"alg": "none", "kid": "one"})), part(claims))),
        ("alg None", |_, claims, part| format!("{}.{}.", part(&json!({"alg": "None"})), part(claims))),
        ("no signature", |it, claims, _| {
            let token = it.key.sign(claims);
            format!("{}.", token.rsplit_once('.').unwrap().0)
        }),
        ("HS256 with the public key", |it, claims, _| {
            let jwk = it.key.jwk();
            let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
            let header = Header { kid: Some("one".into()), ..Header::new(Algorithm::HS256) };
            jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&n)).unwrap()
        }),
        ("HS256 with the client's secret", |_, claims, _| {
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(SECRET.as_bytes()))
                .unwrap()
        }),
        ("another's key under the name", |_, claims, _| Key::rsa("one").sign(claims)),
        ("another kind of key under the name", |_, claims, _| Key::ed25519("one").sign(claims)),
        ("other claims under the signature", |it, claims, part| {
            let token = it.key.sign(claims);
            let parts: Vec<_> = token.split('.').collect();
            let mut other = claims.clone();
            other["sub"] = "somebody else".into();
            format!("{}.{}.{}", parts[0], part(&other), parts[2])
        }),
    ];
    for (what, forge) in forged {
        let to = provider.complete_sign_in(&bench, &mut browser, |it, claims| Some(forge(it, claims, &part)));
        assert_eq!(to.await, "/login?refused=provider", "{what}");
    }
    // A critical header parameter (`crit`) that is not supported, and a key for another use.
    let crit = |it: &Provider, claims: &mut Value| {
        let mut header = Header { kid: Some("one".into()), ..Header::new(Algorithm::RS256) };
        header.crit = Some(vec!["exp".into()]);
        Some(jsonwebtoken::encode(&header, claims, &it.key.encoding()).unwrap())
    };
    assert_eq!(provider.complete_sign_in(&bench, &mut browser, crit).await, "/login?refused=provider");
    assert!(email_of(&mut browser).await.is_null());
    assert_eq!(bench.query_number("SELECT COUNT(*) FROM users").await, 1);

    // Valid ID tokens, in each form that is allowed.
    let aud = json!([CLIENT, "another client"]);
    let to = provider.complete_sign_in(&bench, &mut browser, |it, claims| {
        claims["aud"] = aud;
        claims["azp"] = CLIENT.into();
        claims["exp"] = json!(now as f64 + 100.5);
        let header = Header::new(Algorithm::RS256);
        Some(jsonwebtoken::encode(&header, claims, &it.key.encoding()).unwrap())
    });
    assert_eq!(to.await, "/keys", "two audiences, azp, a fraction, no kid");
    provider.change(|state| state.jwks["keys"][1]["use"] = "enc".into());
    bench.clock.advance(3_600);
    assert_eq!(
        provider.complete_sign_in(&bench, &mut browser, |_, _| None).await,
        "/login?refused=provider",
        "for encryption"
    );
}

/// The provider rotates its keys: the new key is fetched when its `kid` first occurs, and the old key is no longer
/// accepted.
#[tokio::test]
async fn keys_rotate() {
    let mut provider = Provider::start(Key::ed25519("one")).await;
    let bench = provider.bench(Engine::Sqlite, true).await;
    bench.create_user("root@keys.example", true).await;
    let mut browser = bench.browser();
    assert_eq!(provider.complete_sign_in(&bench, &mut browser, |_, _| None).await, "/keys");
    let old = std::mem::replace(&mut provider.key, Key::ed25519("two"));
    let unknown = provider.complete_sign_in(&bench, &mut browser, |_, _| None).await;
    assert_eq!(
        (unknown.as_str(), provider.count_requests("jwks")),
        ("/login?refused=provider", 2),
        "requested again, and missing"
    );
    let jwk = provider.key.jwk();
    provider.change(|state| state.jwks["keys"][1] = jwk);
    assert_eq!(provider.complete_sign_in(&bench, &mut browser, |_, _| None).await, "/keys");
    assert_eq!(provider.count_requests("jwks"), 3);
    let stale = provider.complete_sign_in(&bench, &mut browser, |_, claims| Some(old.sign(claims))).await;
    assert_eq!(stale, "/login?refused=provider");
}

/// A discovery document of another issuer, or with endpoints on another origin, is rejected.
#[tokio::test]
async fn discovery_is_checked() {
    let provider = Provider::start(Key::ed25519("one")).await;
    let right = provider.state.lock().unwrap().discovery.clone();
    for (name, value) in [
        ("issuer", json!("https://evil.example")),
        ("issuer", json!(format!("{}/", provider.issuer))),
        ("authorization_endpoint", json!("http://evil.example/auth")),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("token_endpoint", json!("http://192.0.2.1/token")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("token_endpoint", json!(null)),
    ] {
        provider.change(|state| state.discovery[name] = value.clone());
        let bench = provider.bench(Engine::Sqlite, true).await;
        bench.create_user("root@keys.example", true).await;
        let page = bench.browser().get("/login/oidc").await;
        assert_eq!(page.location(), "/login?refused=provider", "{name}: {value}");
        provider.change(|state| state.discovery = right.clone());
    }
    // The document is longer than the limit, and is not read to its end.
    provider.change(|state| state.discovery["more"] = "x".repeat(300 * 1024).into());
    let bench = provider.bench(Engine::Sqlite, true).await;
    bench.create_user("root@keys.example", true).await;
    assert_eq!(bench.browser().get("/login/oidc").await.location(), "/login?refused=provider");
}

/// With passwords disabled, only the provider can fix a sign-in without `auth_time`.
#[tokio::test]
async fn without_auth_time_and_passwords_the_provider_has_to_change() {
    let provider = Provider::start(Key::ed25519("one")).await;
    let bench = provider.bench(Engine::Sqlite, false).await;
    let mut browser = bench.browser();
    let to = provider.complete_sign_in(&bench, &mut browser, |_, claims| {
        claims.as_object_mut().unwrap().remove("auth_time");
        None
    });
    assert_eq!(to.await, "/keys");
    let page = browser.get("/confirm").await;
    let text = page.text();
    assert!(text.contains("Ask an administrator to configure the provider to send the claim auth_time."), "{text}");
    assert!(!text.contains("set a password"), "{text}");
    // A user who authenticated at the provider long ago signs in again.
    let mut browser = bench.browser();
    let to = provider.complete_sign_in(&bench, &mut browser, |_, claims| {
        claims["auth_time"] = (claims["iat"].as_i64().unwrap() - 901).into();
        None
    });
    assert_eq!(to.await, "/keys");
    assert!(browser.get("/confirm").await.text().contains("Sign out, sign in again"));
}

/// Before there is an administrator: with passwords, the setup page must be completed first. Without them, the first
/// person to sign in becomes a user, not an administrator.
#[tokio::test]
async fn the_first_person() {
    let provider = Provider::start(Key::ed25519("one")).await;
    let bench = provider.bench(Engine::Sqlite, true).await;
    assert_eq!(bench.browser().get("/login/oidc").await.location(), "/setup");
    let identity = keyward::service::oidc::Identity {
        issuer: provider.issuer.clone(),
        subject: "m-17".into(),
        email: Some(MAREN.into()),
        unconfirmed: false,
        name: None,
    };
    let refused = bench.app.accounts.sign_in_with(&identity, &Default::default()).await.unwrap();
    assert_eq!(refused, Err(keyward::domain::registration::SignInError::NotSetUp));

    let bench = provider.bench(Engine::Sqlite, false).await;
    let mut browser = bench.browser();
    assert_eq!(provider.complete_sign_in(&bench, &mut browser, |_, _| None).await, "/keys");
    assert!(!browser.account().await.expect("signed in").is_admin);
    let maren = bench.app.users.find_by_email(MAREN).await.unwrap();
    bench.app.users.grant_administrator(&Actor::Operator, maren).await.unwrap();
    assert!(browser.account().await.expect("signed in").is_admin);
}

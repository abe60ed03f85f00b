//! Signature algorithm of access tokens: RS256 instead of EdDSA, migration between them, and no confusion of
//! algorithms.

use crate::support::{
    Engine, TestServer, URL, config, database, forged_tokens,
    oauth::{claims, token},
};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, jwk::JwkSet};
use keyward::{
    config::{ApiSettings, Config, TokenAlg},
    service::{
        Services,
        actor::Actor,
        encryption_at_rest::EncryptionKey,
        maintenance,
        tokens::{self, PUBLISH_LEAD_TIME},
        verify::VerifyRequest,
    },
    store::signing_keys,
};
use serde_json::{Value, json};

const EMAIL: &str = "maren@pelagic.example";

fn config_with(alg: TokenAlg) -> Config {
    Config { programs: ApiSettings { token_alg: alg, ..ApiSettings::default() }, ..config(URL) }
}

/// Returns the same service with another algorithm.
fn with_algorithm(app: &Services, alg: TokenAlg) -> Services {
    app.with_config(config_with(alg))
}

async fn jwks(bench: &TestServer) -> Value {
    bench.browser().get("/.well-known/jwks.json").await.json()
}

/// Returns the types and algorithms of the published keys, the signing key first.
async fn published(bench: &TestServer) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let jwks = jwks(bench).await;
    jwks["keys"].as_array().expect("keys").iter().map(|key| (text(&key["kty"]), text(&key["alg"]))).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(kty, alg)| ((*kty).to_owned(), (*alg).to_owned())).collect()
}

const RSA: (&str, &str) = ("RSA", "RS256");
const OKP: (&str, &str) = ("OKP", "EdDSA");

async fn is_accepted(app: &Services, token: &str) -> bool {
    app.tokens.check_credential(token, &VerifyRequest::default()).await.expect("the store answers").is_ok()
}

fn sealing(bench: &TestServer) -> EncryptionKey {
    EncryptionKey::load(&bench.folder.path().join("keyward.key")).expect("readable").expect("a key file")
}

/// Validates a token as a resource server does (RFC 9068 section 4), with a library that is independent of Keyward.
fn validated(jwks: &Value, token: &str, audience: &str) -> Value {
    let header = jsonwebtoken::decode_header(token).expect("a header");
    assert!(header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt")));
    assert_eq!(header.alg, Algorithm::RS256);
    let set: JwkSet = serde_json::from_value(jwks.clone()).expect("a JWK set");
    let key = set.find(&header.kid.expect("a kid")).expect("the key is published");
    let mut rules = Validation::new(Algorithm::RS256);
    rules.set_issuer(&[URL]);
    rules.set_audience(&[audience]);
    rules.set_required_spec_claims(&["iss", "exp", "aud", "sub"]);
    let claims = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_jwk(key).expect("a key"), &rules)
        .expect("valid")
        .claims;
    for name in ["client_id", "iat", "jti", "scope"] {
        assert!(!claims[name].is_null(), "{name}: {claims}");
    }
    claims
}

async fn a_new_database_signs_with_rs256(engine: Engine) {
    let folder = tempfile::tempdir().unwrap();
    let location = database(engine, &folder).await;
    let bench = TestServer::with_config(location, folder, config_with(TokenAlg::Rs256)).await;
    let maren = bench.create_user(EMAIL, false).await;
    let made = bench.create_key(&maren, "Gateway").await;
    let token = token(&bench, &made, &[]).await.token();
    let keys = jwks(&bench).await;
    assert_eq!(published(&bench).await, pairs(&[RSA]), "no key of an algorithm that is not in use");
    let modulus = URL_SAFE_NO_PAD.decode(keys["keys"][0]["n"].as_str().unwrap()).unwrap();
    assert!(modulus.len() >= 256 && modulus[0] != 0, "{} bytes", modulus.len());
    assert!(keys["keys"][0]["d"].is_null() && keys["keys"][0]["e"] == "AQAB");
    let read = validated(&keys, &token, &format!("{URL}/projects/{}", made.project));
    assert_eq!(read["sub"], format!("key:{}", made.id));
    assert!(is_accepted(&bench.app, &token).await);
    // The list of revoked tokens is signed with the same key.
    let list = bench.app.tokens.revocation_list().await.unwrap();
    assert_eq!(forged_tokens::parts(&list.jwt).0["alg"], "RS256");
    // The private key is encrypted with the key file.
    let row = {
        let mut reader = bench.app.context.pool.acquire_reader().await.unwrap();
        signing_keys::newest(&mut reader.conn(), "access_tokens_rs256").await.unwrap().unwrap()
    };
    let private = sealing(&bench).decrypt(row.id, &row.sealed).expect("it opens");
    assert!(RsaKeyPair::from_pkcs8(&private).is_ok() && RsaKeyPair::from_pkcs8(&row.sealed).is_err());
    // Another process uses the same key.
    let again = crate::support::service(&bench.location, &bench.folder, bench.clock.clone(), URL).await;
    assert!(is_accepted(&again, &token).await);

    check_forged_tokens(&bench, &token, &private, &row.public_key).await;
    // After a compromise, the replacement key has the same algorithm and signs at once.
    let next = tokens::replace(&bench.app.context, &sealing(&bench), &Actor::Operator).await.unwrap();
    bench.clock.advance(61);
    assert_eq!(published(&bench).await, pairs(&[RSA]));
    assert!(!is_accepted(&bench.app, &token).await, "discarded with its key");
    let new = self::token(&bench, &made, &[]).await.token();
    assert_eq!(forged_tokens::parts(&new).0["kid"], next.kid.to_string());
    assert!(is_accepted(&bench.app, &new).await);
}

/// A token whose header names another algorithm than its key has is rejected, even if the signature is valid.
async fn check_forged_tokens(bench: &TestServer, good: &str, private: &[u8], public: &[u8]) {
    let pair = RsaKeyPair::from_pkcs8(private).unwrap();
    let (header, claims) = forged_tokens::parts(good);
    let kid = header["kid"].as_str().unwrap();
    let sign = |alg: &str, padding: &'static dyn RsaEncoding| {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&json!({"typ": "at+jwt", "alg": alg, "kid": kid})), part(&claims));
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    assert!(is_accepted(&bench.app, &sign("RS256", &RSA_PKCS1_SHA256)).await, "the control");
    for alg in ["EdDSA", "none", "HS256", "PS256", "RS384", "RS512", "ES256", "rs256", ""] {
        assert!(!is_accepted(&bench.app, &sign(alg, &RSA_PKCS1_SHA256)).await, "{alg}");
    }
    assert!(!is_accepted(&bench.app, &sign("PS256", &RSA_PSS_SHA256)).await);
    assert!(!is_accepted(&bench.app, &sign("RS256", &RSA_PSS_SHA256)).await);
    // The public key as an HMAC secret (RFC 8725 section 2.1).
    let mut header = Header::new(Algorithm::HS256);
    (header.typ, header.kid) = (Some("at+jwt".into()), Some(kid.to_owned()));
    let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(public)).unwrap();
    assert!(!is_accepted(&bench.app, &token).await);
    // A foreign key under this `kid`.
    let (seed, ours) = (crate::support::random::<32>(), kid);
    let foreign = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let pkcs8 = foreign.to_pkcs8v1().unwrap();
    let token =
        jsonwebtoken::encode(&forged_tokens::header(ours), &claims, &EncodingKey::from_ed_der(pkcs8.as_ref())).unwrap();
    assert!(!is_accepted(&bench.app, &token).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_a_new_database_signs_with_rs256() {
    a_new_database_signs_with_rs256(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_a_new_database_signs_with_rs256() {
    a_new_database_signs_with_rs256(Engine::Postgres).await;
}

on_both_engines! {
    /// The setting changes on a database in use: the new key is published first, and no token is rejected during the
    /// change.
    async fn one_algorithm_follows_another(bench: TestServer) {
        let maren = bench.create_user(EMAIL, false).await;
        let made = bench.create_key(&maren, "Gateway").await;
        bench.execute_sql("UPDATE policy SET token_life_max = 7200, token_life_ever = 7200").await;
        let alg = |token: &str| forged_tokens::parts(token).0["alg"].as_str().unwrap().to_owned();
        let issue = async || token(&bench, &made, &[("expires_in", "7200")]).await.token();
        let (rsa, ed) = (with_algorithm(&bench.app, TokenAlg::Rs256), with_algorithm(&bench.app, TokenAlg::EdDsa));
        let first = issue().await;
        maintenance::run_once(&ed).await.unwrap();
        assert_eq!((alg(&first).as_str(), published(&bench).await), ("EdDSA", pairs(&[OKP])), "it is what was set");

        maintenance::run_once(&rsa).await.unwrap();
        maintenance::run_once(&rsa).await.unwrap();
        assert_eq!(published(&bench).await, pairs(&[OKP, RSA]), "once, and before it signs");
        assert_eq!(bench.events("signing_key.published").await, 1);
        bench.clock.advance(PUBLISH_LEAD_TIME - 1);
        let last = issue().await;
        assert_eq!(alg(&last), "EdDSA");
        bench.clock.advance(1);
        let new = issue().await;
        assert_eq!((alg(&new).as_str(), published(&bench).await), ("RS256", pairs(&[RSA, OKP])));
        for token in [&first, &last, &new] {
            assert!(is_accepted(&bench.app, token).await);
        }
        // A key of each type is published. Neither verifies a token of the other.
        let kids: Vec<String> = jwks(&bench).await["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect();
        for (token, other) in [(&new, &kids[1]), (&last, &kids[0])] {
            let (mut header, claims) = forged_tokens::parts(token);
            header["kid"] = json!(other);
            let signature = token.rsplit('.').next().unwrap();
            assert!(!is_accepted(&bench.app, &forged_tokens::assemble(&header, &claims, signature)).await);
        }
        // The rotation command keeps the algorithm.
        tokens::rotate(&bench.app.context, &sealing(&bench), &Actor::Operator, None).await.unwrap();
        bench.clock.advance(61);
        assert_eq!(published(&bench).await, pairs(&[RSA, RSA, OKP]));
        // The old algorithm is removed after its last token has expired: two hours after the first RSA key began to
        // sign. The second RSA key begins to sign 15 minutes after its publication.
        bench.clock.advance(7_200 - 61);
        maintenance::run_once(&rsa).await.unwrap();
        assert_eq!(published(&bench).await, pairs(&[RSA, RSA]));
        bench.clock.advance(3_600);
        maintenance::run_once(&rsa).await.unwrap();
        assert_eq!(bench.query_number("SELECT COUNT(*) FROM signing_keys WHERE purpose = 'access_tokens'").await, 0);
        assert_eq!(claims(&new)["iss"], URL);

        // The migration back to EdDSA.
        maintenance::run_once(&ed).await.unwrap();
        bench.clock.advance(PUBLISH_LEAD_TIME);
        maintenance::run_once(&ed).await.unwrap();
        assert_eq!(alg(&issue().await), "EdDSA");
    }
}

//! Token forgery: no unknown, expired, deactivated, deleted, or forged key or token is accepted.
//!
//! The test makes more than a hundred thousand random attempts from a printed seed. Valid keys and tokens among them
//! must be accepted, so that a server that denies everything fails.

use crate::support::{Engine, TestServer, forged_tokens, test_data::CreatedKey};
use axum::http::Request;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use keyward::{
    domain::secret::{Mode, PlainSecret},
    service::{
        tokens::{DAY_LIFE, TokenParameters},
        verify::VerifyRequest,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

const WORD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Pseudorandom number generator. The same seed yields the same sequence.
struct SplitMix64(u64);

impl SplitMix64 {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn choose<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Counts the attempts of each kind and fails if a forgery is accepted.
struct ForgeryAttempts<'b> {
    bench: &'b TestServer,
    valid: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
    /// Some of the denied texts, for the requests over HTTP.
    sample: Vec<String>,
}

impl ForgeryAttempts<'_> {
    async fn is_accepted(&self, text: &str) -> bool {
        self.bench.app.tokens.check_credential(text, &VerifyRequest::default()).await.expect("no fault").is_ok()
    }

    /// Asserts that a forgery is denied. A text that is equal to a valid one is skipped.
    async fn assert_denied(&mut self, kind: &'static str, text: String) {
        if self.valid.contains(&text) {
            return;
        }
        assert!(!self.is_accepted(&text).await, "{kind}: accepted: {text}");
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        if *count % 397 == 1 && text.bytes().all(|b| (0x21..0x7f).contains(&b)) {
            self.sample.push(text);
        }
        if count.is_multiple_of(500) {
            self.assert_valid_accepted().await;
        }
    }

    async fn assert_valid_accepted(&mut self) {
        for text in &self.valid {
            assert!(self.is_accepted(text).await, "a good one is refused");
        }
        *self.counts.entry("good ones, accepted").or_default() += self.valid.len();
    }
}

/// Makes one small change to a text.
fn mutate(chance: &mut SplitMix64, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let at = chance.below(bytes.len());
    match chance.below(9) {
        0 | 1 => bytes[at] ^= 1 << chance.below(7),
        2 | 3 => bytes[at] = *chance.choose(WORD),
        4 => {
            bytes.remove(at);
        }
        5 => bytes.insert(at, *chance.choose(WORD)),
        6 => bytes.truncate(at),
        7 => {
            let other = chance.below(bytes.len());
            bytes.swap(at, other);
        }
        _ => bytes[at..].reverse(),
    }
    String::from_utf8(bytes).expect("ASCII")
}

/// Changes characters in the middle of a key and computes a correct checksum.
fn mutate_with_checksum(chance: &mut SplitMix64, key: &str) -> String {
    let mut covered = key.as_bytes()[..58].to_vec();
    let alphabet = &WORD[..62];
    for _ in 0..=chance.below(3) {
        let at = 8 + chance.below(50);
        covered[at] = *chance.choose(alphabet);
    }
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut sum = crc32fast::hash(&covered);
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(sum % 62) as usize];
        sum /= 62;
    }
    covered.extend(digits);
    String::from_utf8(covered).expect("ASCII")
}

/// Encodes a token's bytes in another way, or recombines its parts.
fn reencode(chance: &mut SplitMix64, token: &str, other: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let others: Vec<_> = other.split('.').collect();
    let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part).expect("base64url");
    let mut mixed: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
    let at = chance.below(3);
    match chance.below(9) {
        0 => mixed[at].push('='),
        1 => mixed[at].push_str("=="),
        // The unused bits of the last character.
        2 => {
            let last = mixed[at].pop().expect("a character");
            let place = WORD.iter().position(|it| char::from(*it) == last).expect("base64url");
            mixed[at].push(char::from(WORD[place ^ (1 + chance.below(3))]));
        }
        3 => mixed[at] = STANDARD.encode(bytes(parts[at])),
        4 => mixed[at] = others[at].to_owned(),
        5 => mixed.swap(at, (at + 1) % 3),
        6 => mixed[at] = String::new(),
        // Not before the first character, because white space around a token is not part of it.
        7 => mixed[at].insert(1 + chance.below(parts[at].len() - 1), *chance.choose(&[' ', '\n', '\t', '%', '\u{e9}'])),
        _ => {
            return (*chance.choose(&[
                format!("{token}{token}"),
                format!("{token}.{token}"),
                format!("\u{a0}{token}"),
                format!("Bearer {token}"),
                format!("{token}."),
                format!(".{token}"),
            ]))
            .clone();
        }
    }
    mixed.join(".")
}

/// Returns a token that is signed with the key of this server but that the server would not issue.
fn sign_unissued(
    chance: &mut SplitMix64,
    own: &EncodingKey,
    kid: &str,
    claims: &Value,
    other: &CreatedKey,
    now: i64,
) -> (&'static str, String) {
    let (mut header, mut claims) = (forged_tokens::header(kid), claims.clone());
    let project = claims["aud"].as_str().expect("an audience").rsplit('/').next().expect("an id").to_owned();
    let kind = match chance.below(8) {
        0 => {
            let typs = [
                None,
                Some("JWT"),
                Some("id+jwt"),
                Some("keyward-checkpoint+jwt"),
                Some("keyward-revoked+jwt"),
                Some("at+jwt "),
                Some(""),
            ];
            header.typ = chance.choose(&typs).map(ToOwned::to_owned);
            "wrong typ"
        }
        1 => {
            let upper = project.to_uppercase();
            let simple = project.replace('-', "");
            let auds = [
                json!(format!("{}/v1", crate::support::URL)),
                json!(format!("{}/projects/{}", crate::support::URL, other.project)),
                json!(format!("{}/projects/{}", crate::support::URL, Uuid::nil())),
                json!(format!("{}/projects/{upper}x", crate::support::URL)),
                json!(format!("{}/projects/{simple}", crate::support::URL)),
                json!(format!("{}/projects/{{{project}}}", crate::support::URL)),
                json!(format!("{}/projects/{project}/", crate::support::URL)),
                json!(format!("https://other.example/projects/{project}")),
                json!([format!("{}/projects/{project}", crate::support::URL)]),
                json!(project),
                json!(""),
                Value::Null,
            ];
            claims["aud"] = chance.choose(&auds).clone();
            "wrong audience"
        }
        2 => {
            let issuers =
                ["https://evil.example", "http://127.0.0.1:3001", "http://127.0.0.1:3000/", "", "127.0.0.1:3000"];
            claims["iss"] = json!(chance.choose(&issuers));
            "wrong issuer"
        }
        3 => {
            let over =
                [json!(now), json!(now - 1), json!(now - 86_400), json!(0), json!(-1), json!("never"), Value::Null];
            claims["exp"] = chance.choose(&over).clone();
            "expired"
        }
        4 => {
            header.kid = chance
                .choose(&[None, Some(Uuid::nil().to_string()), Some(format!("{kid} ")), Some(String::new())])
                .clone();
            "kid of another"
        }
        5 => {
            let id = Uuid::from_u128(u128::from(chance.next()));
            let (random_id, own) = (json!(id), claims["sub"].clone());
            let user = format!("user:{id}");
            let changes = [
                // A user token of a missing grant, a key token that names a grant, and a client that does not exist.
                json!({"sub": user, "client_id": "loopback", "grant_id": random_id}),
                json!({"sub": user, "client_id": format!("client:{id}"), "grant_id": random_id}),
                json!({"sub": user, "client_id": "loopback"}),
                json!({"grant_id": random_id}),
                json!({"client_id": "loopback"}),
                json!({"sub": user, "client_id": own, "grant_id": random_id}),
            ];
            claims
                .as_object_mut()
                .expect("claims")
                .extend(chance.choose(&changes).as_object().expect("changes").clone());
            "of no grant"
        }
        6 => {
            let nine = vec![Uuid::nil(); 9];
            let (name, value) = chance
                .choose(&[
                    ("jti", Value::Null),
                    ("jti", json!("x")),
                    ("jti", json!("018F0000-0000-7000-8000-00000000000A")),
                    ("via", json!("x")),
                    ("via", json!(["x"])),
                    ("via", json!([7])),
                    ("via", json!(nine)),
                    ("iat", json!("now")),
                    ("scope", json!(["data:read"])),
                    ("grant_id", json!(7)),
                ])
                .clone();
            claims[name] = value;
            "claims that cannot be read"
        }
        _ => {
            let subjects = [
                format!("key:{}", Uuid::nil()),
                format!("key:{}", other.id),
                "key:".into(),
                "user:x".into(),
                claims["sub"].as_str().expect("a subject").replace("key:", "user:"),
            ];
            claims["sub"] = json!(chance.choose(&subjects));
            "wrong subject"
        }
    };
    (kind, jsonwebtoken::encode(&header, &claims, own).expect("a token"))
}

/// Returns a token whose header names another signature algorithm, or none.
fn swap_algorithm(chance: &mut SplitMix64, token: &str, public: &[u8], x: &str, kid: &str) -> String {
    let (header, claims) = forged_tokens::parts(token);
    let signature = token.rsplit('.').next().expect("a signature");
    if chance.below(2) == 0 {
        let names =
            ["none", "None", "NONE", "nOnE", "HS256", "HS512", "RS256", "PS256", "ES256", "EdDSA ", "Ed25519", ""];
        let mut header = header;
        header["alg"] = json!(chance.choose(&names));
        let ends = ["", signature, "AA"];
        return forged_tokens::assemble(&header, &claims, ends[chance.below(ends.len())]);
    }
    let alg = *chance.choose(&[Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]);
    let header = Header { alg, ..forged_tokens::header(kid) };
    let secret = *chance.choose(&[public, x.as_bytes(), b"", kid.as_bytes()]);
    jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).expect("a token")
}

async fn token(bench: &TestServer, made: &CreatedKey) -> String {
    bench
        .app
        .tokens
        .exchange(&made.secret, None, &TokenParameters::for_own_project(DAY_LIFE))
        .await
        .expect("no fault")
        .expect("a good key")
        .access_token
}

async fn try_all(engine: Engine, share: usize) {
    let seed = u64::from_le_bytes(crate::support::random());
    println!("forged: seed {seed}");
    let mut chance = SplitMix64(seed);
    let (bench, foreign) = (TestServer::new(engine).await, TestServer::new(Engine::Sqlite).await);
    let maren = bench.create_user("maren@pelagic.example", false).await;
    let tove = bench.create_user("tove@drift.example", false).await;
    let (good, other) = (bench.create_key(&maren, "Good").await, bench.create_key(&tove, "Elsewhere").await);
    let stranger = foreign.create_user("maren@pelagic.example", false).await;
    let abroad = foreign.create_key(&stranger, "Abroad").await;

    // Keys that were valid once, and their tokens.
    let mut over = Vec::new();
    for (name, change) in [
        ("expired", "expires_at = created_at"),
        ("deactivated", "active = FALSE"),
        ("deleted", "deleted_at = created_at"),
        ("not yet valid", "not_before = created_at + 1000000000"),
    ] {
        let made = bench.create_key(&maren, name).await;
        let token = token(&bench, &made).await;
        assert!(
            bench.app.tokens.check_credential(&token, &VerifyRequest::default()).await.expect("no fault").is_ok(),
            "{name}"
        );
        bench.execute_sql(&format!("UPDATE keys SET {change} WHERE id = {}", bench.literal(made.id))).await;
        over.push((name, made.secret, token));
    }
    let archivist = bench.create_user("archivist@pelagic.example", false).await;
    let made = bench.create_key(&archivist, "Archived").await;
    let archived = (made.secret.clone(), token(&bench, &made).await);
    bench
        .execute_sql(&format!(
            "UPDATE projects SET archived_at = created_at WHERE id = {}",
            bench.literal(made.project)
        ))
        .await;
    over.push(("of an archived project", archived.0, archived.1));

    let (mine, theirs) = (token(&bench, &good).await, token(&bench, &other).await);
    let (seed_bytes, kid) = forged_tokens::seed(&bench).await;
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&seed_bytes).expect("a pair");
    let own = EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("a form").as_ref());
    let (foreign_seed, _) = forged_tokens::seed(&foreign).await;
    let pair = aws_lc_rs::signature::Ed25519KeyPair::from_seed_unchecked(&foreign_seed).expect("a pair");
    let not_own = EncodingKey::from_ed_der(pair.to_pkcs8v1().expect("a form").as_ref());
    let x = bench.app.tokens.jwks()["keys"][0]["x"].as_str().expect("it is published").to_owned();
    let public = URL_SAFE_NO_PAD.decode(&x).expect("base64url");
    let claims = forged_tokens::parts(&mine).1;
    let now = keyward::service::clock::Clock::now(&*bench.clock).seconds();
    let signed_again = jsonwebtoken::encode(&forged_tokens::header(&kid), &claims, &own).expect("a token");

    let all = vec![good.secret.clone(), other.secret.clone(), mine.clone(), theirs.clone(), signed_again];
    let mut tries = ForgeryAttempts { bench: &bench, valid: all, counts: BTreeMap::new(), sample: Vec::new() };
    tries.assert_valid_accepted().await;
    for _ in 0..60_000 / share {
        tries.assert_denied("keys with a change", mutate(&mut chance, &good.secret)).await;
    }
    for _ in 0..4_000 / share {
        tries
            .assert_denied(
                "keys with a change and a checksum that fits",
                mutate_with_checksum(&mut chance, &good.secret),
            )
            .await;
        let mode = *chance.choose(&[Mode::Live, Mode::Test]);
        let unknown = PlainSecret::generate(mode, |bytes| bytes.iter_mut().for_each(|b| *b = chance.next() as u8));
        tries.assert_denied("unknown keys", unknown.expose().to_owned()).await;
    }
    for _ in 0..30_000 / share {
        tries.assert_denied("tokens with a change", mutate(&mut chance, &mine)).await;
    }
    for _ in 0..4_000 / share {
        tries.assert_denied("tokens written in another way", reencode(&mut chance, &mine, &theirs)).await;
        tries.assert_denied("another algorithm, or none", swap_algorithm(&mut chance, &mine, &public, &x, &kid)).await;
        let (kind, forged) = sign_unissued(&mut chance, &own, &kid, &claims, &other, now);
        tries.assert_denied(kind, forged).await;
    }
    for _ in 0..500 / share {
        tries.assert_denied("another instance's tokens", token(&foreign, &abroad).await).await;
        tries.assert_denied("another instance's keys", abroad.secret.clone()).await;
        let mut claims = claims.clone();
        claims["jti"] = json!(Uuid::from_u128(u128::from(chance.next())));
        let forged = jsonwebtoken::encode(&forged_tokens::header(&kid), &claims, &not_own).expect("a token");
        tries.assert_denied("signed with another instance's key", forged).await;
        for (name, key, token) in &over {
            tries.assert_denied(name, key.clone()).await;
            tries.assert_denied(name, token.clone()).await;
        }
    }
    tries.assert_valid_accepted().await;
    let ForgeryAttempts { counts, sample, valid: known, .. } = tries;
    let total: usize = counts.iter().filter(|(kind, _)| !kind.starts_with("good")).map(|(_, n)| n).sum();
    println!("forged: {total} refused on {engine:?}: {counts:?}");
    assert!(total >= 100_000 / share, "{total}");
    check_endpoints(&bench, &good, &sample, &known).await;
}

/// Sends a sample of the denied texts, and the valid ones, to the HTTP endpoints.
async fn check_endpoints(bench: &TestServer, good: &CreatedKey, sample: &[String], known: &[String]) {
    assert!(sample.len() > 20, "a sample of {}", sample.len());
    let mut program = bench.browser();
    let config = format!("/v1/projects/{}/config", good.project);
    let refused = sample.iter().map(|text| (text.as_str(), false));
    let mine =
        known.iter().filter(|text| **text == good.secret || text.contains('.')).map(|text| (text.as_str(), true));
    let mut seen = [0; 2];
    for (text, is_good) in refused.chain(mine) {
        let page = program.json("/v1/keys/verify", &json!({"key": text})).await;
        assert_eq!((page.status, &page.json()["valid"]), (200, &json!(is_good)), "{text}");
        let page = program.json("/v1/keys/verify:batch", &json!({"keys": [{"key": text}]})).await;
        assert_eq!(page.json()["results"][0]["valid"], json!(is_good), "{text}");
        for header in ["x-api-key", "authorization"] {
            let value = if header == "authorization" { format!("Bearer {text}") } else { text.to_owned() };
            let page = program.send(Request::get("/v1/auth").header(header, value), String::new()).await;
            // 403: the token is signed for another key.
            let fine = if is_good { page.status == 200 } else { [401, 403].contains(&page.status) };
            assert!(fine, "{header}: {}: {text}", page.status);
        }
        // The config accepts only tokens of its own project.
        let of_it = is_good
            && text.contains('.')
            && forged_tokens::parts(text).1["aud"].as_str().is_some_and(|aud| aud.ends_with(&good.project.to_string()));
        assert_eq!(program.bearer(&config, text).await.status, if of_it { 200 } else { 401 }, "{text}");
        seen[usize::from(of_it)] += 1;
    }
    assert!(seen[0] > 20 && seen[1] == 2, "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_nothing_forged_is_accepted() {
    try_all(Engine::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_nothing_forged_is_accepted() {
    try_all(Engine::Postgres, 20).await;
}

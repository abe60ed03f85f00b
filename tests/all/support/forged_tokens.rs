//! Forged tokens: tokens that the server would never issue, signed with its own key. A valid signature is not
//! sufficient: the server must deny tokens of another kind.

use super::TestServer;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    signature::Ed25519KeyPair,
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use keyward::store::signing_keys;
use serde_json::Value;

/// Returns the seed of the signing key, decrypted with the key file, and the key's ID.
pub async fn seed(bench: &TestServer) -> (Vec<u8>, String) {
    let row = {
        let mut reader = bench.app.context.pool.acquire_reader().await.expect("a reader");
        signing_keys::newest(&mut reader.conn(), "access_tokens").await.expect("readable").expect("a signing key")
    };
    let file = std::fs::read_to_string(bench.folder.path().join("keyward.key")).expect("the key file");
    let sealing = STANDARD.decode(file.trim()).expect("base64");
    let sealing = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &sealing).expect("a key"));
    let (nonce, sealed) = row.sealed.split_at(NONCE_LEN);
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::try_assume_unique_for_key(nonce).expect("a nonce");
    let seed = sealing.open_in_place(nonce, Aad::from(row.id.as_bytes()), &mut sealed).expect("it opens").to_vec();
    (seed, row.id.to_string())
}

/// Signs any header and claims with the server's signing key.
pub async fn sign(bench: &TestServer, header: &Header, claims: &Value) -> String {
    let (seed, _) = seed(bench).await;
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a pair");
    let pkcs8 = pair.to_pkcs8v1().expect("a form");
    jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(pkcs8.as_ref())).expect("a token")
}

/// Returns the header of a token that the server would issue.
pub fn header(kid: &str) -> Header {
    let mut header = Header::new(Algorithm::EdDSA);
    header.typ = Some("at+jwt".into());
    header.kid = Some(kid.into());
    header
}

/// Decodes the header and the claims of a token.
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).expect("base64url"));
    let mut next = || serde_json::from_slice(&parts.next().expect("a part")).expect("JSON");
    (next(), next())
}

/// Builds a token from a header, claims, and a signature.
pub fn assemble(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

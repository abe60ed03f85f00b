//! ID token validation (OpenID Connect Core 1.0, section 3.1.3.7). Pure: no I/O and no clock.

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    jwk::{Jwk, PublicKeyUse},
};
use serde::Deserialize;

/// Accepted signature algorithms. Not `none`, and no shared-secret algorithm, because a public key would pass as the
/// secret.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// Accepted clock difference between the provider and this server, in seconds.
const LEEWAY: i64 = 60;
/// Maximum age of a token, in seconds. The token comes directly from the provider.
const AGE_MAX: i64 = 600;
/// Maximum length of a subject, in characters (OpenID Connect Core 1.0, section 2).
const SUBJECT_MAX: usize = 255;

/// Reasons why a token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("malformed")]
    Malformed,
    #[error("the signature algorithm is not accepted")]
    Algorithm,
    #[error("the provider has not published the signing key")]
    UnknownKey,
    #[error("wrong signature")]
    Signature,
    #[error("wrong issuer")]
    Issuer,
    #[error("wrong audience")]
    Audience,
    #[error("wrong authorized party")]
    AuthorizedParty,
    #[error("expired")]
    Expired,
    #[error("issued too long ago or in the future")]
    Age,
    #[error("wrong nonce")]
    Nonce,
    #[error("missing or invalid subject")]
    Subject,
    #[error("the type is not JWT")]
    Type,
}

/// Required claims.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
    /// Seconds since the Unix epoch.
    pub now: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// Claims of the ID token.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    iss: String,
    pub sub: String,
    aud: Audience,
    azp: Option<String>,
    /// NumericDate values can have fractions (RFC 7519 section 2).
    exp: f64,
    iat: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    /// Time of the user's last authentication. `None`: the provider does not send the claim, although `max_age`
    /// requires it (OpenID Connect Core 1.0 section 2). The sign-in then does not count as recent authentication.
    pub auth_time: Option<f64>,
    pub email: Option<String>,
    pub email_verified: Option<serde_json::Value>,
    pub name: Option<String>,
}

/// Claims of the UserInfo response.
#[derive(Clone, Debug, Deserialize)]
pub struct UserInfo {
    pub sub: String,
    pub email: Option<String>,
    pub email_verified: Option<serde_json::Value>,
    pub name: Option<String>,
}

impl Claims {
    /// Returns whether the provider reports an unconfirmed address. Many providers omit the claim; some send it as a
    /// string.
    pub fn email_is_unconfirmed(&self) -> bool {
        match &self.email_verified {
            Some(serde_json::Value::Bool(confirmed)) => !confirmed,
            Some(serde_json::Value::String(text)) => text != "true",
            Some(_) => true,
            None => false,
        }
    }
}

/// Verifies the signature and all claims.
///
/// # Errors
/// [`Fault::UnknownKey`] if none of these keys can have signed the token; the provider may have new ones. Other faults
/// name the invalid part.
pub fn verify(token: &str, keys: &[Jwk], expected: &Expected<'_>) -> Result<Claims, Fault> {
    // `none` is not a known algorithm of the library, so decoding fails for such a token.
    // The cause can quote the token.
    let header = jsonwebtoken::decode_header(token).map_err(|_| Fault::Malformed)?;
    // RFC 7515 section 4.1.11: a critical header parameter that is not understood.
    if header.crit.is_some() {
        return Err(Fault::Malformed);
    }
    // RFC 8725 section 3.11: a token of another type, such as an access token (RFC 9068), is not an ID token.
    if header.typ.as_deref().is_some_and(|typ| !is_jwt(typ)) {
        return Err(Fault::Type);
    }
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Fault::Algorithm);
    }
    let may_have_signed = |key: &&Jwk| {
        let common = &key.common;
        header.kid.as_ref().is_none_or(|kid| common.key_id.as_ref() == Some(kid))
            && common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
            && common.key_algorithm.is_none_or(|it| it.to_string() == format!("{:?}", header.alg))
    };
    let mut rules = Validation::new(header.alg);
    // Claims are checked below, with the injected clock.
    rules.validate_exp = false;
    rules.validate_aud = false;
    rules.required_spec_claims.clear();
    let mut fault = Fault::UnknownKey;
    for key in keys.iter().filter(may_have_signed) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match jsonwebtoken::decode::<Claims>(token, &key, &rules) {
            Ok(token) => return check(token.claims, expected),
            Err(error) => {
                use jsonwebtoken::errors::ErrorKind;
                fault = match error.kind() {
                    ErrorKind::InvalidSignature => Fault::Signature,
                    ErrorKind::InvalidAlgorithm | ErrorKind::InvalidKeyFormat => fault,
                    _ => Fault::Malformed,
                };
            }
        }
    }
    Err(fault)
}

/// Whether a `typ` is `JWT` (RFC 7519 section 5.1). Media types are compared without case, and may omit `application/`.
fn is_jwt(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    typ.strip_prefix("application/").unwrap_or(&typ) == "jwt"
}

#[expect(clippy::cast_possible_truncation, reason = "a date beyond all years saturates")]
fn check(claims: Claims, expected: &Expected<'_>) -> Result<Claims, Fault> {
    let now = expected.now;
    if claims.iss != expected.issuer {
        return Err(Fault::Issuer);
    }
    let ours = |it: &String| it == expected.client_id;
    if !claims.aud.all().iter().any(ours) {
        return Err(Fault::Audience);
    }
    let handed_to_us = claims.azp.as_ref().map_or(claims.aud.all().len() == 1, ours);
    if !handed_to_us {
        return Err(Fault::AuthorizedParty);
    }
    if (claims.exp as i64).saturating_add(LEEWAY) <= now {
        return Err(Fault::Expired);
    }
    let age = now.saturating_sub(claims.iat as i64);
    if !(-LEEWAY..=AGE_MAX).contains(&age) || claims.nbf.is_some_and(|nbf| nbf as i64 > now + LEEWAY) {
        return Err(Fault::Age);
    }
    if claims.nonce.as_deref() != Some(expected.nonce) {
        return Err(Fault::Nonce);
    }
    if claims.sub.is_empty() || claims.sub.chars().count() > SUBJECT_MAX {
        return Err(Fault::Subject);
    }
    if claims.auth_time.is_some_and(|auth_time| auth_time as i64 > now.saturating_add(LEEWAY)) {
        return Err(Fault::Age);
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    struct Signer(Vec<u8>);

    impl Signer {
        fn new() -> Self {
            Self(Ed25519KeyPair::generate().unwrap().to_pkcs8v1().unwrap().as_ref().to_vec())
        }

        fn jwk(&self, more: &Value) -> Jwk {
            let pair = Ed25519KeyPair::from_pkcs8(&self.0).unwrap();
            let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
            let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x});
            jwk.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            serde_json::from_value(jwk).unwrap()
        }

        fn sign(&self, kid: Option<&str>, crit: Option<Vec<String>>, changed: (&str, Value)) -> String {
            let mut claims = json!({
                "iss": "https://id.example", "sub": "m-17", "aud": "keyward", "exp": NOW + 300, "iat": NOW, "nonce": "n",
                "auth_time": NOW - 5,
            });
            claims[changed.0] = changed.1;
            let header = Header { kid: kid.map(Into::into), crit, ..Header::new(Algorithm::EdDSA) };
            jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&self.0)).unwrap()
        }
    }

    fn fault(token: &str, keys: &[Jwk]) -> Option<Fault> {
        let expected = Expected { issuer: "https://id.example", client_id: "keyward", nonce: "n", now: NOW };
        verify(token, keys, &expected).err()
    }

    #[test]
    fn each_lie_is_refused_for_what_it_is() {
        let signer = Signer::new();
        let keys = [signer.jwk(&json!({}))];
        let with = |name: &str, value: Value| fault(&signer.sign(Some("one"), None, (name, value)), &keys);
        assert_eq!(with("more", json!(1)), None);
        for (name, value, expected) in [
            ("iss", json!("https://id.example/"), Fault::Issuer),
            ("aud", json!(["other"]), Fault::Audience),
            ("aud", json!(["keyward", "other"]), Fault::AuthorizedParty),
            ("azp", json!("other"), Fault::AuthorizedParty),
            ("exp", json!(NOW - 60), Fault::Expired),
            ("iat", json!(NOW + 61), Fault::Age),
            ("iat", json!(NOW - 601), Fault::Age),
            ("nbf", json!(NOW + 61), Fault::Age),
            ("nonce", json!("m"), Fault::Nonce),
            ("nonce", json!(null), Fault::Nonce),
            ("sub", json!(""), Fault::Subject),
            ("exp", json!(null), Fault::Malformed),
            ("auth_time", json!(NOW + 61), Fault::Age),
        ] {
            assert_eq!(with(name, value.clone()), Some(expected), "{name}: {value}");
        }
        assert_eq!(with("exp", json!(NOW - 59)), None, "clocks differ by a minute");
        assert_eq!(with("auth_time", json!(null)), None, "no recent authentication, but a sign-in");
        let plain = ("more", json!(1));
        assert_eq!(fault(&signer.sign(Some("two"), None, plain.clone()), &keys), Some(Fault::UnknownKey));
        assert_eq!(fault(&Signer::new().sign(Some("one"), None, plain.clone()), &keys), Some(Fault::Signature));
        assert_eq!(fault(&signer.sign(None, None, plain.clone()), &keys), None, "no kid: every key is tried");
        let crit = Some(vec!["exp".into()]);
        assert_eq!(fault(&signer.sign(Some("one"), crit, plain.clone()), &keys), Some(Fault::Malformed));
        for (more, expected) in [
            (json!({"use": "enc"}), Some(Fault::UnknownKey)),
            (json!({"alg": "RS256"}), Some(Fault::UnknownKey)),
            (json!({"use": "sig", "alg": "EdDSA"}), None),
        ] {
            let key = signer.jwk(&more);
            assert_eq!(fault(&signer.sign(Some("one"), None, plain.clone()), &[key]), expected, "{more}");
        }
        for (typ, expected) in [
            (None, None),
            (Some("JWT"), None),
            (Some("jwt"), None),
            (Some("application/jwt"), None),
            (Some("at+jwt"), Some(Fault::Type)),
            (Some("application/at+jwt"), Some(Fault::Type)),
            (Some("logout+jwt"), Some(Fault::Type)),
            (Some(""), Some(Fault::Type)),
        ] {
            let header = Header { kid: Some("one".into()), typ: typ.map(Into::into), ..Header::new(Algorithm::EdDSA) };
            let claims: Value = serde_json::from_slice(
                &URL_SAFE_NO_PAD.decode(signer.sign(None, None, plain.clone()).split('.').nth(1).unwrap()).unwrap(),
            )
            .unwrap();
            let token = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ed_der(&signer.0)).unwrap();
            assert_eq!(fault(&token, &keys), expected, "{typ:?}");
        }
        let none = format!("{}.e30.", URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string()));
        assert_eq!(fault(&none, &keys), Some(Fault::Malformed));
        let shared = EncodingKey::from_secret(b"x");
        let hs = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &json!({}), &shared).unwrap();
        assert_eq!(fault(&hs, &keys), Some(Fault::Algorithm));
    }
}

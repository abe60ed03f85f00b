//! Access tokens: JWTs (RFC 9068's `at+jwt`), signed with EdDSA, that a key is exchanged for.

mod check;
mod read;

pub use check::{Accepted, Checked};
pub use read::Known;

use super::{
    Error,
    signer::Signer,
    verify::{Question, Refused, Verifier},
};
use crate::{config::PublicUrl, domain::ids::ProjectId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::{Deserialize, Serialize};
use std::{net::IpAddr, sync::Arc};

/// The `typ` of an access token (RFC 9068 section 2.1), checked before anything else (RFC 8725 section 3.11).
pub const TYP: &str = "at+jwt";
/// Life of a token from `/authentication/token` when none is asked for, in seconds: a day.
pub const DAY_LIFE: i64 = 86_400;

/// The claims of an access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub jti: String,
    pub iat: i64,
    pub exp: i64,
    /// Space-separated (RFC 8693 section 4.2).
    pub scope: String,
}

/// A token, for the answer that carries it.
#[derive(Clone, Debug)]
pub struct Issued {
    pub access_token: String,
    /// Seconds.
    pub expires_in: i64,
    pub scope: String,
}

/// Why a token, or the key that was presented in its place, was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    #[error("This is not an access token of this server.")]
    Malformed,
    #[error("This access token has expired. Exchange the key for another.")]
    Expired,
    #[error("This access token is for something else.")]
    WrongAudience,
    /// The key is not good for what was asked, or the one that the token was made from is not.
    #[error("{0}")]
    Key(Refused),
}

impl TokenRefused {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "invalid_token",
            Self::Expired => "token_expired",
            Self::WrongAudience => "wrong_audience",
            Self::Key(refused) => refused.code(),
        }
    }
}

/// Makes and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    issuer: Arc<str>,
    public: [u8; 32],
    encoding: EncodingKey,
    reader: Arc<read::Reader>,
    verify: Verifier,
}

impl Tokens {
    #[expect(clippy::expect_used, reason = "a key pair that was just unsealed can be written down")]
    pub fn new(issuer: &PublicUrl, signer: Signer, verify: Verifier) -> Self {
        let pkcs8 = signer.pkcs8().expect("an unsealed key pair has a PKCS#8 form");
        let issuer = issuer.to_string();
        Self {
            reader: Arc::new(read::Reader::new(&issuer, &signer)),
            issuer: issuer.into(),
            public: signer.public,
            encoding: EncodingKey::from_ed_der(&pkcs8),
            verify,
        }
    }

    fn audience(&self, project: ProjectId) -> String {
        format!("{}/projects/{project}", self.issuer)
    }

    /// Exchanges a key's secret, used from this address, for a token. Its life is the shortest of what is asked for (seconds), the
    /// project's ceiling and what the key has left.
    ///
    /// # Errors
    /// The inner error is the rule that refused the key; the outer one a fault.
    pub async fn exchange(
        &self,
        secret: &str,
        ip: Option<IpAddr>,
        life: Option<i64>,
    ) -> Result<Result<Issued, Refused>, Error> {
        let now = self.verify.now();
        let facts = match self.verify.secret(secret, &Question { ip, ..Question::default() }).await? {
            Ok(good) => good.facts,
            Err(refused) => return Ok(Err(refused)),
        };
        let iat = now.seconds();
        let mut exp = iat.saturating_add(life.unwrap_or(DAY_LIFE).min(facts.token_life_max));
        if let Some(end) = facts.lifecycle.expires_at {
            exp = exp.min(end.seconds());
        }
        if exp <= iat {
            // Less than a second is left of the key: a token of it would be dead on arrival.
            return Ok(Err(Refused::Expired));
        }
        let subject = format!("key:{}", facts.key);
        let claims = Claims {
            iss: self.issuer.to_string(),
            aud: self.audience(facts.project),
            sub: subject.clone(),
            client_id: subject,
            jti: self.verify.new_id().to_string(),
            iat,
            exp,
            // Management scopes have an audience of their own, and no token for it is made here.
            scope: facts.scopes.iter().filter(|s| !s.starts_with("keyward:")).cloned().collect::<Vec<_>>().join(" "),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYP.to_owned());
        header.kid = Some(self.reader.kid().to_owned());
        let access_token = jsonwebtoken::encode(&header, &claims, &self.encoding)
            .map_err(|_| Error::Internal("a token could not be signed"))?;
        Ok(Ok(Issued { access_token, expires_in: exp - iat, scope: claims.scope }))
    }

    /// The public half, as a JWK set (RFC 7517, RFC 8037).
    pub fn jwks(&self) -> serde_json::Value {
        serde_json::json!({"keys": [{
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": self.reader.kid(),
            "x": URL_SAFE_NO_PAD.encode(self.public),
        }]})
    }
}

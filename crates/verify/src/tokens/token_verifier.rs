//! Token verification without lookups: type, signature, issuer, and audience.
//!
//! Checking a signature costs ten times as much as a whole request, so verified tokens are cached by their digest.
//! Their expiry and everything about their key are checked at each use.

use super::{
    Audience, Subject, TYP, TokenDenyReason,
    claims::{Claims, VIA_MAX},
    keys::KeySet,
};
use jsonwebtoken::{Algorithm, Validation};
use keyward_config::TokenAlg;
use keyward_domain::{ids::exact_uuid, time::Timestamp};
use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use uuid::Uuid;

/// Maximum number of cached tokens: some 20 MB. Rarely used tokens are evicted.
const CACHE_MAX: usize = 65_536;
/// Maximum length of a token. Longer texts are rejected before they are hashed. The token of a key with every possible
/// scope is shorter.
const LENGTH_MAX: usize = 16 * 1024;

/// The verified claims of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedToken {
    pub jti: Uuid,
    /// The tokens that it was exchanged from (RFC 8693), the first one first. Revoking one of them revokes this token.
    pub via: Box<[Uuid]>,
    pub subject: Subject,
    pub audience: Audience,
    /// Seconds since the epoch.
    pub issued_at: i64,
    /// Seconds since the epoch. The token is expired from this second on.
    pub expires_at: i64,
    /// Space-separated, as in the token.
    pub scopes: Box<str>,
}

impl ParsedToken {
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split(' ').filter(|scope| !scope.is_empty())
    }
}

/// Verifies the tokens of one server.
pub struct TokenVerifier {
    issuer: Box<str>,
    /// Rules for the keys of each algorithm. A token is denied if its header names an algorithm other than that of its
    /// key (RFC 8725 section 3.1).
    eddsa: Validation,
    rs256: Validation,
    /// Each entry has the count of removed keys at which its signature was verified.
    cache: Cache<[u8; 32], (u64, Arc<ParsedToken>)>,
}

impl TokenVerifier {
    pub fn new(issuer: &str) -> Self {
        let rules = |algorithm| {
            let mut rules = Validation::new(algorithm);
            rules.set_issuer(&[issuer]);
            rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
            // The audience is compared with the intended use of the token. There is no leeway for the clock, because
            // the server that issued the token also verifies it. Both are checked below.
            rules.validate_aud = false;
            rules.validate_exp = false;
            rules
        };
        Self {
            issuer: issuer.into(),
            eddsa: rules(Algorithm::EdDSA),
            rs256: rules(Algorithm::RS256),
            cache: Cache::new(CACHE_MAX),
        }
    }

    /// Returns the claims of the token, if it is signed with one of these keys and has not expired. `removed` is the
    /// count of removed keys, read before `keys`: entries cached at another count are verified again.
    ///
    /// # Errors
    /// [`TokenDenyReason::Malformed`], [`TokenDenyReason::WrongAudience`] or [`TokenDenyReason::Expired`].
    pub fn parse(
        &self,
        token: &str,
        now: Timestamp,
        removed: u64,
        keys: impl FnOnce() -> Arc<KeySet>,
    ) -> Result<Arc<ParsedToken>, TokenDenyReason> {
        if token.len() > LENGTH_MAX {
            return Err(TokenDenyReason::Malformed);
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = match self.cache.get(&digest) {
            Some((at, known)) if at == removed => known,
            _ => {
                let known = Arc::new(self.verify(token, &keys())?);
                if now.seconds() < known.expires_at {
                    self.cache.insert(digest, (removed, known.clone()));
                }
                known
            }
        };
        if now.seconds() < known.expires_at { Ok(known) } else { Err(TokenDenyReason::Expired) }
    }

    /// Checks type, signature, issuer and audience.
    fn verify(&self, token: &str, keys: &KeySet) -> Result<ParsedToken, TokenDenyReason> {
        // The causes can quote the token.
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenDenyReason::Malformed)?;
        if header.typ.as_deref() != Some(TYP) {
            return Err(TokenDenyReason::Malformed);
        }
        let key = header.kid.as_deref().and_then(|kid| keys.find(kid)).ok_or(TokenDenyReason::Malformed)?;
        let rules = match key.signer.alg() {
            TokenAlg::EdDsa => &self.eddsa,
            TokenAlg::Rs256 => &self.rs256,
        };
        let read = jsonwebtoken::decode::<Claims>(token, &key.decoding, rules);
        let claims = read.map_err(|_| TokenDenyReason::Malformed)?.claims;
        let audience = Audience::parse(&claims.aud, &self.issuer).ok_or(TokenDenyReason::WrongAudience)?;
        let holder = Subject::from_claims(&claims.sub, &claims.client_id, claims.grant_id.as_deref());
        let via: Option<Box<[Uuid]>> = claims.via.iter().map(|id| exact_uuid(id)).collect();
        Ok(ParsedToken {
            jti: exact_uuid(&claims.jti).ok_or(TokenDenyReason::Malformed)?,
            via: via.filter(|via| via.len() <= VIA_MAX).ok_or(TokenDenyReason::Malformed)?,
            subject: holder.ok_or(TokenDenyReason::Malformed)?,
            audience,
            issued_at: claims.iat,
            expires_at: claims.exp,
            scopes: claims.scope.into(),
        })
    }
}

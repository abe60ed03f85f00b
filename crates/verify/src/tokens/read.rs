//! Reading a token: what needs no look-up. Its signature costs ten times what a whole request does, so tokens that were read are
//! known again by their digest; that they have not expired, and everything about their key, is asked each time.

use super::{
    Audience, Holder, TYP, TokenRefused,
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

/// Tokens that are known again: some 20 MB of them. The least used make room.
const KNOWN_MAX: usize = 65_536;
/// Longer texts are none of ours, and not worth a digest: a key with every scope that it can have makes less.
const LENGTH_MAX: usize = 16 * 1024;

/// What a token says, once its signature has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    pub jti: Uuid,
    /// The tokens that it was exchanged from (RFC 8693), the first one first: whoever revokes one of them revokes this one.
    pub via: Box<[Uuid]>,
    pub holder: Holder,
    pub audience: Audience,
    /// Seconds since the epoch.
    pub issued: i64,
    /// Seconds since the epoch; at this very second it is over.
    pub expires: i64,
    /// With spaces between, as in the token.
    pub scopes: Box<str>,
}

impl Known {
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split(' ').filter(|scope| !scope.is_empty())
    }
}

/// Reads the tokens of one server.
pub struct Reader {
    issuer: Box<str>,
    /// For the keys of each algorithm: a token whose header names another one than its key has is refused (RFC 8725 section 3.1).
    eddsa: Validation,
    rs256: Validation,
    /// Each with the number of removed keys that its signature was checked at.
    known: Cache<[u8; 32], (u64, Arc<Known>)>,
}

impl Reader {
    pub fn new(issuer: &str) -> Self {
        let rules = |algorithm| {
            let mut rules = Validation::new(algorithm);
            rules.set_issuer(&[issuer]);
            rules.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
            // The audience is compared with what the token is used for; the clock is ours, and the server that issued the token is
            // the one that checks it: no leeway. Both are asked below.
            rules.validate_aud = false;
            rules.validate_exp = false;
            rules
        };
        Self {
            issuer: issuer.into(),
            eddsa: rules(Algorithm::EdDSA),
            rs256: rules(Algorithm::RS256),
            known: Cache::new(KNOWN_MAX),
        }
    }

    /// What the token says, if it is signed with one of these keys and has not expired. `removed` counts the times that keys were
    /// taken away, as it was before `keys` are read: what was known then is checked again.
    ///
    /// # Errors
    /// [`TokenRefused::Malformed`], [`TokenRefused::WrongAudience`] or [`TokenRefused::Expired`].
    pub fn read(
        &self,
        token: &str,
        now: Timestamp,
        removed: u64,
        keys: impl FnOnce() -> Arc<KeySet>,
    ) -> Result<Arc<Known>, TokenRefused> {
        if token.len() > LENGTH_MAX {
            return Err(TokenRefused::Malformed);
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = match self.known.get(&digest) {
            Some((at, known)) if at == removed => known,
            _ => {
                let known = Arc::new(self.check(token, &keys())?);
                if now.seconds() < known.expires {
                    self.known.insert(digest, (removed, known.clone()));
                }
                known
            }
        };
        if now.seconds() < known.expires { Ok(known) } else { Err(TokenRefused::Expired) }
    }

    /// Kind, signature, issuer and audience.
    fn check(&self, token: &str, keys: &KeySet) -> Result<Known, TokenRefused> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRefused::Malformed)?;
        if header.typ.as_deref() != Some(TYP) {
            return Err(TokenRefused::Malformed);
        }
        let key = header.kid.as_deref().and_then(|kid| keys.of_kid(kid)).ok_or(TokenRefused::Malformed)?;
        let rules = match key.signer.alg() {
            TokenAlg::EdDsa => &self.eddsa,
            TokenAlg::Rs256 => &self.rs256,
        };
        let read = jsonwebtoken::decode::<Claims>(token, &key.decoding, rules);
        let claims = read.map_err(|_| TokenRefused::Malformed)?.claims;
        let audience = Audience::read(&claims.aud, &self.issuer).ok_or(TokenRefused::WrongAudience)?;
        let holder = Holder::read(&claims.sub, &claims.client_id, claims.grant_id.as_deref());
        let via: Option<Box<[Uuid]>> = claims.via.iter().map(|id| exact_uuid(id)).collect();
        Ok(Known {
            jti: exact_uuid(&claims.jti).ok_or(TokenRefused::Malformed)?,
            via: via.filter(|via| via.len() <= VIA_MAX).ok_or(TokenRefused::Malformed)?,
            holder: holder.ok_or(TokenRefused::Malformed)?,
            audience,
            issued: claims.iat,
            expires: claims.exp,
            scopes: claims.scope.into(),
        })
    }
}

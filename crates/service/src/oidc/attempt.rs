//! OpenID Connect authentication request in progress, from the redirect to the callback.

use crate::{
    Context, Error,
    one_time_tokens::{self, OneTimeCode},
    random::Random,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::ids::UserId;
use keyward_store::{self as store, email_links::LinkRow, write_queue::WriteOutcome};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Lifetime of a sign-in attempt, in seconds.
pub const LIFE: i64 = 600;

/// Secret in the browser's cookie, from which state, nonce, and PKCE verifier are derived.
pub(super) struct Attempt(Zeroizing<String>);

impl Attempt {
    pub fn new(random: &dyn Random) -> Self {
        Self(Zeroizing::new(OneTimeCode::generate(random).expose().to_owned()))
    }

    pub fn from_cookie(cookie: &str) -> Self {
        Self(Zeroizing::new(cookie.to_owned()))
    }

    pub fn cookie(&self) -> OneTimeCode {
        OneTimeCode::from_presented(&self.0)
    }

    /// Derives a value from the cookie. Each label gives a different value, and no value reveals the cookie or another
    /// value.
    fn derive(&self, word: &str) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(word).chain_update([0]).chain_update(&*self.0).finalize())
    }

    pub fn state(&self) -> String {
        self.derive("keyward oidc state")
    }

    pub fn nonce(&self) -> String {
        self.derive("keyward oidc nonce")
    }

    pub fn verifier(&self) -> String {
        self.derive("keyward oidc verifier")
    }

    /// PKCE code challenge (RFC 7636, S256).
    pub fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier()))
    }

    /// Stores the attempt.
    pub async fn save(&self, context: &Context, next: Option<&str>, link: Option<UserId>) -> Result<(), Error> {
        let (digest, now) = (one_time_tokens::digest(&self.0), context.now());
        let row = LinkRow {
            purpose: "provider".to_owned(),
            email: None,
            user_id: link.map(Into::into),
            next: next.map(ToOwned::to_owned),
            created_at: now.micros(),
            expires_at: now.plus_seconds(LIFE).micros(),
        };
        let write = context.queue.write(move |tx| {
            let row = row.clone();
            Box::pin(async move {
                store::email_links::insert(tx, &digest, &row).await?;
                Ok::<_, Error>(WriteOutcome::unaudited(()))
            })
        });
        write.await
    }

    /// Uses up the attempt. Returns `None` if it was used, has expired, or does not exist.
    pub async fn consume(&self, context: &Context) -> Result<Option<LinkRow>, Error> {
        let (digest, now) = (one_time_tokens::digest(&self.0), context.now().micros());
        let write = context.queue.write(move |tx| {
            Box::pin(async move {
                let row = store::email_links::consume(tx, &digest, now).await?;
                // A link for another purpose is not a sign-in attempt. The error rolls back, so that the link is not
                // used up.
                if row.as_ref().is_some_and(|row| row.purpose != "provider") {
                    return Err(Error::NotFound);
                }
                Ok(WriteOutcome::unaudited(row))
            })
        });
        match write.await {
            Err(Error::NotFound) => Ok(None),
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn all_that_is_made_of_one_cookie_differs() {
        let attempt = Attempt::new(&SystemRandom);
        let all = [attempt.state(), attempt.nonce(), attempt.verifier(), attempt.challenge(), attempt.0.to_string()];
        for (at, text) in all.iter().enumerate() {
            assert_eq!(text.len(), 43);
            assert!(!all[at + 1..].contains(text));
        }
        assert_eq!(attempt.state(), Attempt::from_cookie(&attempt.0).state());
        assert_ne!(attempt.state(), Attempt::new(&SystemRandom).state());
    }
}

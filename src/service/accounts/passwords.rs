//! Passwords: which are taken, and hashing them without holding up the server.

use crate::{
    domain::{email::Email, sensitive::Password},
    service::{Error, random::Random},
};
use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zxcvbn::Score;

/// Fewest and most characters.
const LENGTH: std::ops::RangeInclusive<usize> = 12..=256;
/// How long a sign-in waits for its turn to be hashed.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is checked for an address that has no account, so that the answer takes the same time: a hash with the parameters of
/// [`Argon2::default`] that no password has.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Says what is wrong with a new password. Any characters are fine; what is common (by the list in the binary) or like the
/// address or the name is not.
///
/// # Errors
/// A sentence for the field.
pub fn check(password: &Password, email: &Email, name: &str) -> Result<(), &'static str> {
    // Exposed to be measured; nothing is kept.
    let text = password.expose();
    let length = text.chars().count();
    if length < *LENGTH.start() {
        return Err("Use 12 characters or more. A sentence is fine.");
    }
    if length > *LENGTH.end() {
        return Err("Use at most 256 characters.");
    }
    let lower = text.to_lowercase();
    let alike = |part: &str| part.chars().count() >= 4 && lower.contains(part);
    if alike(email.as_str()) || alike(email.local()) && lower.chars().count() < email.local().chars().count() + 8 {
        return Err("This is too much like your e-mail address. Choose something else.");
    }
    let known = [email.as_str(), email.local(), name];
    if zxcvbn::zxcvbn(text, &known).score() < Score::Two {
        return Err("This password is common and would be guessed soon. Choose something else.");
    }
    Ok(())
}

/// Hashes and compares, off the async threads, at most one a core.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    random: Arc<dyn Random>,
}

impl Passwords {
    pub fn new(random: Arc<dyn Random>) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Self { turns: Arc::new(Semaphore::new(cores)), random }
    }

    /// A turn to hash. The task owns it: a caller who hangs up does not free it early.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::Busy),
        }
    }

    /// Hashes a new password: Argon2id, PHC string.
    ///
    /// # Errors
    /// [`Error::Busy`] if no turn came in time.
    pub async fn hash(&self, password: &Password) -> Result<String, Error> {
        let permit = self.turn().await?;
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let password = password.clone();
        let task = tokio::task::spawn_blocking(move || {
            let hash: Result<argon2::password_hash::phc::PasswordHash, _> =
                Argon2::default().hash_password_with_salt(password.expose().as_bytes(), &salt);
            drop(permit);
            hash.map(|hash| hash.to_string())
        });
        task.await
            .map_err(|_| Error::Internal("the hashing task ended early"))?
            .map_err(|_| Error::Internal("a password could not be hashed"))
    }

    /// Whether the password is the one of this hash. `None` (no such account) and an empty one (an account without a password) take
    /// the same time and are `false`.
    ///
    /// # Errors
    /// [`Error::Busy`] if no turn came in time.
    pub async fn matches(&self, password: &Password, hash: Option<String>) -> Result<bool, Error> {
        let permit = self.turn().await?;
        let hash = hash.filter(|hash| !hash.is_empty());
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let password = password.clone();
        let task = tokio::task::spawn_blocking(move || {
            let right = PasswordHash::new(&hash)
                .is_ok_and(|hash| Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok());
            drop(permit);
            right
        });
        let right = task.await.map_err(|_| Error::Internal("the hashing task ended early"))?;
        Ok(right && known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::random::SystemRandom;

    fn verdict(password: &str) -> Result<(), &'static str> {
        check(&Password::new(password.into()), &"maren.okafor@pelagic.example".parse().unwrap(), "Maren Okafor")
    }

    #[test]
    fn sentences_pass_and_what_is_short_common_or_like_the_address_does_not() {
        for good in ["the tide turns at nine", "ørken og regn i april", "7Ym$pQ2zL!9d", &"wide blue sea ".repeat(18)] {
            assert_eq!(verdict(good), Ok(()), "{good}");
        }
        for bad in [
            "short",
            "elevenchars",
            "password1234",
            "passwordpassword",
            "123456789012",
            "qwertyuiop12",
            "aaaaaaaaaaaa",
            "maren.okafor",
            "maren.okafor1",
            "maren.okafor@pelagic.example",
            &"x7".repeat(129),
        ] {
            assert!(verdict(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn only_the_right_password_matches() {
        let passwords = Passwords::new(Arc::new(SystemRandom));
        let right = Password::new("the tide turns at nine".into());
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.matches(&right, Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches(&Password::new("the tide turns at ten".into()), Some(hash)).await.unwrap());
        assert!(!passwords.matches(&right, None).await.unwrap());
        assert!(!passwords.matches(&Password::new(String::new()), Some(String::new())).await.unwrap());
    }

    #[test]
    fn the_hash_of_nobody_costs_what_a_real_one_does() {
        let hash = PasswordHash::new(NOBODY).unwrap();
        let params = argon2::Params::try_from(&hash).unwrap();
        assert_eq!(params.m_cost(), argon2::Params::DEFAULT_M_COST);
        assert_eq!(params.t_cost(), argon2::Params::DEFAULT_T_COST);
        assert_eq!(params.p_cost(), argon2::Params::DEFAULT_P_COST);
    }
}

//! Password rules, and password hashing off the async threads.

use crate::{Error, random::Random};
use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use keyward_domain::{
    email::Email,
    registration::{PASSWORD_MAX, PASSWORD_MIN},
    sensitive::Password,
};
use std::{borrow::Cow, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zxcvbn::Score;

/// Time limit for waiting for a hashing permit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Returns a hash for an address without an account, so that the response takes the same time. No password matches it.
fn dummy_hash(cost: &Params) -> String {
    let (memory, iterations, lanes) = (cost.m_cost(), cost.t_cost(), cost.p_cost());
    format!(
        "$argon2id$v=19$m={memory},t={iterations},p={lanes}$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    )
}

/// Checks a new password. All characters are allowed. Common passwords (from the list in the binary) and passwords
/// similar to the email address or the name are rejected.
///
/// # Errors
/// A message for the form field.
pub fn check(password: &Password, email: &Email, name: &str) -> Result<(), Cow<'static, str>> {
    // Exposed for the checks only; the text is not stored.
    let text = password.expose();
    let length = text.chars().count();
    if length < usize::from(PASSWORD_MIN) {
        return Err(format!("Use at least {PASSWORD_MIN} characters. You can use a sentence.").into());
    }
    if length > usize::from(PASSWORD_MAX) {
        return Err(format!("Use at most {PASSWORD_MAX} characters.").into());
    }
    let lower = text.to_lowercase();
    let alike = |part: &str| part.chars().count() >= 4 && lower.contains(part);
    if alike(email.as_str()) || alike(email.local()) && lower.chars().count() < email.local().chars().count() + 8 {
        return Err("This password is too similar to your email address. Choose another one.".into());
    }
    let known = [email.as_str(), email.local(), name];
    if zxcvbn::zxcvbn(text, &known).score() < Score::Two {
        return Err("This password is too common. Choose another one.".into());
    }
    Ok(())
}

/// Hashes and verifies passwords on blocking threads, with at most one operation per core.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    random: Arc<dyn Random>,
    hasher: Argon2<'static>,
    dummy_hash: Arc<str>,
}

impl Passwords {
    /// `cost` applies to new hashes. A stored hash contains its own cost.
    pub fn new(random: Arc<dyn Random>, cost: Params) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let dummy_hash = dummy_hash(&cost).into();
        let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
        Self { turns: Arc::new(Semaphore::new(cores)), random, hasher, dummy_hash }
    }

    /// Waits for a hashing permit. The blocking task owns the permit, so a disconnecting client does not release it
    /// early.
    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Error::Busy),
        }
    }

    /// Hashes a new password with Argon2id and returns the PHC string.
    ///
    /// # Errors
    /// [`Error::Busy`] if no permit is available within 5 s.
    pub async fn hash(&self, password: &Password) -> Result<String, Error> {
        let permit = self.turn().await?;
        let mut salt = [0; 16];
        self.random.fill(&mut salt);
        let (password, hasher) = (password.clone(), self.hasher.clone());
        let task = tokio::task::spawn_blocking(move || {
            let hash: Result<PasswordHash, _> = hasher.hash_password_with_salt(password.expose().as_bytes(), &salt);
            drop(permit);
            hash.map(|hash| hash.to_string())
        });
        task.await
            .map_err(|cause| Error::failed("the hashing task ended early", cause))?
            .map_err(|cause| Error::failed("a password could not be hashed", cause.to_string()))
    }

    /// Returns whether the password matches the hash. `None` (no such account) and an empty hash (an account without a
    /// password) take the same time and return `false`.
    ///
    /// # Errors
    /// [`Error::Busy`] if no permit is available within 5 s.
    pub async fn matches(&self, password: &Password, hash: Option<String>) -> Result<bool, Error> {
        let permit = self.turn().await?;
        let hash = hash.filter(|hash| !hash.is_empty());
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy_hash.to_string());
        let (password, hasher) = (password.clone(), self.hasher.clone());
        let task = tokio::task::spawn_blocking(move || {
            let right = PasswordHash::new(&hash)
                .is_ok_and(|hash| hasher.verify_password(password.expose().as_bytes(), &hash).is_ok());
            drop(permit);
            right
        });
        let right = task.await.map_err(|cause| Error::failed("the hashing task ended early", cause))?;
        Ok(right && known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn verdict(password: &str) -> Result<(), Cow<'static, str>> {
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
        let passwords = Passwords::new(Arc::new(SystemRandom), Params::DEFAULT);
        let right = Password::new("the tide turns at nine".into());
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.matches(&right, Some(hash.clone())).await.unwrap());
        assert!(!passwords.matches(&Password::new("the tide turns at ten".into()), Some(hash)).await.unwrap());
        assert!(!passwords.matches(&right, None).await.unwrap());
        assert!(!passwords.matches(&Password::new(String::new()), Some(String::new())).await.unwrap());
    }

    #[tokio::test]
    async fn a_stored_hash_is_checked_at_its_own_cost() {
        let cheap = Params::new(Params::MIN_M_COST, Params::MIN_T_COST, Params::MIN_P_COST, None).unwrap();
        let (before, after) =
            (Passwords::new(Arc::new(SystemRandom), cheap), Passwords::new(Arc::new(SystemRandom), Params::DEFAULT));
        let right = Password::new("the tide turns at nine".into());
        let hash = before.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(after.matches(&right, Some(hash)).await.unwrap());
    }

    #[test]
    fn the_dummy_hash_has_the_cost_of_a_real_one() {
        let dummy = dummy_hash(&Params::DEFAULT);
        let params = Params::try_from(&PasswordHash::new(&dummy).unwrap()).unwrap();
        assert_eq!(params.m_cost(), Params::DEFAULT_M_COST);
        assert_eq!(params.t_cost(), Params::DEFAULT_T_COST);
        assert_eq!(params.p_cost(), Params::DEFAULT_P_COST);
    }
}

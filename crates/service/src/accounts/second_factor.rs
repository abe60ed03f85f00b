//! Second factor (TOTP): enrollment, verification of codes, and removal.

use super::{Accounts, qr, reauthentication::sign_in_throttle_account, recovery, totp};
use crate::{
    Error,
    actor::{Actor, Caller},
    encryption_at_rest::EncryptionKey,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyward_domain::{
    email::Email,
    ids::UserId,
    security::{RecoveryCodes, SecondFactorEnrollment},
    sensitive::{Password, RevealedSecret},
    time::Timestamp,
};
use keyward_store::{self as store, audit::NewEvent, write_queue::WriteOutcome};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Lifetime of an unconfirmed secret, in seconds: one hour.
const UNCONFIRMED: i64 = 3_600;

/// Kind of code that was accepted as a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AcceptedFactor {
    Code,
    RecoveryCode,
}

const ON: Error = Error::Conflict("Two-factor authentication is already on. Turn it off before you set it up again.");
const OFF: Error = Error::Conflict("Two-factor authentication is off.");
/// The same error for another user's account.
const OFF_OF_USER: Error = Error::Conflict("Two-factor authentication is off for this user.");

impl Accounts {
    fn sealing(&self) -> Result<&EncryptionKey, Error> {
        self.sealing.as_ref().ok_or(Error::Internal("the key file for second factors is missing"))
    }

    /// Verifies and uses up a TOTP code or a recovery code. Returns `None` if it is wrong or was used before. Writes
    /// the matching event in the transaction that invalidates the code.
    pub(super) async fn verify_second_factor(
        &self,
        user: Uuid,
        typed: &str,
        right: NewEvent,
        wrong: NewEvent,
    ) -> Result<Option<AcceptedFactor>, Error> {
        let row = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::second_factors::find_by_user(&mut reader.conn(), user).await?
        };
        let Some(row) = row else {
            self.record_event(wrong).await?;
            return Ok(None);
        };
        let now = self.context.now();
        let (step, digest) = if totp::is_code(typed) {
            let sealed = self.sealing()?.decrypt(user, &row.sealed);
            let secret = sealed.ok_or(Error::Internal("a second factor cannot be decrypted with the key file"))?;
            let Some(step) = totp::matching_step(&secret, typed, now) else {
                self.record_event(wrong).await?;
                return Ok(None);
            };
            (Some(step), [0; 32])
        } else {
            (None, recovery::digest(user, typed))
        };
        let write = self.context.queue.write(move |tx| {
            let (right, wrong) = (right.clone(), wrong.clone());
            Box::pin(async move {
                let (taken, spent, by) = match step {
                    Some(step) => {
                        (store::second_factors::consume_step(tx, user, step).await?, AcceptedFactor::Code, "code")
                    }
                    None => {
                        let taken = store::second_factors::consume_code(tx, user, &digest, now.micros()).await?;
                        (taken, AcceptedFactor::RecoveryCode, "recovery_code")
                    }
                };
                if !taken {
                    return Ok::<_, Error>(WriteOutcome::audited(None, wrong));
                }
                let detail = match spent {
                    AcceptedFactor::Code => serde_json::json!({"by": by}),
                    AcceptedFactor::RecoveryCode => {
                        serde_json::json!({"by": by, "codes_left": store::second_factors::codes_left(tx, user).await?})
                    }
                };
                Ok(WriteOutcome::audited(Some(spent), right.with_detail(detail)))
            })
        });
        write.await
    }

    /// Creates a secret for enrollment, or returns the one in `sealed` again. Nothing is stored until a code confirms
    /// the secret.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the second factor is already on, [`Error::Forbidden`] if the user has no password.
    #[tracing::instrument(name = "accounts.begin_second_factor", skip_all)]
    pub async fn begin_second_factor(&self, caller: &Caller, sealed: &str) -> Result<SecondFactorEnrollment, Error> {
        self.check_may_enroll(caller).await?;
        let now = self.context.now();
        let required = self.must_enroll(caller).await?;
        let secret = match self.open_unconfirmed(caller.user, sealed, now)? {
            Some(secret) => secret,
            None => {
                let mut secret = Zeroizing::new(vec![0; totp::SECRET]);
                self.context.random.fill(&mut secret);
                secret
            }
        };
        let issuer = self.config.name.as_deref().unwrap_or("Keyward");
        let (path, size) = qr::path(&totp::otpauth_uri(&secret, issuer, &caller.email))?;
        let plain = Zeroizing::new([&now.micros().to_be_bytes(), secret.as_slice()].concat());
        let sealed = self
            .sealing()?
            .encrypt(caller.user.into(), &plain, &*self.context.random)
            .map_err(|cause| Error::failed("a second factor could not be encrypted", cause))?;
        Ok(SecondFactorEnrollment {
            text: RevealedSecret::new(recovery::grouped(&totp::base32(&secret), " ")),
            path: RevealedSecret::new((*path).clone()),
            size,
            is_second_factor_required: required,
            sealed: URL_SAFE_NO_PAD.encode(sealed),
        })
    }

    async fn check_may_enroll(&self, caller: &Caller) -> Result<(), Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let row = store::accounts::by_id(&mut reader.conn(), caller.user.into()).await?.ok_or(Error::NotFound)?;
        if row.password_hash.is_empty() {
            return Err(Error::Forbidden(
                "You sign in with single sign-on. Set up two-factor authentication with your identity provider.",
            ));
        }
        match store::second_factors::find_by_user(&mut reader.conn(), row.id).await? {
            Some(_) => Err(ON),
            None => Ok(()),
        }
    }

    /// Decrypts the secret that a form carries. Returns `None` if it is not authentic, belongs to another user, or is
    /// expired.
    fn open_unconfirmed(
        &self,
        user: UserId,
        sealed: &str,
        now: Timestamp,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let Ok(sealed) = URL_SAFE_NO_PAD.decode(sealed) else { return Ok(None) };
        let Some(plain) = self.sealing()?.decrypt(user.into(), &sealed) else { return Ok(None) };
        let Some((at, secret)) = plain.split_first_chunk::<8>() else { return Ok(None) };
        let age = now.seconds_since(Timestamp::from_micros(i64::from_be_bytes(*at)));
        let fits = secret.len() == totp::SECRET && (0..=UNCONFIRMED).contains(&age);
        Ok(fits.then(|| Zeroizing::new(secret.to_vec())))
    }

    /// Turns the second factor on. The code proves that the app has the secret. The recovery codes are returned once
    /// and cannot be read again.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the code is wrong, [`Error::ReauthenticationRequired`] without recent reauthentication,
    /// and the errors of [`Self::begin_second_factor`].
    #[tracing::instrument(name = "accounts.confirm_second_factor", skip_all)]
    pub async fn confirm_second_factor(
        &self,
        caller: &Caller,
        sealed: &str,
        code: &Password,
    ) -> Result<RecoveryCodes, Error> {
        self.check_may_enroll(caller).await?;
        let now = self.context.now();
        caller.require_reauthentication("second_factor.enrolled", now)?;
        let Some(secret) = self.open_unconfirmed(caller.user, sealed, now)? else {
            return Err(Error::field("one_time_code", "The setup expired. Scan the new QR code and enter its code."));
        };
        let Some(step) = totp::matching_step(&secret, code.expose(), now) else {
            let words = "This code is wrong. Check the clock of your device, and enter the next code.";
            return Err(Error::field("one_time_code", words));
        };
        let user: Uuid = caller.user.into();
        let kept = self.sealing()?.encrypt(user, &secret, &*self.context.random);
        let kept = kept.map_err(|cause| Error::failed("a second factor could not be encrypted", cause))?;
        let codes = recovery::generate(&*self.context.random);
        let digests: Vec<_> = codes.iter().map(|code| recovery::digest(user, code.expose())).collect();
        let actor = Actor::User(caller.clone());
        let event = actor.event(now, "second_factor.enrolled", format!("user:{user}"), &caller.name);
        let write = self.context.queue.write(move |tx| {
            let (kept, digests, event) = (kept.clone(), digests.clone(), event.clone());
            Box::pin(async move {
                if !store::second_factors::insert(tx, user, &kept, step, now.micros()).await? {
                    return Err(ON);
                }
                store::second_factors::replace_codes(tx, user, &digests).await?;
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await?;
        self.throttle.remember_address(&sign_in_throttle_account(caller.user), caller.origin.ip, now);
        Ok(RecoveryCodes { codes })
    }

    /// Replaces all recovery codes with new ones.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`] without recent reauthentication, [`Error::Conflict`] if the second factor is
    /// off.
    #[tracing::instrument(name = "accounts.new_recovery_codes", skip_all)]
    pub async fn new_recovery_codes(&self, caller: &Caller) -> Result<RecoveryCodes, Error> {
        let (now, user): (_, Uuid) = (self.context.now(), caller.user.into());
        caller.require_reauthentication("recovery_codes.made", now)?;
        let codes = recovery::generate(&*self.context.random);
        let digests: Vec<_> = codes.iter().map(|code| recovery::digest(user, code.expose())).collect();
        let actor = Actor::User(caller.clone());
        let event = actor.event(now, "recovery_codes.made", format!("user:{user}"), &caller.name);
        let write = self.context.queue.write(move |tx| {
            let (digests, event) = (digests.clone(), event.clone());
            Box::pin(async move {
                if store::second_factors::find_by_user(tx, user).await?.is_none() {
                    return Err(OFF);
                }
                store::second_factors::replace_codes(tx, user, &digests).await?;
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await?;
        Ok(RecoveryCodes { codes })
    }

    /// Turns the second factor off and deletes its recovery codes.
    ///
    /// # Errors
    /// [`Error::ReauthenticationRequired`] without recent reauthentication, [`Error::Conflict`] if the second factor is
    /// off.
    #[tracing::instrument(name = "accounts.turn_off_second_factor", skip_all)]
    pub async fn turn_off_second_factor(&self, caller: &Caller) -> Result<(), Error> {
        caller.require_reauthentication("second_factor.removed", self.context.now())?;
        self.remove_second_factor(&Actor::User(caller.clone()), caller.user.into(), &caller.name, || OFF).await
    }

    /// Turns off the second factor of the user with this address, after they lost both the second factor and the
    /// recovery codes.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no user has this address, [`Error::Conflict`] if their second factor is off.
    #[tracing::instrument(name = "accounts.turn_off_second_factor_of", skip_all)]
    pub async fn turn_off_second_factor_of(&self, actor: &Actor, email: &str) -> Result<(), Error> {
        let email: Email = email.parse().map_err(|e| Error::field("email", e))?;
        let row = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_email(&mut reader.conn(), &email).await?.ok_or(Error::NotFound)?
        };
        self.remove_second_factor(actor, row.id, &row.name, || OFF_OF_USER).await
    }

    /// Deletes a second factor. `off`: the error if there is none.
    async fn remove_second_factor(
        &self,
        actor: &Actor,
        user: Uuid,
        name: &str,
        off: fn() -> Error,
    ) -> Result<(), Error> {
        let event = actor.event(self.context.now(), "second_factor.removed", format!("user:{user}"), name);
        let write = self.context.queue.write(move |tx| {
            let event = event.clone();
            Box::pin(async move {
                if !store::second_factors::delete(tx, user).await? {
                    return Err(off());
                }
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await
    }

    /// Returns whether the policy requires a second factor that this user, who has a password, has not enrolled. The
    /// user then cannot do anything else.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn must_enroll(&self, caller: &Caller) -> Result<bool, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let policy = crate::policy::load(&mut reader.conn()).await?;
        if !policy.second_factor.is_required_for(caller.admin) {
            return Ok(false);
        }
        let user: Uuid = caller.user.into();
        let row = store::accounts::by_id(&mut reader.conn(), user).await?.ok_or(Error::NotFound)?;
        Ok(!row.password_hash.is_empty()
            && store::second_factors::find_by_user(&mut reader.conn(), user).await?.is_none())
    }
}

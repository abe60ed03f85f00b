//! Reauthentication: confirms the user's identity before a sensitive action.

use super::{Accounts, throttle::Guess};
use crate::{
    Error,
    actor::{Actor, Caller, NOT_REPORTED, Origin},
};
use keyward_domain::{ids::UserId, security::ReauthenticationMethod, sensitive::Password};
use keyward_store as store;

/// Returns the throttle account for a user's reauthentications and password changes. It contains no `@`, so it cannot
/// be an email address.
pub(super) fn throttle_account(user: UserId) -> String {
    format!("PROOF:{user}")
}

/// Returns the throttle account for a user's codes at sign-in. It is separate from [`throttle_account`], so that an
/// attacker who knows only the password cannot block the reauthentication of a signed-in user.
pub(super) fn sign_in_throttle_account(user: UserId) -> String {
    format!("CODE:{user}")
}

impl Accounts {
    /// Returns whether the user's sign-in requires a second factor. Every sign-in by password, or by a link that
    /// replaces the password, must check this.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn requires_code(&self, user: UserId) -> Result<bool, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        Ok(store::second_factors::find_by_user(&mut reader.conn(), user.into()).await?.is_some())
    }

    /// Returns the reauthentication method of a user: the second factor if they have one, otherwise the password.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn reauthentication_method(&self, caller: &Caller) -> Result<ReauthenticationMethod, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        if store::second_factors::find_by_user(&mut reader.conn(), caller.user.into()).await?.is_some() {
            return Ok(ReauthenticationMethod::Code);
        }
        let row = store::accounts::by_id(&mut reader.conn(), caller.user.into()).await?.ok_or(Error::NotFound)?;
        if !row.password_hash.is_empty() {
            return Ok(ReauthenticationMethod::Password);
        }
        let is_reported = caller.authenticated_at != NOT_REPORTED;
        Ok(if is_reported {
            ReauthenticationMethod::SignIn
        } else {
            ReauthenticationMethod::NotReported { passwords: self.config.sign_in.passwords }
        })
    }

    /// Applies the throttle to an attempt of a signed-in user.
    pub(super) async fn admit_reauthentication(&self, user: UserId, origin: &Origin) -> Result<(), Error> {
        self.throttle.admit(Guess::Code, &throttle_account(user), origin.ip, self.context.now()).await
    }

    /// Verifies the password, or a code if the user has a second factor. Returns `false` if it is wrong. The caller
    /// updates the session after a correct one.
    ///
    /// # Errors
    /// [`Error::Paused`] after too many failures, [`Error::Busy`].
    #[tracing::instrument(name = "accounts.reauthenticate", skip_all)]
    pub async fn reauthenticate(&self, caller: &Caller, proof: &Password) -> Result<bool, Error> {
        let (user, origin) = (caller.user, &caller.origin);
        self.admit_reauthentication(user, origin).await?;
        let right = self.verify_reauthentication(caller, proof).await;
        let right = right.inspect_err(|_| self.throttle.refund(&throttle_account(user), origin.ip))?;
        if right {
            self.throttle.record_success(&throttle_account(user), origin.ip, self.context.now());
        }
        Ok(right)
    }

    async fn verify_reauthentication(&self, caller: &Caller, proof: &Password) -> Result<bool, Error> {
        let event = |action| {
            let target = format!("user:{}", caller.user);
            Actor::User(caller.clone()).event(self.context.now(), action, target, &caller.name)
        };
        let (passed, refused) = (event("step_up.passed"), event("step_up.refused"));
        match self.reauthentication_method(caller).await? {
            ReauthenticationMethod::Code => {
                let right =
                    self.verify_second_factor(caller.user.into(), proof.expose(), passed, refused).await?.is_some();
                if right {
                    self.throttle.remember_address(
                        &sign_in_throttle_account(caller.user),
                        caller.origin.ip,
                        self.context.now(),
                    );
                }
                Ok(right)
            }
            ReauthenticationMethod::Password => {
                let right = self.matching_password_hash(caller.user, proof).await?.is_some();
                let passed = passed.with_detail(serde_json::json!({"by": "password"}));
                self.record_event(if right { passed } else { refused }).await?;
                Ok(right)
            }
            ReauthenticationMethod::SignIn | ReauthenticationMethod::NotReported { .. } => {
                self.record_event(refused).await?;
                Ok(false)
            }
        }
    }

    /// Returns the user's password hash if the password matches it.
    pub(super) async fn matching_password_hash(
        &self,
        user: UserId,
        password: &Password,
    ) -> Result<Option<String>, Error> {
        let row = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_id(&mut reader.conn(), user.into()).await?.filter(|row| row.active)
        };
        let hash = row.map(|row| row.password_hash).filter(|hash| !hash.is_empty());
        let right = self.passwords.matches(password, hash.clone()).await?;
        Ok(hash.filter(|_| right))
    }
}

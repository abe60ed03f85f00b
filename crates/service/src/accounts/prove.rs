//! Reauthentication: confirms the user's identity before a sensitive action.

use super::{Accounts, throttle::Guess};
use crate::{
    Error,
    actor::{Actor, Caller, NOT_REPORTED, Origin},
};
use keyward_domain::{ids::UserId, security::Proof, sensitive::Password};
use keyward_store as store;

/// Returns the throttle account for a user's reauthentications and password changes. It contains no `@`, so it cannot
/// be an email address.
pub(super) fn account(user: UserId) -> String {
    format!("PROOF:{user}")
}

/// Returns the throttle account for a user's codes at sign-in. It is separate from [`account`], so that an attacker who
/// knows only the password cannot block the reauthentication of a signed-in user.
pub(super) fn sign_in_account(user: UserId) -> String {
    format!("CODE:{user}")
}

impl Accounts {
    /// Returns whether the user's sign-in requires a second factor. Every sign-in by password, or by a link that
    /// replaces the password, must check this.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn code_needed(&self, user: UserId) -> Result<bool, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::second_factors::of_user(&mut reader.conn(), user.into()).await?.is_some())
    }

    /// Returns the reauthentication method of a user: the second factor if they have one, otherwise the password.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn proof_of(&self, caller: &Caller) -> Result<Proof, Error> {
        let mut reader = self.ground.pool.read().await?;
        if store::second_factors::of_user(&mut reader.conn(), caller.user.into()).await?.is_some() {
            return Ok(Proof::Code);
        }
        let row = store::accounts::by_id(&mut reader.conn(), caller.user.into()).await?.ok_or(Error::NotFound)?;
        if !row.password_hash.is_empty() {
            return Ok(Proof::Password);
        }
        let is_reported = caller.proved != NOT_REPORTED;
        Ok(if is_reported { Proof::SignIn } else { Proof::NotReported { passwords: self.config.sign_in.passwords } })
    }

    /// Applies the throttle to an attempt of a signed-in user.
    pub(super) async fn admit_proof(&self, user: UserId, origin: &Origin) -> Result<(), Error> {
        self.throttle.admit(Guess::Code, &account(user), origin.ip, self.ground.now()).await
    }

    /// Verifies the password, or a code if the user has a second factor. Returns `false` if it is wrong. The caller
    /// updates the session after a correct one.
    ///
    /// # Errors
    /// [`Error::Paused`] after too many failures, [`Error::Busy`].
    pub async fn prove(&self, caller: &Caller, proof: &Password) -> Result<bool, Error> {
        let (user, origin) = (caller.user, &caller.origin);
        self.admit_proof(user, origin).await?;
        let right = self.compare_proof(caller, proof).await;
        let right = right.inspect_err(|_| self.throttle.give_back(&account(user), origin.ip))?;
        if right {
            self.throttle.succeeded(&account(user), origin.ip, self.ground.now());
        }
        Ok(right)
    }

    async fn compare_proof(&self, caller: &Caller, proof: &Password) -> Result<bool, Error> {
        let event = |action| {
            let target = format!("user:{}", caller.user);
            Actor::User(caller.clone()).event(self.ground.now(), action, target, &caller.name)
        };
        let (passed, refused) = (event("step_up.passed"), event("step_up.refused"));
        match self.proof_of(caller).await? {
            Proof::Code => {
                let right = self.spend(caller.user.into(), proof.expose(), passed, refused).await?.is_some();
                if right {
                    self.throttle.know(&sign_in_account(caller.user), caller.origin.ip, self.ground.now());
                }
                Ok(right)
            }
            Proof::Password => {
                let right = self.is_password_of(caller.user, proof).await?.is_some();
                let passed = passed.detail(serde_json::json!({"by": "password"}));
                self.note(if right { passed } else { refused }).await?;
                Ok(right)
            }
            Proof::SignIn | Proof::NotReported { .. } => {
                self.note(refused).await?;
                Ok(false)
            }
        }
    }

    /// Returns the user's password hash if the password matches it.
    pub(super) async fn is_password_of(&self, user: UserId, password: &Password) -> Result<Option<String>, Error> {
        let row = {
            let mut reader = self.ground.pool.read().await?;
            store::accounts::by_id(&mut reader.conn(), user.into()).await?.filter(|row| row.active)
        };
        let hash = row.map(|row| row.password_hash).filter(|hash| !hash.is_empty());
        let right = self.passwords.matches(password, hash.clone()).await?;
        Ok(hash.filter(|_| right))
    }
}

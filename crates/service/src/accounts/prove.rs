//! Proving again who one is, for what is dangerous.

use super::{Accounts, throttle::Guess};
use crate::{
    Error,
    actor::{Actor, Caller, NOT_REPORTED, Origin},
};
use keyward_domain::{ids::UserId, security::Proof, sensitive::Password};
use keyward_store as store;

/// What a user's reauthentications and password changes are counted under. It has no `@`, so it is no email address.
pub(super) fn account(user: UserId) -> String {
    format!("PROOF:{user}")
}

/// What a user's codes at sign-in are counted under: apart from [`account`], so that somebody who knows only the password does not
/// keep a user who is signed in from either.
pub(super) fn sign_in_account(user: UserId) -> String {
    format!("CODE:{user}")
}

impl Accounts {
    /// Whether this person is signed in only when a code was right too. Whatever signs somebody in by a password, or by a link
    /// that stands for one, asks here.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn code_needed(&self, user: UserId) -> Result<bool, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::second_factors::of_user(&mut reader.conn(), user.into()).await?.is_some())
    }

    /// How this person proves again who they are: by their second factor if they have one, else by their password.
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

    /// Begins a try of a user who is signed in, or refuses it after too many.
    pub(super) async fn admit_proof(&self, user: UserId, origin: &Origin) -> Result<(), Error> {
        self.throttle.admit(Guess::Code, &account(user), origin.ip, self.ground.now()).await
    }

    /// Checks a proof: the password, or a code for those who have a second factor. `false`: it is wrong. What a right one opens
    /// is the session's affair.
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

    /// The hash of this person's password, if this is it.
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

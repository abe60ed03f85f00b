//! Password change by the user.

use super::{Accounts, passwords, reauthentication::throttle_account, registration::RESET};
use crate::{
    Error, InvalidField,
    actor::{Actor, Caller},
};
use keyward_domain::{email::Email, sensitive::Password};
use keyward_store::{self as store, write_queue::WriteOutcome};
use uuid::Uuid;

impl Accounts {
    /// Changes the user's password and ends all their sessions except the current one (`here`).
    ///
    /// # Errors
    /// [`Error::Invalid`] if the current password is wrong or the new one is not accepted, [`Error::Paused`] after too
    /// many failures, [`Error::Conflict`] if the account has no password or it was changed meanwhile.
    #[tracing::instrument(name = "accounts.change_password", skip_all)]
    pub async fn change_password(
        &self,
        caller: &Caller,
        current: &Password,
        new: &Password,
        here: [u8; 32],
    ) -> Result<(), Error> {
        let (user, now): (Uuid, _) = (caller.user.into(), self.context.now());
        let row = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_id(&mut reader.conn(), user).await?.ok_or(Error::NotFound)?
        };
        if row.password_hash.is_empty() {
            return Err(Error::Conflict("Your account has no password. You sign in with single sign-on."));
        }
        let mut errors = Vec::new();
        if current.expose().is_empty() {
            errors.push(InvalidField::new("password", "Enter your current password."));
        }
        if let Err(message) = passwords::check(new, &Email::from_row(&row.email), &row.name) {
            errors.push(InvalidField::new("new_password", message));
        } else if new == current {
            errors.push(InvalidField::new("new_password", "This is your current password. Choose another one."));
        }
        if !errors.is_empty() {
            return Err(Error::Invalid(errors));
        }
        self.admit_reauthentication(caller.user, &caller.origin).await?;
        let compared = self.matching_password_hash(caller.user, current).await;
        let event = |action| Actor::User(caller.clone()).event(now, action, format!("user:{user}"), &caller.name);
        let back = |_: &Error| self.throttle.refund(&throttle_account(caller.user), caller.origin.ip);
        let Some(before) = compared.inspect_err(back)? else {
            self.record_event(event("password.refused")).await?;
            return Err(Error::field("password", "Wrong password. Enter your current password."));
        };
        self.throttle.record_success(&throttle_account(caller.user), caller.origin.ip, now);
        let (hash, event) = (self.passwords.hash(new).await?, event("password.changed"));
        let write = self.context.queue.write(move |tx| {
            let (before, hash, event) = (before.clone(), hash.clone(), event.clone());
            Box::pin(async move {
                if !store::accounts::set_password(tx, user, &before, &hash).await? {
                    return Err(Error::Conflict(
                        "Your password was changed elsewhere. Sign in again with the new password.",
                    ));
                }
                // Invalidate reset links that another person may have.
                store::email_links::end_for_user(tx, RESET, user).await?;
                let ended = store::sessions::delete_others(tx, user, &here).await?;
                Ok(WriteOutcome::audited((), event.with_detail(serde_json::json!({"sessions_ended": ended}))))
            })
        });
        write.await
    }
}

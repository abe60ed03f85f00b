//! Password reset, by a one-time link in an email or from the command line.

use super::{
    Accounts, passwords,
    registration::{INVALID_LINK, NOTICE, RESET, has_reached_email_limit},
};
use crate::{
    Error, InvalidField,
    actor::{Actor, Origin},
    one_time_tokens,
    one_time_tokens::OneTimeCode,
    permissions::{AdminPermission, is_allowed},
};
use keyward_domain::{email::Email, registration::RESET_LINK_LIFETIME, sensitive::Password, time::format_duration};
use keyward_store::{
    self as store,
    accounts::UserRow,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};

const NO_MAIL: &str = "This Keyward instance does not send email. Ask an administrator for a link.";
const DISABLED: &str = "This account is disabled. Enable it first.";

impl Accounts {
    /// Sends a reset link to an address that has an account with a password. The response is the same for every address
    /// and does not wait for the email.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with passwords disabled, [`Error::Conflict`] without email configuration,
    /// [`Error::Invalid`] if the address is invalid, [`Error::Paused`] or [`Error::Busy`] after too many requests.
    #[tracing::instrument(name = "accounts.request_reset", skip_all)]
    pub async fn request_reset(&self, email: &str, origin: &Origin) -> Result<(), Error> {
        self.require_passwords_enabled()?;
        if !self.context.mail.is_configured() {
            return Err(Error::Conflict(NO_MAIL));
        }
        let (email, turn) = self.admit_email_request(RESET, email, origin).await?;
        let (accounts, origin) = (self.clone(), origin.clone());
        self.run_in_background(turn, async move { accounts.send_reset_email(&email, origin).await });
        Ok(())
    }

    async fn send_reset_email(&self, email: &Email, origin: Origin) -> Result<(), Error> {
        let known = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_email(&mut reader.conn(), email).await?
        };
        let Some(user) = known.filter(|user| user.active) else { return Ok(()) };
        let has_password = !user.password_hash.is_empty();
        let purpose = if has_password { RESET } else { NOTICE };
        let Some(code) = self.insert_reset_link(&Actor::System(origin), user, purpose, true).await? else {
            return Ok(());
        };
        let (product, url) = (self.product(), &self.config.public_url);
        let text = if has_password {
            format!(
                "We received a request to reset the password of your {product} account.\n\n\
                 Set a new password within {}:\n{}\n\n\
                 The link can be used once. If you did not request this, ignore this email. Your password does not change.\n",
                format_duration(RESET_LINK_LIFETIME),
                self.link_url("/reset/new?code=", &code)
            )
        } else {
            let provider = self.config.sign_in.oidc.as_ref().map_or("single sign-on", |oidc| &oidc.name);
            format!(
                "We received a request to reset the password of your {product} account. Your account has no password. You sign \
                 in with {provider}.\n\nSign in: {url}/login\n\nIf you did not request this, ignore this email.\n"
            )
        };
        self.send_email(email, format!("Reset your {product} password"), text).await;
        Ok(())
    }

    /// Stores a reset link with its audit event and returns its code. Returns `None` if the request is `limited` and
    /// the address has reached the hourly limit.
    async fn insert_reset_link(
        &self,
        actor: &Actor,
        user: UserRow,
        purpose: &'static str,
        limited: bool,
    ) -> Result<Option<OneTimeCode>, Error> {
        let (code, row) = self.new_link(purpose, &Email::from_row(&user.email), RESET_LINK_LIFETIME);
        let row = store::email_links::LinkRow { user_id: Some(user.id), ..row };
        let (actor, digest, now) = (actor.clone(), code.digest(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (actor, row, user) = (actor.clone(), row.clone(), user.clone());
            Box::pin(async move {
                if limited && has_reached_email_limit(tx, row.email.as_deref().unwrap_or_default(), now).await? {
                    return Ok(WriteOutcome::unaudited(false));
                }
                store::email_links::insert(tx, &digest, &row).await?;
                let event = actor.event(now, "password.reset_asked", format!("user:{}", user.id), &user.name);
                Ok::<_, Error>(WriteOutcome::audited(true, event))
            })
        });
        Ok(write.await?.then_some(code))
    }

    /// Creates a reset link for a user, on behalf of an administrator or the command line. It is not emailed.
    ///
    /// # Errors
    /// [`Error::NotFound`] if no user has this address or the caller is not an administrator; [`Error::Conflict`] if
    /// the account is disabled; [`Error::ReauthenticationRequired`] without recent reauthentication.
    #[tracing::instrument(name = "accounts.reset_link", skip_all)]
    pub async fn reset_link(&self, actor: &Actor, email: &str) -> Result<String, Error> {
        if let Some(caller) = actor.caller()
            && !is_allowed(caller.admin, AdminPermission::ManageUsers)
        {
            return Err(Error::NotFound);
        }
        actor.require_reauthentication("password.reset_asked", self.context.now())?;
        let email: Email = email.parse().map_err(|e| Error::Invalid(vec![InvalidField::new("email", e)]))?;
        let user = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_email(&mut reader.conn(), &email).await?
        };
        let user = user.ok_or(Error::NotFound)?;
        if !user.active {
            return Err(Error::Conflict(DISABLED));
        }
        let code = self.insert_reset_link(actor, user, RESET, false).await?;
        let code = code.ok_or(Error::Internal("an unlimited reset link was denied"))?;
        Ok(self.link_url("/reset/new?code=", &code))
    }

    /// Returns the active user whose password a code can reset.
    async fn find_reset_user(&self, code: &str) -> Result<Option<UserRow>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let row = store::email_links::by_digest(
            &mut reader.conn(),
            &one_time_tokens::digest(code),
            self.context.now().micros(),
        )
        .await?;
        let Some(id) = row.filter(|row| row.purpose == RESET).and_then(|row| row.user_id) else { return Ok(None) };
        Ok(store::accounts::by_id(&mut reader.conn(), id).await?.filter(|user| user.active))
    }

    /// Checks that a code can reset a password.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the code is invalid, used, or expired.
    #[tracing::instrument(name = "accounts.check_reset_code", skip_all)]
    pub async fn check_reset_code(&self, code: &str) -> Result<(), Error> {
        self.require_passwords_enabled()?;
        self.find_reset_user(code).await?.map(|_| ()).ok_or(Error::NotFound)
    }

    /// Sets a new password; each link works once. Ends every session of the user. The second factor does not change,
    /// and the user is not signed in.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the code is invalid, used, or expired; [`Error::Invalid`] if the password is not
    /// accepted.
    #[tracing::instrument(name = "accounts.reset_password", skip_all)]
    pub async fn reset_password(&self, code: &str, password: &Password, origin: &Origin) -> Result<(), Error> {
        self.require_passwords_enabled()?;
        let user = self.find_reset_user(code).await?.ok_or(Error::Conflict(INVALID_LINK))?;
        passwords::check(password, &Email::from_row(&user.email), &user.name)
            .map_err(|words| Error::field("password", words))?;
        let hash = self.passwords.hash(password).await?;
        let (actor, digest, now, id) =
            (Actor::System(origin.clone()), one_time_tokens::digest(code), self.context.now(), user.id);
        let write = self.context.queue.write(move |tx| {
            let (actor, hash) = (actor.clone(), hash.clone());
            Box::pin(async move {
                // Of two concurrent requests, only one finds the link.
                let row = store::email_links::consume(tx, &digest, now.micros())
                    .await?
                    .ok_or(Error::Conflict(INVALID_LINK))?;
                let user: Option<UserRow> = store::accounts::by_id(tx, id).await?;
                // The account may have been disabled meanwhile.
                let user =
                    user.filter(|user| user.active && row.user_id == Some(id)).ok_or(Error::Conflict(INVALID_LINK))?;
                store::accounts::reset_password(tx, id, &hash).await?;
                store::email_links::end_for_user(tx, RESET, id).await?;
                let ended = store::sessions::end_all(tx, id).await?;
                let event = actor
                    .event(now, "password.reset", format!("user:{id}"), &user.name)
                    .with_detail(serde_json::json!({"sessions_ended": ended}));
                Ok::<_, Error>(WriteOutcome::audited((), event).notify(Change { topic: Topic::User, id }))
            })
        });
        write.await?;
        self.throttle.record_success(Email::from_row(&user.email).as_str(), origin.ip, now);
        Ok(())
    }
}

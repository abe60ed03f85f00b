//! Registration (sign-up), with a confirmed email address or an invitation.

use super::{
    Accounts, create,
    create::NewUser,
    invite,
    registration::{INVALID_LINK, NOTICE, SIGN_UP, has_reached_email_limit},
};
use crate::{
    Error,
    actor::{Actor, Origin},
    one_time_tokens, policy,
};
use keyward_domain::{
    email::Email, ids::UserId, registration::SIGN_UP_LINK_LIFETIME, sensitive::Password, time::format_duration,
};
use keyward_store::{self as store, write_queue::WriteOutcome};

/// Lifetime of the link in the email, in seconds.
const LIFE: i64 = SIGN_UP_LINK_LIFETIME;
const TAKEN: &str = "This email address is already in use. Sign in instead.";

/// Values of the registration form behind the link, not parsed.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub code: String,
    pub name: String,
    pub password: Password,
}

impl Accounts {
    /// Sends a registration email to an address: with a link, or with a notice if the address already has an account.
    /// The response is the same and does not wait for the email.
    ///
    /// # Errors
    /// [`Error::NotFound`] unless sign-up is open and email is configured; [`Error::Invalid`] if the address is
    /// invalid; [`Error::Paused`] or [`Error::Busy`] after too many requests.
    #[tracing::instrument(name = "accounts.request_sign_up", skip_all)]
    pub async fn request_sign_up(&self, email: &str, origin: &Origin) -> Result<(), Error> {
        if !self.sign_in_methods().await?.sign_up {
            return Err(Error::NotFound);
        }
        let (email, turn) = self.admit_email_request(SIGN_UP, email, origin).await?;
        let accounts = self.clone();
        self.run_in_background(turn, async move { accounts.send_sign_up_email(&email).await });
        Ok(())
    }

    async fn send_sign_up_email(&self, email: &Email) -> Result<(), Error> {
        let known = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_email(&mut reader.conn(), email).await?
        };
        if known.as_ref().is_some_and(|user| !user.active) {
            return Ok(());
        }
        let (code, row) = self.new_link(if known.is_some() { NOTICE } else { SIGN_UP }, email, LIFE);
        let (digest, now, to) = (code.digest(), self.context.now(), email.clone());
        let write = self.context.queue.write(move |tx| {
            let (row, to) = (row.clone(), to.clone());
            Box::pin(async move {
                if has_reached_email_limit(tx, to.as_str(), now).await? {
                    return Ok(WriteOutcome::unaudited(false));
                }
                store::email_links::insert(tx, &digest, &row).await?;
                // No audit event: nothing has changed until the link is used.
                Ok::<_, Error>(WriteOutcome::unaudited(true))
            })
        });
        if !write.await? {
            return Ok(());
        }
        let (product, url) = (self.product(), &self.config.public_url);
        let text = match known {
            None => format!(
                "We received a request to create an account for {product} with this email address.\n\n\
                 Create your account within {}:\n{}\n\n\
                 The link can be used once. If you did not request this, ignore this email. No account is created without the link.\n",
                format_duration(LIFE),
                self.link_url("/signup/new?code=", &code)
            ),
            Some(_) => format!(
                "We received a request to create an account for {product} with this email address. You already have an account.\n\n\
                 Sign in: {url}/login\n\
                 Reset your password: {url}/reset\n\n\
                 If you did not request this, ignore this email.\n"
            ),
        };
        self.send_email(email, format!("Your {product} account"), text).await;
        Ok(())
    }

    /// Creates the account that a code permits, with a project of its own. Returns the user and the path to continue
    /// at.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with passwords disabled, [`Error::Conflict`] if the code is invalid, used, expired, or not
    /// accepted by the policy, [`Error::Invalid`] with every invalid field.
    #[tracing::instrument(name = "accounts.sign_up", skip_all)]
    pub async fn sign_up(&self, account: NewAccount, origin: &Origin) -> Result<(UserId, String), Error> {
        self.require_passwords_enabled()?;
        let opened = {
            let mut reader = self.context.pool.acquire_reader().await?;
            let policy = policy::load(&mut reader.conn()).await?;
            invite::open_invitation(
                &mut reader.conn(),
                &account.code,
                &policy,
                self.context.mail.is_configured(),
                self.context.now(),
            )
            .await?
        };
        let opened = opened.ok_or(Error::Conflict(INVALID_LINK))?;
        let email = opened.welcome.email;
        let NewAccount { code, name, password } = account;
        let person = NewUser { email: email.clone(), name, password, admin: false, project: String::new() };
        let prepared = self.prepare(&person).await?;
        let (actor, now) = (Actor::System(origin.clone()), self.context.now());
        let (digest, used_up) = (one_time_tokens::digest(&code), opened.consumes_code);
        let write = self.context.queue.write(move |tx| {
            let (actor, prepared, email) = (actor.clone(), prepared.clone(), email.clone());
            Box::pin(async move {
                let by = if used_up {
                    // Of two concurrent requests, only one finds the link.
                    let row = store::email_links::consume(tx, &digest, now.micros())
                        .await?
                        .ok_or(Error::Conflict(INVALID_LINK))?;
                    store::email_links::end_for_email(tx, &email).await?;
                    row.purpose
                } else {
                    "project".to_owned()
                };
                let made = create::insert(tx, &actor, now, &prepared).await.map_err(|error| match error {
                    // The form has no field for this error, because the address came with the link.
                    Error::Invalid(_) => Error::Conflict(TAKEN),
                    other => other,
                })?;
                let target = format!("user:{}", made.value());
                let event = actor.event(now, "user.signed_up", target, prepared.name());
                Ok::<_, Error>(made.and_event(event.with_detail(serde_json::json!({"by": by}))))
            })
        });
        Ok((write.await?, opened.next))
    }
}

//! Invitations to the instance, sent by administrators, and the check of codes that permit registration.

use super::{
    Accounts,
    registration::{EMAIL_LIMIT_REACHED, INVITATION, SIGN_UP, has_reached_email_limit},
};
use crate::{
    Error, InvalidField,
    actor::Actor,
    one_time_tokens,
    permissions::{AdminPermission, is_allowed},
    policy,
};
use keyward_domain::{
    email::Email,
    policy::{Policy, SignUp},
    registration::{INVITATION_LIFETIME, RegistrationPrefill},
    time::{Timestamp, format_duration},
};
use keyward_store::{self as store, Engine, write_queue::WriteOutcome};

const CLOSED: &str = "Sign-up is closed. Change the sign-up policy before you invite users.";
const NO_PASSWORDS: &str = "Password sign-in is disabled, so users cannot accept an invitation. They get an account when they \
    sign in with your provider.";

/// Invitation that was created.
pub struct Invited {
    pub email: Email,
    /// Shown for copying if the email was not sent.
    pub link: String,
    pub mailed: bool,
}

/// Invitation that can be accepted.
pub(super) struct OpenedInvitation {
    pub welcome: RegistrationPrefill,
    /// Whether registration uses up the code. The code of a project invitation is used later, on the project's own
    /// page.
    pub consumes_code: bool,
    /// Path to continue at after acceptance.
    pub next: String,
}

/// Returns the address of a project invitation, for a user without an account.
///
/// Only here do both kinds of invitation meet: `/join` redirects users without an account to `/signup?invitation=CODE`.
async fn find_project_invitation(
    conn: &mut Engine<'_>,
    digest: &[u8; 32],
    now: Timestamp,
) -> Result<Option<RegistrationPrefill>, Error> {
    let row = store::invitations::by_digest(conn, digest, now.micros()).await?;
    Ok(row.and_then(|row| row.email).map(|email| RegistrationPrefill { email }))
}

/// Returns what a code permits under this policy, if anything. A project invitation permits registration only if email
/// is configured (`mailed`). Otherwise the project owner was shown the link, and the address is not confirmed.
pub(super) async fn open_invitation(
    conn: &mut Engine<'_>,
    code: &str,
    policy: &Policy,
    mailed: bool,
    now: Timestamp,
) -> Result<Option<OpenedInvitation>, Error> {
    let digest = one_time_tokens::digest(code);
    let row = store::email_links::by_digest(conn, &digest, now.micros()).await?;
    let welcome = match row {
        Some(row) => {
            let holds = match row.purpose.as_str() {
                SIGN_UP => policy.sign_up == SignUp::Open,
                INVITATION => policy.sign_up != SignUp::Closed,
                _ => false,
            };
            return Ok(row.email.filter(|_| holds).map(|email| OpenedInvitation {
                welcome: RegistrationPrefill { email },
                consumes_code: true,
                next: "/keys".to_owned(),
            }));
        }
        None if policy.sign_up == SignUp::Closed || !mailed => None,
        None => find_project_invitation(conn, &digest, now).await?,
    };
    Ok(welcome.map(|welcome| OpenedInvitation {
        welcome,
        consumes_code: false,
        next: format!("/join?code={}", code.trim()),
    }))
}

impl Accounts {
    /// Invites a person without an account. Sends an email if email is configured.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator; [`Error::Invalid`] if the address is invalid, taken,
    /// or has reached the hourly limit; [`Error::Conflict`] if the policy or the configuration prevents acceptance.
    #[tracing::instrument(name = "accounts.invite", skip_all)]
    pub async fn invite(&self, actor: &Actor, email: &str) -> Result<Invited, Error> {
        if let Some(caller) = actor.caller()
            && !is_allowed(caller.admin, AdminPermission::ManageUsers)
        {
            return Err(Error::NotFound);
        }
        if !self.config.sign_in.passwords {
            return Err(Error::Conflict(NO_PASSWORDS));
        }
        let email: Email = email.parse().map_err(|e| Error::Invalid(vec![InvalidField::new("email", e)]))?;
        let (code, row) = self.new_link(INVITATION, &email, INVITATION_LIFETIME);
        let mails = self.context.mail.is_configured();
        let (who, digest, now, to) = (actor.clone(), code.digest(), self.context.now(), email.clone());
        let write = self.context.queue.write(move |tx| {
            let (actor, row, email) = (who.clone(), row.clone(), to.clone());
            Box::pin(async move {
                if policy::load(tx).await?.sign_up == SignUp::Closed {
                    return Err(Error::Conflict(CLOSED));
                }
                if store::accounts::by_email(tx, &email).await?.is_some() {
                    return Err(Error::field("email", "This email address is already in use."));
                }
                if mails && has_reached_email_limit(tx, email.as_str(), now).await? {
                    return Err(Error::field("email", EMAIL_LIMIT_REACHED));
                }
                // A new invitation replaces earlier links to the same address.
                store::email_links::replace_for_email(tx, email.as_str()).await?;
                store::email_links::insert(tx, &digest, &row).await?;
                let event = actor
                    .event(now, "user.invited", "invitation", email.as_str())
                    .with_acting_role(actor.admin_acting_role());
                Ok(WriteOutcome::audited(
                    (),
                    event.with_detail(serde_json::json!({"after": {"email": email.as_str()}})),
                ))
            })
        });
        write.await?;
        let link = self.link_url("/signup?invitation=", &code);
        let (product, by) = (self.product(), actor.name());
        let text = format!(
            "{by} invited you to {product}, where you can create and manage API keys.\n\n\
             Create your account within {}:\n{link}\n\n\
             The link can be used once. If you did not expect this invitation, ignore this email.\n",
            format_duration(INVITATION_LIFETIME)
        );
        let mailed = mails && self.send_email(&email, format!("Your invitation to {product}"), text).await;
        Ok(Invited { email, link, mailed })
    }

    /// Returns the address for which a code permits registration: a confirmed address, an invitation to the instance,
    /// or an invitation to a project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the code is invalid, used, or expired.
    #[tracing::instrument(name = "accounts.registration_prefill", skip_all)]
    pub async fn registration_prefill(&self, code: &str) -> Result<RegistrationPrefill, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let policy = policy::load(&mut reader.conn()).await?;
        let opened = match self.config.sign_in.passwords {
            true => {
                open_invitation(
                    &mut reader.conn(),
                    code,
                    &policy,
                    self.context.mail.is_configured(),
                    self.context.now(),
                )
                .await?
            }
            false => None,
        };
        opened.map(|it| it.welcome).ok_or(Error::NotFound)
    }
}

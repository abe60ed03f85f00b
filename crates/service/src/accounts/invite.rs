//! Invitations to the instance, sent by administrators, and the check of codes that permit registration.

use super::{
    Accounts,
    entry::{INVITATION, SENT_ENOUGH, SIGN_UP, was_sent_enough},
};
use crate::{
    Error, Field,
    actor::Actor,
    can::{Power, has},
    once, policy,
};
use keyward_domain::{
    email::Email,
    entry::Welcome,
    policy::{Policy, SignUp},
    time::{DAY, Timestamp},
};
use keyward_store::{self as store, Conn, queue::Kept};

/// Lifetime of an invitation, in seconds: 7 days.
const LIFE: i64 = 7 * DAY;

const CLOSED: &str =
    "Sign-up is closed by policy, so an invitation would open nothing. Set it to “invite” or “open” first.";
const NO_PASSWORDS: &str = "Passwords are switched off, so an invitation would open nothing: people make their account by \
    signing in with your provider.";

/// Invitation that was created.
pub struct Invited {
    pub email: Email,
    /// Shown for copying if the email was not sent.
    pub link: String,
    pub mailed: bool,
}

/// Invitation that can be accepted.
pub(super) struct Opened {
    pub welcome: Welcome,
    /// Whether registration uses up the code. The code of a project invitation is used later, on the project's own
    /// page.
    pub used_up: bool,
    /// Path to continue at after acceptance.
    pub next: String,
}

/// Returns the address of a project invitation, for a user without an account.
///
/// Only here do both kinds of invitation meet: `/join` redirects users without an account to `/signup?invitation=CODE`.
async fn into_project(conn: &mut Conn<'_>, digest: &[u8; 32], now: Timestamp) -> Result<Option<Welcome>, Error> {
    let row = store::invitations::by_digest(conn, digest, now.micros()).await?;
    Ok(row.and_then(|row| row.email).map(|email| Welcome { email }))
}

/// Returns what a code permits under this policy, if anything. A project invitation permits registration only if email
/// is configured (`mailed`). Otherwise the project owner was shown the link, and the address is not confirmed.
pub(super) async fn opens(
    conn: &mut Conn<'_>,
    code: &str,
    policy: &Policy,
    mailed: bool,
    now: Timestamp,
) -> Result<Option<Opened>, Error> {
    let digest = once::digest(code);
    let row = store::links::by_digest(conn, &digest, now.micros()).await?;
    let welcome = match row {
        Some(row) => {
            let holds = match row.purpose.as_str() {
                SIGN_UP => policy.sign_up == SignUp::Open,
                INVITATION => policy.sign_up != SignUp::Closed,
                _ => false,
            };
            return Ok(row.email.filter(|_| holds).map(|email| Opened {
                welcome: Welcome { email },
                used_up: true,
                next: "/keys".to_owned(),
            }));
        }
        None if policy.sign_up == SignUp::Closed || !mailed => None,
        None => into_project(conn, &digest, now).await?,
    };
    Ok(welcome.map(|welcome| Opened { welcome, used_up: false, next: format!("/join?code={}", code.trim()) }))
}

impl Accounts {
    /// Invites a person without an account. Sends an email if email is configured.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the caller is not an administrator; [`Error::Invalid`] if the address is invalid, taken,
    /// or has reached the hourly limit; [`Error::Conflict`] if the policy or the configuration prevents acceptance.
    pub async fn invite(&self, actor: &Actor, email: &str) -> Result<Invited, Error> {
        if let Actor::User(caller) = actor
            && !has(caller.admin, Power::ManageUsers)
        {
            return Err(Error::NotFound);
        }
        if !self.config.sign_in.passwords {
            return Err(Error::Conflict(NO_PASSWORDS));
        }
        let email: Email = email.parse().map_err(|e| Error::Invalid(vec![Field::new("email", e)]))?;
        let (code, row) = self.link(INVITATION, &email, LIFE);
        let mails = self.ground.mail.is_set();
        let (who, digest, now, to) = (actor.clone(), code.digest(), self.ground.now(), email.clone());
        let write = self.ground.queue.write(move |tx| {
            let (actor, row, email) = (who.clone(), row.clone(), to.clone());
            Box::pin(async move {
                if policy::read(tx).await?.sign_up == SignUp::Closed {
                    return Err(Error::Conflict(CLOSED));
                }
                if store::accounts::by_email(tx, &email).await?.is_some() {
                    return Err(Error::field("email", "Somebody has this e-mail address already."));
                }
                if mails && was_sent_enough(tx, email.as_str(), now).await? {
                    return Err(Error::field("email", SENT_ENOUGH));
                }
                // A new invitation replaces earlier links to the same address.
                store::links::replace_for_email(tx, email.as_str()).await?;
                store::links::insert(tx, &digest, &row).await?;
                let event = actor.event(now, "user.invited", "invitation", email.as_str()).acting_as(actor.power());
                Ok(Kept::with((), event.detail(serde_json::json!({"after": {"email": email.as_str()}}))))
            })
        });
        write.await?;
        let link = self.address("/signup?invitation=", &code);
        let (product, by) = (self.product(), actor.name());
        let text = format!(
            "{by} invites you to {product}, where you make and look after API keys.\n\n\
             Make your account here, within 7 days:\n{link}\n\n\
             The link works once. If you do not know what this is about, do nothing.\n"
        );
        let mailed = mails && self.post(&email, format!("Your invitation to {product}"), text).await;
        Ok(Invited { email, link, mailed })
    }

    /// Returns the address for which a code permits registration: a confirmed address, an invitation to the instance,
    /// or an invitation to a project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the code is invalid, used, or expired.
    pub async fn welcome(&self, code: &str) -> Result<Welcome, Error> {
        let mut reader = self.ground.pool.read().await?;
        let policy = policy::read(&mut reader.conn()).await?;
        let opened = match self.config.sign_in.passwords {
            true => opens(&mut reader.conn(), code, &policy, self.ground.mail.is_set(), self.ground.now()).await?,
            false => None,
        };
        opened.map(|it| it.welcome).ok_or(Error::NotFound)
    }
}

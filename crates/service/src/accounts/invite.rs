//! Invitations to this Keyward, made by administrators; and whom a link lets make an account.

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

/// Seconds for which an invitation holds: 7 days.
const LIFE: i64 = 7 * DAY;

const CLOSED: &str =
    "Sign-up is closed by policy, so an invitation would open nothing. Set it to “invite” or “open” first.";
const NO_PASSWORDS: &str = "Passwords are switched off, so an invitation would open nothing: people make their account by \
    signing in with your provider.";

/// An invitation that was made.
pub struct Invited {
    pub email: Email,
    /// Shown to be copied if it was not mailed.
    pub link: String,
    pub mailed: bool,
}

/// An invitation that can be accepted.
pub(super) struct Opened {
    pub welcome: Welcome,
    /// Whether the code is used up by the account that it lets make. A project's is not: it is used at its own page.
    pub used_up: bool,
    /// Where whoever accepted goes next.
    pub next: String,
}

/// An invitation into a project, for somebody who has no account yet: the address that it went to.
///
/// The one place where invitations of both kinds meet: `/join` sends whoever has no account to `/signup?invitation=CODE`.
async fn into_project(conn: &mut Conn<'_>, digest: &[u8; 32], now: Timestamp) -> Result<Option<Welcome>, Error> {
    let row = store::invitations::by_digest(conn, digest, now.micros()).await?;
    Ok(row.and_then(|row| row.email).map(|email| Welcome { email }))
}

/// What a code opens, if anything, under this policy. A project's opens an account only where there is mail (`mailed`): otherwise
/// its owner was shown the link, and nobody has confirmed the address.
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
    /// Invites somebody who has no account. The letter goes out if there is mail.
    ///
    /// # Errors
    /// [`Error::NotFound`] to whoever is no administrator, [`Error::Invalid`] for an address that is none, taken, or was sent enough,
    /// [`Error::Conflict`] where the policy or the settings let nobody accept.
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
                // The last one counts: an earlier link to the same address opens nothing any more.
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

    /// Whom a code lets make an account: of a confirmed address, an invitation to this Keyward, or one into a project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it opens nothing, was used, or is too old.
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

//! OpenID identities: sign-in by issuer and subject. An identity is never linked to a user by email address alone.

use super::{Accounts, create};
use crate::{
    Error,
    actor::{Actor, Caller, Origin},
    oidc::Identity,
};
use keyward_domain::{
    email::Email,
    ids::UserId,
    registration::SignInError,
    time::Timestamp,
    user::{PERSON_NAME_MAX, PersonName},
};
use keyward_store::{self as store, Tx, accounts::UserRow, write_queue::WriteOutcome};

/// Data for creating a user from an identity that belongs to no user yet.
#[derive(Clone)]
struct NewIdentity {
    issuer: String,
    subject: String,
    email: Result<Email, SignInError>,
    prepared: Option<create::PreparedUser>,
}

/// Returns the name from the provider, shortened to the maximum length; otherwise the local part of the email address,
/// or the whole address.
fn name_of(identity: &Identity, email: &Email) -> String {
    let fits = |name: &str| name.trim().chars().take(PERSON_NAME_MAX).collect::<String>().parse::<PersonName>().ok();
    let name = identity.name.as_deref().and_then(fits).or_else(|| fits(email.local())).or_else(|| fits(email.as_str()));
    name.map_or_else(|| "Unnamed user".to_owned(), |name| name.as_str().to_owned())
}

impl Accounts {
    /// Signs in the user with this issuer and subject. Creates the user if there is none, regardless of the sign-up
    /// policy: the provider decides who has an account there.
    ///
    /// # Errors
    /// The inner error is the reason why the sign-in is denied; the outer error is a failure.
    #[tracing::instrument(name = "accounts.sign_in_with", skip_all)]
    pub async fn sign_in_with(
        &self,
        identity: &Identity,
        origin: &Origin,
    ) -> Result<Result<UserId, SignInError>, Error> {
        let email = identity.email.as_deref().and_then(|email| email.parse::<Email>().ok()).ok_or(SignInError::NoEmail);
        // An unconfirmed address does not create an account, because its owner would find the address taken.
        let email =
            email.and_then(|email| if identity.unconfirmed { Err(SignInError::EmailNotVerified) } else { Ok(email) });
        let prepared = email.as_ref().ok().map(|email| self.without_password(email, name_of(identity, email)));
        let newcomer =
            NewIdentity { issuer: identity.issuer.clone(), subject: identity.subject.clone(), email, prepared };
        let (origin, now, passwords) = (origin.clone(), self.context.now(), self.config.sign_in.passwords);
        let write = self.context.queue.write(move |tx| {
            let (newcomer, origin) = (newcomer.clone(), origin.clone());
            Box::pin(async move {
                let known = store::identities::find_user(tx, &newcomer.issuer, &newcomer.subject).await?;
                match known {
                    Some(id) => Ok(sign_in_existing(tx, id, &origin, now).await?),
                    None => register_and_sign_in(tx, &newcomer, passwords, &origin, now).await,
                }
            })
        });
        write.await
    }

    /// Links an identity to the signed-in user.
    ///
    /// # Errors
    /// The inner error is the reason why the identity cannot be linked; the outer error is a failure.
    #[tracing::instrument(name = "accounts.link_identity", skip_all)]
    pub async fn link_identity(&self, caller: &Caller, identity: &Identity) -> Result<Result<(), SignInError>, Error> {
        let (caller, identity, now) = (caller.clone(), identity.clone(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (caller, identity) = (caller.clone(), identity.clone());
            Box::pin(async move {
                let Identity { issuer, subject, .. } = &identity;
                let user = caller.user;
                if !store::identities::insert(tx, issuer, subject, user.into(), now.micros()).await? {
                    let theirs = store::identities::find_user(tx, issuer, subject).await? == Some(user.into());
                    return Ok::<_, Error>(WriteOutcome::unaudited(if theirs {
                        Ok(())
                    } else {
                        Err(SignInError::LinkedToOtherUser)
                    }));
                }
                let event = Actor::User(caller.clone())
                    .event(now, "identity.linked", format!("user:{user}"), &caller.name)
                    .with_detail(serde_json::json!({"after": {"issuer": issuer, "subject": subject}}));
                Ok(WriteOutcome::audited(Ok(()), event))
            })
        });
        write.await
    }

    /// Returns whether the user has a linked identity.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "accounts.has_identity", skip_all)]
    pub async fn has_identity(&self, caller: &Caller) -> Result<bool, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        Ok(store::identities::has_any(&mut reader.conn(), caller.user.into()).await?)
    }
}

/// Signs in an existing user.
async fn sign_in_existing(
    tx: &mut Tx<'_>,
    id: uuid::Uuid,
    origin: &Origin,
    now: Timestamp,
) -> Result<WriteOutcome<Result<UserId, SignInError>>, Error> {
    let user: UserRow = store::accounts::by_id(tx, id).await?.ok_or(Error::NotFound)?;
    let target = format!("user:{id}");
    let by = serde_json::json!({"by": "provider"});
    if !user.active {
        let event = Actor::System(origin.clone()).event(now, "session.refused", target, &user.name).with_detail(by);
        return Ok(WriteOutcome::audited(Err(SignInError::Disabled), event));
    }
    let event =
        Actor::User(signed_in(&user, origin, now)).event(now, "session.started", target, &user.name).with_detail(by);
    Ok(WriteOutcome::audited(Ok(id.into()), event))
}

/// Creates a user for a new identity and signs them in.
async fn register_and_sign_in(
    tx: &mut Tx<'_>,
    newcomer: &NewIdentity,
    passwords: bool,
    origin: &Origin,
    now: Timestamp,
) -> Result<WriteOutcome<Result<UserId, SignInError>>, Error> {
    let system = Actor::System(origin.clone());
    let refuse = |why: SignInError| {
        let event = system.event(now, "session.refused", "user:unknown", "");
        WriteOutcome::audited(
            Err(why),
            event.with_detail(serde_json::json!({"by": "provider", "because": why.as_str()})),
        )
    };
    let (email, prepared) = match (&newcomer.email, &newcomer.prepared) {
        (Ok(email), Some(prepared)) => (email, prepared),
        (Err(why), _) => return Ok(refuse(*why)),
        (Ok(_), None) => return Ok(refuse(SignInError::NoEmail)),
    };
    // With passwords enabled, the first account is the administrator's and is created by the setup, not by the
    // provider.
    if passwords && store::accounts::is_empty(tx).await? {
        return Ok(refuse(SignInError::NotSetUp));
    }
    if store::accounts::by_email(tx, email).await?.is_some() {
        return Ok(refuse(SignInError::EmailInUse));
    }
    let made = match create::insert(tx, &system, now, prepared).await {
        Ok(made) => made,
        // Taken meanwhile, by the same person in another window or on another node, or by another user.
        Err(Error::Invalid(_)) => {
            return match store::identities::find_user(tx, &newcomer.issuer, &newcomer.subject).await? {
                Some(id) => sign_in_existing(tx, id, origin, now).await,
                None => Ok(refuse(SignInError::EmailInUse)),
            };
        }
        Err(other) => return Err(other),
    };
    let id = *made.value();
    if !store::identities::insert(tx, &newcomer.issuer, &newcomer.subject, id.into(), now.micros()).await? {
        return Err(Error::Conflict("This account was just created in another window. Sign in again."));
    }
    store::email_links::end_for_email(tx, email.as_str()).await?;
    let user: UserRow = store::accounts::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
    let target = format!("user:{id}");
    let after = serde_json::json!({"after": {"issuer": newcomer.issuer, "subject": newcomer.subject}});
    let linked = system.event(now, "identity.linked", &target, &user.name).with_detail(after);
    let started = Actor::User(signed_in(&user, origin, now))
        .event(now, "session.started", &target, &user.name)
        .with_detail(serde_json::json!({"by": "provider"}));
    Ok(made.and_event(linked).and_event(started).map(Ok))
}

fn signed_in(user: &UserRow, origin: &Origin, now: Timestamp) -> Caller {
    Caller {
        user: user.id.into(),
        name: user.name.clone(),
        email: user.email.clone(),
        admin: user.admin,
        authenticated_at: now,
        zone: jiff::tz::TimeZone::UTC,
        origin: origin.clone(),
    }
}

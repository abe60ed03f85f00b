//! OpenID identities: sign-in by issuer and subject. An identity is never linked to a user by email address alone.

use super::{Accounts, create};
use crate::{
    Error,
    actor::{Actor, Caller, Origin},
    oidc::Identity,
};
use keyward_domain::{
    email::Email,
    entry::NotIn,
    ids::UserId,
    time::Timestamp,
    user::{PERSON_NAME_MAX, PersonName},
};
use keyward_store::{self as store, Tx, accounts::UserRow, queue::Kept};

/// Data for creating a user from an identity that belongs to no user yet.
#[derive(Clone)]
struct Newcomer {
    issuer: String,
    subject: String,
    email: Result<Email, NotIn>,
    prepared: Option<create::Prepared>,
}

/// Returns the name from the provider, shortened to the maximum length; otherwise the local part of the email address.
fn name_of(identity: &Identity, email: &Email) -> String {
    let fits = |name: &str| name.trim().chars().take(PERSON_NAME_MAX).collect::<String>().parse::<PersonName>().ok();
    let name = identity.name.as_deref().and_then(fits).or_else(|| fits(email.local()));
    name.map_or_else(|| "Somebody".to_owned(), |name| name.as_str().to_owned())
}

impl Accounts {
    /// Signs in the user with this issuer and subject. Creates the user if there is none, regardless of the sign-up
    /// policy: the provider decides who has an account there.
    ///
    /// # Errors
    /// The inner error is the reason why the sign-in is denied; the outer error is a failure.
    pub async fn sign_in_with(&self, identity: &Identity, origin: &Origin) -> Result<Result<UserId, NotIn>, Error> {
        let email = identity.email.as_deref().and_then(|email| email.parse::<Email>().ok()).ok_or(NotIn::NoEmail);
        // An unconfirmed address does not create an account, because its owner would find the address taken.
        let email = email.and_then(|email| if identity.unconfirmed { Err(NotIn::Unconfirmed) } else { Ok(email) });
        let prepared = email.as_ref().ok().map(|email| self.without_password(email, name_of(identity, email)));
        let newcomer = Newcomer { issuer: identity.issuer.clone(), subject: identity.subject.clone(), email, prepared };
        let (origin, now, passwords) = (origin.clone(), self.ground.now(), self.config.sign_in.passwords);
        let write = self.ground.queue.write(move |tx| {
            let (newcomer, origin) = (newcomer.clone(), origin.clone());
            Box::pin(async move {
                let known = store::identities::user_of(tx, &newcomer.issuer, &newcomer.subject).await?;
                match known {
                    Some(id) => Ok(let_in(tx, id, &origin, now).await?),
                    None => come(tx, &newcomer, passwords, &origin, now).await,
                }
            })
        });
        write.await
    }

    /// Links an identity to the signed-in user.
    ///
    /// # Errors
    /// The inner error is the reason why the identity cannot be linked; the outer error is a failure.
    pub async fn link_identity(&self, caller: &Caller, identity: &Identity) -> Result<Result<(), NotIn>, Error> {
        let (caller, identity, now) = (caller.clone(), identity.clone(), self.ground.now());
        let write = self.ground.queue.write(move |tx| {
            let (caller, identity) = (caller.clone(), identity.clone());
            Box::pin(async move {
                let Identity { issuer, subject, .. } = &identity;
                let user = caller.user;
                if !store::identities::insert(tx, issuer, subject, user.into(), now.micros()).await? {
                    let theirs = store::identities::user_of(tx, issuer, subject).await? == Some(user.into());
                    return Ok::<_, Error>(Kept::unrecorded(if theirs { Ok(()) } else { Err(NotIn::Other) }));
                }
                let event = Actor::User(caller.clone())
                    .event(now, "identity.linked", format!("user:{user}"), &caller.name)
                    .detail(serde_json::json!({"after": {"issuer": issuer, "subject": subject}}));
                Ok(Kept::with(Ok(()), event))
            })
        });
        write.await
    }

    /// Returns whether the user has a linked identity.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn has_identity(&self, caller: &Caller) -> Result<bool, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::identities::has_any(&mut reader.conn(), caller.user.into()).await?)
    }
}

/// Signs in an existing user.
async fn let_in(
    tx: &mut Tx<'_>,
    id: uuid::Uuid,
    origin: &Origin,
    now: Timestamp,
) -> Result<Kept<Result<UserId, NotIn>>, Error> {
    let user: UserRow = store::accounts::by_id(tx, id).await?.ok_or(Error::NotFound)?;
    let target = format!("user:{id}");
    let by = serde_json::json!({"by": "provider"});
    if !user.active {
        let event = Actor::System(origin.clone()).event(now, "session.refused", target, &user.name).detail(by);
        return Ok(Kept::with(Err(NotIn::Disabled), event));
    }
    let event = Actor::User(signed_in(&user, origin, now)).event(now, "session.started", target, &user.name).detail(by);
    Ok(Kept::with(Ok(id.into()), event))
}

/// Creates a user for a new identity and signs them in.
async fn come(
    tx: &mut Tx<'_>,
    newcomer: &Newcomer,
    passwords: bool,
    origin: &Origin,
    now: Timestamp,
) -> Result<Kept<Result<UserId, NotIn>>, Error> {
    let system = Actor::System(origin.clone());
    let refuse = |why: NotIn| {
        let event = system.event(now, "session.refused", "user:unknown", "");
        Kept::with(Err(why), event.detail(serde_json::json!({"by": "provider", "because": why.as_str()})))
    };
    let (email, prepared) = match (&newcomer.email, &newcomer.prepared) {
        (Ok(email), Some(prepared)) => (email, prepared),
        (Err(why), _) => return Ok(refuse(*why)),
        (Ok(_), None) => return Ok(refuse(NotIn::NoEmail)),
    };
    // With passwords enabled, the first account is the administrator's and is created by the setup, not by the
    // provider.
    if passwords && store::accounts::none(tx).await? {
        return Ok(refuse(NotIn::NotSetUp));
    }
    if store::accounts::by_email(tx, email).await?.is_some() {
        return Ok(refuse(NotIn::Taken));
    }
    let made = match create::insert(tx, &system, now, prepared).await {
        Ok(made) => made,
        // Taken meanwhile, by the same person in another window or on another node, or by another user.
        Err(Error::Invalid(_)) => {
            return match store::identities::user_of(tx, &newcomer.issuer, &newcomer.subject).await? {
                Some(id) => let_in(tx, id, origin, now).await,
                None => Ok(refuse(NotIn::Taken)),
            };
        }
        Err(other) => return Err(other),
    };
    let id = *made.value();
    if !store::identities::insert(tx, &newcomer.issuer, &newcomer.subject, id.into(), now.micros()).await? {
        return Err(Error::Conflict("This account was made in another window just now. Sign in again."));
    }
    store::links::end_for_email(tx, email.as_str()).await?;
    let user: UserRow = store::accounts::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
    let target = format!("user:{id}");
    let after = serde_json::json!({"after": {"issuer": newcomer.issuer, "subject": newcomer.subject}});
    let linked = system.event(now, "identity.linked", &target, &user.name).detail(after);
    let started = Actor::User(signed_in(&user, origin, now))
        .event(now, "session.started", &target, &user.name)
        .detail(serde_json::json!({"by": "provider"}));
    Ok(made.and(linked).and(started).map(Ok))
}

fn signed_in(user: &UserRow, origin: &Origin, now: Timestamp) -> Caller {
    Caller {
        user: user.id.into(),
        name: user.name.clone(),
        email: user.email.clone(),
        admin: user.admin,
        proved: now,
        zone: jiff::tz::TimeZone::UTC,
        origin: origin.clone(),
    }
}

//! Sign-in with a password and a second factor, and sign-out.

use super::{
    Accounts,
    reauthentication::sign_in_throttle_account,
    start_session::{PendingSession, VerifiedPassword},
    throttle::Guess,
};
use crate::{
    Error, InvalidField,
    actor::{Actor, Caller, Origin},
};
use keyward_domain::{email::Email, ids::UserId, sensitive::Password};
use keyward_store::{self as store, accounts::UserRow, write_queue::WriteOutcome};
use zeroize::Zeroizing;

/// Result of a correct address and password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    pub pending_session: PendingSession,
    /// The user has a second factor and is signed in only after a correct code.
    pub requires_code: bool,
}

impl Accounts {
    /// Verifies an address and a password. The response to a wrong password and to an unknown address is the same and
    /// takes the same time.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with passwords disabled, [`Error::BadCredentials`], [`Error::Paused`] after too many
    /// failures, [`Error::Busy`], or [`Error::Invalid`] if a field is empty or the address is invalid.
    #[tracing::instrument(name = "accounts.sign_in", skip_all)]
    pub async fn sign_in(&self, email: &str, password: &Password, origin: &Origin) -> Result<SignedIn, Error> {
        self.require_passwords_enabled()?;
        let mut missing = Vec::new();
        // Parse before throttling: two spellings of one address must count as one account.
        let email = match email.trim() {
            "" => Err(InvalidField::new("email", "Enter your email address.")),
            _ => email.parse::<Email>().map_err(|error| InvalidField::new("email", error)),
        };
        let email = email.map_err(|field| missing.push(field)).ok();
        if password.expose().is_empty() {
            missing.push(InvalidField::new("password", "Enter your password."));
        }
        let (Some(email), true) = (email, missing.is_empty()) else { return Err(Error::Invalid(missing)) };
        let account = email.as_str();
        self.throttle.admit(Guess::Password, account, origin.ip, self.context.now()).await?;
        let compared = self.verify_credentials(&email, password).await;
        let (user, right) = compared.inspect_err(|_| self.throttle.refund(account, origin.ip))?;
        match user {
            Some(user) if right => {
                self.throttle.record_success(account, origin.ip, self.context.now());
                let code_needed = self.requires_code(user.id.into()).await?;
                if !code_needed {
                    self.record_event(self.sign_in_event(&user, origin)).await?;
                }
                let compared = Some(VerifiedPassword::from_hash(&user.password_hash));
                Ok(SignedIn {
                    pending_session: PendingSession { user: user.id.into(), verified_password: compared },
                    requires_code: code_needed,
                })
            }
            user => {
                let left = self.throttle.remaining_guesses(account, origin.ip);
                self.record_failure(user, origin).await?;
                Err(Error::BadCredentials { tries_left: (left <= 3).then_some(left) })
            }
        }
    }

    /// Returns the user with this address, if any, and whether the password is correct. Takes the same time without a
    /// user.
    async fn verify_credentials(&self, email: &Email, password: &Password) -> Result<(Option<UserRow>, bool), Error> {
        let user = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_email(&mut reader.conn(), email).await?
        };
        let hash = user
            .as_ref()
            .filter(|user| user.active && !user.password_hash.is_empty())
            .map(|user| user.password_hash.clone());
        let right = self.passwords.matches(password, hash).await?;
        Ok((user, right))
    }

    fn sign_in_event(&self, user: &UserRow, origin: &Origin) -> store::audit::NewEvent {
        let caller = Caller {
            user: user.id.into(),
            name: user.name.clone(),
            email: user.email.clone(),
            admin: user.admin,
            authenticated_at: self.context.now(),
            zone: jiff::tz::TimeZone::UTC,
            origin: origin.clone(),
        };
        let target = format!("user:{}", user.id);
        Actor::User(caller).event(self.context.now(), "session.started", target, &user.name).with_acting_role("self")
    }

    /// Verifies the second factor after a correct password: a TOTP code or a recovery code.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the code is wrong or was used before, [`Error::Paused`] after too many failures.
    #[tracing::instrument(name = "accounts.sign_in_code", skip_all, fields(user.id = %user))]
    pub async fn sign_in_code(&self, user: UserId, typed: &Password, origin: &Origin) -> Result<(), Error> {
        const FIELD: &str = "one_time_code";
        let typed = Zeroizing::new(typed.expose().trim().to_owned());
        if typed.is_empty() {
            return Err(Error::field(FIELD, "Enter the code."));
        }
        let row = {
            let mut reader = self.context.pool.acquire_reader().await?;
            store::accounts::by_id(&mut reader.conn(), user.into()).await?.filter(|row| row.active)
        };
        let row = row.ok_or(Error::NotFound)?;
        let account = sign_in_throttle_account(user);
        self.throttle.admit(Guess::Code, &account, origin.ip, self.context.now()).await?;
        let target = format!("user:{user}");
        let refused =
            Actor::System(origin.clone()).event(self.context.now(), "second_factor.refused", target, &row.name);
        let spent = self.verify_second_factor(row.id, &typed, self.sign_in_event(&row, origin), refused).await;
        if spent.inspect_err(|_| self.throttle.refund(&account, origin.ip))?.is_none() {
            return Err(Error::field(
                FIELD,
                "This code is wrong or was already used. Wait for the next code, or use a recovery code.",
            ));
        }
        self.throttle.record_success(&account, origin.ip, self.context.now());
        Ok(())
    }

    /// An unknown address is not recorded, because a user may have typed their password into that field.
    async fn record_failure(&self, user: Option<UserRow>, origin: &Origin) -> Result<(), Error> {
        let (target, name) = match user {
            Some(user) => (format!("user:{}", user.id), user.name),
            None => ("user:unknown".to_owned(), String::new()),
        };
        let event = Actor::System(origin.clone()).event(self.context.now(), "session.refused", target, &name);
        self.record_event(event).await
    }

    /// Records that a user ended their session. The session store ends it.
    ///
    /// # Errors
    /// If the database rejects the write.
    #[tracing::instrument(name = "accounts.sign_out", skip_all)]
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), Error> {
        let target = format!("user:{}", caller.user);
        let event = Actor::User(caller.clone())
            .event(self.context.now(), "session.ended", target, &caller.name)
            .with_acting_role("self");
        self.record_event(event).await
    }

    pub(super) async fn record_event(&self, event: store::audit::NewEvent) -> Result<(), Error> {
        self.context
            .queue
            .write(move |_| {
                let event = event.clone();
                Box::pin(async move { Ok::<_, Error>(WriteOutcome::audited((), event)) })
            })
            .await
    }
}

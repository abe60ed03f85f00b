//! Signing in and out.

use super::{Accounts, throttle::Verdict};
use crate::{
    domain::{ids::UserId, sensitive::Password, user::Email},
    service::{
        Error, Field,
        actor::{Actor, Caller, Origin},
    },
    store::{self, accounts::UserRow, queue::Kept},
};

impl Accounts {
    /// Checks an address and a password. The answer for a wrong password and for an unknown address is the same, and takes the
    /// same time.
    ///
    /// # Errors
    /// [`Error::BadCredentials`], [`Error::Paused`] after too many failures, [`Error::Busy`], or [`Error::Invalid`] if the form is
    /// empty.
    pub async fn sign_in(&self, email: &str, password: &Password, origin: &Origin) -> Result<UserId, Error> {
        let mut missing = Vec::new();
        if email.trim().is_empty() {
            missing.push(Field::new("email", "Write your e-mail address."));
        }
        if password.expose().is_empty() {
            missing.push(Field::new("password", "Write your password."));
        }
        if !missing.is_empty() {
            return Err(Error::Invalid(missing));
        }
        // What was typed counts as the account, cut to what an address can be.
        let account: String = email.trim().to_lowercase().chars().take(320).collect();
        match self.throttle.enter(&account, origin.ip, self.ground.now()) {
            Verdict::Go => {}
            Verdict::Slow(by) => tokio::time::sleep(by).await,
            Verdict::Paused(seconds) => return Err(Error::Paused { seconds }),
        }
        let compared = self.compare(&account, password).await;
        let (user, right) = compared.inspect_err(|_| self.throttle.give_back(&account, origin.ip))?;
        match user {
            Some(user) if right => {
                self.throttle.succeeded(&account, origin.ip);
                self.note_sign_in(&user, origin).await?;
                Ok(user.id.into())
            }
            user => {
                let left = self.throttle.left(&account, origin.ip);
                self.note_failure(user, origin).await?;
                Err(Error::BadCredentials { tries_left: (left <= 3).then_some(left) })
            }
        }
    }

    /// The person with this address, if there is one, and whether the password is theirs. Takes the same time for nobody.
    async fn compare(&self, account: &str, password: &Password) -> Result<(Option<UserRow>, bool), Error> {
        let user = match account.parse::<Email>() {
            Ok(email) => {
                let mut reader = self.ground.pool.read().await?;
                store::accounts::by_email(&mut reader.conn(), email.as_str()).await?
            }
            Err(_) => None,
        };
        let hash = user.as_ref().filter(|user| user.active).map(|user| user.password_hash.clone());
        let right = self.passwords.matches(password, hash).await?;
        Ok((user, right))
    }

    async fn note_sign_in(&self, user: &UserRow, origin: &Origin) -> Result<(), Error> {
        let caller = Caller {
            user: user.id.into(),
            name: user.name.clone(),
            email: user.email.clone(),
            admin: user.admin,
            origin: origin.clone(),
        };
        let target = format!("user:{}", user.id);
        let event = Actor::User(caller).event(self.ground.now(), "session.started", target, &user.name);
        self.note(event).await
    }

    /// What was typed as an address that nobody has is not written down: it may be a password.
    async fn note_failure(&self, user: Option<UserRow>, origin: &Origin) -> Result<(), Error> {
        let (target, name) = match user {
            Some(user) => (format!("user:{}", user.id), user.name),
            None => ("user:unknown".to_owned(), String::new()),
        };
        let event = Actor::System(origin.clone()).event(self.ground.now(), "session.refused", target, &name);
        self.note(event).await
    }

    /// Notes that a session was ended by its owner; ending it is the session store's affair.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn sign_out(&self, caller: &Caller) -> Result<(), Error> {
        let target = format!("user:{}", caller.user);
        let event = Actor::User(caller.clone()).event(self.ground.now(), "session.ended", target, &caller.name);
        self.note(event).await
    }

    async fn note(&self, event: store::audit::NewEvent) -> Result<(), Error> {
        self.ground
            .queue
            .write(move |_| {
                let event = event.clone();
                Box::pin(async move { Ok::<_, Error>(Kept::with((), event)) })
            })
            .await
    }
}

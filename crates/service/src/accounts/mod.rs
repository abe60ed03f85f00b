//! Accounts: sign-in and sign-out, registration, invitations, setup of the first administrator, password reset, and
//! second factor.

mod change_password;
mod create;
mod identity;
mod invite;
mod passwords;
mod profile;
mod qr;
mod reauthentication;
mod recovery;
pub(crate) mod registration;
mod reset;
mod second_factor;
mod session_records;
mod sessions;
mod setup;
mod sign_in;
mod sign_up;
mod start_session;
pub(super) mod throttle;
mod totp;
mod user_agent;

pub use create::NewUser;
pub use invite::Invited;
pub use keyward_store::sessions::NewSessionRow as NewSession;
pub use session_records::{StoredSession, delete_session, find_session, update_session};
pub use setup::{FirstUser, SetupCode};
pub use sign_in::SignedIn;
pub use sign_up::NewAccount;
pub use start_session::{ACCOUNT_CHANGED, PendingSession, VerifiedPassword, start_session};

use super::{
    Context, Error,
    actor::{Caller, Origin},
    encryption_at_rest::EncryptionKey,
    time_format,
};
use jiff::tz::TimeZone;
use keyward_config::Config;
use keyward_domain::{ids::UserId, time::Timestamp, user::Instance};
use keyward_store as store;
use passwords::Passwords;
use setup::SharedSetupState;
use std::sync::Arc;
use throttle::Throttle;

/// Use cases of accounts.
#[derive(Clone)]
pub struct Accounts {
    context: Context,
    config: Arc<Config>,
    passwords: Passwords,
    throttle: Arc<Throttle>,
    setup: Arc<SharedSetupState>,
    /// Decrypts the secrets of second factors. CLI commands have no key and do not need one.
    sealing: Option<EncryptionKey>,
    mailer: Arc<registration::AccountMailer>,
}

impl Accounts {
    pub fn new(context: Context, config: Arc<Config>) -> Self {
        Self {
            passwords: Passwords::new(context.random.clone(), context.password_cost.clone()),
            throttle: Arc::default(),
            setup: Arc::default(),
            sealing: None,
            mailer: Arc::default(),
            context,
            config,
        }
    }

    /// Sets the key that decrypts the secrets of second factors.
    pub fn with_sealing(self, sealing: EncryptionKey) -> Self {
        Self { sealing: Some(sealing), ..self }
    }

    /// Returns the public data of this instance, for every page.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn instance(&self) -> Result<Instance, Error> {
        Ok(Instance {
            name: self.config.name.clone(),
            support_url: self.config.support_url.as_ref().map(ToString::to_string),
            public_url: self.config.public_url.to_string(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            needs_setup: self.needs_setup().await?,
            ways: self.sign_in_methods().await?,
        })
    }

    /// Returns the user of a session, or `None` if the user is deleted or disabled. `proved`: time of the last
    /// authentication.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn caller(&self, user: UserId, origin: Origin, proved: Timestamp) -> Result<Option<Caller>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let row = store::accounts::by_id(&mut reader.conn(), user.into()).await?;
        Ok(row.filter(|row| row.active).map(|row| Caller {
            user: row.id.into(),
            name: row.name,
            email: row.email,
            admin: row.admin,
            authenticated_at: proved,
            // The user's setting takes precedence over the browser's time zone.
            zone: row
                .zone
                .as_deref()
                .and_then(time_format::zone)
                .or_else(|| origin.zone.clone())
                .unwrap_or(TimeZone::UTC),
            origin,
        }))
    }
}

//! Accounts: sign-in and sign-out, registration, invitations, setup of the first administrator, password reset, and
//! second factor.

mod begin;
mod change_password;
mod create;
mod device;
pub(crate) mod entry;
mod identity;
mod invite;
mod passwords;
mod profile;
mod prove;
mod qr;
mod recovery;
mod reset;
mod second_factor;
mod sessions;
mod setup;
mod sign_in;
mod sign_up;
pub(super) mod throttle;
mod totp;

pub use begin::{ACCOUNT_CHANGED, Compared, Entering, begin};
pub use create::NewPerson;
pub use invite::Invited;
pub use setup::{FirstUser, SetupCode};
pub use sign_in::SignedIn;
pub use sign_up::NewAccount;

use super::{
    Error, Ground,
    actor::{Caller, Origin},
    moments,
    sealing::SealingKey,
};
use jiff::tz::TimeZone;
use keyward_config::Config;
use keyward_domain::{ids::UserId, time::Timestamp, user::Instance};
use keyward_store as store;
use passwords::Passwords;
use setup::SetupGate;
use std::sync::Arc;
use throttle::Throttle;

/// Use cases of accounts.
#[derive(Clone)]
pub struct Accounts {
    ground: Ground,
    config: Arc<Config>,
    passwords: Passwords,
    throttle: Arc<Throttle>,
    setup: Arc<SetupGate>,
    /// Decrypts the secrets of second factors. CLI commands have no key and do not need one.
    sealing: Option<SealingKey>,
    letters: Arc<entry::Letters>,
}

impl Accounts {
    pub fn new(ground: Ground, config: Arc<Config>) -> Self {
        Self {
            passwords: Passwords::new(ground.random.clone(), ground.password_cost.clone()),
            throttle: Arc::default(),
            setup: Arc::default(),
            sealing: None,
            letters: Arc::default(),
            ground,
            config,
        }
    }

    /// Sets the key that decrypts the secrets of second factors.
    pub fn with_sealing(self, sealing: SealingKey) -> Self {
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
            ways: self.ways().await?,
        })
    }

    /// Returns the user of a session, or `None` if the user is deleted or disabled. `proved`: time of the last
    /// authentication.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn caller(&self, user: UserId, origin: Origin, proved: Timestamp) -> Result<Option<Caller>, Error> {
        let mut reader = self.ground.pool.read().await?;
        let row = store::accounts::by_id(&mut reader.conn(), user.into()).await?;
        Ok(row.filter(|row| row.active).map(|row| Caller {
            user: row.id.into(),
            name: row.name,
            email: row.email,
            admin: row.admin,
            proved,
            // The user's setting takes precedence over the browser's time zone.
            zone: row.zone.as_deref().and_then(moments::zone).or_else(|| origin.zone.clone()).unwrap_or(TimeZone::UTC),
            origin,
        }))
    }
}

//! Accounts: signing in and out, by password or with an account elsewhere; the first administrator, people made at the command
//! line, invited, or who sign up; new passwords.

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

/// The use cases of accounts.
#[derive(Clone)]
pub struct Accounts {
    ground: Ground,
    config: Arc<Config>,
    passwords: Passwords,
    throttle: Arc<Throttle>,
    setup: Arc<SetupGate>,
    /// Opens the secrets of second factors; commands have none, and ask for none.
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

    /// With the key that opens the secrets of second factors.
    pub fn with_sealing(self, sealing: SealingKey) -> Self {
        Self { sealing: Some(sealing), ..self }
    }

    /// What every page may know of this Keyward.
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

    /// The person behind a session, if they are still there and active. `proved`: when they last said who they are.
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
            // Their own choice, or else what the browser says.
            zone: row.zone.as_deref().and_then(moments::zone).or_else(|| origin.zone.clone()).unwrap_or(TimeZone::UTC),
            origin,
        }))
    }
}

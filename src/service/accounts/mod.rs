//! Accounts: signing in and out, the first administrator, people made at the command line.

mod create;
mod passwords;
mod setup;
mod sign_in;
mod throttle;

pub use create::NewPerson;
pub use setup::{FirstUser, SetupCode};

use super::{
    Error, Ground,
    actor::{Caller, Origin},
};
use crate::{
    config::Config,
    domain::{ids::UserId, user::Instance},
    store,
};
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
}

impl Accounts {
    pub fn new(ground: Ground, config: Arc<Config>) -> Self {
        Self {
            passwords: Passwords::new(ground.random.clone()),
            throttle: Arc::default(),
            setup: Arc::default(),
            ground,
            config,
        }
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
        })
    }

    /// The person behind a session, if they are still there and active.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn caller(&self, user: UserId, origin: Origin) -> Result<Option<Caller>, Error> {
        let mut reader = self.ground.pool.read().await?;
        let row = store::accounts::by_id(&mut reader.conn(), user.into()).await?;
        Ok(row.filter(|row| row.active).map(|row| Caller {
            user: row.id.into(),
            name: row.name,
            email: row.email,
            admin: row.admin,
            origin,
        }))
    }
}

//! Use cases: policy, transactions, and what each change writes to the log.
//!
//! Never here: leptos, axum.

pub mod accounts;
pub mod actor;
pub mod audit;
pub mod can;
pub mod clock;
pub mod database_record;
pub mod drafts;
mod error;
mod expiry;
pub mod fetch;
pub mod folding;
pub mod hearing;
pub mod keys;
pub mod limits;
pub mod mail;
pub mod moments;
mod not_before;
pub mod oauth;
pub mod oidc;
pub mod once;
pub mod policy;
pub mod program;
pub mod projects;
pub mod random;
pub mod reauthentication;
pub mod scopes;
pub mod sealing;
mod shards;
pub mod signer;
pub mod smtp;
mod tls_error;
pub mod tokens;
pub mod upkeep;
pub mod usage;
pub mod users;
pub mod verify;

pub use error::{Error, Field, read_list};

use crate::{
    config::Config,
    domain::time::Timestamp,
    store::{Pool, queue::Queue},
};
use clock::Clock;
use random::Random;
use std::{ops::Deref, sync::Arc, time::Duration};
use uuid::Uuid;

/// How long a task with many writes pauses after each. A process that waits for the write lock of SQLite tries again every 100 ms at the
/// slowest.
const WRITE_PAUSE: Duration = Duration::from_millis(120);

/// The dependencies of every use case: the database, the clock, the random source, mail, the cost of password hashes.
#[derive(Clone)]
pub struct Ground {
    pub pool: Pool,
    pub queue: Queue,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub mail: Arc<dyn mail::Mailer>,
    /// Memory, iterations and lanes of new password hashes (Argon2id). Tests use the least.
    pub password_cost: argon2::Params,
}

impl Ground {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Pauses between two writes of one task, so that other processes on the same SQLite file can write. Within a process, and on
    /// PostgreSQL, writes take turns without it.
    pub async fn pause_writes(&self) {
        if matches!(self.pool, Pool::Sqlite { .. }) {
            tokio::time::sleep(WRITE_PAUSE).await;
        }
    }

    /// A new UUID, version 7 (RFC 9562): later ones are greater.
    pub fn new_id(&self) -> Uuid {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        let millis = u64::try_from(self.now().micros() / 1_000).unwrap_or_default();
        uuid::Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }
}

/// All services, behind one pointer: middleware clones it several times a request.
#[derive(Clone)]
pub struct App(Arc<Services>);

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

/// All services, constructed once a process.
#[derive(Clone)]
pub struct Services {
    pub config: Arc<Config>,
    pub ground: Ground,
    pub accounts: accounts::Accounts,
    pub audit: audit::Audit,
    /// What people allow programs.
    pub consent: oauth::Consent,
    pub drafts: drafts::Drafts,
    /// Names without case and accents.
    pub folding: folding::Folding,
    pub keys: keys::Keys,
    pub limits: limits::Limits,
    /// Signing in with accounts that are elsewhere, if it was set up.
    pub oidc: Option<oidc::Oidc>,
    pub policy: policy::Policies,
    pub projects: projects::Projects,
    pub scopes: scopes::Scopes,
    pub tokens: tokens::Tokens,
    pub verify: verify::Verifier,
    pub usage: usage::Usage,
    pub users: users::Users,
}

impl App {
    /// Puts the service together on a database that is open, with what the key file opened.
    pub fn new(config: Arc<Config>, ground: Ground, keyring: signer::Keyring) -> Self {
        let limits = limits::Limits::default();
        let usage = usage::Usage::new(ground.clone(), limits.clone());
        let verify = verify::Verifier::new(ground.clone(), limits.clone(), usage.clone(), config.cache_keys);
        let (url, sealing) = (&config.public_url, keyring.sealing.clone());
        let tokens = tokens::Tokens::new(ground.clone(), url, keyring.tokens, sealing, verify.clone());
        Self(Arc::new(Services {
            drafts: drafts::Drafts::new(ground.clone(), keyring.sealing.clone()),
            accounts: accounts::Accounts::new(ground.clone(), config.clone()).with_sealing(keyring.sealing),
            audit: audit::Audit::new(ground.clone(), keyring.log),
            consent: oauth::Consent::new(ground.clone(), &config.public_url),
            folding: folding::Folding::new(ground.clone()),
            keys: keys::Keys::new(ground.clone()).with_usage(usage.clone()),
            limits,
            oidc: oidc::Oidc::new(ground.clone(), &config),
            policy: policy::Policies::new(ground.clone()),
            projects: projects::Projects::new(ground.clone()),
            scopes: scopes::Scopes::new(ground.clone()),
            tokens,
            verify,
            usage,
            users: users::Users::new(ground.clone()),
            config,
            ground,
        }))
    }

    /// The same services with other settings for HTTP, for tests. What the services took from the settings when they were constructed
    /// stays.
    #[must_use]
    pub fn with_config(&self, config: Config) -> Self {
        Self(Arc::new(Services { config: Arc::new(config), ..(*self.0).clone() }))
    }
}

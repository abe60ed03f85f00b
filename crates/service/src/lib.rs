//! Use cases of Keyward: keys, projects, accounts, grants, tokens, policy, audit, and background jobs.
//!
//! Each use case checks permissions, runs one transaction and records its audit event.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod accounts;
pub mod audit;
pub mod database_record;
pub mod drafts;
mod expiry;
pub mod fetch;
pub mod folding;
pub mod keys;
mod not_before;
pub mod oauth;
pub mod oidc;
pub mod once;
pub mod policy;
pub mod projects;
pub mod scopes;
pub mod smtp;
mod tls_error;
pub mod upkeep;
pub mod users;

pub use keyward_core::{
    Error, Field, Ground, actor, can, clock, mail, moments, program, random, read_list, reauthentication, sealing,
};
pub use keyward_verify::{hearing, limits, signer, tokens, usage, verify};

use keyward_config::Config;
use std::{ops::Deref, sync::Arc};

/// Shared handle of all services. The services are behind one pointer because middleware clones the handle several
/// times per request.
#[derive(Clone)]
pub struct App(Arc<Services>);

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

/// All services, constructed once per process.
#[derive(Clone)]
pub struct Services {
    pub config: Arc<Config>,
    pub ground: Ground,
    pub accounts: accounts::Accounts,
    pub audit: audit::Audit,
    /// OAuth consent and grants.
    pub consent: oauth::Consent,
    pub drafts: drafts::Drafts,
    /// Background job for names without case and accents.
    pub folding: folding::Folding,
    pub keys: keys::Keys,
    pub limits: limits::Limits,
    /// Sign-in with OpenID Connect; `None` if it is not configured.
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
    /// Constructs the services from an open database and the keyring that the key file unlocked.
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

    /// Applies changes of other processes to the caches while the process runs.
    pub async fn follow_changes(self) {
        hearing::run(self.ground.clone(), self.verify.clone(), self.tokens.clone()).await;
    }

    /// Returns the same services with other HTTP settings, for tests. Settings that the services copied at construction
    /// do not change.
    #[must_use]
    pub fn with_config(&self, config: Config) -> Self {
        Self(Arc::new(Services { config: Arc::new(config), ..(*self.0).clone() }))
    }
}

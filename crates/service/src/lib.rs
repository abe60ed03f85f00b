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
pub mod folding;
pub mod http_client;
pub mod keys;
pub mod maintenance;
mod not_before;
pub mod oauth;
pub mod oidc;
pub mod one_time_tokens;
pub mod policy;
pub mod projects;
pub mod scopes;
pub mod smtp;
mod tls_error;
pub mod users;

pub use keyward_core::{
    Context, Error, ErrorDescription, InvalidField, Kind, actor, clock, encryption_at_rest, mail, management_client,
    permissions, random, read_list, reauthentication, time_format,
};
pub use keyward_verify::{cache_invalidation, limits, signer, tokens, usage, verify};

use keyward_config::Config;
use std::{ops::Deref, sync::Arc};

/// Shared handle of all services. The services are behind one pointer because middleware clones the handle several
/// times per request.
#[derive(Clone)]
pub struct Services(Arc<ServicesInner>);

impl Deref for Services {
    type Target = ServicesInner;

    fn deref(&self) -> &ServicesInner {
        &self.0
    }
}

/// All services, constructed once per process.
#[derive(Clone)]
pub struct ServicesInner {
    pub config: Arc<Config>,
    pub context: Context,
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

impl Services {
    /// Constructs the services from an open database and the keyring that the key file unlocked.
    pub fn new(config: Arc<Config>, context: Context, keyring: signer::Keyring) -> Self {
        let limits = limits::Limits::default();
        let usage = usage::Usage::new(context.clone(), limits.clone());
        let verify = verify::Verifier::new(context.clone(), limits.clone(), usage.clone(), config.cache_keys);
        let (url, sealing) = (&config.public_url, keyring.sealing.clone());
        let tokens = tokens::Tokens::new(context.clone(), url, keyring.tokens, sealing, verify.clone());
        Self(Arc::new(ServicesInner {
            drafts: drafts::Drafts::new(context.clone(), keyring.sealing.clone()),
            accounts: accounts::Accounts::new(context.clone(), config.clone()).with_sealing(keyring.sealing),
            audit: audit::Audit::new(context.clone(), keyring.log),
            consent: oauth::Consent::new(context.clone(), &config.public_url),
            folding: folding::Folding::new(context.clone()),
            keys: keys::Keys::new(context.clone()).with_usage(usage.clone()),
            limits,
            oidc: oidc::Oidc::new(context.clone(), &config),
            policy: policy::Policies::new(context.clone()),
            projects: projects::Projects::new(context.clone()),
            scopes: scopes::Scopes::new(context.clone()),
            tokens,
            verify,
            usage,
            users: users::Users::new(context.clone()),
            config,
            context,
        }))
    }

    /// Applies changes of other processes to the caches while the process runs.
    pub async fn follow_changes(self) {
        cache_invalidation::run(self.context.clone(), self.verify.clone(), self.tokens.clone()).await;
    }

    /// Returns the same services with other HTTP settings, for tests. Settings that the services copied at construction
    /// do not change.
    #[must_use]
    pub fn with_config(&self, config: Config) -> Self {
        Self(Arc::new(ServicesInner { config: Arc::new(config), ..(*self.0).clone() }))
    }
}

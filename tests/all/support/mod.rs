//! Test support: a complete service on a new database of either engine, and a browser without JavaScript.

pub mod browser;
pub mod forged_tokens;
#[macro_use]
pub mod reverse_proxies;
pub mod change_feed;
pub mod html;
pub mod log;
pub mod loopback_servers;
pub mod mail;
pub mod node;
pub mod oauth;
pub mod proxy;
pub mod raw_client;
pub mod rust_source;
pub mod schema;
pub mod socket_requests;
pub mod sql_statements;
pub mod template;
pub mod test_data;
pub mod tls;
pub mod totp;

use axum::Router;
use keyward::{
    config::{Config, KeyFile},
    domain::sensitive::Password,
    http::{AppState, router},
    service::{
        Context, Services,
        accounts::NewUser,
        actor::{Actor, Caller, Origin},
        clock::{Clock as _, ManualClock, SystemClock},
        encryption_at_rest::create_key_file,
        mail::NoMail,
        random::SystemRandom,
        signer::Keyring,
    },
    store::{Location, Pool, write_queue::Queue},
};
use std::sync::Arc;
use tempfile::TempDir;
pub use template::{database, database_url, empty_database};

/// The public URL of all test servers.
pub const URL: &str = "http://127.0.0.1:3000";
/// A password that the password rules accept. It is used in test databases only.
pub const PASSWORD: &str = "the tide turns at nine";

/// Database engines. All tests run on both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Generates two tests from one: `NAME::sqlite` and `NAME::postgres`.
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* async fn $name:ident($bench:ident: TestServer) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports, reason = "a test may need nothing of its file")]
            use super::*;

            async fn test($bench: $crate::support::TestServer) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                test($crate::support::TestServer::new($crate::support::Engine::Sqlite).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                test($crate::support::TestServer::new($crate::support::Engine::Postgres).await).await;
            }
        }
    )+};
}

/// A service on its own database, with a clock that the test controls.
pub struct TestServer {
    pub app: Services,
    pub router: Router,
    pub clock: Arc<ManualClock>,
    /// Sent email. Before [`mail::Outbox::set_up`] it stays empty.
    pub mail: Arc<mail::Outbox>,
    pub location: Location,
    pub folder: TempDir,
}

pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    keyward::service::random::Random::fill(&SystemRandom, &mut bytes);
    bytes
}

/// Opens the same database as another process would: the CLI or another node.
pub async fn open_context(location: &Location, clock: Arc<ManualClock>) -> Context {
    let pool = Pool::open(location).await.expect("the database opens");
    let (queue, _) = Queue::start(pool.clone());
    // The lowest cost that Argon2 allows: a test hashes several passwords, and none of them protects real data.
    let password_cost = argon2::Params::new(8, 1, 1, None).expect("a cost that Argon2 allows");
    Context { pool, queue, clock, random: Arc::new(SystemRandom), mail: Arc::new(NoMail), password_cost }
}

/// Converts a value to JSON, to compare parts of it.
pub fn json_of(value: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(value).expect("JSON")
}

pub fn config(url: &str) -> Config {
    let public_url: keyward::config::PublicUrl = url.parse().expect("a URL");
    let hosts = vec![public_url.authority()];
    Config {
        public_url,
        hosts,
        trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
        connections_per_address: keyward::config::CONNECTIONS_PER_ADDRESS,
        name: None,
        support_url: None,
        security_contact: Some("mailto:security@pelagic.example".parse().expect("a URL")),
        sign_in: keyward::config::SignInSettings::default(),
        programs: keyward::config::ApiSettings::default(),
        cache_keys: keyward::config::CACHE_KEYS,
    }
}

impl TestServer {
    pub async fn new(engine: Engine) -> Self {
        Self::with_url(engine, URL).await
    }

    /// Starts a service with another public URL.
    pub async fn with_url(engine: Engine, url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let location = database(engine, &folder).await;
        Self::on_database(location, folder, url).await
    }

    /// Starts a service on a database that can contain data.
    pub async fn on_database(location: Location, folder: TempDir, url: &str) -> Self {
        Self::with_config(location, folder, config(url)).await
    }

    /// Starts a service with these settings.
    pub async fn with_config(location: Location, folder: TempDir, config: Config) -> Self {
        let clock = Arc::new(ManualClock::at(SystemClock.now()));
        let mail = Arc::new(mail::Outbox::default());
        let context = Context { mail: mail.clone(), ..open_context(&location, clock.clone()).await };
        let app = service_on(context, &location, &folder, config).await;
        let router = router(AppState::new(app.clone()));
        Self { router, app, clock, mail, location, folder }
    }

    /// Creates a user with their own project and returns them as a caller.
    pub async fn create_user(&self, email: &str, admin: bool) -> Caller {
        let person = NewUser {
            email: email.into(),
            name: email.split('@').next().expect("a name").to_owned(),
            password: Password::new(PASSWORD.into()),
            admin,
            project: String::new(),
        };
        let id = self.app.accounts.create_user(&Actor::Operator, person).await.expect("a person is made");
        self.app
            .accounts
            .caller(id, Origin::default(), self.app.context.now())
            .await
            .expect("readable")
            .expect("active")
    }

    /// Returns the current state of a user as a caller with recent reauthentication.
    pub async fn caller(&self, email: &str) -> Caller {
        let id = self.app.users.find_by_email(email).await.expect("a user");
        self.app
            .accounts
            .caller(id, Origin::default(), self.app.context.now())
            .await
            .expect("readable")
            .expect("active")
    }

    /// Returns a browser for this server.
    pub fn browser(&self) -> browser::Browser {
        browser::Browser::new(self.router.clone(), &self.app.config.public_url.to_string())
    }

    /// Returns a browser in which this user has signed in.
    pub async fn signed_in(&self, email: &str) -> browser::Browser {
        let mut browser = self.browser();
        let page = browser.post("/login", &[("email", email), ("password", PASSWORD)]).await;
        assert_eq!((page.status, page.location()), (303, "/keys"), "{}", page.text());
        browser
    }
}

/// Builds a complete service like the server process.
pub async fn service(location: &Location, folder: &TempDir, clock: Arc<ManualClock>, url: &str) -> Services {
    service_on(open_context(location, clock).await, location, folder, config(url)).await
}

async fn service_on(context: Context, location: &Location, folder: &TempDir, config: Config) -> Services {
    let path = folder.path().join("keyward.key");
    let make = matches!(location, Location::Sqlite(_));
    if !make {
        create_key_file(&path, &SystemRandom).expect("a key file");
    }
    let alg = config.programs.token_alg;
    let keyring = Keyring::open_for(&context, &KeyFile { path, can_create: make }, alg).await.expect("a keyring");
    Services::new(Arc::new(config), context, keyring)
}

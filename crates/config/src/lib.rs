//! Settings of the server, parsed from flags and `KEYWARD_*` environment variables and validated once.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

mod file_mode;
mod listen;
mod mail;
mod oidc;
mod programs;

pub use file_mode::exposure;
pub use listen::ListenAddress;
pub use mail::{MailSettings, SmtpLogin, SmtpTls, is_loopback};
pub use oidc::{OidcSettings, SignInSettings, is_safe};
pub use programs::{ApiArgs, ApiSettings, TokenAlg};

use clap::Args;
use ipnet::IpNet;
use keyward_store::Location;
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};
use url::Url;

/// Database location. Every command accepts it.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// Location of the database: sqlite:PATH (created if it does not exist) or postgres://USER:PASSWORD@HOST/DATABASE
    #[arg(
        long = "database-url",
        env = "KEYWARD_DATABASE_URL",
        default_value = "sqlite:data/keyward.db",
        value_name = "URL",
        hide_env_values = true,
        value_parser = parse_location,
        global = true
    )]
    pub database: Location,
}

/// Default maximum number of connections per client address: enough for about forty browsers behind one address with
/// six connections each.
pub const CONNECTIONS_PER_ADDRESS: usize = 256;
/// Default number of keys in the in-memory cache.
pub const CACHE_KEYS: usize = 1_000_000;

/// Settings of `keyward serve`.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// Address or host name, and port, to listen on; port 0 selects a free port
    #[arg(long, env = "KEYWARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    pub listen: ListenAddress,

    /// Public URL for browsers and API clients, without a path [default: http:// and the listen address, or localhost
    /// and the port if the server listens on all addresses]
    #[arg(long, env = "KEYWARD_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Trusted proxies, as a comma-separated list of networks. Their Forwarded and X-Forwarded-* headers are used
    /// [default: none]
    #[arg(long, env = "KEYWARD_TRUSTED_PROXIES", value_name = "CIDR,…", value_delimiter = ',', value_parser = parse_network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Maximum number of open connections per client address (an IPv6 /64 network counts as one). Trusted proxies and
    /// the internal listener have no limit
    #[arg(long, env = "KEYWARD_CONNECTIONS_PER_ADDRESS", default_value_t = CONNECTIONS_PER_ADDRESS, value_name = "NUMBER", value_parser = parse_count)]
    pub connections_per_address: usize,

    /// Name of the product that the keys are for, shown in titles and on the sign-in page
    #[arg(long, env = "KEYWARD_NAME", value_name = "NAME", value_parser = parse_name)]
    pub name: Option<String>,

    /// Support contact for users: the URL of a page or a mailto: URL
    #[arg(long, env = "KEYWARD_SUPPORT_URL", value_name = "URL", value_parser = parse_support)]
    pub support_url: Option<Url>,

    /// Contact for vulnerability reports, for /.well-known/security.txt (RFC 9116): an https:, mailto:, or tel: URL
    /// [default: none, and no such file]
    #[arg(long, env = "KEYWARD_SECURITY_CONTACT", value_name = "URL", value_parser = parse_security_contact)]
    pub security_contact: Option<Url>,

    #[command(flatten)]
    pub mail: mail::MailArgs,

    #[command(flatten)]
    pub sign_in: oidc::SignInArgs,

    #[command(flatten)]
    pub programs: ApiArgs,
    /// Maximum number of keys in memory, 130 bytes each. Other keys are read from the database when they are used
    #[arg(long, env = "KEYWARD_CACHE_KEYS", default_value_t = CACHE_KEYS, value_name = "NUMBER")]
    pub cache_keys: usize,

    /// File with the key that encrypts the signing key [default with SQLite: keyward.key beside the database, created
    /// with it]
    #[arg(long, env = "KEYWARD_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// Create a new database although the key file of an earlier database exists
    #[arg(long)]
    pub new: bool,

    /// Start although the database is older than the state that was recorded beside the key file. Keys that were
    /// deactivated or deleted since then are valid again
    #[arg(long)]
    pub accept_older_database: bool,

    /// Minimum severity of logged events. Requests are logged at info. Verify, gateway, metrics, and health requests are
    /// logged at debug, because the metrics count them
    #[arg(long, env = "KEYWARD_LOG", default_value = "info", value_enum)]
    pub log: LogLevel,

    /// Format of the log on standard error
    #[arg(long, env = "KEYWARD_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,
}

/// Minimum severity of logged events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Log format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

fn parse_location(text: &str) -> Result<Location, String> {
    const RIGHT: &str = "use sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE";
    if let Some(path) = text.strip_prefix("sqlite:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() || path.contains('?') || path == ":memory:" {
            return Err(RIGHT.to_owned());
        }
        return Ok(Location::Sqlite(path.into()));
    }
    if ["postgres://", "postgresql://"].iter().any(|scheme| text.starts_with(scheme)) {
        Url::parse(text).map_err(|e| format!("{e}; {RIGHT}"))?;
        return Ok(Location::Postgres(text.to_owned()));
    }
    Err(RIGHT.to_owned())
}

fn parse_network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        // The message says what to enter. The error of the parser adds nothing.
        .map_err(|_| "use a comma-separated list of networks, such as 10.0.0.0/8,2001:db8::/32".to_owned())
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.trim().parse().ok().filter(|count| *count > 0).ok_or_else(|| "use a whole number of 1 or more".to_owned())
}

fn parse_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if (1..=60).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err("use 1 to 60 characters on one line".to_owned())
    }
}

fn parse_support(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "https" | "http" | "mailto") => Ok(url),
        _ => Err("use a URL such as https://example.com/help or mailto:help@example.com".to_owned()),
    }
}

fn parse_security_contact(text: &str) -> Result<Url, String> {
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "https" | "mailto" | "tel") => Ok(url),
        _ => Err("use a URL such as mailto:security@example.com or https://example.com/security".to_owned()),
    }
}

/// Public origin of this instance: scheme, host, and port. Formatted without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const RIGHT: &str = "use a URL such as https://keys.example.com, without a path";
        let url = Url::parse(text).map_err(|e| format!("{e}; {RIGHT}"))?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if matches!(url.scheme(), "http" | "https")
            && bare
            && url.username().is_empty()
            && url.password().is_none()
            && url.host_str().is_some()
        {
            Ok(Self(url))
        } else {
            Err(RIGHT.to_owned())
        }
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl PublicUrl {
    /// Whether the scheme is `https`.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host.
    pub fn host(&self) -> url::Host {
        self.0.host().map_or_else(|| url::Host::Domain(String::new()), |host| host.to_owned())
    }

    /// Returns the host, and the port if it is not the scheme's default: the value of a `Host` header.
    pub fn authority(&self) -> String {
        self.0[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
    }

    /// Returns the other names of the same machine if the URL is a loopback URL: a browser on this machine can also
    /// open `localhost` instead of `127.0.0.1`.
    fn aliases(&self) -> Vec<String> {
        let loopback = match self.0.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        let names: &[&str] = if loopback { &["localhost", "127.0.0.1", "[::1]"] } else { &[] };
        names.iter().map(|name| format!("{name}{port}")).collect()
    }
}

/// Settings of a running server.
#[derive(Clone, Debug)]
pub struct Config {
    pub public_url: PublicUrl,
    /// Allowed values of the `Host` header.
    pub hosts: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub connections_per_address: usize,
    pub name: Option<String>,
    pub support_url: Option<Url>,
    /// Contact for vulnerability reports.
    pub security_contact: Option<Url>,
    pub sign_in: SignInSettings,
    pub programs: ApiSettings,
    /// Maximum number of keys in the in-memory cache.
    pub cache_keys: usize,
}

impl Config {
    /// Returns the settings of commands other than `serve`, which handle no requests.
    #[expect(clippy::expect_used, reason = "a literal that the tests parse too")]
    pub fn for_commands() -> Self {
        Self {
            public_url: "http://localhost".parse().expect("a URL"),
            hosts: Vec::new(),
            trusted_proxies: Vec::new(),
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            name: None,
            support_url: None,
            security_contact: None,
            sign_in: SignInSettings::default(),
            programs: ApiSettings::default(),
            cache_keys: CACHE_KEYS,
        }
    }

    /// Computes the settings that depend on the bound address.
    ///
    /// # Errors
    /// If the address does not yield a public URL, or if the sign-in settings are invalid.
    pub fn new(settings: &ServeSettings, bound: SocketAddr) -> Result<Self, String> {
        let public_url = match &settings.public_url {
            Some(url) => url.clone(),
            None => settings.listen.url(bound.port()).parse()?,
        };
        let mut hosts = vec![public_url.authority()];
        hosts.extend(public_url.aliases());
        hosts.dedup();
        Ok(Self {
            hosts,
            public_url,
            trusted_proxies: settings.trusted_proxies.clone(),
            connections_per_address: settings.connections_per_address,
            name: settings.name.clone(),
            support_url: settings.support_url.clone(),
            security_contact: settings.security_contact.clone(),
            sign_in: settings.sign_in.to_settings()?,
            programs: settings.programs.to_settings(),
            cache_keys: settings.cache_keys,
        })
    }
}

/// Path of the key file, and whether it may be created with a new database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub path: PathBuf,
    /// True with SQLite: the file is beside the database and is created with it. Otherwise it must be configured.
    pub can_create: bool,
}

/// Returns the key file of a server with this database.
///
/// # Errors
/// On PostgreSQL without a configured file: a sentence with the command that creates one.
pub fn key_file(database: &Location, given: Option<&PathBuf>) -> Result<KeyFile, String> {
    match (database, given) {
        (Location::Sqlite(_), Some(path)) => Ok(KeyFile { path: path.clone(), can_create: true }),
        (Location::Sqlite(database), None) => {
            Ok(KeyFile { path: database.with_file_name("keyward.key"), can_create: true })
        }
        (Location::Postgres(_), Some(path)) => Ok(KeyFile { path: path.clone(), can_create: false }),
        (Location::Postgres(_), None) => {
            Err("PostgreSQL requires a key file, the same on every node: set --key-file (KEYWARD_KEY_FILE); \
             for a new database, create it once with: keyward admin create-key-file keyward.key"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_origins() {
        let url: PublicUrl = "https://Keys.Example.com/".parse().unwrap();
        assert_eq!(
            (url.to_string().as_str(), url.authority().as_str()),
            ("https://keys.example.com", "keys.example.com")
        );
        assert_eq!("http://10.0.0.1:3000".parse::<PublicUrl>().unwrap().authority(), "10.0.0.1:3000");
        assert_eq!("https://a.example:443".parse::<PublicUrl>().unwrap().authority(), "a.example");
        for bad in ["keys.example.com", "ftp://a", "https://a/path", "https://a/?q", "https://u:p@a"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_loopback_url_answers_to_the_names_of_this_machine() {
        let url: PublicUrl = "http://127.0.0.1:3000".parse().unwrap();
        assert_eq!(url.aliases(), ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"]);
        assert!("https://keys.example.com".parse::<PublicUrl>().unwrap().aliases().is_empty());
    }

    #[test]
    fn vulnerabilities_are_reported_at_a_url() {
        for right in ["mailto:security@example.com", "https://example.com/security", "tel:+49-40-000000"] {
            assert_eq!(parse_security_contact(right).unwrap().as_str(), right);
        }
        for wrong in ["", "security@example.com", "http://example.com/security", "ftp://example.com"] {
            assert!(parse_security_contact(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn locations_name_what_would_be_right() {
        assert_eq!(parse_location("sqlite:data/k.db").unwrap(), Location::Sqlite("data/k.db".into()));
        assert_eq!(parse_location("sqlite:///var/k.db").unwrap(), Location::Sqlite("/var/k.db".into()));
        let secret = parse_location("postgres://u:pw@h/d").unwrap();
        assert_eq!(format!("{secret:?}"), "postgres://…");
        for bad in ["", "k.db", "sqlite:", "mysql://h/d"] {
            assert!(parse_location(bad).unwrap_err().contains("sqlite:PATH"), "{bad}");
        }
    }
}

//! Settings: read from flags and `KEYWARD_*` variables and validated once.

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
pub use mail::{MailSettings, SmtpLogin, SmtpTls};
pub use oidc::{OidcSettings, SignInSettings, is_safe};
pub use programs::{ProgramArgs, Programs, TokenAlg};

use clap::Args;
use ipnet::IpNet;
use keyward_store::Location;
use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};
use url::Url;

/// Where the data is. Every command takes it.
#[derive(Args, Clone, Debug)]
pub struct DatabaseSettings {
    /// Where the data is: sqlite:PATH (made if it is not there) or postgres://USER:PASSWORD@HOST/DATABASE
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

/// Connections of one address unless another number is set: forty browsers behind one address have six each.
pub const CONNECTIONS_PER_ADDRESS: usize = 256;
/// Keys that are kept in memory unless another number is given.
pub const CACHE_KEYS: usize = 1_000_000;

/// What `keyward serve` takes.
#[derive(Args, Clone, Debug)]
pub struct ServeSettings {
    /// Address or host name, and port, to listen on; port 0 takes a free one
    #[arg(long, env = "KEYWARD_LISTEN", default_value = "127.0.0.1:3000", value_name = "ADDRESS:PORT")]
    pub listen: ListenAddress,

    /// Where browsers and programs reach this Keyward, without a path [default: http:// and the
    /// listen address, or localhost and its port if that is every address]
    #[arg(long, env = "KEYWARD_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<PublicUrl>,

    /// Proxies whose Forwarded and X-Forwarded-* headers are believed, as networks with commas between [default: none]
    #[arg(long, env = "KEYWARD_TRUSTED_PROXIES", value_name = "CIDR,…", value_delimiter = ',', value_parser = parse_network)]
    pub trusted_proxies: Vec<IpNet>,

    /// Connections that one client address may have open (an IPv6 /64 network counts as one). Trusted proxies and the
    /// internal listener have no limit
    #[arg(long, env = "KEYWARD_CONNECTIONS_PER_ADDRESS", default_value_t = CONNECTIONS_PER_ADDRESS, value_name = "NUMBER", value_parser = parse_count)]
    pub connections_per_address: usize,

    /// Name of the product whose keys these are, for titles and the sign-in page
    #[arg(long, env = "KEYWARD_NAME", value_name = "NAME", value_parser = parse_name)]
    pub name: Option<String>,

    /// Where people who need help are sent: a URL, of a page or mailto:
    #[arg(long, env = "KEYWARD_SUPPORT_URL", value_name = "URL", value_parser = parse_support)]
    pub support_url: Option<Url>,

    /// Where vulnerabilities are reported, for /.well-known/security.txt (RFC 9116): an https:, mailto: or tel: URL [default: none,
    /// and no such file]
    #[arg(long, env = "KEYWARD_SECURITY_CONTACT", value_name = "URL", value_parser = parse_security_contact)]
    pub security_contact: Option<Url>,

    #[command(flatten)]
    pub mail: mail::MailArgs,

    #[command(flatten)]
    pub sign_in: oidc::SignInArgs,

    #[command(flatten)]
    pub programs: ProgramArgs,
    /// Keys of which everything is kept in memory; others are read from the database when they are used. A key takes 130 bytes
    #[arg(long, env = "KEYWARD_CACHE_KEYS", default_value_t = CACHE_KEYS, value_name = "NUMBER")]
    pub cache_keys: usize,

    /// File with the key that seals the signing key [default with SQLite: keyward.key beside the database, made with it]
    #[arg(long, env = "KEYWARD_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,

    /// Begin with a new database although the key file of an earlier one is there
    #[arg(long)]
    pub new: bool,

    /// Start although the database is older than the state that was recorded beside the key file. Keys
    /// that were revoked since that state are valid again
    #[arg(long)]
    pub accept_older_database: bool,

    /// Least severe events that are logged. Each request has a line at info; verify, gateway, metrics
    /// and health at debug alone, for the metrics count them
    #[arg(long, env = "KEYWARD_LOG", default_value = "info", value_enum)]
    pub log: LogLevel,

    /// How events are written to standard error
    #[arg(long, env = "KEYWARD_LOG_FORMAT", default_value = "text", value_enum)]
    pub log_format: LogFormat,
}

/// The least severe events that are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How events are written.
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
        .map_err(|_| "write networks such as 10.0.0.0/8 or 2001:db8::/32, with commas between".to_owned())
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.trim().parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a whole number from 1".to_owned())
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
        _ => Err("write a URL such as https://example.com/help or mailto:help@example.com".to_owned()),
    }
}

fn parse_security_contact(text: &str) -> Result<Url, String> {
    match Url::parse(text.trim()) {
        Ok(url) if matches!(url.scheme(), "https" | "mailto" | "tel") => Ok(url),
        _ => Err("write a URL such as mailto:security@example.com or https://example.com/security".to_owned()),
    }
}

/// Scheme, host and port under which this Keyward is reached. Written without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const RIGHT: &str = "write a URL such as https://keys.example.com, without a path";
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
    /// Whether browsers reach it encrypted.
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The host.
    pub fn host(&self) -> url::Host {
        self.0.host().map_or_else(|| url::Host::Domain(String::new()), |host| host.to_owned())
    }

    /// Host, and the port if it is not the scheme's own: what a `Host` header says.
    pub fn authority(&self) -> String {
        self.0[url::Position::BeforeHost..url::Position::AfterPort].to_owned()
    }

    /// Names under which the same machine is reached when the URL is a loopback one: whoever opens `localhost` instead of
    /// `127.0.0.1` is on this machine all the same.
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

/// The settings of a running server.
#[derive(Clone, Debug)]
pub struct Config {
    pub public_url: PublicUrl,
    /// What a `Host` header may say.
    pub hosts: Vec<String>,
    pub trusted_proxies: Vec<IpNet>,
    pub connections_per_address: usize,
    pub name: Option<String>,
    pub support_url: Option<Url>,
    /// Where vulnerabilities are reported.
    pub security_contact: Option<Url>,
    pub sign_in: SignInSettings,
    pub programs: Programs,
    /// Keys of which everything is kept in memory.
    pub cache_keys: usize,
}

impl Config {
    /// For the commands beside a server, which answer nobody.
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
            programs: Programs::default(),
            cache_keys: CACHE_KEYS,
        }
    }

    /// Settles what the settings leave open, now that the address is known.
    ///
    /// # Errors
    /// If no public URL can be made of the address.
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
            sign_in: settings.sign_in.read()?,
            programs: settings.programs.read(),
            cache_keys: settings.cache_keys,
        })
    }
}

/// Where the key file is, and whether it may be made with a new database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub path: PathBuf,
    /// SQLite: the file lies beside the database and is made with it. Elsewhere it must be given.
    pub make: bool,
}

/// Which key file a server on this database uses.
///
/// # Errors
/// On PostgreSQL without one: a sentence with the command that makes it.
pub fn key_file(database: &Location, given: Option<&PathBuf>) -> Result<KeyFile, String> {
    match (database, given) {
        (Location::Sqlite(_), Some(path)) => Ok(KeyFile { path: path.clone(), make: true }),
        (Location::Sqlite(database), None) => Ok(KeyFile { path: database.with_file_name("keyward.key"), make: true }),
        (Location::Postgres(_), Some(path)) => Ok(KeyFile { path: path.clone(), make: false }),
        (Location::Postgres(_), None) => {
            Err("on PostgreSQL every node needs the same key file: name it with --key-file (KEYWARD_KEY_FILE); \
             for a new database, make one, once, with: keyward admin create-key-file keyward.key"
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

//! SMTP settings for outgoing email.

use clap::Args;
use keyward_domain::email::a_labels;
use lettre::{Address, message::Mailbox};
use percent_encoding::percent_decode_str;
use std::fmt;
use url::{Host, Url};
use zeroize::Zeroizing;

/// Options for outgoing email.
#[derive(Args, Clone)]
pub struct MailArgs {
    /// SMTP server for outgoing email: smtps://USER:PASSWORD@HOST for TLS, or smtp://USER:PASSWORD@HOST for STARTTLS. Add
    /// :PORT if it is not 465 or 587. smtp:// to a loopback address, or with ?tls=none, is not encrypted
    #[arg(long, env = "KEYWARD_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,

    /// Sender of emails: keys@example.com, or with a name: Pelagic <keys@example.com>
    #[arg(long, env = "KEYWARD_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
}

impl fmt::Debug for MailArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailArgs(…)")
    }
}

/// Encryption of the SMTP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpTls {
    /// TLS from the first byte (RFC 8314).
    Implicit,
    /// STARTTLS (RFC 3207). Nothing is sent without it.
    StartTls,
    /// No encryption: for this machine or a trusted network.
    None,
}

/// SMTP credentials.
#[derive(Clone)]
pub struct SmtpLogin {
    pub user: String,
    pub password: Zeroizing<String>,
}

/// Validated SMTP server and sender.
#[derive(Clone)]
pub struct MailSettings {
    pub host: String,
    pub port: u16,
    pub tls: SmtpTls,
    pub login: Option<SmtpLogin>,
    pub from: Mailbox,
}

impl fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailSettings({}:{}, {:?})", self.host, self.port, self.tls)
    }
}

const RIGHT: &str = "the value of --smtp-url (KEYWARD_SMTP_URL) is invalid: use smtps://USER:PASSWORD@HOST or \
    smtp://USER:PASSWORD@HOST, with : / # ? @ in the password percent-encoded";

impl MailArgs {
    /// Validates the options. `None`: email is not configured.
    ///
    /// # Errors
    /// A sentence that contains no part of the URL, because the URL can contain a password.
    pub fn to_settings(&self) -> Result<Option<MailSettings>, String> {
        let (url, from) = match (&self.smtp_url, &self.mail_from) {
            (None, None) => return Ok(None),
            (Some(url), Some(from)) => (url, from),
            (Some(_), None) => {
                return Err(
                    "email has a server but no sender: set --mail-from (KEYWARD_MAIL_FROM) to an address such as \
                    keys@example.com"
                        .to_owned(),
                );
            }
            (None, Some(_)) => {
                return Err("email has a sender but no server: set --smtp-url (KEYWARD_SMTP_URL) to a URL such as \
                    smtps://USER:PASSWORD@mail.example.com"
                    .to_owned());
            }
        };
        let from = sender(from).ok_or_else(|| {
            "the value of --mail-from (KEYWARD_MAIL_FROM) is not an email address: use keys@example.com or \
             Pelagic <keys@example.com>"
                .to_owned()
        })?;
        // Without the causes: the URL contains a password.
        let url = Url::parse(url).map_err(|_| RIGHT.to_owned())?;
        let bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
        let host = url.host_str().filter(|_| bare).ok_or_else(|| RIGHT.to_owned())?;
        let (tls, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (SmtpTls::Implicit, 465),
            ("smtp", None) if is_loopback(&url) => (SmtpTls::None, 587),
            ("smtp", None) => (SmtpTls::StartTls, 587),
            ("smtp", Some("tls=none")) => (SmtpTls::None, 587),
            _ => return Err(RIGHT.to_owned()),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(|it| it.into_owned());
        let login = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => Some(SmtpLogin {
                user: decoded(user).map_err(|_| RIGHT.to_owned())?,
                password: Zeroizing::new(decoded(password).map_err(|_| RIGHT.to_owned())?),
            }),
            _ => return Err(RIGHT.to_owned()),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Some(MailSettings { host, port: url.port().unwrap_or(port), tls, login, from }))
    }
}

/// Parses the sender and converts its domain to A-labels, because not every server accepts U-labels (RFC 6531).
fn sender(text: &str) -> Option<Mailbox> {
    let Mailbox { name, email } = text.trim().parse().ok()?;
    let email = Address::new(email.user(), a_labels(email.domain())?).ok()?;
    Some(Mailbox { name, email })
}

/// Whether the host of a URL is this machine. For schemes that the URL standard does not define, the URL parser
/// returns an IP address as a domain.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => {
            name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<MailSettings, String> {
        let args = MailArgs { smtp_url: Some(url.into()), mail_from: Some("Pelagic <keys@pelagic.example>".into()) };
        args.to_settings().map(|it| it.expect("both are there"))
    }

    #[test]
    fn the_scheme_says_how_it_is_encrypted() {
        for (url, tls, port) in [
            ("smtps://u:p@mail.example.com", SmtpTls::Implicit, 465),
            ("smtp://u:p@mail.example.com", SmtpTls::StartTls, 587),
            ("smtp://mail.example.com:2525/", SmtpTls::StartTls, 2525),
            ("smtp://mail.example.com?tls=none", SmtpTls::None, 587),
            ("smtp://127.0.0.1:1025", SmtpTls::None, 1025),
            ("smtp://localhost", SmtpTls::None, 587),
        ] {
            let read = read(url).unwrap();
            assert_eq!((read.tls, read.port), (tls, port), "{url}");
        }
        let login = read("smtps://maren%40pelagic:a%2Fb%3A@mail.example.com").unwrap().login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("maren@pelagic", "a/b:"));
        assert!(read("smtps://mail.example.com").unwrap().login.is_none());
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for bad in [
            "mail.example.com",
            "http://u:hunter2hunter2@mail.example.com",
            "smtp://u:hunter2hunter2@mail.example.com?tls=maybe",
            "smtps://u:hunter2hunter2@mail.example.com?tls=none",
            "smtp://u:hunter2hunter2@mail.example.com/path",
            "smtps://hunter2hunter2@mail.example.com",
        ] {
            let error = read(bad).unwrap_err();
            assert!(error.contains("KEYWARD_SMTP_URL") && !error.contains("hunter2"), "{error}");
        }
        let with = |smtp_url: Option<&str>, from: Option<&str>| {
            MailArgs { smtp_url: smtp_url.map(Into::into), mail_from: from.map(Into::into) }.to_settings()
        };
        assert!(with(None, None).unwrap().is_none());
        assert!(with(Some("smtp://h"), None).unwrap_err().contains("KEYWARD_MAIL_FROM"));
        assert!(with(None, Some("a@b.example")).unwrap_err().contains("KEYWARD_SMTP_URL"));
        assert!(with(Some("smtp://h"), Some("nobody")).unwrap_err().contains("KEYWARD_MAIL_FROM"));
        let from = |text: &str| with(Some("smtp://h"), Some(text)).map(|it| it.unwrap().from.to_string());
        assert_eq!(from("Ann <Ann@BÜCHER.example>").unwrap(), "Ann <Ann@xn--bcher-kva.example>");
        assert!(from("ann@[127.0.0.1]").is_err());
        let settings = read("smtps://u:hunter2hunter2@mail.example.com").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}

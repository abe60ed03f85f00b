//! Sign-in settings: OpenID Connect provider and passwords.

use super::mail::is_loopback;
use clap::{Args, ValueEnum};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use url::Url;
use zeroize::Zeroizing;

/// Sign-in options.
#[derive(Args, Clone)]
pub struct SignInArgs {
    /// OpenID Connect: issuer of the provider, as in its discovery document
    #[arg(long, env = "KEYWARD_OIDC_ISSUER", value_name = "URL")]
    oidc_issuer: Option<String>,

    /// OpenID Connect: client ID of this Keyward instance at the provider
    #[arg(long, env = "KEYWARD_OIDC_CLIENT_ID", value_name = "ID")]
    oidc_client_id: Option<String>,

    /// OpenID Connect: client secret. Use the variable or the file, because arguments are visible in the process list
    #[arg(long, env = "KEYWARD_OIDC_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    oidc_client_secret: Option<String>,

    /// OpenID Connect: file that contains the client secret, instead of the secret itself
    #[arg(long, env = "KEYWARD_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    oidc_client_secret_file: Option<PathBuf>,

    /// OpenID Connect: display name of the provider on the button "Sign in with NAME" [default: single sign-on]
    #[arg(long, env = "KEYWARD_OIDC_NAME", value_name = "NAME", value_parser = super::parse_name)]
    oidc_name: Option<String>,

    /// Whether users can sign in with passwords. off requires OpenID Connect
    #[arg(long, env = "KEYWARD_PASSWORDS", default_value = "on", value_enum)]
    passwords: OnOff,
}

impl fmt::Debug for SignInArgs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignInArgs(…)")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OnOff {
    On,
    Off,
}

/// OpenID Connect provider and the client credentials of this instance.
#[derive(Clone)]
pub struct OidcSettings {
    /// Issuer exactly as configured. It is compared with the provider's value character by character.
    pub issuer: String,
    pub client_id: String,
    pub client_secret: Zeroizing<String>,
    /// Display name, as in "Sign in with …".
    pub name: String,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OidcSettings({})", self.issuer)
    }
}

/// Validated sign-in settings.
#[derive(Clone, Debug)]
pub struct SignInSettings {
    pub passwords: bool,
    pub oidc: Option<OidcSettings>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self { passwords: true, oidc: None }
    }
}

/// Whether a URL is safe for requests that sign-in depends on: it uses HTTPS, or HTTP to this machine.
pub fn is_safe(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

impl SignInArgs {
    /// The file with the client secret, if one is configured.
    pub fn secret_file(&self) -> Option<&Path> {
        self.oidc_client_secret_file.as_deref()
    }

    /// Validates the options and reads the secret file, if one is configured.
    ///
    /// # Errors
    /// A sentence that names the missing or invalid option.
    pub fn to_settings(&self) -> Result<SignInSettings, String> {
        let passwords = self.passwords == OnOff::On;
        let oidc = self.provider()?;
        if !passwords && oidc.is_none() {
            return Err("with passwords off, OpenID Connect is required: set KEYWARD_OIDC_ISSUER, \
                KEYWARD_OIDC_CLIENT_ID, and KEYWARD_OIDC_CLIENT_SECRET, or set KEYWARD_PASSWORDS=on"
                .to_owned());
        }
        Ok(SignInSettings { passwords, oidc })
    }

    fn provider(&self) -> Result<Option<OidcSettings>, String> {
        let Some(issuer) = self.oidc_issuer.as_deref().map(str::trim).filter(|it| !it.is_empty()) else {
            let others = self.oidc_client_id.is_some()
                || self.oidc_client_secret.is_some()
                || self.oidc_client_secret_file.is_some();
            return match others {
                true => Err("OpenID Connect has no provider: set its issuer with KEYWARD_OIDC_ISSUER".to_owned()),
                false => Ok(None),
            };
        };
        let url = Url::parse(issuer).ok().filter(|url| url.query().is_none() && url.fragment().is_none());
        if !url.is_some_and(|url| is_safe(&url) && url.username().is_empty() && url.password().is_none()) {
            return Err("the value of KEYWARD_OIDC_ISSUER is not a valid issuer: use an https:// URL such as \
                https://accounts.example.com (http:// only for a provider on this machine)"
                .to_owned());
        }
        let client_id = self.oidc_client_id.as_deref().map(str::trim).filter(|it| !it.is_empty());
        let client_id =
            client_id.ok_or("OpenID Connect requires KEYWARD_OIDC_CLIENT_ID: use the client ID from the provider")?;
        Ok(Some(OidcSettings {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: self.client_secret()?,
            name: self.oidc_name.clone().unwrap_or_else(|| "single sign-on".to_owned()),
        }))
    }

    fn client_secret(&self) -> Result<Zeroizing<String>, String> {
        let text = match (&self.oidc_client_secret, &self.oidc_client_secret_file) {
            (Some(_), Some(_)) => {
                return Err(
                    "KEYWARD_OIDC_CLIENT_SECRET and KEYWARD_OIDC_CLIENT_SECRET_FILE are both set: remove one of them"
                        .into(),
                );
            }
            (Some(text), None) => Zeroizing::new(text.clone()),
            (None, Some(path)) => Zeroizing::new(std::fs::read_to_string(path).map_err(|error| {
                format!("the file {} of KEYWARD_OIDC_CLIENT_SECRET_FILE could not be read: {error}", path.display())
            })?),
            (None, None) => Zeroizing::default(),
        };
        match text.trim() {
            "" => Err("OpenID Connect requires the client secret: set KEYWARD_OIDC_CLIENT_SECRET, or set \
                KEYWARD_OIDC_CLIENT_SECRET_FILE to a file that contains it"
                .to_owned()),
            it => Ok(Zeroizing::new(it.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> SignInArgs {
        SignInArgs {
            oidc_issuer: Some("https://id.example.com/realm".into()),
            oidc_client_id: Some("keyward".into()),
            oidc_client_secret: Some("hunter2hunter2".into()),
            oidc_client_secret_file: None,
            oidc_name: None,
            passwords: OnOff::Off,
        }
    }

    #[test]
    fn what_is_missing_is_named_and_the_secret_never_said() {
        let read = args().to_settings().unwrap();
        assert!(!read.passwords && !format!("{read:?} {:?}", args()).contains("hunter2"));
        assert_eq!(read.oidc.unwrap().client_secret.as_str(), "hunter2hunter2");
        type Change = fn(&mut SignInArgs);
        let changes: [(Change, &str); 7] = [
            (|it| it.oidc_issuer = None, "KEYWARD_OIDC_ISSUER"),
            (|it| it.oidc_issuer = Some("http://id.example.com".into()), "https://"),
            (|it| it.oidc_issuer = Some("https://id.example.com?x=y".into()), "KEYWARD_OIDC_ISSUER"),
            (|it| it.oidc_client_id = None, "KEYWARD_OIDC_CLIENT_ID"),
            (|it| it.oidc_client_secret = None, "KEYWARD_OIDC_CLIENT_SECRET"),
            (|it| it.oidc_client_secret_file = Some("/nowhere".into()), "both"),
            (
                |it| {
                    it.oidc_client_secret = None;
                    it.oidc_client_secret_file = Some("/nowhere".into());
                },
                "/nowhere",
            ),
        ];
        for (change, word) in changes {
            let mut changed = args();
            change(&mut changed);
            let error = changed.to_settings().unwrap_err();
            assert!(error.contains(word) && !error.contains("hunter2"), "{error}");
        }
        let none = SignInArgs { oidc_issuer: None, oidc_client_id: None, oidc_client_secret: None, ..args() };
        assert!(none.to_settings().unwrap_err().contains("KEYWARD_PASSWORDS"));
        let on = SignInArgs { passwords: OnOff::On, ..none };
        assert!(on.to_settings().unwrap().oidc.is_none());
        for loopback in ["http://127.0.0.1:4000", "http://localhost:4000/", "http://[::1]:4000"] {
            assert!(SignInArgs { oidc_issuer: Some(loopback.into()), ..args() }.to_settings().is_ok(), "{loopback}");
        }
    }
}

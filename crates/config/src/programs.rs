//! Settings of the API endpoints: the internal listener, the gateway's query parameter, and token signing keys.

use super::ListenAddress;
use clap::Args;

/// Command-line options.
#[derive(Args, Clone, Debug, Default)]
pub struct ApiArgs {
    /// Address or host name, and port, of the internal listener. It serves verify, gateway, metrics, and health; the
    /// public address then does not [default: none, the public address serves them]
    #[arg(long, env = "KEYWARD_INTERNAL_LISTEN", value_name = "ADDRESS:PORT")]
    pub internal_listen: Option<ListenAddress>,

    /// Query parameter in which a client of the gateway can send its key or token. The value is then visible in the logs
    /// of all servers on the path [default: none, headers only]
    #[arg(long, env = "KEYWARD_GATEWAY_QUERY", value_name = "NAME", value_parser = parse_parameter)]
    pub gateway_query: Option<String>,

    /// Days until the token signing key is replaced. The next key is published one day before it signs. With 0, only
    /// keyward admin rotate-token-key replaces the key
    #[arg(long, env = "KEYWARD_TOKEN_KEY_DAYS", default_value_t = TOKEN_KEY_DAYS, value_name = "DAYS")]
    pub token_key_days: u16,

    /// Signature algorithm of access tokens. Use RS256 for clients that do not support EdDSA. After a change, the new key
    /// is published at once and signs after 15 minutes
    #[arg(long, env = "KEYWARD_TOKEN_ALG", value_enum, default_value_t, ignore_case = true, value_name = "ALGORITHM")]
    pub token_alg: TokenAlg,
}

/// Signature algorithm of access tokens, by its JOSE name (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TokenAlg {
    /// Ed25519.
    #[default]
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA with PKCS #1 v1.5 and SHA-256; RFC 9068 section 2.1 requires every server to support it.
    #[value(name = "RS256")]
    Rs256,
}

impl TokenAlg {
    /// The value of `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// Validated settings.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// Whether a separate internal listener serves verify, gateway, metrics, and health.
    pub internal: bool,
    /// Query parameter that may contain a credential.
    pub query: Option<String>,
    /// Number of days after which a new key signs tokens. 0: no automatic rotation.
    pub token_key_days: u16,
    /// Algorithm of the next signing key.
    pub token_alg: TokenAlg,
}

/// Default rotation period of the token signing key, in days.
const TOKEN_KEY_DAYS: u16 = 90;

impl Default for ApiSettings {
    fn default() -> Self {
        Self { internal: false, query: None, token_key_days: TOKEN_KEY_DAYS, token_alg: TokenAlg::default() }
    }
}

impl ApiArgs {
    pub fn to_settings(&self) -> ApiSettings {
        let (internal, query) = (self.internal_listen.is_some(), self.gateway_query.clone());
        ApiSettings { internal, query, token_key_days: self.token_key_days, token_alg: self.token_alg }
    }
}

/// Query parameters of the gateway itself. A credential with the same name would be ambiguous.
const RESERVED_PARAMETERS: [&str; 3] = ["scope", "project", "limited"];

fn parse_parameter(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
        return Err("use a name of 1 to 40 letters, digits, -, and _, such as api_key".to_owned());
    }
    if RESERVED_PARAMETERS.contains(&text) {
        return Err("scope, project, and limited are reserved: use another name".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_has_a_plain_name_of_its_own() {
        for right in ["api_key", "key", "access-token", "K2"] {
            assert_eq!(parse_parameter(right).as_deref(), Ok(right));
        }
        for wrong in ["", "a b", "a=b", "schlüssel", "scope", "project", "limited", &"k".repeat(41)] {
            assert!(parse_parameter(wrong).is_err(), "{wrong}");
        }
    }
}

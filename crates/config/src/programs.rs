//! Settings of what programs call: the address that only they reach, and where a gateway's credential may stand.

use super::ListenAddress;
use clap::Args;

/// As they are given.
#[derive(Args, Clone, Debug, Default)]
pub struct ProgramArgs {
    /// Address or host name, and port, for programs alone: verify, gateway, metrics and health are then answered there,
    /// and not at the public address any more [default: at the public address]
    #[arg(long, env = "KEYWARD_INTERNAL_LISTEN", value_name = "ADDRESS:PORT")]
    pub internal_listen: Option<ListenAddress>,

    /// Name of the query parameter in which a gateway's client may send its key or token; it then stands in
    /// the logs of whatever it passes [default: none, headers alone]
    #[arg(long, env = "KEYWARD_GATEWAY_QUERY", value_name = "NAME", value_parser = parse_parameter)]
    pub gateway_query: Option<String>,

    /// Days after which another key signs tokens, published a day before; 0: only when keyward admin rotate-token-key says so
    #[arg(long, env = "KEYWARD_TOKEN_KEY_DAYS", default_value_t = TOKEN_KEY_DAYS, value_name = "DAYS")]
    pub token_key_days: u16,

    /// Algorithm of the signatures of access tokens: RS256 for clients that know no EdDSA. A key of another algorithm than the one
    /// before is published at once and signs after 15 minutes
    #[arg(long, env = "KEYWARD_TOKEN_ALG", value_enum, default_value_t, ignore_case = true, value_name = "ALGORITHM")]
    pub token_alg: TokenAlg,
}

/// An algorithm that access tokens are signed with, by its name in JOSE (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum TokenAlg {
    /// Ed25519.
    #[default]
    #[value(name = "EdDSA")]
    EdDsa,
    /// RSA with PKCS #1 v1.5 and SHA-256; RFC 9068 section 2.1 has every server support it.
    #[value(name = "RS256")]
    Rs256,
}

impl TokenAlg {
    /// As it stands in `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

/// As they hold.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Whether what programs of the house call has a listener of its own.
    pub internal: bool,
    /// The query parameter that may hold a credential.
    pub query: Option<String>,
    /// Days after which another key signs tokens; 0: never by itself.
    pub token_key_days: u16,
    /// What the next key of access tokens signs with.
    pub token_alg: TokenAlg,
}

/// Days after which another key signs tokens unless another number is given.
const TOKEN_KEY_DAYS: u16 = 90;

impl Default for Programs {
    fn default() -> Self {
        Self { internal: false, query: None, token_key_days: TOKEN_KEY_DAYS, token_alg: TokenAlg::default() }
    }
}

impl ProgramArgs {
    pub fn read(&self) -> Programs {
        let (internal, query) = (self.internal_listen.is_some(), self.gateway_query.clone());
        Programs { internal, query, token_key_days: self.token_key_days, token_alg: self.token_alg }
    }
}

/// The names that the gateway's own question has in the query; a credential under one of them could not be told from it.
const TAKEN: [&str; 3] = ["scope", "project", "limited"];

fn parse_parameter(text: &str) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if text.is_empty() || text.len() > 40 || !text.bytes().all(plain) {
        return Err("write a name of 1 to 40 letters, digits, - and _, such as api_key".to_owned());
    }
    if TAKEN.contains(&text) {
        return Err("scope, project and limited mean something else there; choose another name".to_owned());
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

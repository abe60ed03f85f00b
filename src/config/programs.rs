//! Settings of what programs call: the address that only they reach, and where a gateway's credential may stand.

use clap::Args;
use std::net::SocketAddr;

/// As they are given.
#[derive(Args, Clone, Debug, Default)]
pub struct ProgramArgs {
    /// Address and port for programs alone: verify, gateway, metrics and health are then answered there,
    /// and not at the public address any more [default: at the public address]
    #[arg(long, env = "KEYWARD_INTERNAL_LISTEN", value_name = "ADDRESS:PORT")]
    pub internal_listen: Option<SocketAddr>,

    /// Name of the query parameter in which a gateway's client may send its key or token; it then stands in
    /// the logs of whatever it passes [default: none, headers alone]
    #[arg(long, env = "KEYWARD_GATEWAY_QUERY", value_name = "NAME", value_parser = parse_parameter)]
    pub gateway_query: Option<String>,
}

/// As they hold.
#[derive(Clone, Debug, Default)]
pub struct Programs {
    /// Whether what programs of the house call has a listener of its own.
    pub internal: bool,
    /// The query parameter that may hold a credential.
    pub query: Option<String>,
}

impl ProgramArgs {
    pub fn read(&self) -> Programs {
        Programs { internal: self.internal_listen.is_some(), query: self.gateway_query.clone() }
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

//! IP allowlist of a key: networks in CIDR notation (RFC 4632, RFC 4291 section 2.3).

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr};

/// Maximum number of networks of one key.
pub const NETWORKS_MAX: usize = 50;
/// Number of bits before the IPv4 address in an IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2).
const MAPPED: u8 = 96;

/// Returns the network that counts as one client: an IPv4 address, or an IPv6 /64 network, which belongs to one
/// subscriber.
pub fn client_network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
        v4 => v4,
    }
}

/// Parse error of a list of networks. Each message names the invalid text and a valid form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    #[error(
        "“{0}” is not a valid network. Enter networks such as 203.0.113.0/24 or 2001:db8::/32, or single addresses."
    )]
    Unreadable(String),
    #[error("“{given}” is an address inside {network}. Enter {network}, or the address without the prefix length.")]
    HostBits { given: String, network: IpNet },
    #[error("Enter at most {NETWORKS_MAX} networks.")]
    TooMany,
}

/// Networks from which a key may be used. Empty: any network. IPv4-mapped networks are stored as IPv4.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Networks(Box<[IpNet]>);

impl Networks {
    /// Parses networks separated by commas, semicolons, or white space. Duplicates count once.
    ///
    /// # Errors
    /// The first error in the text.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        Self::parse_list(
            text.split(|c: char| c == ',' || c == ';' || c.is_whitespace()).filter(|word| !word.is_empty()),
        )
    }

    /// Parses networks from separate strings.
    ///
    /// # Errors
    /// As [`Networks::parse`].
    pub fn parse_list<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, NetworkError> {
        let mut networks = Vec::new();
        for word in words {
            let network = network(word)?;
            if !networks.contains(&network) {
                networks.push(network);
            }
            if networks.len() > NETWORKS_MAX {
                return Err(NetworkError::TooMany);
            }
        }
        Ok(Self(networks.into()))
    }

    /// Whether the list is empty. Then every address may use the key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the key may be used from this address. If networks are set, an unknown address is denied.
    pub fn allow(&self, from: Option<IpAddr>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        from.is_some_and(|from| {
            let from = from.to_canonical();
            self.0.iter().any(|network| network.contains(&from))
        })
    }

    /// Whether `outer` allows every address that `self` allows. Each network must lie within a single outer network:
    /// two adjacent outer networks do not count as their union.
    pub fn is_subset_of(&self, outer: &Self) -> bool {
        let lies = |network: &IpNet| outer.0.iter().any(|it| it.contains(network));
        outer.0.is_empty() || (!self.0.is_empty() && self.0.iter().all(lies))
    }

    /// Iterates over the networks in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }

    /// Returns the networks in CIDR notation.
    pub fn to_strings(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

impl TryFrom<Vec<String>> for Networks {
    type Error = NetworkError;

    fn try_from(words: Vec<String>) -> Result<Self, NetworkError> {
        Self::parse_list(words.iter().map(String::as_str))
    }
}

impl From<Networks> for Vec<String> {
    fn from(networks: Networks) -> Self {
        networks.to_strings()
    }
}

/// Parses one network or one address.
fn network(word: &str) -> Result<IpNet, NetworkError> {
    let unreadable = || NetworkError::Unreadable(word.chars().take(60).collect());
    let network = match word.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        // The message says what to enter. The error of the parser adds nothing.
        Err(_) => word.parse::<IpNet>().map_err(|_| unreadable())?,
    };
    if network.trunc() != network {
        return Err(NetworkError::HostBits { given: word.to_owned(), network: canonical(network.trunc()) });
    }
    Ok(canonical(network))
}

/// Converts an IPv4-mapped IPv6 network to the IPv4 network.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let four = six.prefix_len().checked_sub(MAPPED).zip(six.addr().to_ipv4_mapped());
    four.and_then(|(length, address)| Ipv4Net::new(address, length).ok()).map_or(network, IpNet::V4)
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, network) in self.0.iter().enumerate() {
            write!(f, "{}{network}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(networks: &str, from: &str) -> bool {
        Networks::parse(networks).unwrap().allow(Some(from.parse().unwrap()))
    }

    #[test]
    fn both_sides_of_every_edge() {
        for (networks, from, allowed) in [
            ("10.0.0.0/8", "10.0.0.0", true),
            ("10.0.0.0/8", "10.255.255.255", true),
            ("10.0.0.0/8", "9.255.255.255", false),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "0.0.0.0", true),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true),
            // An IPv4 address is IPv4 even if the listener received it as IPv4-mapped: IPv6 networks do not contain it.
            ("::/0", "192.0.2.1", false),
            ("::/0", "::ffff:192.0.2.1", false),
            ("192.0.2.7/32", "192.0.2.7", true),
            ("192.0.2.7/32", "192.0.2.6", false),
            ("192.0.2.7/32", "192.0.2.8", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("2001:db8::7/128", "2001:db8::7", true),
            ("2001:db8::7/128", "2001:db8::8", false),
            ("192.0.2.6/31", "192.0.2.7", true),
            ("192.0.2.6/31", "192.0.2.8", false),
            ("192.0.2.0/24", "::ffff:192.0.2.200", true),
            ("192.0.2.0/24", "::ffff:192.0.3.0", false),
            ("::ffff:192.0.2.0/120", "192.0.2.255", true),
            ("::ffff:192.0.2.0/120", "192.0.3.0", false),
            ("::ffff:0:0/96", "203.0.113.9", true),
            ("::ffff:0:0/96", "2001:db8::1", false),
            ("10.0.0.0/8, 2001:db8::/32", "2001:db8:ffff::1", true),
            ("10.0.0.0/8, 2001:db8::/32", "2001:db9::", false),
        ] {
            assert_eq!(allows(networks, from), allowed, "{from} in {networks}");
        }
    }

    #[test]
    fn no_networks_are_everywhere_and_no_address_is_nowhere() {
        assert!(Networks::default().allow(None));
        assert!(!Networks::parse("0.0.0.0/0 ::/0").unwrap().allow(None));
    }

    #[test]
    fn what_lies_within() {
        for (inner, outer, lies) in [
            ("", "", true),
            ("10.0.0.0/8", "", true),
            ("", "10.0.0.0/8", false),
            ("", "0.0.0.0/0, ::/0", false),
            ("10.1.0.0/16, 10.0.0.0/8", "10.0.0.0/8", true),
            ("10.0.0.0/7", "10.0.0.0/8", false),
            ("10.0.0.0/8", "10.0.0.0/9, 10.128.0.0/9", false),
            ("10.1.0.0/16, 192.0.2.7", "10.0.0.0/8", false),
            ("192.0.2.7", "::/0", false),
            ("::ffff:192.0.2.7", "192.0.2.0/24", true),
        ] {
            let read = |text| Networks::parse(text).unwrap();
            assert_eq!(read(inner).is_subset_of(&read(outer)), lies, "{inner} in {outer}");
        }
    }

    #[test]
    fn lists_are_read_as_people_write_them() {
        let read = Networks::parse(" 10.0.0.0/8,\n2001:DB8::/32 ; 192.0.2.7 10.0.0.0/8 ").unwrap();
        assert_eq!(read.to_string(), "10.0.0.0/8, 2001:db8::/32, 192.0.2.7/32");
        assert_eq!(Networks::parse(&read.to_string()), Ok(read));
        assert_eq!(Networks::parse(" \n ").unwrap(), Networks::default());
        assert!(Networks::parse("10.0.0.5/8").unwrap_err().to_string().contains("inside 10.0.0.0/8"));
        for wrong in ["10.0.0.0/33", "10.0.0/8", "example.com", "::/129", "1.2.3.4/-1", "1.2.3.4/", "/8"] {
            assert_eq!(Networks::parse(wrong), Err(NetworkError::Unreadable(wrong.to_owned())), "{wrong}");
        }
        let many = (0..=NETWORKS_MAX).map(|n| format!("10.0.{n}.0/24 ")).collect::<String>();
        assert_eq!(Networks::parse(&many), Err(NetworkError::TooMany));
    }
}

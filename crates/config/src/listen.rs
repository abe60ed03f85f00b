//! Listen addresses: parsing and name resolution.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    str::FromStr,
};

/// Host (an IP address, or a name that the system resolves) and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Ip(IpAddr),
    Name(String),
}

impl ListenAddress {
    /// Resolves the host. The addresses are in the system's order of preference, without duplicates.
    ///
    /// # Errors
    /// If the name cannot be resolved.
    pub async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        let mut addresses = match &self.host {
            Host::Ip(ip) => vec![SocketAddr::new(*ip, self.port)],
            Host::Name(name) => tokio::net::lookup_host((name.as_str(), self.port)).await?.collect(),
        };
        let mut seen = Vec::new();
        addresses.retain(|it| {
            !seen.contains(it) && {
                seen.push(*it);
                true
            }
        });
        Ok(addresses)
    }

    /// The port. 0: any free port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the URL for browsers on this machine. `port` is the bound port.
    pub fn url(&self, port: u16) -> String {
        match &self.host {
            Host::Ip(ip) if ip.is_unspecified() => format!("http://localhost:{port}"),
            Host::Ip(ip) => format!("http://{}", SocketAddr::new(*ip, port)),
            Host::Name(name) => format!("http://{name}:{port}"),
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self { host: Host::Ip(address.ip()), port: address.port() });
        }
        let wrong = || {
            "use a host and a port, such as 127.0.0.1:3000, localhost:3000, or 0.0.0.0:3000 for all addresses"
                .to_owned()
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        // Requires digits: the parser of `u16` also accepts a sign.
        let port = port.parse().ok().filter(|_| port.bytes().all(|b| b.is_ascii_digit())).ok_or_else(wrong)?;
        let is_name = |host: &str| host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
        // A host name does not end in a numeric label (RFC 3696 section 2), so this is an invalid IPv4 address. An
        // empty name is rejected too.
        let ends_in_number = host.rsplit('.').next().is_none_or(|it| it.bytes().all(|b| b.is_ascii_digit()));
        if is_name(host) && !ends_in_number {
            Ok(Self { host: Host::Name(host.to_ascii_lowercase()), port })
        } else {
            Err(wrong())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_names_are_taken() {
        for (text, url) in [
            ("127.0.0.1:3000", "http://127.0.0.1:3001"),
            ("[::1]:3000", "http://[::1]:3001"),
            ("0.0.0.0:3000", "http://localhost:3001"),
            ("localhost:3000", "http://localhost:3001"),
            ("Keys-1.internal:0", "http://keys-1.internal:3001"),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(address.url(3001), url);
            assert_eq!(address.to_string(), text.to_ascii_lowercase());
        }
        for wrong in [
            "",
            "3000",
            "localhost",
            "localhost:",
            "localhost:http",
            "localhost:+80",
            "localhost:70000",
            "256.0.0.1:80",
            "::1:3000x",
            "a b:80",
            "http://localhost:80",
        ] {
            let error = wrong.parse::<ListenAddress>().unwrap_err();
            assert!(error.contains("localhost:3000"), "{wrong}: {error}");
        }
    }
}

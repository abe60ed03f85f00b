//! Client address and requested host, resolved through trusted proxies.

use super::{EdgeState, logged};
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, Version, header};
use keyward_config::Config;
use std::net::{IpAddr, SocketAddr};

/// Address of the connection's peer. The listener adds it to every request as an extension.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Client of a request.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    pub ip: Option<IpAddr>,
    /// Requested host, as forwarded by a trusted proxy.
    host: Option<&'a str>,
    /// Whether a trusted proxy forwarded the request.
    pub is_forwarded: bool,
}

/// Error for an invalid host: status, code, and message.
pub type HostError = (StatusCode, &'static str, &'static str);

impl<'a> Client<'a> {
    /// Determines the client from the peer address and the forwarding headers.
    ///
    /// Forwarding headers are used only if the peer is a trusted proxy. Hops are read from right to left, up to the
    /// first address that is not a trusted proxy.
    pub fn from_headers(config: &Config, peer: Option<IpAddr>, headers: &'a HeaderMap) -> Self {
        let trusted = |ip: IpAddr| config.trusted_proxies.iter().any(|net| net.contains(&ip));
        let peer = peer.map(|ip| ip.to_canonical());
        let Some(proxy) = peer.filter(|ip| trusted(*ip)) else {
            return Self { ip: peer, host: None, is_forwarded: false };
        };
        // Values from last to first: the last one was added by the nearest proxy.
        let values = |name: HeaderName| {
            let all = headers.get_all(name).into_iter().rev();
            all.filter_map(|value| value.to_str().ok()).flat_map(|value| value.rsplit(','))
        };
        // `Forwarded` (RFC 7239) if present, otherwise the `X-Forwarded-*` headers.
        let is_new = headers.contains_key(header::FORWARDED);
        if is_new && headers.contains_key(FORWARDED_FOR) {
            // A proxy writes one of the two and forwards the other unchanged from the client. It is unknown which one
            // is genuine, so neither is trusted.
            return Self { ip: peer, host: None, is_forwarded: true };
        }
        let mut client = proxy;
        // Returns whether the next hop is to be read.
        let mut step = |hop: &str| match parse_ip(hop) {
            Some(ip) => {
                client = ip.to_canonical();
                trusted(client)
            }
            None => false,
        };
        let host = if is_new {
            // An element without `for` ends the loop, like one with an invalid address.
            let _ = values(header::FORWARDED).all(|element| step(parameter(element, "for").unwrap_or_default()));
            values(header::FORWARDED).next().and_then(|element| parameter(element, "host"))
        } else {
            let _ = values(FORWARDED_FOR).all(&mut step);
            values(FORWARDED_HOST).next().map(str::trim)
        };
        Self { ip: Some(client), host, is_forwarded: true }
    }

    /// Checks that the request names exactly one host, and that it is a host of this server.
    ///
    /// # Errors
    /// 400 or 421, with a code and a message.
    pub fn check_host(
        &self,
        state: &EdgeState,
        version: Version,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Result<(), HostError> {
        check_single_host(headers)?;
        check_host_field(version, headers)?;
        let config = &*state.config;
        let host = match (self.host, uri.authority()) {
            (Some(host), _) => Some(host),
            (None, Some(authority)) => Some(authority.as_str()),
            (None, None) => headers.get(header::HOST).and_then(|value| value.to_str().ok()),
        };
        let host = host.unwrap_or_default();
        if config.hosts.iter().any(|ours| is_same(config, ours, host)) {
            return Ok(());
        }
        if let Some(requests) = state.misdirected.count() {
            tracing::warn!(
                http.host = logged::loggable_host(host),
                expected = config.hosts.first().map(String::as_str),
                client.ip = self.ip.map(tracing::field::display),
                requests,
                "request.misdirected: set KEYWARD_PUBLIC_URL to the URL that clients use, or configure the proxy to forward the Host header"
            );
        }
        let words = "This server does not serve the requested host. Use the address from your administrator.";
        Err((StatusCode::MISDIRECTED_REQUEST, "misdirected", words))
    }
}

/// Checks that there is no second `Host` field (RFC 9112 section 3.2). A proxy in front may have used the other one.
///
/// # Errors
/// 400.
pub fn check_single_host(headers: &HeaderMap) -> Result<(), HostError> {
    if headers.get_all(header::HOST).iter().nth(1).is_some() {
        let words = "The request has more than one Host header. Send exactly one.";
        return Err((StatusCode::BAD_REQUEST, "bad_request", words));
    }
    Ok(())
}

/// Checks that an HTTP/1.1 request has a `Host` field and that the value is a host (RFC 9112 section 3.2). A list of
/// hosts is invalid: a proxy joins two fields with a comma.
///
/// # Errors
/// 400.
fn check_host_field(version: Version, headers: &HeaderMap) -> Result<(), HostError> {
    let words = match headers.get(header::HOST) {
        None if version == Version::HTTP_11 => "The request has no Host header. Send exactly one.",
        Some(host) if !is_host(host.as_bytes()) => "The Host header is not a valid host. Send exactly one host.",
        _ => return Ok(()),
    };
    Err((StatusCode::BAD_REQUEST, "bad_request", words))
}

/// Whether all bytes are valid in a host with a port (RFC 3986 section 3.2.2). An empty value is valid.
fn is_host(value: &[u8]) -> bool {
    value.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(byte))
}

/// Compares hosts without case. The default port is ignored: `keys.example.com:443` equals `keys.example.com` with
/// HTTPS, and likewise port 80 with HTTP.
fn is_same(config: &Config, ours: &str, host: &str) -> bool {
    let port = if config.public_url.is_https() { ":443" } else { ":80" };
    host.eq_ignore_ascii_case(ours) || host.strip_suffix(port).is_some_and(|bare| bare.eq_ignore_ascii_case(ours))
}

/// Returns a parameter of a `Forwarded` element.
fn parameter<'e>(element: &'e str, name: &str) -> Option<&'e str> {
    element.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"'))
    })
}

/// Parses `203.0.113.7`, `203.0.113.7:5000`, `[2001:db8::1]:5000` or `2001:db8::1`.
fn parse_ip(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(proxies: &[&str]) -> Config {
        Config {
            public_url: "https://keys.example.com".parse().unwrap(),
            hosts: vec!["keys.example.com".into()],
            trusted_proxies: proxies.iter().map(|p| p.parse().unwrap()).collect(),
            connections_per_address: keyward_config::CONNECTIONS_PER_ADDRESS,
            name: None,
            support_url: None,
            security_contact: None,
            sign_in: keyward_config::SignInSettings::default(),
            cache_keys: keyward_config::CACHE_KEYS,
            programs: keyward_config::ApiSettings::default(),
        }
    }

    fn client(proxies: &[&str], peer: &str, pairs: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        Client::from_headers(&config(proxies), Some(peer.parse().unwrap()), &headers).ip.unwrap().to_string()
    }

    #[test]
    fn a_host_field_is_needed_and_holds_one_host() {
        let check = |version: Version, host: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().unwrap());
            }
            check_host_field(version, &headers).is_ok()
        };
        assert!(!check(Version::HTTP_11, None));
        assert!(check(Version::HTTP_10, None));
        for fine in ["", "keys.example.com", "127.0.0.1:3000", "[2001:db8::1]:443", "a_b.example"] {
            assert!(check(Version::HTTP_11, Some(fine)), "{fine}");
        }
        for wrong in ["a, b", "a,b", "a b", "ann@keys.example.com", "keys.example.com/x"] {
            assert!(!check(Version::HTTP_11, Some(wrong)), "{wrong}");
        }
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(client(&[], "10.0.0.1", &[("x-forwarded-for", "203.0.113.7")]), "10.0.0.1");
        assert_eq!(client(&["10.0.0.0/8"], "192.0.2.1", &[("x-forwarded-for", "203.0.113.7")]), "192.0.2.1");
    }

    #[test]
    fn trusted_proxies_are_believed_right_to_left() {
        let proxies = ["10.0.0.0/8"];
        assert_eq!(
            client(&proxies, "10.0.0.1", &[("x-forwarded-for", "1.1.1.1, 203.0.113.7, 10.0.0.2")]),
            "203.0.113.7"
        );
        assert_eq!(client(&proxies, "::ffff:10.0.0.1", &[("x-forwarded-for", "203.0.113.7")]), "203.0.113.7");
        assert_eq!(client(&proxies, "10.0.0.1", &[("x-forwarded-for", "nonsense")]), "10.0.0.1");
        assert_eq!(client(&proxies, "10.0.0.1", &[]), "10.0.0.1");
        let forwarded = [("forwarded", "for=9.9.9.9, for=\"[2001:db8::7]:4711\";proto=https;host=keys.example.com")];
        assert_eq!(client(&proxies, "10.0.0.1", &forwarded), "2001:db8::7");
        assert_eq!(client(&proxies, "10.0.0.1", &[("forwarded", "for=9.9.9.9, proto=https")]), "10.0.0.1");
    }

    #[test]
    fn a_header_that_the_proxy_passed_through_is_not_believed() {
        let both = [("x-forwarded-for", "203.0.113.7"), ("forwarded", "for=1.2.3.4")];
        assert_eq!(client(&["10.0.0.0/8"], "10.0.0.1", &both), "10.0.0.1");
    }
}

//! What every request passes first: where it comes from, whether it means us, its id, its line in the log, the headers that
//! every answer carries.

use super::{AppState, error_page};
use crate::{config::Config, service::actor::Origin};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

/// The other end of the connection, put into every request by the listener.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Crockford's base32, in lower case: ten characters of it are 50 bits.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Characters of a `User-Agent` that are kept.
const AGENT_MAX: usize = 200;

/// The client's address and the host that it asked for, as far as they can be trusted: what a trusted proxy forwards is believed,
/// right to left, until an address that is no trusted proxy.
fn forwarded(config: &Config, peer: Option<IpAddr>, headers: &HeaderMap) -> (Option<IpAddr>, Option<String>) {
    let trusted = |ip: IpAddr| config.trusted_proxies.iter().any(|net| net.contains(&ip.to_canonical()));
    let Some(peer) = peer.map(|ip| ip.to_canonical()).filter(|ip| trusted(*ip)) else {
        return (peer.map(|ip| ip.to_canonical()), None);
    };
    let values = |name: HeaderName| {
        headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).collect::<Vec<_>>()
    };
    // RFC 7239 where there is one, the older headers otherwise.
    let elements = values(header::FORWARDED);
    let parameter = |element: &str, name: &str| {
        element.split(';').find_map(|pair| {
            let (key, value) = pair.trim().split_once('=')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim_matches('"').to_owned())
        })
    };
    let older = values(HeaderName::from_static("x-forwarded-for"));
    if !elements.is_empty() && !older.is_empty() {
        // A proxy writes one of them and passes the other on as the client sent it: neither can be believed.
        return (Some(peer), None);
    }
    let (hops, host): (Vec<String>, _) = if elements.is_empty() {
        let hops = older.into_iter().map(|v| v.trim().to_owned()).collect();
        (hops, values(HeaderName::from_static("x-forwarded-host")).last().map(|v| v.trim().to_owned()))
    } else {
        // An element that names nobody ends the walk, like one that cannot be read.
        let hops = elements.iter().map(|e| parameter(e, "for").unwrap_or_default()).collect();
        (hops, elements.last().and_then(|e| parameter(e, "host")))
    };
    let mut client = peer;
    for hop in hops.iter().rev() {
        let Some(ip) = address(hop) else { break };
        client = ip.to_canonical();
        if !trusted(client) {
            break;
        }
    }
    (Some(client), host)
}

/// `203.0.113.7`, `203.0.113.7:5000`, `[2001:db8::1]:5000` or `2001:db8::1`.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    text.parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|a| a.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

fn request_id(state: &AppState) -> String {
    let mut bytes = [0; 10];
    state.app.ground.random.fill(&mut bytes);
    let id: String = bytes.iter().map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect();
    format!("req_{id}")
}

/// The outermost layer of ours.
pub async fn watch(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let config = &state.app.config;
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let headers = request.headers();
    let (ip, forwarded_host) = forwarded(config, peer, headers);
    let host = forwarded_host.or_else(|| {
        let authority = request.uri().authority().map(ToString::to_string);
        authority.or_else(|| headers.get(header::HOST)?.to_str().ok().map(ToOwned::to_owned))
    });
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
    let origin = Origin {
        ip,
        agent: agent.map(|agent| agent.chars().take(AGENT_MAX).collect()),
        request_id: Some(request_id(&state)),
        // Only a browser says it: see `sessions`.
        zone: None,
    };
    let id = origin.request_id.clone().unwrap_or_default();
    let method = request.method().clone();
    // The route, never the address as it was asked for: a query can hold a setup code.
    let route = request.extensions().get::<MatchedPath>().map_or("(none)", MatchedPath::as_str).to_owned();
    let ours = host.is_some_and(|host| {
        let host = host.to_ascii_lowercase();
        config.hosts.contains(&host) || config.hosts.iter().any(|ours| default_port(config, ours, &host))
    });
    // RFC 9112 section 3.2: what stands in front may have read the other one.
    let said_twice = headers.get_all(header::HOST).iter().nth(1).is_some();
    let refusal = match (said_twice, ours) {
        (true, _) => {
            Some((StatusCode::BAD_REQUEST, "bad_request", "The request names its host twice. Send one Host header."))
        }
        (false, false) => Some((
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected",
            "This server does not answer under that name. Use the address that its operator gave you.",
        )),
        (false, true) => None,
    };
    request.extensions_mut().insert(origin);
    let mut response = match refusal {
        None => next.run(request).await,
        Some((status, code, words)) => {
            error_page::respond(status, code, words, request.headers(), request.uri().path())
        }
    };
    harden(response.headers_mut(), config);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    tracing::info!(
        http.method = %method,
        http.route = route,
        http.status = response.status().as_u16(),
        client.ip = ip.map(tracing::field::display),
        request.id = id,
        micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

/// `keys.example.com:443` is `keys.example.com` on HTTPS, and likewise port 80.
fn default_port(config: &Config, ours: &str, host: &str) -> bool {
    let port = if config.public_url.is_https() { ":443" } else { ":80" };
    host.strip_suffix(port).is_some_and(|bare| bare == ours)
}

/// The headers that every answer carries, unless a page has set its own.
fn harden(headers: &mut HeaderMap, config: &Config) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    );
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "same-origin");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if config.public_url.is_https() {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(proxies: &[&str]) -> Config {
        Config {
            public_url: "https://keys.example.com".parse().unwrap(),
            hosts: vec!["keys.example.com".into()],
            trusted_proxies: proxies.iter().map(|p| p.parse().unwrap()).collect(),
            name: None,
            support_url: None,
            sign_in: crate::config::SignInSettings::default(),
            cache_keys: crate::config::CACHE_KEYS,
        }
    }

    fn client(proxies: &[&str], peer: &str, pairs: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        forwarded(&config(proxies), Some(peer.parse().unwrap()), &headers).0.unwrap().to_string()
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

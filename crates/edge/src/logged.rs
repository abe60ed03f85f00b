//! Sanitizing of client values for the log: known words, or short plain text that cannot be a secret.

use axum::http::Method;

/// Maximum length of a logged host: a DNS name (RFC 1035 section 2.3.4) and its port.
const HOST_MAX: usize = 260;
/// Maximum length of a host label. Keys have 64 characters, tokens more.
const LABEL_MAX: usize = 63;
/// Placeholder for a value that is not logged.
const HIDDEN: &str = "(hidden)";
/// Prefixes of API keys.
const KEYS: [&str; 2] = ["kw_live_", "kw_test_"];
/// Prefix of a JWT: `{"` in base64.
const JWT: &[u8] = b"eyJ";

/// Returns the name of a standard method, or `(other)`: a client can send any token as the method.
pub fn loggable_method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        "TRACE" => "TRACE",
        "CONNECT" => "CONNECT",
        "QUERY" => "QUERY",
        _ => "(other)",
    }
}

/// Whether a text contains the prefix of a key, or the prefix of a JWT at the start of a word.
pub fn has_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    (0..bytes.len()).any(|start| {
        let is_word_start = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        let rest = &bytes[start..];
        let is_key = |key: &&str| rest.get(..key.len()).is_some_and(|part| part.eq_ignore_ascii_case(key.as_bytes()));
        KEYS.iter().any(is_key) || (is_word_start && rest.starts_with(JWT))
    })
}

/// Returns the requested host, `(none)` if it is empty, or `(hidden)` if it is not a plain host or may contain a
/// secret.
pub fn loggable_host(host: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:[]".contains(&byte);
    let is_short = host.len() <= HOST_MAX && host.split('.').all(|label| label.len() <= LABEL_MAX);
    if host.is_empty() {
        "(none)"
    } else if is_short && host.bytes().all(is_plain) && !has_secret(host) {
        host
    } else {
        HIDDEN
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_known_words() {
        assert_eq!(loggable_method(&Method::GET), "GET");
        assert_eq!(loggable_method(&"QUERY".parse().unwrap()), "QUERY");
        for other in ["get", "kw_live_x", "PROPFIND"] {
            assert_eq!(loggable_method(&other.parse().unwrap()), "(other)");
        }
    }

    #[test]
    fn hosts_are_short_and_plain() {
        for plain in [
            "localhost:3000",
            "10.1.2.3:3000",
            "[::1]:3000",
            "keys.example.com",
            "xn--bcher-kva.example",
            "heyJude.example",
        ] {
            assert_eq!(loggable_host(plain), plain);
        }
        assert_eq!(loggable_host(""), "(none)");
        let long = format!("{}.example", "a".repeat(64));
        let longer = "a.".repeat(200);
        for wrong in [
            "a b",
            "a\u{1b}[31m",
            "é.example",
            "a/b",
            "Bearer x",
            "kw_live_abc",
            "a.KW_Test_b",
            "eyJhbGciOiJFZERTQSJ9.e30.x",
            &long,
            &longer,
        ] {
            assert_eq!(loggable_host(wrong), HIDDEN, "{wrong}");
        }
    }
}

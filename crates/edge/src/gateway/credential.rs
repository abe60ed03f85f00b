//! Extraction of the client's credential (API key or access token) from a gateway request.

use crate::{bearer, zeroizing_string::ZeroizingStr};
use axum::http::{HeaderMap, Uri, header};

const API_KEY: &str = "x-api-key";
/// Headers with the original URI of the client's request. nginx sends one if configured; Caddy and Traefik send one by
/// default.
const ORIGINAL: [&str; 2] = ["x-original-uri", "x-forwarded-uri"];

/// Credentials in a request.
pub enum FoundCredential<'a> {
    None,
    One {
        text: ZeroizingStr<'a>,
        in_query: bool,
    },
    /// More than one credential. A client must not use more than one method per request (RFC 6750 section 2).
    Several,
}

/// Searches `Authorization: Bearer`, `X-API-Key`, and, if the configuration names one, the query parameter.
pub fn find<'a>(uri: &'a Uri, headers: &'a HeaderMap, parameter: Option<&str>) -> FoundCredential<'a> {
    let mut found = FoundCredential::None;
    let bearers =
        headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| bearer::strip_scheme(value.as_bytes()));
    let keys = headers.get_all(API_KEY).iter().map(|value| value.as_bytes().trim_ascii());
    for text in bearers.chain(keys).filter(|text| !text.is_empty()) {
        // A value that is not UTF-8 is never a valid credential, but it counts as presented.
        found.add(std::str::from_utf8(text).unwrap_or("?").into(), false);
    }
    let Some(parameter) = parameter else { return found };
    let originals = ORIGINAL.iter().flat_map(|name| headers.get_all(*name)).filter_map(|value| value.to_str().ok());
    let queries = originals.filter_map(|uri| uri.split_once('?').map(|(_, query)| query)).chain(uri.query());
    for query in queries {
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if name == parameter && !value.is_empty() {
                found.add(value.into(), true);
            }
        }
    }
    found
}

impl<'a> From<&'a str> for ZeroizingStr<'a> {
    fn from(text: &'a str) -> Self {
        std::borrow::Cow::Borrowed(text).into()
    }
}

impl<'a> FoundCredential<'a> {
    fn add(&mut self, more: ZeroizingStr<'a>, in_query: bool) {
        match self {
            Self::None => *self = Self::One { text: more, in_query },
            // Two gateways in a row can both forward the same URI. The repeated value counts once.
            Self::One { text, in_query: true } if in_query && **text == *more => {}
            _ => *self = Self::Several,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uri: &str, headers: &[(&'static str, &str)], parameter: Option<&str>) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        match find(&uri.parse().unwrap(), &map, parameter) {
            FoundCredential::None => "none".into(),
            FoundCredential::Several => "several".into(),
            FoundCredential::One { text, in_query } => {
                format!("{}{}", &*text, if in_query { " in the query" } else { "" })
            }
        }
    }

    #[test]
    fn headers() {
        let cases: [(&[(&str, &str)], &str); 12] = [
            (&[], "none"),
            (&[("authorization", "Bearer k")], "k"),
            (&[("authorization", "bEARER   k ")], "k"),
            (&[("authorization", "Bearer")], "none"),
            (&[("authorization", "Bearer ")], "none"),
            (&[("authorization", "Basic azpw")], "none"),
            (&[("authorization", "Basic azpw"), ("x-api-key", "k")], "k"),
            (&[("x-api-key", " k ")], "k"),
            (&[("x-api-key", "")], "none"),
            (&[("authorization", "Bearer k"), ("x-api-key", "k")], "several"),
            (&[("authorization", "Bearer k"), ("authorization", "Bearer k")], "several"),
            (&[("x-api-key", "k"), ("x-api-key", "l")], "several"),
        ];
        for (headers, expected) in cases {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, *value)).collect();
            assert_eq!(found("/v1/auth", &headers, None), expected, "{headers:?}");
            assert_eq!(found("/v1/auth", &headers, Some("api_key")), expected, "{headers:?}");
        }
    }

    #[test]
    fn the_query_only_where_it_was_allowed() {
        let named = [("x-original-uri", "/orders?a=b&api_key=k%2B&c")];
        assert_eq!(found("/v1/auth?api_key=k", &named, None), "none");
        assert_eq!(found("/v1/auth", &named, Some("api_key")), "k+ in the query");
        assert_eq!(found("/v1/auth", &named, Some("key")), "none");
        assert_eq!(found("/v1/auth?api_key=k", &[], Some("api_key")), "k in the query");
        assert_eq!(found("/v1/auth?api_key=", &[], Some("api_key")), "none");
        assert_eq!(found("/v1/auth?api_key=k%2B", &named, Some("api_key")), "k+ in the query", "told twice");
        assert_eq!(found("/v1/auth?api_key=other", &named, Some("api_key")), "several");
        assert_eq!(found("/v1/auth?api_key=k&api_key=l", &[], Some("api_key")), "several");
        let both = [("x-forwarded-uri", "/?api_key=k"), ("x-api-key", "k")];
        assert_eq!(found("/v1/auth", &both, Some("api_key")), "several");
        assert_eq!(found("/v1/auth", &[("x-forwarded-uri", "/#?api_key=k#x")], Some("api_key")), "k in the query");
    }
}

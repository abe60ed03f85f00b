//! Conditional requests: `If-None-Match` (RFC 9110 section 13.1.2).

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};

/// Whether `If-None-Match` contains this tag, by weak comparison, or is `*`.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let etag = opaque(etag);
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.into_iter().any(|value| value.trim() == "*" || tags(value).any(|tag| opaque(tag) == etag))
}

/// Splits a list of tags. A comma within quotes belongs to its tag (RFC 9110 section 8.8.3).
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([',', ' ', '\t']);
        let start = rest.find('"')?;
        let end = start + 1 + rest[start + 1..].find('"')?;
        let (tag, after) = rest.split_at(end + 1);
        rest = after;
        Some(tag)
    })
}

/// Turns a response whose `ETag` the client already has into a 304, with the headers that a cache needs (RFC 9110
/// section 15.4.5).
pub fn not_modified(headers: &HeaderMap, mut response: Response) -> Response {
    let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
    if response.status() == StatusCode::OK && etag.is_some_and(|etag| is_known(headers, etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn knows(values: &[&str], etag: &str) -> bool {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_NONE_MATCH, value.parse().unwrap());
        }
        is_known(&headers, etag)
    }

    #[test]
    fn tags_are_compared_weakly_and_as_a_whole() {
        for values in [&["\"a\""][..], &["W/\"a\""], &["\"b\", W/\"a\""], &["\"b\"", "\"a\",\"c\""], &["*"], &[" * "]] {
            assert!(knows(values, "\"a\"") && knows(values, "W/\"a\""), "{values:?}");
        }
        for values in [&[][..], &["\"b\""], &["a"], &["\"a"], &["\"x,\"a\",y\""], &["\"A\""], &["w/\"a\""]] {
            assert!(!knows(values, "\"a\""), "{values:?}");
        }
        assert!(knows(&["\"b\", \"a,c\""], "\"a,c\""));
    }
}

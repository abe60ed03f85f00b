//! Whether whoever asks has the answer already (RFC 9110 section 13.1.2).

use axum::http::{HeaderMap, header};

/// Whether one of the tags that were sent is this one, compared weakly.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let said = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    said.flat_map(|tags| tags.split(',')).any(|tag| tag.trim() == "*" || strong(tag) == strong(etag))
}

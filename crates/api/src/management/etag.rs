//! Entity tags of keys: `ETag` in responses and `If-Match` preconditions (RFC 9110 sections 8.8.3 and 13.1.1).

use axum::http::{HeaderMap, StatusCode, header};
use keyward_edge::problem::Problem;
use keyward_service::{keys::IfMatch, management_client::ManagementError};

/// Returns the strong entity tag of a key's version.
pub fn from_version(version: i64) -> String {
    format!("\"{version:x}\"")
}

/// Returns the versions in `If-Match`, which is required. `None` means any version (`*`).
///
/// # Errors
/// 428 without the header, 412 if it contains none of our tags. A weak tag matches nothing.
pub fn require_if_match(headers: &HeaderMap) -> Result<IfMatch, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        let words = "Send an If-Match header with the ETag of the response in which you read the key.";
        return Err(Problem::new(StatusCode::PRECONDITION_REQUIRED, "if_match_required", words));
    }
    parse_if_match(headers)
}

/// Returns the versions in `If-Match`. `None` means any version: `*`, or no header.
///
/// # Errors
/// 412 if it contains none of our tags.
pub fn parse_if_match(headers: &HeaderMap) -> Result<IfMatch, Problem> {
    let mut versions = Vec::new();
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    for value in headers.get_all(header::IF_MATCH) {
        for tag in value.to_str().unwrap_or_default().split(',').map(str::trim) {
            if tag == "*" {
                return Ok(None);
            }
            let hex = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            versions.extend(hex.and_then(|hex| i64::from_str_radix(hex, 16).ok()));
        }
    }
    if versions.is_empty() { Err(ManagementError::Stale.into()) } else { Ok(Some(versions)) }
}

/// Checks that a key has one of these versions. `None` means any version.
///
/// # Errors
/// 412 for another version.
pub fn check_version(versions: Option<&[i64]>, version: i64) -> Result<(), Problem> {
    match versions {
        Some(versions) if !versions.contains(&version) => Err(ManagementError::Stale.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[&str]) -> Result<Option<Vec<i64>>, u16> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, value.parse().unwrap());
        }
        require_if_match(&headers).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn tags_round_trip_and_weak_ones_match_nothing() {
        assert_eq!(parse(&[&from_version(7_000_000)]), Ok(Some(vec![7_000_000])));
        assert_eq!(parse(&["\"1\", \"a\"", "\"f\""]), Ok(Some(vec![1, 10, 15])));
        assert_eq!(parse(&["*"]), Ok(None));
        assert_eq!(parse(&[]), Err(428));
        assert!(parse_if_match(&HeaderMap::new()).is_ok_and(|any| any.is_none()));
        assert_eq!(parse(&["W/\"1\""]), Err(412));
        assert_eq!(parse(&["1"]), Err(412));
    }
}

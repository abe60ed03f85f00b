//! Rate limit headers: draft-ietf-httpapi-ratelimit-headers-10 (structured fields, RFC 9651) and `Retry-After` (RFC
//! 9110 section 10.2.3).

use super::problem::Problem;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use keyward_verify::{limits::Quota, verify::DenyReason};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Writes `RateLimit-Policy` and `RateLimit`, and `Retry-After` for a denied call.
///
/// The only policy is named `key`. Its parameters:
/// - `q`: calls per window;
/// - `w`: length of the window in seconds;
/// - `keyward-burst`: the burst, if it differs from `q`;
/// - `r`: calls that are possible now;
/// - `t`: for an allowed call, seconds until the full burst is available again; for a denied call, seconds until the
///   next call is possible, as in `Retry-After`.
pub fn write_headers(quota: &Quota, refused: bool, headers: &mut HeaderMap) {
    let limit = &quota.limit;
    let mut policy = format!("\"key\";q={};w={}", limit.calls(), limit.per().seconds());
    if limit.burst() != limit.calls() {
        policy.push_str(&format!(";keyward-burst={}", limit.burst()));
    }
    let resets = if refused { quota.retry_after } else { quota.reset };
    put(headers, POLICY, policy);
    put(headers, LIMIT, format!("\"key\";r={};t={resets}", quota.remaining));
    if refused {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(quota.retry_after));
    }
}

/// Problem document for a call over the rate limit.
pub fn problem(status: StatusCode, quota: &Quota) -> Problem {
    let refused = DenyReason::RateLimited(*quota);
    let mut headers = HeaderMap::new();
    write_headers(quota, true, &mut headers);
    let mut problem = Problem::new(status, refused.code(), refused.to_string());
    problem.headers.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    problem
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(limit: &str, refused: bool) -> Vec<(String, String)> {
        let quota = Quota { limit: limit.parse().unwrap(), remaining: 7, reset: 31, retry_after: 2 };
        let mut headers = HeaderMap::new();
        write_headers(&quota, refused, &mut headers);
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn the_fields_are_those_of_the_draft() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            written("100/minute", false),
            [pair("ratelimit-policy", r#""key";q=100;w=60"#), pair("ratelimit", r#""key";r=7;t=31"#)]
        );
        assert_eq!(
            written("5/hour,burst=2", true),
            [
                pair("ratelimit-policy", r#""key";q=5;w=3600;keyward-burst=2"#),
                pair("ratelimit", r#""key";r=7;t=2"#),
                pair("retry-after", "2"),
            ]
        );
    }
}

//! Default security headers of responses.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use keyward_config::Config;

/// `Strict-Transport-Security` (RFC 6797): browsers use HTTPS only, for one year.
pub const HSTS: &str = "max-age=31536000; includeSubDomains";

/// Adds the default security headers. A header that the response already has stays unchanged.
pub fn harden(headers: &mut HeaderMap, config: &Config) {
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
        default(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

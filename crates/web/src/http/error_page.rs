//! Error responses outside of the application: a small page for a browser, a problem document for a client.

use super::{failure, static_page};
use crate::{service::actor::Origin, ui::markup::escape_text};
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use keyward_edge::fallback::{self, API_PREFIXES};

/// Content security policy of an error page: only the site's own styles, images, and fonts.
pub const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The logo, as in the sprite of the pages.
const LOGO_PATH: &str = "M4.5 0h7A4.5 4.5 0 0 1 16 4.5v7a4.5 4.5 0 0 1-4.5 4.5H9v-2h2v-1.5H9v-1.5h2V9.5H9V8.83a3 3 0 1 0-2 0V16H4.5A4.5 4.5 0 0 1 0 11.5v-7\
A4.5 4.5 0 0 1 4.5 0Z";

/// What an error response takes from its request.
pub struct RequestInfo {
    headers: HeaderMap,
    path: String,
    id: Option<String>,
}

impl RequestInfo {
    pub fn of(request: &Request) -> Self {
        let id = request.extensions().get::<Origin>().and_then(|origin| origin.request_id.clone());
        Self { headers: request.headers().clone(), path: request.uri().path().to_owned(), id }
    }

    /// Whether the caller accepts HTML, prefers no JSON, and the path is not an API path.
    pub fn accepts_html(&self) -> bool {
        let [html, json] = self.qualities();
        html > 0 && html >= json && !API_PREFIXES.iter().any(|prefix| self.path.starts_with(prefix))
    }

    /// Whether the caller names a JSON type, and prefers it to HTML. `*/*` is no preference.
    pub fn prefers_json(&self) -> bool {
        let [html, json] = self.qualities();
        json > html
    }

    /// Returns the qualities of HTML and of JSON in `Accept`, in thousandths (RFC 9110 section 12.5.1). Wildcards are
    /// ignored: they do not tell a browser from another client.
    fn qualities(&self) -> [u16; 2] {
        let mut found = [0, 0];
        let values = self.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or_default().to_ascii_lowercase();
            let at = match kind.as_str() {
                "text/html" | "application/xhtml+xml" => 0,
                "application/json" | "application/problem+json" => 1,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
            found[at] = found[at].max(weight.map_or(1000, thousandths));
        }
        found
    }
}

/// Parses a quality value. An invalid one counts as 0.
fn thousandths(text: &str) -> u16 {
    let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    match (whole, format!("{part:0<3}").parse::<u16>()) {
        ("1", Ok(0)) => 1000,
        ("0", Ok(part)) if part < 1000 => part,
        _ => 0,
    }
}

/// Returns an error response. `words` must be a constant text, never user input. A failure (5xx) names the request id.
pub fn respond(status: StatusCode, code: &'static str, words: &str, request: &RequestInfo) -> Response {
    if !request.accepts_html() {
        let mut response = fallback::error_response(&request.path, status, code, words);
        set_retry_after(&mut response);
        return response;
    }
    let title = match status.as_u16() {
        403 => "Request blocked",
        404 => "Page not found",
        405 => "Action not available",
        413 => "Request too large",
        415 => "Unsupported request format",
        421 => "Unknown host name",
        503 => "Temporarily unavailable",
        507 => "No storage space left",
        _ => "Something went wrong",
    };
    let number = status.as_u16();
    let words = failure::message_for_status(words, status, request.id.as_deref().map(escape_text).as_deref());
    let body = format!(
        r#"
<div class="gate">
<main class="gate__main">
<header class="gate__head"><svg class="mark" viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d="{LOGO_PATH}"/></svg><h1>{title}</h1><p>{words}</p></header>
<div class="actions"><a class="button button--primary" href="/keys">Go to your API keys</a></div>
<p class="hint">Error {number}</p>
</main>
<footer class="gate__foot">Keyward</footer>
</div>
"#
    );
    let page = static_page::document(&request.headers, &format!("{title} · Keyward"), &[], &body);
    let mut response = (status, Html(page)).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set_retry_after(&mut response);
    response
}

/// Sets `Retry-After` on a 503.
fn set_retry_after(response: &mut Response) {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("2"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_decides_the_format() {
        // (Accept, HTML, JSON)
        for (accept, html, json) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true, false),
            ("application/json", false, true),
            ("application/problem+json", false, true),
            ("application/json, text/html", true, false),
            ("text/html;q=0.5, application/json", false, true),
            ("text/html, application/json; q=0.9", true, false),
            ("Text/HTML ; Q=0.001", true, false),
            ("text/html;q=0", false, false),
            ("application/json;q=0", false, false),
            ("application/json;q=2", false, false),
            ("*/*", false, false),
            ("", false, false),
        ] {
            let request = Request::get("/nothing").header("accept", accept).body(axum::body::Body::empty()).unwrap();
            let info = RequestInfo::of(&request);
            assert_eq!((info.accepts_html(), info.prefers_json()), (html, json), "{accept}");
        }
        let api = Request::get("/v1/nothing").header("accept", "text/html").body(axum::body::Body::empty()).unwrap();
        assert!(!RequestInfo::of(&api).accepts_html());
    }
}

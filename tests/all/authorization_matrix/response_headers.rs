//! Response headers: checks the headers of every response of the matrix.

use crate::support::browser::Page;
use std::collections::HashSet;

/// The names of all headers that a response may have. Any other header could reveal information about the server.
const KNOWN: [&str; 33] = [
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-max-age",
    "allow",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "etag",
    "location",
    "permissions-policy",
    "pragma",
    "ratelimit",
    "ratelimit-policy",
    "referrer-policy",
    "retry-after",
    "serverfnerror",
    "set-cookie",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-frame-options",
    "x-keyward-code",
    "x-keyward-issued-to",
    "x-keyward-key-id",
    "x-keyward-project-id",
    "x-keyward-scopes",
    "x-request-id",
];

/// The part of the server that sends a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Responder {
    Browser,
    Program,
    /// The fast path: successful responses have few headers, because no browser renders them.
    FastPath,
}

/// Returns everything that is wrong with the headers of a response.
pub fn header_errors(page: &Page, side: Responder, ids: &mut HashSet<String>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |fine: bool, what: String| {
        if !fine {
            wrong.push(what);
        }
    };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        let all: Vec<_> = page.headers.get_all(name).iter().collect();
        let few = side == Responder::FastPath && page.status == 200 && name != "x-content-type-options";
        check(
            all.len() == usize::from(!few) && all.iter().all(|it| *it == value),
            format!("{name} is {all:?}, not one {value}"),
        );
    }
    for name in page.headers.keys() {
        check(KNOWN.contains(&name.as_str()), format!("an unexpected header: {name}"));
        let once = name == "set-cookie" || name == "vary" || page.headers.get_all(name).iter().count() == 1;
        check(once, format!("{name} occurs twice"));
    }
    let policy = page.header("content-security-policy");
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        let few = side == Responder::FastPath && page.status == 200;
        check(few || policy.contains(rule), format!("no {rule} in the policy {policy}"));
    }
    // The consent form may redirect to the client, whose redirect URI is validated.
    let closed = policy.replace("form-action 'self' http://127.0.0.1:1;", "form-action 'self';");
    for hole in ["unsafe-inline", "'unsafe-eval'", "*", "http:", "https:", "data:"] {
        check(!closed.contains(hole), format!("{hole} in the policy {policy}"));
    }
    let id = page.header("x-request-id");
    check(id.starts_with("req_") && ids.insert(id.to_owned()), format!("the request id {id} is none, or came twice"));
    check(page.headers.get("strict-transport-security").is_none(), "HSTS on plain HTTP".to_owned());

    let kind = page.header("content-type");
    let stored = page.header("cache-control");
    if side == Responder::Browser {
        check(stored == "no-store", format!("cache-control is {stored}"));
        let own = page.header("cross-origin-resource-policy");
        check(own == "same-origin", format!("cross-origin-resource-policy is {own}"));
        check(page.headers.get("access-control-allow-origin").is_none(), "other origins may read it".to_owned());
    } else {
        check(stored.contains("no-store") || page.status == 200, format!("cache-control of a refusal is {stored}"));
        check(page.headers.get("set-cookie").is_none(), "a program is given a cookie".to_owned());
        check(
            page.headers.get("access-control-allow-credentials").is_none(),
            "credentials of other origins".to_owned(),
        );
    }
    let metrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let kinds = [
        "text/html; charset=utf-8",
        "application/json",
        "application/jwt",
        // security.txt (RFC 9116).
        "text/plain; charset=utf-8",
        // The browser SDK and its types.
        "text/javascript; charset=utf-8",
        "application/typescript; charset=utf-8",
        "application/problem+json",
        "application/x-ndjson",
        metrics,
    ];
    check(page.bytes.is_empty() || kinds.contains(&kind), format!("its content type is {kind}"));
    if kind.starts_with("text/html") {
        wrong.extend(inline_code_errors(page));
    }
    for set in page.headers.get_all("set-cookie") {
        let text = set.to_str().unwrap_or_default();
        let attributes: Vec<_> = text.split("; ").skip(1).collect();
        let ends = text.split(';').next().is_some_and(|pair| pair.ends_with('='));
        let fine = ["HttpOnly", "SameSite=Lax", "Path=/"].iter().all(|it| attributes.contains(it));
        if !(fine || ends && attributes.contains(&"Path=/")) || text.to_lowercase().contains("domain") {
            wrong.push(format!("a cookie that is too open: {text}"));
        }
    }
    wrong
}

/// Returns everything that is wrong with a page: all scripts and styles must comply with the policy.
fn inline_code_errors(page: &Page) -> Vec<String> {
    let html = page.text();
    let mut wrong: Vec<_> = [" style=", "<style", " onclick=", " onload=", "javascript:"]
        .into_iter()
        .filter(|inline| html.contains(inline))
        .map(|inline| format!("the page has {inline}"))
        .collect();
    for tag in html.split("<script").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let named = page.nonce().is_some_and(|nonce| tag.contains(&format!("nonce=\"{nonce}\"")));
        if !named {
            wrong.push(format!("a script without the nonce of its page: {tag}"));
        }
    }
    wrong
}

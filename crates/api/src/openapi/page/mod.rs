//! `/docs/api`: the OpenAPI document as an HTML page. Rendered on the server without scripts or external resources.

mod getting_started;
mod operation;
mod parts;

use super::DOCUMENT;
use crate::ApiState;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use parts::{escape_html, members, render_text, string_member, table};
use serde_json::Value;
use std::{fmt::Write as _, sync::LazyLock};

/// Content security policy of the page: only the site's own styles, images, and fonts.
const CSP: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";
/// The document, parsed once.
static PARSED_DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(DOCUMENT).unwrap_or_default());
/// The methods, in display order.
const METHODS: [&str; 5] = ["get", "post", "patch", "put", "delete"];

/// Returns the body of the page. `name` is the product name.
fn body(document: &Value, url: &str, name: &str) -> String {
    let mut page = format!(
        r##"<a class="visually-hidden" href="#content">Skip to the content</a><div class="api"><header class="page-head"><h1>{} API reference</h1><p>Base URL: <code>{}</code>. Download <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1). <a href="/settings/developer/api-keys">Back to Developer settings</a></p></header><main id="content" class="stack">"##,
        escape_html(name),
        escape_html(url)
    );
    let _ = write!(page, "<p>{}</p>", render_text(string_member(&document["info"], "description")));
    let paths = document["paths"].as_object();
    let of_tag = |tag: &str| {
        let mut found = Vec::new();
        for (path, item) in paths.into_iter().flatten() {
            let methods = METHODS.iter().filter(|method| item[**method]["tags"][0] == *tag);
            found.extend(methods.map(|method| (path.as_str(), *method, &item[*method])));
        }
        // The most used operations first: the paths under `/.well-known/` come last.
        found.sort_by_key(|(path, ..)| path.starts_with("/.well-known/"));
        found
    };
    getting_started::draw(&mut page, url);
    page.push_str(r#"<nav aria-label="Operations" class="api__index">"#);
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = write!(page, "<h2>{}</h2><ul>", escape_html(string_member(tag, "name")));
        for (_, _, operation) in of_tag(string_member(tag, "name")) {
            let (id, summary) =
                (string_member(operation, "operationId"), escape_html(string_member(operation, "summary")));
            let _ = write!(page, r##"<li><a href="#{id}">{summary}</a></li>"##);
        }
        page.push_str("</ul>");
    }
    page.push_str("</nav>");
    for tag in document["tags"].as_array().into_iter().flatten() {
        let _ = write!(
            page,
            "<h2>{}</h2><p>{}</p>",
            escape_html(string_member(tag, "name")),
            render_text(string_member(tag, "description"))
        );
        for (path, method, found) in of_tag(string_member(tag, "name")) {
            operation::draw(&mut page, document, url, path, method, found);
        }
    }
    page.push_str("<h2>Types</h2>");
    for (name, schema) in document["components"]["schemas"].as_object().into_iter().flatten() {
        let _ = write!(
            page,
            r#"<section class="panel" aria-labelledby="type-{name}"><header class="panel__head"><h3 id="type-{name}">{name}</h3></header><div class="panel__body stack stack--close"><p>{}</p>"#,
            render_text(string_member(schema, "description"))
        );
        table(&mut page, "Fields", &members(document, schema));
        page.push_str("</div></section>");
    }
    page.push_str("</main></div>");
    page
}

/// `GET /docs/api`: returns the page.
pub async fn page(State(ApiState { app, layout, .. }): State<ApiState>, headers: HeaderMap) -> Response {
    let name = app.config.name.as_deref().unwrap_or("Keyward");
    let body = body(&PARSED_DOCUMENT, &app.config.public_url.to_string(), name);
    let page = layout(&headers, &format!("API reference · {}", escape_html(name)), &["font.css"], &body);
    let mut response = Html(page).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CSP));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_type_is_on_the_page() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let page = body(&document, "https://keys.example.com", "A & B");
        assert!(page.contains("A &amp; B API reference"));
        let mut seen = 0;
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                assert!(page.contains(&format!("id=\"{}\"", string_member(operation, "operationId"))), "{operation}");
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
        assert_eq!(page.matches("<summary>Python</summary>").count(), seen + 1, "and the setup");
        let mut names: Vec<_> = page
            .split('$')
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next().unwrap())
            .collect();
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        names.dedup();
        assert_eq!(
            names,
            [
                "CREDENTIALS",
                "ETAG",
                "KEY_ID",
                "MANAGEMENT_TOKEN",
                "ONCE",
                "OWN_KEY_ID",
                "PROJECT_ID",
                "SECRET_KEY",
                "TOKEN"
            ]
        );
        for name in names {
            assert!(page.contains(&format!("export {name}=")), "{name} is defined");
        }
        assert!(!page.contains("<script") && !page.contains("style="));
    }
}

//! An operation on the page: parameters, responses, and code samples.

use super::parts::{describe_constraints, escape_html, members, render_text, samples, string_member, table, type_name};
use crate::openapi::samples::SampleRequest;
use serde_json::Value;
use std::fmt::Write as _;

/// Builds the request of the code samples.
fn request<'a>(url: &str, path: &str, method: &'a str, operation: &'a Value) -> SampleRequest<'a> {
    let path = path.replace("{id}", "$PROJECT_ID").replace("{key}", "$KEY_ID").replace("{rest}", "orders");
    let mut heads = Vec::new();
    let schemes = operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    match schemes.flat_map(|it| it.keys()).next().map(String::as_str) {
        Some("client") => heads.push(("Authorization", "Basic $CREDENTIALS".to_owned())),
        Some("management") => heads.push(("Authorization", "Bearer $MANAGEMENT_TOKEN".to_owned())),
        Some(_) => heads.push(("Authorization", "Bearer $TOKEN".to_owned())),
        None => {}
    }
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, example) = (string_member(parameter, "name"), &parameter["schema"]["examples"][0]);
        if let Some(example) = example.as_str().filter(|_| parameter["in"] == "header") {
            // A literal example would make all samples send the same idempotency key.
            heads.push((name, if name == "Idempotency-Key" { "$ONCE".to_owned() } else { example.to_owned() }));
        }
    }
    let content = operation["requestBody"]["content"].as_object().and_then(|it| it.iter().next());
    if let Some((kind, _)) = content {
        heads.push(("Content-Type", kind.clone()));
    }
    let body = content.map(|(_, content)| &content["example"]);
    SampleRequest { method, url: format!("{url}{path}"), headers: heads, body }
}

/// Draws an operation.
pub fn draw(page: &mut String, document: &Value, url: &str, path: &str, method: &str, operation: &Value) {
    let (id, upper) = (string_member(operation, "operationId"), method.to_ascii_uppercase());
    let _ = write!(
        page,
        r#"<section class="panel api__operation" id="{id}" aria-labelledby="{id}-name"><header class="panel__head"><h3 id="{id}-name">{}</h3><p class="api__address"><span class="api__method">{upper}</span> <code>{}</code></p></header><div class="panel__body stack stack--close">"#,
        escape_html(string_member(operation, "summary")),
        escape_html(path),
    );
    let about = string_member(operation, "description");
    if !about.is_empty() {
        let _ = write!(page, "<p>{}</p>", render_text(about));
    }
    if let Some(scope) = operation["security"][0]["management"][0].as_str() {
        let _ = write!(page, "<p>Requires a management token with the scope <code>{}</code>.</p>", escape_html(scope));
    }
    if operation["security"][0]["token"].is_array() {
        let or_key = operation["security"][1]["key"].is_array();
        page.push_str(if or_key {
            "<p>Requires a key or an access token of the project.</p>"
        } else {
            "<p>Requires an access token of the project.</p>"
        });
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: Vec<_> = parameters
        .map(|it| {
            let must = if it["required"] == true { "" } else { ", optional" };
            let kind = format!(
                "{}, {}{}{must}",
                string_member(it, "in"),
                type_name(&it["schema"]),
                describe_constraints(&it["schema"])
            );
            (string_member(it, "name").to_owned(), kind, string_member(it, "description").to_owned())
        })
        .collect();
    table(page, "Parameters", &rows);
    for content in operation["requestBody"]["content"].as_object().into_iter().flat_map(|it| it.values()) {
        table(page, "Request body", &members(document, &content["schema"]));
    }
    let answers = operation["responses"].as_object().into_iter().flatten();
    let rows: Vec<_> = answers
        .map(|(status, answer)| {
            let content = answer["content"].as_object().and_then(|it| it.values().next());
            let kind = content.map_or_else(|| "no body".to_owned(), |it| type_name(&it["schema"]));
            let status = if status == "default" { "other" } else { status };
            (status.to_owned(), kind, string_member(answer, "description").to_owned())
        })
        .collect();
    table(page, "Responses", &rows);
    let sent = request(url, path, &upper, operation);
    samples(page, string_member(operation, "summary"), [sent.curl(), sent.javascript(), sent.python()]);
    page.push_str("</div></section>");
}

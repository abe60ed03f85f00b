//! HTML building blocks of the page: text, types, and tables.

use serde_json::Value;
use std::fmt::Write as _;

/// Escapes a text for HTML.
pub fn escape_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Escapes a text and renders the parts between backticks as code.
pub fn render_text(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts
        .map(|(at, part)| if at % 2 == 1 { format!("<code>{}</code>", escape_html(part)) } else { escape_html(part) })
        .collect()
}

/// Returns a string member of a value. Empty if there is none.
pub fn string_member<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_default()
}

/// Resolves a reference to its schema.
fn resolve_reference<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    match schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        Some(name) => &document["components"]["schemas"][name],
        None => schema,
    }
}

/// Describes a type in a few words.
pub fn type_name(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.rsplit('/').next()) {
        return name.to_owned();
    }
    // Next to a `type`, `oneOf` and `anyOf` only constrain the value; they do not add another type.
    for many in ["oneOf", "anyOf"].into_iter().filter(|_| schema["type"].is_null()) {
        if let Some(some) = schema[many].as_array() {
            return some.iter().map(type_name).collect::<Vec<_>>().join(" or ");
        }
    }
    let one = |name: &str| match (name, schema["format"].as_str()) {
        ("array", _) => format!("list of {}", type_name(&schema["items"])),
        ("string", Some(format)) => format.to_owned(),
        (name, _) => name.to_owned(),
    };
    match &schema["type"] {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or "),
        _ => "any".to_owned(),
    }
}

/// Draws the samples of a request, one per language.
pub fn samples(page: &mut String, what: &str, code: [String; 3]) {
    for (language, code) in ["curl", "JavaScript", "Python"].into_iter().zip(code) {
        let _ = write!(
            page,
            r#"<details class="api__sample"><summary>{language}</summary><pre class="code" tabindex="0" role="group" aria-label="{} with {language}">{}</pre></details>"#,
            escape_html(what),
            escape_html(&code)
        );
    }
}

/// Describes the constraints of a value: ", one of live, test", ", 1 to 200", " ≥ 1", ", default 50".
pub fn describe_constraints(schema: &Value) -> String {
    let mut constraints = String::new();
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
        let _ = write!(constraints, ", one of {}", values.join(", "));
    }
    let of = |least: &str, most: &str| (schema[least].as_i64(), schema[most].as_i64());
    match of("minimum", "maximum") {
        (Some(least), Some(most)) => constraints.push_str(&format!(", {least} to {most}")),
        (Some(least), None) => constraints.push_str(&format!(" ≥ {least}")),
        (None, Some(most)) => constraints.push_str(&format!(" ≤ {most}")),
        (None, None) => {}
    }
    match of("minLength", "maxLength") {
        (Some(least), Some(most)) => constraints.push_str(&format!(", {least} to {most} characters")),
        (None, Some(most)) => constraints.push_str(&format!(", at most {most} characters")),
        _ => {}
    }
    if let Some(most) = schema["maxItems"].as_i64() {
        let _ = write!(constraints, ", at most {most} items");
    }
    if !schema["default"].is_null() {
        let _ = write!(constraints, ", default {}", schema["default"]);
    }
    constraints
}

/// Draws a table of members or parameters: name, type, description.
pub fn table(page: &mut String, caption: &str, rows: &[(String, String, String)]) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(page, r#"<table class="api__table"><caption>{}</caption><tbody>"#, escape_html(caption));
    for (name, kind, about) in rows {
        let _ = write!(
            page,
            r#"<tr><th scope="row"><code>{}</code></th><td>{}</td><td>{}</td></tr>"#,
            escape_html(name),
            escape_html(kind),
            render_text(about)
        );
    }
    page.push_str("</tbody></table>");
}

/// Lists the members of a body, including those of its `allOf` parts.
pub fn members(document: &Value, schema: &Value) -> Vec<(String, String, String)> {
    let schema = resolve_reference(document, schema);
    let mut rows: Vec<_> =
        schema["allOf"].as_array().into_iter().flatten().flat_map(|part| members(document, part)).collect();
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, member) in schema["properties"].as_object().into_iter().flatten() {
        let must = if required.contains(&name.as_str()) { "" } else { ", optional" };
        rows.push((
            name.clone(),
            format!("{}{}{must}", type_name(member), describe_constraints(member)),
            string_member(member, "description").to_owned(),
        ));
    }
    rows
}

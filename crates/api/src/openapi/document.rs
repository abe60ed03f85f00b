//! Generates the OpenAPI document. Used by tests only.

use super::{
    DOCUMENT,
    operations::{self, Operation, Security},
    schemas,
};
use crate::routes::ROUTES;
use serde::Serialize as _;
use serde_json::{Map, Value, json};

/// Converts a path from axum to OpenAPI: a wildcard becomes an ordinary parameter.
fn openapi_path(path: &str) -> String {
    path.replace("{*", "{")
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let mut all = Vec::new();
    for name in openapi_path(operation.path).split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
        let (kind, words) = operations::path_parameter(name);
        all.push(json!({"name": name, "in": "path", "required": true, "description": words, "schema": kind}));
    }
    for (name, place, required, schema, words) in &operation.parameters {
        all.push(json!({"name": name, "in": place, "required": required, "description": words, "schema": schema}));
    }
    all
}

fn security(security: Security) -> Value {
    match security {
        Security::Open => json!([]),
        Security::Bearer => json!([{"token": []}]),
        Security::BearerOrKey => json!([{"token": []}, {"key": []}]),
        Security::Client => json!([{"client": []}, {}]),
        Security::Management(scope) => json!([{"management": [scope]}]),
    }
}

fn operation_object(operation: &Operation) -> Value {
    let mut answers = Map::new();
    for answer in &operation.responses {
        let mut written = json!({"description": answer.description});
        if !answer.headers.is_empty() {
            let head = |(name, words): &(&str, &str)| {
                ((*name).to_owned(), json!({"description": words, "schema": {"type": "string"}}))
            };
            written["headers"] = Value::Object(answer.headers.iter().map(head).collect());
        }
        if let Some((kind, schema)) = &answer.content {
            written["content"] = json!({*kind: {"schema": schema}});
        }
        answers.insert(answer.status.to_owned(), written);
    }
    let mut written = json!({
        "operationId": operation.id, "tags": [operation.tag], "summary": operation.summary,
        "description": operation.description, "security": security(operation.security), "responses": answers,
    });
    let parameters = parameters(operation);
    if !parameters.is_empty() {
        written["parameters"] = Value::Array(parameters);
    }
    // Not by index: indexing would insert a null member.
    for parameter in written.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        if parameter["name"] == "Idempotency-Key" {
            // Visible ASCII characters, with spaces allowed inside.
            parameter["schema"]["pattern"] = json!("^[!-~]([ -~]{0,253}[!-~])?$");
        }
    }
    if let Some((kind, schema, example)) = &operation.body {
        written["requestBody"] = json!({"required": true, "content": {*kind: {"schema": schema, "example": example}}});
    }
    written
}

/// Builds the document from all routes of the table.
fn document() -> Value {
    let mut all = operations::all();
    let mut paths = Map::new();
    for route in ROUTES {
        let at = all.iter().position(|it| it.path == route.path && it.method == route.method.as_str());
        let at =
            at.unwrap_or_else(|| panic!("{} {} has no operation in http/openapi/operations", route.method, route.path));
        let operation = all.swap_remove(at);
        let item = paths.entry(openapi_path(route.path)).or_insert_with(|| json!({}));
        item[route.method.as_str().to_ascii_lowercase()] = operation_object(&operation);
    }
    let left: Vec<_> = all.iter().map(|it| format!("{} {}", it.method, it.path)).collect();
    assert!(left.is_empty(), "no route of the table: {left:?}");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Self-hosted API keys for a product that has an API",
            "description": "Errors are problem documents (RFC 9457) with a stable `code` and a `detail` that describes the problem. Errors of `/oauth/…` have the OAuth format (RFC 6749).",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": operations::TAGS.map(|(name, words)| json!({"name": name, "description": words})),
        "paths": paths,
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token of the project."},
                "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "A key’s secret, as a gateway forwards it."},
                "client": {"type": "http", "scheme": "basic", "description": "`key:<id>` and the key’s secret (RFC 6749 section 2.3.1)."},
                "management": {
                    "type": "oauth2", "description": "A management token: an access token of a key with these scopes.",
                    "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {
                        keyward_service::management_client::READ_SCOPE: "Read this project and its keys",
                        keyward_service::management_client::WRITE_SCOPE: "Create, edit, and deactivate the keys of this project",
                    }}},
                },
            },
        },
    })
}

#[test]
fn the_document_that_is_served_is_the_one_that_is_made() {
    // One line per member, so that a diff is readable, but without indentation, since the file is embedded in the
    // binary.
    let mut made = Vec::new();
    let lines = serde_json::ser::PrettyFormatter::with_indent(b"");
    document().serialize(&mut serde_json::Serializer::with_formatter(&mut made, lines)).unwrap();
    let made = format!("{}\n", String::from_utf8(made).unwrap());
    if std::env::var_os("KEYWARD_WRITE_OPENAPI").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/openapi/openapi.json");
        return std::fs::write(path, made).unwrap();
    }
    assert!(
        made == DOCUMENT,
        "openapi.json is outdated. Regenerate it: KEYWARD_WRITE_OPENAPI=1 cargo test --lib openapi"
    );
}

#[test]
fn every_reference_names_a_schema() {
    let made = document();
    let text = made.to_string();
    for name in text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(made["components"]["schemas"][name].is_object(), "{name}");
    }
    let mut ids: Vec<_> = operations::all().iter().map(|it| it.id).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "operation ids are unique");
}

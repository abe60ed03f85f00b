//! Operations of the management API.

use super::{Operation, Security};
use keyward_service::management_client::{READ_SCOPE, WRITE_SCOPE};
use serde_json::{Value, json};

/// The schema of a non-empty string.
fn some_text() -> Value {
    json!({"type": "string", "minLength": 1})
}

const PROJECT: &str = "/v1/projects/{id}";
const KEYS: &str = "/v1/projects/{id}/keys";
const KEY: &str = "/v1/projects/{id}/keys/{key}";

fn management_operation(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let scope = if method == "GET" { READ_SCOPE } else { WRITE_SCOPE };
    Operation::new(method, path, id, "Management", summary).with_security(Security::Management(scope))
}

/// Adds the error responses that all operations have in common.
fn with_common_errors(operation: Operation) -> Operation {
    let operation = if operation.responses.iter().any(|it| it.status == "400") {
        operation
    } else {
        operation.problem_response("400", "More than one token: `several_credentials`.")
    };
    let operation = operation
        .problem_response("401", "The token is missing or is not a valid management token.")
        .response_header("WWW-Authenticate", "A challenge with the required scope (RFC 6750 section 3).")
        .problem_response("429", "The rate limit of the client’s key is exceeded: `rate_limited`.")
        .response_header("Retry-After", "Seconds until the next request can succeed.");
    let operation = if operation.responses.iter().any(|it| it.status == "403") {
        operation
    } else {
        operation.problem_response("403", "The token lacks the scope: `missing_scope`.")
    };
    match operation.path.contains('{') {
        true => operation.problem_response("404", "The resource does not exist or belongs to another project."),
        false => operation,
    }
    .default_response()
}

fn key(operation: Operation) -> Operation {
    operation
        .json_response("200", "Key", "The current state of the key.")
        .response_header("ETag", "The version of the key.")
        .response_header("Cache-Control", "no-store")
}

fn change(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    words: &'static str,
) -> Operation {
    let operation = key(management_operation(method, path, id, summary))
        .with_description(words)
        .header("If-Match", false, "The `ETag` of an earlier response. The change applies only if the key has not changed since.")
        .problem_response(
            "403",
            "The token lacks the scope (`missing_scope`) or was issued for a user grant (`key_needed`). The key has another \
             environment than the client’s key, or exceeds it when activated or restored (`wider_than_maker`). An \
             administrator deactivated the key (`forbidden`).",
        )
        .problem_response("412", "The key has changed since that `ETag`: `changed_meanwhile`.");
    let operation = match id {
        "deactivateKey" | "activateKey" => operation.problem_response("409", "The key is deleted: `conflict`."),
        _ => operation,
    };
    with_common_errors(operation)
}

const WIDER: &str = "The token lacks the scope (`missing_scope`) or was issued for a user grant (`key_needed`), or the key would exceed the client’s key: \
    `wider_than_maker`, with `errors`.";

pub fn all() -> Vec<Operation> {
    vec![
        with_common_errors(
            management_operation("GET", "/v1/projects", "listProjects", "List projects")
                .with_description("Returns the project of the client’s key.")
                .json_response("200", "Projects", "The projects."),
        ),
        with_common_errors(management_operation("GET", PROJECT, "readProject", "Read a project").json_response("200", "Project", "The project.")),
        with_common_errors(
            management_operation("GET", KEYS, "listKeys", "List keys")
                .with_description("Newest first. All pages of a list show the same point in time: keys that are created later do not move entries.")
                .query(
                    "status",
                    json!({"type": "string", "enum": ["active", "scheduled", "expired", "inactive", "deleted"]}),
                    "Default: all keys that are not deleted.",
                )
                .query("environment", json!({"type": "string", "enum": ["live", "test"]}), "Only keys of this environment.")
                .query("text", some_text(), "Text in the name, the preview, issued to, or the description. Case and accents are ignored. A page reads at most 100,000 keys, so it can have few keys or none and still a `next_cursor`.")
                .query("issued_to", some_text(), "Only keys issued to exactly this name.")
                .query("limit", json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}), "Keys per page.")
                .query("cursor", some_text(), "The `next_cursor` of the previous page, unchanged.")
                .json_response("200", "Keys", "A page of keys.")
                .problem_response("422", "A parameter is unknown or repeated (`invalid_query`), or a value is not valid (`invalid_query` or `invalid`)."),
        ),
        with_common_errors(
            management_operation("POST", KEYS, "createKey", "Create a key")
                .with_description(
                    "Only this response contains the secret. The new key cannot exceed the client’s key: it has no more scopes or \
                     networks and no later expiry, and the same environment and project.",
                )
                .header_with_example(
                    "Idempotency-Key",
                    false,
                    "nightly-2026-11-21",
                    "1 to 255 ASCII characters. A repeated request with the same body does not create a second key. With another body it is denied.",
                )
                .json_body("NewKey", json!({"name": "Nightly job", "scopes": ["data:read"], "expires_in_days": 30}))
                .json_response("201", "CreatedKey", "The key with its secret.")
                .response_header("Location", "The path of the key.")
                .response_header("ETag", "The version of the key.")
                .response_header("Cache-Control", "no-store")
                .problem_response("400", "The body is not JSON (`malformed_json`), the idempotency key is not valid (`invalid_idempotency_key`), or there is more than one token (`several_credentials`).")
                .problem_response("403", WIDER)
                .problem_response(
                    "409",
                    "The idempotency key already created a key (`already_made`, with `X-Keyward-Key-Id`), or the project has the \
                     maximum number of keys (`conflict`).",
                )
                .response_header("X-Keyward-Key-Id", "The ID of the key that was created.")
                .problem_response("415", "The `Content-Type` is not JSON, or the body is compressed.")
                .problem_response(
                    "422",
                    "A field is missing, unknown, or of the wrong type (`invalid_body`), a value is not valid (`invalid`, with \
                     `errors`), or the idempotency key was sent with another body (`idempotency_key_reused`).",
                ),
        ),
        with_common_errors(
            key(management_operation("GET", KEY, "readKey", "Read a key").header("If-None-Match", false, "The `ETag` of an earlier response."))
                .empty_response("304", "Not modified."),
        ),
        with_common_errors(
            key(management_operation("PATCH", KEY, "editKey", "Edit a key")
                .with_description(
                    "Fields that are left out do not change. The edited key must be within the client’s key, or within its own \
                     previous privileges, in all respects at once.",
                )
                .header_with_example("If-Match", true, "$ETAG", "The `ETag` of an earlier response, or `*` for any version.")
                .json_body("KeyChanges", json!({"name": "Nightly export", "rate_limit": "100/minute"})))
            .problem_response("400", "The body is not JSON (`malformed_json`), or there is more than one token (`several_credentials`).")
            .problem_response("403", WIDER)
            .problem_response("409", "The key is deleted: `conflict`.")
            .problem_response("412", "The key has changed since that `ETag`: `changed_meanwhile`.")
            .problem_response("415", "The `Content-Type` is not JSON, or the body is compressed.")
            .problem_response("422", "A field is unknown or of the wrong type (`invalid_body`), or a value is not valid (`invalid`, with `errors`).")
            .problem_response("428", "`If-Match` is missing: `if_match_required`."),
        ),
        change(
            "DELETE",
            KEY,
            "deleteKey",
            "Delete a key",
            "The key and its tokens are denied from the next request. The key can be restored for 7 days. If it is already deleted, nothing changes.",
        ),
        change(
            "POST",
            "/v1/projects/{id}/keys/{key}/deactivate",
            "deactivateKey",
            "Deactivate a key",
            "The key and its tokens are denied from the next request until the key is activated. If it is already inactive, nothing changes.",
        ),
        change(
            "POST",
            "/v1/projects/{id}/keys/{key}/activate",
            "activateKey",
            "Activate a key",
            "The key is accepted again. If it is already active, nothing changes.",
        ),
        change(
            "POST",
            "/v1/projects/{id}/keys/{key}/restore",
            "restoreKey",
            "Restore a deleted key",
            "The key returns to its previous state. If it is not deleted, nothing changes.",
        ),
    ]
}

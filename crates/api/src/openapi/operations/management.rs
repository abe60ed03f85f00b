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
        .problem_response("401", "No token, or none for management that is good.")
        .response_header("WWW-Authenticate", "RFC 6750 section 3, with the scope that is needed.")
        .problem_response("429", "The limit of the key behind the token: `rate_limited`.")
        .response_header("Retry-After", "Seconds.");
    let operation = if operation.responses.iter().any(|it| it.status == "403") {
        operation
    } else {
        operation.problem_response("403", "The token lacks the scope: `missing_scope`.")
    };
    match operation.path.contains('{') {
        true => operation.problem_response("404", "It is not there, or of another project: the same answer."),
        false => operation,
    }
    .default_response()
}

fn key(operation: Operation) -> Operation {
    operation
        .json_response("200", "Key", "The key as it is now.")
        .response_header("ETag", "Which state of the key this is.")
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
        .header("If-Match", false, "The `ETag` of the answer that showed the key: then only if it is still so.")
        .problem_response(
            "403",
            "The token lacks the scope (`missing_scope`) or is one that a person allowed (`key_needed`); the key is of another \
             environment, or, to be started again, reaches further than the one behind the token (`wider_than_maker`); an \
             administrator stopped it (`forbidden`).",
        )
        .problem_response("412", "The key was changed since then: `changed_meanwhile`.");
    let operation = match id {
        "deactivateKey" | "activateKey" => operation.problem_response("409", "The key is deleted: `conflict`."),
        _ => operation,
    };
    with_common_errors(operation)
}

const WIDER: &str = "The token lacks the scope (`missing_scope`) or is one that a person allowed (`key_needed`), or the key would reach further than the one behind the token: \
    `wider_than_maker`, with `errors`.";

pub fn all() -> Vec<Operation> {
    vec![
        with_common_errors(
            management_operation("GET", "/v1/projects", "listProjects", "List projects")
                .with_description("The one project that the key behind the token belongs to.")
                .json_response("200", "Projects", "The projects."),
        ),
        with_common_errors(management_operation("GET", PROJECT, "readProject", "Read a project").json_response("200", "Project", "The project.")),
        with_common_errors(
            management_operation("GET", KEYS, "listKeys", "List keys")
                .with_description("The newest first. The pages of one list are of one instant: what is made meanwhile moves nothing.")
                .query(
                    "status",
                    json!({"type": "string", "enum": ["active", "scheduled", "expired", "inactive", "deleted"]}),
                    "Without it, whatever is not deleted.",
                )
                .query("environment", json!({"type": "string", "enum": ["live", "test"]}), "Of one environment.")
                .query("text", some_text(), "In the name, the preview or whom it was issued to, without regard to case and accents. A page reads at most 100,000 keys: it can have few or none, and a `next_cursor`.")
                .query("issued_to", some_text(), "Issued to just this name.")
                .query("limit", json!({"type": "integer", "minimum": 1, "maximum": 200, "default": 50}), "Keys on a page.")
                .query("cursor", some_text(), "The `next_cursor` of the page before, as it stands.")
                .json_response("200", "Keys", "A page of keys.")
                .problem_response("422", "A parameter is unknown, twice there or wrong: `invalid_query` or `invalid`."),
        ),
        with_common_errors(
            management_operation("POST", KEYS, "createKey", "Make a key")
                .with_description(
                    "The secret is in this one answer and nowhere else. What is left out is as with the key behind the token. The new \
                     key reaches no further than that one: no more scopes, networks or life, the same environment and project.",
                )
                .header_with_example(
                    "Idempotency-Key",
                    false,
                    "nightly-2026-11-21",
                    "1 to 255 characters. Sent again with the same body it makes no second key; with another it is refused.",
                )
                .json_body("NewKey", json!({"name": "Nightly job", "scopes": ["data:read"], "expires_in_days": 30}))
                .json_response("201", "MadeKey", "The key, with its secret.")
                .response_header("Location", "The key’s address.")
                .response_header("ETag", "Which state of the key this is.")
                .response_header("Cache-Control", "no-store")
                .problem_response("400", "The body is no JSON (`malformed_json`), the idempotency key is none (`invalid_idempotency_key`), or there is more than one token (`several_credentials`).")
                .problem_response("403", WIDER)
                .problem_response(
                    "409",
                    "The idempotency key has made its key already (`already_made`, with `X-Keyward-Key-Id`), or the project has as \
                     many keys as the policy allows (`conflict`).",
                )
                .response_header("X-Keyward-Key-Id", "The key that was made.")
                .problem_response("415", "The body is not said to be JSON, or is compressed.")
                .problem_response(
                    "422",
                    "A member is missing, unknown or of the wrong type (`invalid_body`), or wrong (`invalid`, with `errors`); or the \
                     idempotency key was sent with another body (`idempotency_key_reused`).",
                ),
        ),
        with_common_errors(
            key(management_operation("GET", KEY, "readKey", "Read a key").header("If-None-Match", false, "The `ETag` of the state that you have."))
                .empty_response("304", "The key is in that state."),
        ),
        with_common_errors(
            key(management_operation("PATCH", KEY, "editKey", "Edit a key")
                .with_description(
                    "What is not named stays as it is. The key lies afterwards within the one behind the token, or within what it was \
                     before, in everything at once: no program widens itself or others beyond itself.",
                )
                .header_with_example("If-Match", true, "$ETAG", "The `ETag` of the answer that showed the key; `*`: whatever it has become.")
                .json_body("KeyChanges", json!({"name": "Nightly export", "rate_limit": "100/minute"})))
            .problem_response("400", "The body is no JSON (`malformed_json`), or there is more than one token (`several_credentials`).")
            .problem_response("403", WIDER)
            .problem_response("409", "The key is deleted: `conflict`.")
            .problem_response("412", "The key was changed since then: `changed_meanwhile`.")
            .problem_response("415", "The body is not said to be JSON, or is compressed.")
            .problem_response("422", "A member is unknown or of the wrong type (`invalid_body`), or wrong (`invalid`, with `errors`).")
            .problem_response("428", "There is no `If-Match`: `if_match_required`."),
        ),
        change(
            "DELETE",
            KEY,
            "deleteKey",
            "Delete a key",
            "It is refused from the next request on, as are its tokens; for seven days it can be restored. Twice is no error.",
        ),
        change(
            "POST",
            "/v1/projects/{id}/keys/{key}/deactivate",
            "deactivateKey",
            "Deactivate a key",
            "It is refused from the next request on, as are its tokens, until it is activated. Twice is no error.",
        ),
        change(
            "POST",
            "/v1/projects/{id}/keys/{key}/activate",
            "activateKey",
            "Activate a key",
            "It is accepted again. Twice is no error.",
        ),
        change(
            "POST",
            "/v1/projects/{id}/keys/{key}/restore",
            "restoreKey",
            "Restore a deleted key",
            "It is back in the state that it had. Twice is no error.",
        ),
    ]
}

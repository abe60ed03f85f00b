//! Operations of the management API.

use super::{Operation, Security};
use crate::service::program::{READ, WRITE};
use serde_json::{Value, json};

/// The schema of a non-empty string.
fn some_text() -> Value {
    json!({"type": "string", "minLength": 1})
}

const PROJECT: &str = "/v1/projects/{id}";
const KEYS: &str = "/v1/projects/{id}/keys";
const KEY: &str = "/v1/projects/{id}/keys/{key}";

fn of(method: &'static str, path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    let scope = if method == "GET" { READ } else { WRITE };
    Operation::new(method, path, id, "Management", summary).by(Security::Management(scope))
}

/// Adds the error responses that all operations have in common.
fn refused(operation: Operation) -> Operation {
    let operation = if operation.answers.iter().any(|it| it.status == "400") {
        operation
    } else {
        operation.refuses("400", "More than one token: `several_credentials`.")
    };
    let operation = operation
        .refuses("401", "No token, or none for management that is good.")
        .headed("WWW-Authenticate", "RFC 6750 section 3, with the scope that is needed.")
        .refuses("429", "The limit of the key behind the token: `rate_limited`.")
        .headed("Retry-After", "Seconds.");
    let operation = if operation.answers.iter().any(|it| it.status == "403") {
        operation
    } else {
        operation.refuses("403", "The token lacks the scope: `missing_scope`.")
    };
    match operation.path.contains('{') {
        true => operation.refuses("404", "It is not there, or of another project: the same answer."),
        false => operation,
    }
    .and_else()
}

fn key(operation: Operation) -> Operation {
    operation
        .gives("200", "Key", "The key as it is now.")
        .headed("ETag", "Which state of the key this is.")
        .headed("Cache-Control", "no-store")
}

fn change(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    words: &'static str,
) -> Operation {
    let operation = key(of(method, path, id, summary))
        .says(words)
        .head("If-Match", false, "The `ETag` of the answer that showed the key: then only if it is still so.")
        .refuses(
            "403",
            "The token lacks the scope (`missing_scope`) or is one that a person allowed (`key_needed`); the key is of another \
             environment, or, to be started again, reaches further than the one behind the token (`wider_than_maker`); an \
             administrator stopped it (`forbidden`).",
        )
        .refuses("412", "The key was changed since then: `changed_meanwhile`.");
    let operation = match id {
        "deactivateKey" | "activateKey" => operation.refuses("409", "The key is deleted: `conflict`."),
        _ => operation,
    };
    refused(operation)
}

const WIDER: &str = "The token lacks the scope (`missing_scope`) or is one that a person allowed (`key_needed`), or the key would reach further than the one behind the token: \
    `wider_than_maker`, with `errors`.";

pub fn all() -> Vec<Operation> {
    vec![
        refused(
            of("GET", "/v1/projects", "listProjects", "List projects")
                .says("The one project that the key behind the token belongs to.")
                .gives("200", "Projects", "The projects."),
        ),
        refused(of("GET", PROJECT, "readProject", "Read a project").gives("200", "Project", "The project.")),
        refused(
            of("GET", KEYS, "listKeys", "List keys")
                .says("The newest first. The pages of one list are of one instant: what is made meanwhile moves nothing.")
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
                .gives("200", "Keys", "A page of keys.")
                .refuses("422", "A parameter is unknown, twice there or wrong: `invalid_query` or `invalid`."),
        ),
        refused(
            of("POST", KEYS, "createKey", "Make a key")
                .says(
                    "The secret is in this one answer and nowhere else. What is left out is as with the key behind the token. The new \
                     key reaches no further than that one: no more scopes, networks or life, the same environment and project.",
                )
                .head_such(
                    "Idempotency-Key",
                    false,
                    "nightly-2026-11-21",
                    "1 to 255 characters. Sent again with the same body it makes no second key; with another it is refused.",
                )
                .takes("NewKey", json!({"name": "Nightly job", "scopes": ["data:read"], "expires_in_days": 30}))
                .gives("201", "MadeKey", "The key, with its secret.")
                .headed("Location", "The key’s address.")
                .headed("ETag", "Which state of the key this is.")
                .headed("Cache-Control", "no-store")
                .refuses("400", "The body is no JSON (`malformed_json`), the idempotency key is none (`invalid_idempotency_key`), or there is more than one token (`several_credentials`).")
                .refuses("403", WIDER)
                .refuses(
                    "409",
                    "The idempotency key has made its key already (`already_made`, with `X-Keyward-Key-Id`), or the project has as \
                     many keys as the policy allows (`conflict`).",
                )
                .headed("X-Keyward-Key-Id", "The key that was made.")
                .refuses("415", "The body is not said to be JSON, or is compressed.")
                .refuses(
                    "422",
                    "A member is missing, unknown or of the wrong type (`invalid_body`), or wrong (`invalid`, with `errors`); or the \
                     idempotency key was sent with another body (`idempotency_key_reused`).",
                ),
        ),
        refused(
            key(of("GET", KEY, "readKey", "Read a key").head("If-None-Match", false, "The `ETag` of the state that you have."))
                .gives_nothing("304", "The key is in that state."),
        ),
        refused(
            key(of("PATCH", KEY, "editKey", "Edit a key")
                .says(
                    "What is not named stays as it is. The key lies afterwards within the one behind the token, or within what it was \
                     before, in everything at once: no program widens itself or others beyond itself.",
                )
                .head_such("If-Match", true, "$ETAG", "The `ETag` of the answer that showed the key; `*`: whatever it has become.")
                .takes("KeyChanges", json!({"name": "Nightly export", "rate_limit": "100/minute"})))
            .refuses("400", "The body is no JSON (`malformed_json`), or there is more than one token (`several_credentials`).")
            .refuses("403", WIDER)
            .refuses("409", "The key is deleted: `conflict`.")
            .refuses("412", "The key was changed since then: `changed_meanwhile`.")
            .refuses("415", "The body is not said to be JSON, or is compressed.")
            .refuses("422", "A member is unknown or of the wrong type (`invalid_body`), or wrong (`invalid`, with `errors`).")
            .refuses("428", "There is no `If-Match`: `if_match_required`."),
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

//! Operations of key and token verification.

use super::{Operation, Security};
use serde_json::json;

const AUTH: &str = "Asked by a gateway for each request of its client: nginx’s `auth_request`, Caddy’s and Traefik’s forward auth, Envoy’s \
    `ext_authz`. Every method is taken, and no body is read.";

fn auth(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Verification", summary).with_description(AUTH).with_security(Security::BearerOrKey)
}

fn with_decision_responses(operation: Operation) -> Operation {
    operation
        .empty_response("200", "It may pass.")
        .response_header("X-Keyward-Key-Id", "The key’s id.")
        .response_header("X-Keyward-Project-Id", "Its project’s.")
        .response_header("X-Keyward-Scopes", "What it may do, with spaces between.")
        .response_header("X-Keyward-Issued-To", "Whom it was issued to, percent-encoded, if it was.")
        .problem_response("401", "Nothing was presented, too much, or nothing that is good.")
        .response_header("WWW-Authenticate", "RFC 6750 section 3.")
        .response_header("X-Keyward-Code", "The stable code.")
        .problem_response(
            "403",
            "`missing_scope`, `wrong_project` or `wrong_network`; with `limited=403` `rate_limited` too.",
        )
        .response_header("X-Keyward-Code", "The stable code.")
        .problem_response("422", "The gateway’s question was not understood: `invalid_query`.")
        .response_header("X-Keyward-Code", "The stable code.")
        .problem_response("429", "The key’s limit: `rate_limited`.")
        .response_header("Retry-After", "Seconds.")
        .default_response()
}

fn by_headers(operation: Operation) -> Operation {
    with_decision_responses(
        operation.header("X-Keyward-Project", false, "A project’s id, or several of which one must fit.").header(
            "X-Keyward-Scope",
            false,
            "Scopes that it must have, with spaces between.",
        ),
    )
}

pub fn all() -> Vec<Operation> {
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    vec![
        Operation::new("POST", "/v1/keys/verify", "verifyKey", "Verification", "Verify a key or a token")
            .with_description(
                "The answer to a well-formed question is 200, whatever the decision: read `valid`. A valid key says only that its \
                 project vouches for it: send `project` if your API serves several.",
            )
            .json_body("VerifyRequest", json!({"key": "kw_live_…", "scopes": ["data:read"]}))
            .json_response("200", "Decision", "The decision.")
            .problem_response("400", "The body is no JSON: `malformed_json`.")
            .problem_response("415", "The body is not said to be JSON, or is compressed.")
            .problem_response("422", "A member is missing, unknown or wrong: `invalid_body`.")
            .default_response(),
        Operation::new("POST", "/v1/keys/verify:batch", "verifyKeys", "Verification", "Verify up to 1,000 keys or tokens")
            .json_body("BatchRequest", json!({"keys": [{"key": "kw_live_…"}, {"key": "kw_live_…"}]}))
            .json_response("200", "Batch", "The decisions, in their order.")
            .problem_response("400", "The body is no JSON: `malformed_json`.")
            .problem_response("415", "The body is not said to be JSON, or is compressed.")
            .problem_response("422", "A member is missing, unknown or wrong: `invalid_body`.")
            .default_response(),
        with_decision_responses(
            auth("/v1/auth", "authorise", "May this request pass?")
                .query("project", texts(), "A project’s id; several: one of them must fit.")
                .query("scope", texts(), "A scope that it must have; several, or with spaces between: all of them.")
                .query("limited", json!({"type": "string", "enum": ["403", "429"]}), "The status of a limited call."),
        ),
        by_headers(auth("/v1/auth/", "authoriseRoot", "May this request for Envoy’s root pass?")),
        by_headers(auth("/v1/auth/{*rest}", "authorisePath", "May this request of Envoy’s client pass?")),
    ]
}

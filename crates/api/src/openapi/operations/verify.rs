//! Operations of key and token verification.

use super::{Operation, Security};
use serde_json::json;

const AUTH: &str = "Called by a gateway for each request of its client: nginx `auth_request`, Caddy and Traefik forward auth, Envoy \
    `ext_authz`. Every method is accepted, and the body is ignored.";

fn auth(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Verification", summary).with_description(AUTH).with_security(Security::BearerOrKey)
}

fn with_decision_responses(operation: Operation) -> Operation {
    operation
        .empty_response("200", "The request is allowed.")
        .response_header("X-Keyward-Key-Id", "The ID of the key.")
        .response_header("X-Keyward-Project-Id", "The ID of its project.")
        .response_header("X-Keyward-Scopes", "The scopes of the key or token, separated by spaces.")
        .response_header(
            "X-Keyward-Issued-To",
            "The name that the key was issued to, percent-encoded. Absent if not set.",
        )
        .problem_response("401", "The key or token is missing or not valid, or there is more than one.")
        .response_header("WWW-Authenticate", "A challenge (RFC 6750 section 3).")
        .response_header("X-Keyward-Code", "The reason code.")
        .problem_response(
            "403",
            "`missing_scope`, `wrong_project`, or `wrong_network`; with `limited=403` also `rate_limited`.",
        )
        .response_header("X-Keyward-Code", "The reason code.")
        .problem_response("422", "The parameters of the gateway are not valid: `invalid_query`.")
        .response_header("X-Keyward-Code", "The reason code.")
        .problem_response("429", "The rate limit of the key is exceeded: `rate_limited`.")
        .response_header("Retry-After", "Seconds until the next request can succeed.")
        .default_response()
}

fn by_headers(operation: Operation) -> Operation {
    with_decision_responses(
        operation
            .header(
                "X-Keyward-Project",
                false,
                "The required project: a project ID, or several of which one must match.",
            )
            .header("X-Keyward-Scope", false, "The required scopes, separated by spaces."),
    )
}

pub fn all() -> Vec<Operation> {
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    vec![
        Operation::new("POST", "/v1/keys/verify", "verifyKey", "Verification", "Verify a key or a token")
            .with_description(
                "A well-formed request always gets 200. Read `valid` for the decision. A valid result means only that the project \
                 of the key vouches for it. Send `project` if your API serves several projects.",
            )
            .json_body("VerifyRequest", json!({"key": "kw_live_…", "scopes": ["data:read"]}))
            .json_response("200", "Decision", "The decision.")
            .problem_response("400", "The body is not JSON: `malformed_json`.")
            .problem_response("415", "The `Content-Type` is not JSON, or the body is compressed.")
            .problem_response("422", "A field is missing, unknown, or not valid: `invalid_body`.")
            .default_response(),
        Operation::new("POST", "/v1/keys/verify:batch", "verifyKeys", "Verification", "Verify up to 1,000 keys or tokens")
            .json_body("BatchRequest", json!({"keys": [{"key": "kw_live_…"}, {"key": "kw_live_…"}]}))
            .json_response("200", "Batch", "The decisions, in the order of the requests.")
            .problem_response("400", "The body is not JSON: `malformed_json`.")
            .problem_response("415", "The `Content-Type` is not JSON, or the body is compressed.")
            .problem_response("422", "A field is missing, unknown, or not valid: `invalid_body`.")
            .default_response(),
        with_decision_responses(
            auth("/v1/auth", "authorise", "Authorize a request")
                .query("project", texts(), "The required project ID. If repeated, one of them must match.")
                .query("scope", texts(), "The required scope. If repeated or separated by spaces, all of them are required.")
                .query("limited", json!({"type": "string", "enum": ["403", "429"]}), "The status of a rate-limited request."),
        ),
        by_headers(auth("/v1/auth/", "authoriseRoot", "Authorize a request for the root path (Envoy)")),
        by_headers(auth("/v1/auth/{*rest}", "authorisePath", "Authorize a request for any path (Envoy)")),
    ]
}

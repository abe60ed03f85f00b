//! Operations of key and token verification.

use super::{Operation, Security};
use serde_json::json;

const AUTH: &str = "Asked by a gateway for each request of its client: nginx’s `auth_request`, Caddy’s and Traefik’s forward auth, Envoy’s \
    `ext_authz`. Every method is taken, and no body is read.";

fn auth(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Verification", summary).says(AUTH).by(Security::BearerOrKey)
}

fn decided(operation: Operation) -> Operation {
    operation
        .gives_nothing("200", "It may pass.")
        .headed("X-Keyward-Key-Id", "The key’s id.")
        .headed("X-Keyward-Project-Id", "Its project’s.")
        .headed("X-Keyward-Scopes", "What it may do, with spaces between.")
        .headed("X-Keyward-Issued-To", "Whom it was issued to, percent-encoded, if it was.")
        .refuses("401", "Nothing was presented, too much, or nothing that is good.")
        .headed("WWW-Authenticate", "RFC 6750 section 3.")
        .headed("X-Keyward-Code", "The stable code.")
        .refuses("403", "`missing_scope`, `wrong_project` or `wrong_network`; with `limited=403` `rate_limited` too.")
        .headed("X-Keyward-Code", "The stable code.")
        .refuses("422", "The gateway’s question was not understood: `invalid_query`.")
        .headed("X-Keyward-Code", "The stable code.")
        .refuses("429", "The key’s limit: `rate_limited`.")
        .headed("Retry-After", "Seconds.")
        .and_else()
}

fn by_headers(operation: Operation) -> Operation {
    decided(operation.head("X-Keyward-Project", false, "A project’s id, or several of which one must fit.").head(
        "X-Keyward-Scope",
        false,
        "Scopes that it must have, with spaces between.",
    ))
}

pub fn all() -> Vec<Operation> {
    let texts = || json!({"type": "array", "items": {"type": "string"}});
    vec![
        Operation::new("POST", "/v1/keys/verify", "verifyKey", "Verification", "Verify a key or a token")
            .says(
                "The answer to a well-formed question is 200, whatever the decision: read `valid`. A valid key says only that its \
                 project vouches for it: send `project` if your API serves several.",
            )
            .takes("VerifyRequest", json!({"key": "kw_live_…", "scopes": ["data:read"]}))
            .gives("200", "Decision", "The decision.")
            .refuses("400", "The body is no JSON: `malformed_json`.")
            .refuses("415", "The body is not said to be JSON, or is compressed.")
            .refuses("422", "A member is missing, unknown or wrong: `invalid_body`.")
            .and_else(),
        Operation::new("POST", "/v1/keys/verify:batch", "verifyKeys", "Verification", "Verify up to 1,000 keys or tokens")
            .takes("BatchRequest", json!({"keys": [{"key": "kw_live_…"}, {"key": "kw_live_…"}]}))
            .gives("200", "Batch", "The decisions, in their order.")
            .refuses("400", "The body is no JSON: `malformed_json`.")
            .refuses("415", "The body is not said to be JSON, or is compressed.")
            .refuses("422", "A member is missing, unknown or wrong: `invalid_body`.")
            .and_else(),
        decided(
            auth("/v1/auth", "authorise", "May this request pass?")
                .query("project", texts(), "A project’s id; several: one of them must fit.")
                .query("scope", texts(), "A scope that it must have; several, or with spaces between: all of them.")
                .query("limited", json!({"type": "string", "enum": ["403", "429"]}), "The status of a limited call."),
        ),
        by_headers(auth("/v1/auth/", "authoriseRoot", "May this request for Envoy’s root pass?")),
        by_headers(auth("/v1/auth/{*rest}", "authorisePath", "May this request of Envoy’s client pass?")),
    ]
}

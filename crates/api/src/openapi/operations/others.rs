//! Operations of the key exchange, the project config, and the endpoints for the operator of this Keyward instance.

use super::{Operation, Security};
use serde_json::json;

const CONFIG: &str = "The JSON object that an owner of the project saved, as it was saved.";

fn config(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .with_description(CONFIG)
        .with_security(Security::Bearer)
        .typed_response("200", "application/json", json!({"type": "object"}), "The config.")
        .problem_response("400", "More than one token: `several_credentials`.")
        .problem_response("401", "No token, or none that is good for this project.")
        .response_header("WWW-Authenticate", "RFC 6750 section 3.")
        .default_response()
}

fn jwks(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .json_response("200", "Jwks", "The public keys.")
        .default_response()
}

fn file(path: &'static str, id: &'static str, summary: &'static str, kind: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .header("If-None-Match", false, "The `ETag` of the file that you have.")
        .typed_response("200", kind, json!({"type": "string"}), "The file.")
        .response_header("ETag", "Which text this is.")
        .empty_response("304", "You have it.")
        .default_response()
}

pub fn all() -> Vec<Operation> {
    let plain = |path, id, summary| Operation::new("GET", path, id, "Operation", summary);
    vec![
        Operation::new("POST", "/authentication/token", "exchangeKey", "Tokens", "Exchange a key for an access token")
            .with_description("The token lives a day unless less is asked for, and never longer than the key or than the project allows.")
            .json_body("TokenRequest", json!({"secret_key": "kw_live_…"}))
            .json_response("200", "Token", "The token.")
            .response_header("Cache-Control", "no-store")
            .problem_response("400", "The body is no JSON: `malformed_json`.")
            .problem_response("401", "A rule refused the key; `code` says which.")
            .response_header("WWW-Authenticate", "RFC 9110 section 11.6.1.")
            .problem_response("415", "The body is not said to be JSON, or is compressed.")
            .problem_response("422", "A member is missing, unknown or wrong: `invalid_body`.")
            .problem_response("429", "The key’s limit: `rate_limited`.")
            .response_header("Retry-After", "Seconds.")
            .default_response(),
        config("/v1/projects/{id}/config", "readConfig", "Read a project’s config"),
        config("/pops/{id}/config", "readPopConfig", "Read a project’s config, at its other address"),
        jwks("/.well-known/jwks.json", "readSigningKeys", "Read the public keys that tokens are signed with")
            .with_description("Ed25519 keys (RFC 8037), or RSA keys (RFC 7518) where tokens are signed with RS256."),
        jwks(
            "/.well-known/keyward-audit-keys.json",
            "readAuditKeys",
            "Read the public keys that checkpoints of the audit log are signed with",
        ),
        file("/sdk/v1.js", "readSdk", "Read the module for browsers", "text/javascript"),
        file("/sdk/v1.d.ts", "readSdkTypes", "Read the types of the module for browsers", "application/typescript"),
        plain("/openapi.json", "readOpenApi", "Read this document")
            .typed_response("200", "application/json", json!({"type": "object"}), "OpenAPI 3.1.")
            .default_response(),
        plain("/.well-known/security.txt", "readSecurityContact", "Read where to report a vulnerability (RFC 9116)")
            .with_description("Only with `KEYWARD_SECURITY_CONTACT`.")
            .typed_response("200", "text/plain", json!({"type": "string"}), "The file.")
            .default_response(),
        plain("/metrics", "readMetrics", "Read the metrics")
            .typed_response("200", "application/openmetrics-text", json!({"type": "string"}), "OpenMetrics, for Prometheus.")
            .default_response(),
        plain("/healthz", "readHealth", "Whether the process lives").json_response("200", "Health", "It does.").default_response(),
        plain("/readyz", "readReadiness", "Whether it can answer")
            .json_response("200", "Health", "The database answers, has every migration, and takes writes.")
            .problem_response("503", "Which part is not there: `not_ready`.")
            .default_response(),
    ]
}

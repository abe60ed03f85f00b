//! Operations of the key exchange, the project config, and the endpoints for the operator of this Keyward instance.

use super::{Operation, Security};
use serde_json::json;

const CONFIG: &str = "Returns the JSON object that a project owner saved, unchanged.";

fn config(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .with_description(CONFIG)
        .with_security(Security::Bearer)
        .typed_response("200", "application/json", json!({"type": "object"}), "The config.")
        .problem_response("400", "More than one token: `several_credentials`.")
        .problem_response("401", "The token is missing or is not valid for this project.")
        .response_header("WWW-Authenticate", "A challenge (RFC 6750 section 3).")
        .default_response()
}

fn jwks(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .json_response("200", "Jwks", "The public keys.")
        .default_response()
}

fn file(path: &'static str, id: &'static str, summary: &'static str, kind: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .header("If-None-Match", false, "The `ETag` of an earlier response.")
        .typed_response("200", kind, json!({"type": "string"}), "The file.")
        .response_header("ETag", "The version of the file.")
        .empty_response("304", "Not modified.")
        .default_response()
}

pub fn all() -> Vec<Operation> {
    let plain = |path, id, summary| Operation::new("GET", path, id, "Operation", summary);
    vec![
        Operation::new("POST", "/authentication/token", "exchangeKey", "Tokens", "Exchange a key for an access token")
            .with_description("The token is valid for one day or the requested time, limited by the project’s maximum and the expiry of the key.")
            .json_body("TokenRequest", json!({"secret_key": "kw_live_…"}))
            .json_response("200", "Token", "The token.")
            .response_header("Cache-Control", "no-store")
            .problem_response("400", "The body is not JSON: `malformed_json`.")
            .problem_response("401", "The key is denied. `code` is the reason.")
            .response_header("WWW-Authenticate", "A challenge (RFC 9110 section 11.6.1).")
            .problem_response("415", "The `Content-Type` is not JSON, or the body is compressed.")
            .problem_response("422", "A field is missing, unknown, or not valid: `invalid_body`.")
            .problem_response("429", "The rate limit of the key is exceeded: `rate_limited`.")
            .response_header("Retry-After", "Seconds until the next request can succeed.")
            .default_response(),
        config("/v1/projects/{id}/config", "readConfig", "Read a project’s config"),
        config("/pops/{id}/config", "readPopConfig", "Read a project’s config (alternative path)"),
        jwks("/.well-known/jwks.json", "readSigningKeys", "Read the public keys of access tokens")
            .with_description("Ed25519 keys (RFC 8037), or RSA keys (RFC 7518) if tokens are signed with RS256."),
        jwks(
            "/.well-known/keyward-audit-keys.json",
            "readAuditKeys",
            "Read the public keys of audit log checkpoints",
        ),
        file("/sdk/v1.js", "readSdk", "Read the browser SDK", "text/javascript"),
        file("/sdk/v1.d.ts", "readSdkTypes", "Read the types of the browser SDK", "application/typescript"),
        plain("/openapi.json", "readOpenApi", "Read this document")
            .typed_response("200", "application/json", json!({"type": "object"}), "OpenAPI 3.1.")
            .default_response(),
        plain("/.well-known/security.txt", "readSecurityContact", "Read the security contact (RFC 9116)")
            .with_description("Available if `KEYWARD_SECURITY_CONTACT` is set.")
            .typed_response("200", "text/plain", json!({"type": "string"}), "The file.")
            .default_response(),
        plain("/metrics", "readMetrics", "Read the metrics")
            .typed_response("200", "application/openmetrics-text", json!({"type": "string"}), "Metrics in the OpenMetrics format, for Prometheus.")
            .default_response(),
        plain("/healthz", "readHealth", "Liveness").json_response("200", "Health", "The process is running.").default_response(),
        plain("/readyz", "readReadiness", "Readiness")
            .json_response("200", "Health", "The database responds, has every migration, and accepts writes.")
            .problem_response("503", "The server is not ready: `not_ready`, with the cause in `detail`.")
            .default_response(),
    ]
}

//! Operations of the key exchange, the project config, and the endpoints for the operator of this Keyward instance.

use super::{Operation, Security};
use serde_json::json;

const CONFIG: &str = "The JSON object that an owner of the project saved, as it was saved.";

fn config(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .says(CONFIG)
        .by(Security::Bearer)
        .gives_some("200", "application/json", json!({"type": "object"}), "The config.")
        .refuses("400", "More than one token: `several_credentials`.")
        .refuses("401", "No token, or none that is good for this project.")
        .headed("WWW-Authenticate", "RFC 6750 section 3.")
        .and_else()
}

fn jwks(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary).gives("200", "Jwks", "The public keys.").and_else()
}

fn file(path: &'static str, id: &'static str, summary: &'static str, kind: &'static str) -> Operation {
    Operation::new("GET", path, id, "Tokens", summary)
        .head("If-None-Match", false, "The `ETag` of the file that you have.")
        .gives_some("200", kind, json!({"type": "string"}), "The file.")
        .headed("ETag", "Which text this is.")
        .gives_nothing("304", "You have it.")
        .and_else()
}

pub fn all() -> Vec<Operation> {
    let plain = |path, id, summary| Operation::new("GET", path, id, "Operation", summary);
    vec![
        Operation::new("POST", "/authentication/token", "exchangeKey", "Tokens", "Exchange a key for an access token")
            .says("The token lives a day unless less is asked for, and never longer than the key or than the project allows.")
            .takes("TokenRequest", json!({"secret_key": "kw_live_…"}))
            .gives("200", "Token", "The token.")
            .headed("Cache-Control", "no-store")
            .refuses("400", "The body is no JSON: `malformed_json`.")
            .refuses("401", "A rule refused the key; `code` says which.")
            .headed("WWW-Authenticate", "RFC 9110 section 11.6.1.")
            .refuses("415", "The body is not said to be JSON, or is compressed.")
            .refuses("422", "A member is missing, unknown or wrong: `invalid_body`.")
            .refuses("429", "The key’s limit: `rate_limited`.")
            .headed("Retry-After", "Seconds.")
            .and_else(),
        config("/v1/projects/{id}/config", "readConfig", "Read a project’s config"),
        config("/pops/{id}/config", "readPopConfig", "Read a project’s config, at its other address"),
        jwks("/.well-known/jwks.json", "readSigningKeys", "Read the public keys that tokens are signed with")
            .says("Ed25519 keys (RFC 8037), or RSA keys (RFC 7518) where tokens are signed with RS256."),
        jwks(
            "/.well-known/keyward-audit-keys.json",
            "readAuditKeys",
            "Read the public keys that checkpoints of the audit log are signed with",
        ),
        file("/sdk/v1.js", "readSdk", "Read the module for browsers", "text/javascript"),
        file("/sdk/v1.d.ts", "readSdkTypes", "Read the types of the module for browsers", "application/typescript"),
        plain("/openapi.json", "readOpenApi", "Read this document")
            .gives_some("200", "application/json", json!({"type": "object"}), "OpenAPI 3.1.")
            .and_else(),
        plain("/.well-known/security.txt", "readSecurityContact", "Read where to report a vulnerability (RFC 9116)")
            .says("Only with `KEYWARD_SECURITY_CONTACT`.")
            .gives_some("200", "text/plain", json!({"type": "string"}), "The file.")
            .and_else(),
        plain("/metrics", "readMetrics", "Read the metrics")
            .gives_some("200", "application/openmetrics-text", json!({"type": "string"}), "OpenMetrics, for Prometheus.")
            .and_else(),
        plain("/healthz", "readHealth", "Whether the process lives").gives("200", "Health", "It does.").and_else(),
        plain("/readyz", "readReadiness", "Whether it can answer")
            .gives("200", "Health", "The database answers, has every migration, and takes writes.")
            .refuses("503", "Which part is not there: `not_ready`.")
            .and_else(),
    ]
}

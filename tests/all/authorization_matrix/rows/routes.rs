//! Rows of server functions, of API routes, and of the routes beside pages and forms.

use super::{fields::*, *};

fn function(function: &'static str, rule: Rule, about: ObjectKind, fields: Fields) -> Row {
    Row::new(function, RequestKind::Call, rule, about, fields, Unchanged)
}

fn json(path: &'static str, rule: Rule, fields: Fields) -> Row {
    Row::new(path, RequestKind::Json, rule, Key, fields, Unchanged)
}

/// A request of a key as an OAuth client.
fn oauth_form(path: &'static str, fields: Fields) -> Row {
    let row = Row::new(path, RequestKind::Posted, Secret, Key, fields, Unchanged);
    row.on(Stopped, Denied(401)).on(Deleted, Denied(401)).on(Archived, Denied(401))
}

/// Returns the fields of client authentication.
fn client(at: &ObjectData) -> Vec<(&'static str, String)> {
    vec![("client_id", format!("key:{}", at.id)), ("client_secret", at.secret.clone())]
}

fn bearer(path: &'static str, rule: Rule) -> Row {
    Row::new(path, RequestKind::Bearer, rule, if path.contains('{') { Project } else { Nothing }, no_fields, Unchanged)
}

/// The server functions, by name.
pub fn functions() -> Vec<Row> {
    vec![
        function("keys/called", SEE, Key, only_id),
        function("keys/say_expiry", SignedIn, Nothing, |_| vec![field("expires", "never")]),
        function("keys/say_not_before", SignedIn, Nothing, |_| vec![field("not_before", "")]),
    ]
}

/// The fields that a verify request accepts besides `key`.
const VERIFY_TAKES: &[&str] = &["token", "project", "scopes", "ip"];

/// The API routes, by path.
pub fn routes() -> Vec<Row> {
    vec![
        bearer("/.well-known/keyward-audit-keys.json", Anyone),
        bearer("/.well-known/jwks.json", Anyone),
        bearer("/.well-known/oauth-authorization-server", Anyone),
        bearer("/.well-known/oauth-protected-resource", Anyone),
        bearer("/.well-known/oauth-protected-resource/v1", Anyone),
        bearer("/.well-known/oauth-protected-resource/projects/{id}", Anyone),
        bearer("/.well-known/security.txt", Anyone).varies(),
        bearer("/.well-known/revoked-tokens", Anyone).varies(),
        Row::new(
            "/oauth/device_authorization",
            RequestKind::Posted,
            Anyone,
            Nothing,
            |_| vec![field("client_id", "loopback")],
            Denied(400),
        ),
        oauth_form("/oauth/introspect", |at| [client(at), vec![("token", "x".into())]].concat()),
        // Revocation works for a key in any state. No caller has the secret of the stopped key.
        Row::new(
            "/oauth/revoke",
            RequestKind::Posted,
            Secret,
            Key,
            |at| [client(at), vec![("token", "x".into())]].concat(),
            Unchanged,
        )
        .on(Stopped, Denied(401))
        .on(Purged, Unchanged),
        oauth_form("/oauth/token", |at| [client(at), vec![("grant_type", "client_credentials".into())]].concat())
            .accepts(&["scope", "resource", "audience", "expires_in"]),
        json("/authentication/token", Secret, |at| vec![("secret_key", at.secret.clone())])
            .on(Stopped, Denied(401))
            .on(Deleted, Denied(401))
            .on(Archived, Denied(401))
            .accepts(&["expires_in"]),
        bearer("/pops/{id}/config", Token),
        bearer("/v1/auth", Gateway).about(Project).with_path("/v1/auth?project={id}"),
        bearer("/v1/auth/", AnyToken),
        bearer("/v1/auth/{*rest}", AnyToken).about(Nothing).with_path("/v1/auth/orders/7?project=theirs"),
        bearer("/v1/projects", ManagementToken),
        bearer("/v1/projects/{id}", ManagementToken),
        bearer("/v1/projects/{id}/config", Token),
        bearer("/v1/projects/{id}/keys", ManagementToken),
        bearer("/v1/projects/{id}/keys/{key}", ManagementToken).about(ProjectKey),
        Row {
            request_kind: RequestKind::Json,
            ..bearer("/v1/projects/{id}/keys/{key}/activate", ManagementToken).about(ProjectKey)
        },
        Row {
            request_kind: RequestKind::Json,
            ..bearer("/v1/projects/{id}/keys/{key}/deactivate", ManagementToken).about(ProjectKey)
        },
        Row {
            request_kind: RequestKind::Json,
            ..bearer("/v1/projects/{id}/keys/{key}/restore", ManagementToken).about(ProjectKey)
        },
        bearer("/healthz", Anyone),
        bearer("/metrics", Anyone).varies(),
        bearer("/openapi.json", Anyone),
        bearer("/readyz", Anyone),
        bearer("/sdk/v1.js", Anyone),
        bearer("/sdk/v1.d.ts", Anyone),
        json("/v1/keys/verify", Anyone, |at| vec![("key", at.secret.clone())]).accepts(VERIFY_TAKES),
        // The endpoint requires a list, which `verify.rs` tests.
        Row {
            default_outcome: Denied(422),
            ..json("/v1/keys/verify:batch", Anyone, |at| vec![("keys", at.secret.clone())])
        },
    ]
}

/// Routes that are mounted next to pages and forms. A GET of the export redirects to its page (`audit`). The OpenID
/// Connect routes are not found, because no provider is configured; `oidc.rs` tests the sign-in.
pub fn plain() -> Vec<Row> {
    vec![
        Row::new(
            "/admin/audit/export",
            RequestKind::Form,
            Admin(AdminPermission::ReadLog),
            Nothing,
            no_fields,
            EventOnly,
        )
        .records("audit.exported")
        .renders_page()
        .reauth(),
        page("/docs/api", Anyone),
        page("/login/oidc", NotFound),
        page("/login/oidc/callback", NotFound),
        page("/settings/security/link", NotFound),
    ]
}

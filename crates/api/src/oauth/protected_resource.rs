//! Protected resource metadata (RFC 9728): which authorization server issues tokens for a resource.
//!
//! The resources are the values of `aud` in tokens, `<public URL>/v1` and `<public URL>/projects/<id>`, and the public
//! URL itself for clients without further configuration. As a `resource` parameter, the public URL leaves the choice of
//! the audience to the scopes.

use axum::{
    extract::{Path, Request, State},
    http::{HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use keyward_domain::ids::ProjectId;
use keyward_edge::problem::Problem;
use keyward_service::{
    Error, Services,
    management_client::{READ_SCOPE, WRITE_SCOPE},
};
use serde_json::json;

/// The path inserted between the origin and the path of a resource (RFC 9728 section 3).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// `GET /.well-known/oauth-protected-resource`: the complete server.
pub async fn server(State(app): State<Services>) -> Response {
    metadata(&app, "", &[])
}

/// `GET /.well-known/oauth-protected-resource/v1`: the management API.
pub async fn management(State(app): State<Services>) -> Response {
    metadata(&app, "/v1", &[READ_SCOPE, WRITE_SCOPE])
}

/// `GET /.well-known/oauth-protected-resource/projects/{id}`: a project's API and its config endpoint. The response
/// does not depend on whether the project exists, so it does not reveal which projects exist.
///
/// # Errors
/// 404 if the id is malformed.
pub async fn project(State(app): State<Services>, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = ProjectId::parse_exact(&id).ok_or(Error::NotFound)?;
    Ok(metadata(&app, &format!("/projects/{id}"), &[]))
}

fn metadata(app: &Services, path: &str, scopes: &[&str]) -> Response {
    let issuer = app.config.public_url.to_string();
    let mut body = json!({
        "resource": format!("{issuer}{path}"),
        "authorization_servers": [issuer],
        "bearer_methods_supported": ["header"],
        "resource_documentation": format!("{issuer}/docs/api"),
    });
    if !scopes.is_empty() {
        body["scopes_supported"] = json!(scopes);
    }
    ([(header::CACHE_CONTROL, "public, max-age=300")], axum::Json(body)).into_response()
}

/// Returns the path of the resource that a request path belongs to.
fn resource_of(path: &str) -> String {
    let config = |prefix| path.strip_prefix(prefix).and_then(|rest: &str| rest.strip_suffix("/config"));
    match config("/v1/projects/").or_else(|| config("/pops/")).and_then(ProjectId::parse_exact) {
        Some(id) => format!("/projects/{id}"),
        None if path.starts_with("/v1/") => "/v1".to_owned(),
        None => String::new(),
    }
}

/// Adds `resource_metadata` to every bearer challenge (RFC 9728 section 5.1). Challenges of the gateway are left
/// unchanged: they concern the API behind it, which has its own metadata.
pub async fn add_resource_metadata(State(app): State<Services>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    let challenge = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    if let Some(rest) = challenge.and_then(|challenge| challenge.strip_prefix("Bearer")) {
        let parameters = rest.trim_start();
        let comma = if parameters.is_empty() { "" } else { ", " };
        let (issuer, resource) = (&app.config.public_url, resource_of(&path));
        let extended = format!(r#"Bearer {parameters}{comma}resource_metadata="{issuer}{WELL_KNOWN}{resource}""#);
        if let Ok(value) = HeaderValue::try_from(extended) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_belong_to_resources() {
        let id = "018f0000-0000-7000-8000-00000000000a";
        for (path, resource) in [
            (format!("/v1/projects/{id}/config"), format!("/projects/{id}")),
            (format!("/pops/{id}/config"), format!("/projects/{id}")),
            ("/v1/projects/x/config".into(), "/v1".into()),
            (format!("/v1/projects/{id}/keys"), "/v1".into()),
            ("/v1/projects".into(), "/v1".into()),
            ("/oauth/introspect".into(), String::new()),
        ] {
            assert_eq!(resource_of(&path), resource, "{path}");
        }
    }
}

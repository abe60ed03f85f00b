//! `POST /oauth/introspect`: token introspection (RFC 7662), for the API that received the token.

use super::{client, form::Form};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use keyward_domain::ids::SubjectId;
use keyward_edge::bearer;
use keyward_edge::oauth_error::{OAuthError, no_store};
use keyward_service::{
    Services,
    actor::Origin,
    tokens::{Accepted, Audience, Subject, TokenDenyReason},
    verify::{DenyReason, KeySnapshot, VerifyRequest},
};
use serde::Serialize;

/// Introspection response. For an inactive token it contains only `active: false`.
#[derive(Default, Serialize)]
struct IntrospectionResponse {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    metadata: Option<TokenMetadata>,
}

/// The members of RFC 7662 section 2.2, and the extension `project_id`.
#[derive(Serialize)]
struct TokenMetadata {
    scope: String,
    client_id: String,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    sub: String,
    aud: String,
    iss: String,
    jti: uuid::Uuid,
    project_id: keyward_domain::ids::ProjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<keyward_domain::ids::GrantId>,
}

/// Introspects a token of the caller's project. This is not a use of the token: only verify and the gateway count uses
/// and apply rate limits.
pub async fn introspect(
    State(app): State<Services>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let asker = authenticate_caller(&app, &origin, &headers, &form).await?;
    let token = form.require("token")?;
    form.get("token_type_hint")?;
    let looked = app.tokens.peek(token).await?;
    let metadata = looked
        .ok()
        .filter(|accepted| may_see_token(&asker, accepted))
        .and_then(|accepted| token_metadata(&app, &accepted));
    let answer = IntrospectionResponse { active: metadata.is_some(), metadata };
    Ok(no_store(axum::Json(answer).into_response()))
}

/// Whether the caller may see a token: any token of its project, but a management token only if it belongs to the
/// caller's own key.
fn may_see_token(asker: &KeySnapshot, accepted: &Accepted) -> bool {
    let own = |token: &_| matches!(token, Subject::Key(key) if SubjectId::Key(*key) == asker.subject());
    match accepted.token.as_deref() {
        Some(token) if token.audience == Audience::Management => own(&token.subject),
        _ => accepted.verified.snapshot.project == asker.project,
    }
}

fn token_metadata(app: &Services, accepted: &Accepted) -> Option<TokenMetadata> {
    let (token, issuer) = (accepted.token.as_deref()?, app.config.public_url.to_string());
    Some(TokenMetadata {
        scope: accepted.scopes().collect::<Vec<_>>().join(" "),
        client_id: token.subject.client_id(),
        token_type: "Bearer",
        exp: token.expires_at,
        iat: token.issued_at,
        sub: token.subject.sub_claim(),
        aud: token.audience.claim(&issuer),
        iss: issuer,
        jti: token.jti,
        project_id: accepted.verified.snapshot.project,
        grant_id: token.subject.grant_id(),
    })
}

/// Authenticates the caller: a key as the client, or a key or token of the project as a bearer token.
async fn authenticate_caller(
    app: &Services,
    origin: &Origin,
    headers: &HeaderMap,
    form: &Form,
) -> Result<KeySnapshot, OAuthError> {
    let mut authorizations = headers.get_all(header::AUTHORIZATION).iter();
    let Some(text) = authorizations.next().and_then(|value| bearer::strip_scheme(value.as_bytes())) else {
        return Ok(client::require_key(app, headers, form, origin.ip).await?.snapshot);
    };
    if authorizations.next().is_some() || form.get("client_secret")?.is_some() {
        return Err(OAuthError::invalid_request("The request authenticates the client twice. Send one credential."));
    }
    let question = VerifyRequest { ip: origin.ip, ..VerifyRequest::default() };
    let checked = app.tokens.check_credential(std::str::from_utf8(text).unwrap_or("?"), &question).await?;
    checked.map(|accepted| accepted.verified.snapshot).map_err(|refused| match refused {
        TokenDenyReason::Key(limited @ DenyReason::RateLimited(_)) => OAuthError::from_denied_key(&limited),
        refused => OAuthError::invalid_token(&refused.to_string()).with_code(refused.code()),
    })
}

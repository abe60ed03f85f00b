//! `POST /oauth/introspect`: token introspection (RFC 7662), for the API that received the token.

use super::{client, error::OAuthError, error::never_kept, form::Form};
use crate::{
    http::bearer,
    service::{
        App,
        actor::Origin,
        tokens::{Accepted, Audience, Holder, TokenRefused},
        verify::{Facts, Question, Refused},
    },
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// Introspection response. For an inactive token it contains only `active: false`.
#[derive(Default, Serialize)]
struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    says: Option<Says>,
}

/// The members of RFC 7662 section 2.2, and the extension `project_id`.
#[derive(Serialize)]
struct Says {
    scope: String,
    client_id: String,
    token_type: &'static str,
    exp: i64,
    iat: i64,
    sub: String,
    aud: String,
    iss: String,
    jti: uuid::Uuid,
    project_id: crate::domain::ids::ProjectId,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<crate::domain::ids::GrantId>,
}

/// Introspects a token of the caller's project. This is not a use of the token: only verify and the gateway count uses
/// and apply rate limits.
pub async fn introspect(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    headers: HeaderMap,
    form: Form,
) -> Result<Response, OAuthError> {
    let asker = asker(&app, &origin, &headers, &form).await?;
    let token = form.need("token")?;
    form.one("token_type_hint")?;
    let looked = app.tokens.look(token).await?;
    let says = looked.ok().filter(|accepted| may_know(&asker, accepted)).and_then(|accepted| says(&app, &accepted));
    let answer = Introspection { active: says.is_some(), says };
    Ok(never_kept(axum::Json(answer).into_response()))
}

/// Whether the caller may see a token: any token of its project, but a management token only if it belongs to the
/// caller's own key.
fn may_know(asker: &Facts, accepted: &Accepted) -> bool {
    let own = |token: &_| matches!(token, Holder::Key(key) if *key == asker.key);
    match accepted.token.as_deref() {
        Some(token) if token.audience == Audience::Management => own(&token.holder),
        _ => accepted.good.facts.project == asker.project,
    }
}

fn says(app: &App, accepted: &Accepted) -> Option<Says> {
    let (token, issuer) = (accepted.token.as_deref()?, app.config.public_url.to_string());
    Some(Says {
        scope: accepted.scopes().collect::<Vec<_>>().join(" "),
        client_id: token.holder.client_id(),
        token_type: "Bearer",
        exp: token.expires,
        iat: token.issued,
        sub: token.holder.subject(),
        aud: token.audience.claim(&issuer),
        iss: issuer,
        jti: token.jti,
        project_id: accepted.good.facts.project,
        grant_id: token.holder.grant_id(),
    })
}

/// Authenticates the caller: a key as the client, or a key or token of the project as a bearer token.
async fn asker(app: &App, origin: &Origin, headers: &HeaderMap, form: &Form) -> Result<Facts, OAuthError> {
    let mut said = headers.get_all(header::AUTHORIZATION).iter();
    let Some(text) = said.next().and_then(|value| bearer::behind(value.as_bytes())) else {
        return Ok(client::key(app, headers, form, origin.ip).await?.facts);
    };
    if said.next().is_some() || form.one("client_secret")?.is_some() {
        return Err(OAuthError::invalid_request("Say once who you are."));
    }
    let question = Question { ip: origin.ip, ..Question::default() };
    let checked = app.tokens.presented(std::str::from_utf8(text).unwrap_or("?"), &question).await?;
    checked.map(|accepted| accepted.good.facts).map_err(|refused| match refused {
        TokenRefused::Key(limited @ Refused::RateLimited(_)) => OAuthError::of_client(&limited),
        refused => OAuthError::invalid_token(&refused.to_string()).code(refused.code()),
    })
}

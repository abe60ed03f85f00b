//! OpenID Connect sign-in endpoints: the redirect to the OpenID Provider, and the callback.
//!
//! All are GETs that redirect with 303. Sign-in starts with a link and not a form, because `form-action 'self'` also
//! applies to redirects after a form submission. A single-use cookie with a lifetime of ten minutes binds the callback
//! to the browser that started the flow.

use super::{AppState, forms::see, origin, pages, sessions, sessions::Visit};
use crate::{
    domain::{entry::NotIn, ids::UserId, time::Timestamp},
    features::session::own_path,
    service::{
        Error,
        actor::{Caller, Origin},
        oidc::{self, Callback, Failed, Finished, Oidc},
    },
};
use axum::{
    Extension, Router,
    extract::{Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
    routing::get,
};
use serde::Deserialize;

const SECURITY: &str = "/settings/security";

/// Mounts sign-in, callback, and the link that connects an external account to the signed-in user.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router
        .route("/login/oidc", get(begin))
        .route("/login/oidc/callback", get(finish))
        .route("/settings/security/link", get(link))
}

#[derive(Deserialize)]
struct Wish {
    next: Option<String>,
}

/// Redirects to the OpenID Provider.
async fn begin(State(state): State<AppState>, wish: Result<Query<Wish>, QueryRejection>, request: Request) -> Response {
    let Some(provider) = state.app.oidc.clone() else { return pages::missing(State(state), request).await };
    let next = wish.ok().and_then(|Query(wish)| wish.next).and_then(|next| own_path(&next).map(ToOwned::to_owned));
    match state.app.accounts.instance().await {
        Ok(instance) if instance.needs_setup && instance.ways.passwords => return see("/setup"),
        Ok(_) => {}
        Err(error) => return refused("/login", why(Failed::Service(error))),
    }
    match provider.begin(next.as_deref(), None).await {
        Ok(begun) => lead(&state, begun),
        Err(failed) => refused("/login", why(failed)),
    }
}

/// Redirects to the OpenID Provider to link an external account to the signed-in user. Requires a recent authentication
/// and navigation from one of our pages.
async fn link(
    State(state): State<AppState>,
    visit: Option<Extension<Visit>>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Some(provider) = state.app.oidc.clone() else { return pages::missing(State(state), request).await };
    let Some(caller) = visit.and_then(|Extension(visit)| visit.caller) else {
        return see("/login?next=%2Fsettings%2Fsecurity");
    };
    if !origin::is_own_navigation(&state, &headers)
        || caller.reauthenticate("identity.linked", state.app.ground.now()).is_err()
    {
        return refused(SECURITY, NotIn::Proof);
    }
    match provider.begin(None, Some(caller.user)).await {
        Ok(begun) => lead(&state, begun),
        Err(failed) => refused(SECURITY, why(failed)),
    }
}

/// Starts a session, or a pending session if the user has a second factor. The authentication time reported by the
/// provider counts.
async fn enter(
    state: &AppState,
    visit: &Visit,
    user: UserId,
    proved: Timestamp,
    next: Option<&str>,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let (now, next) = (state.app.ground.now(), next.and_then(own_path));
    if state.app.accounts.code_needed(user).await? {
        sessions::start_pending(visit, user.into(), now).await?;
        let query = next
            .map(|next| format!("?next={}", url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()));
        return Ok(see(&format!("/login/code{}", query.unwrap_or_default())));
    }
    sessions::start(visit, user.into(), proved.min(now), now).await?;
    Ok(see(next.unwrap_or("/keys")))
}

/// Handles the callback from the OpenID Provider.
async fn finish(
    State(state): State<AppState>,
    visit: Option<Extension<Visit>>,
    said: Option<Extension<Origin>>,
    headers: HeaderMap,
    callback: Result<Query<Callback>, QueryRejection>,
    request: Request,
) -> Response {
    let (Some(provider), Some(Extension(visit))) = (state.app.oidc.clone(), visit) else {
        return pages::missing(State(state), request).await;
    };
    let origin = said.map(|Extension(origin)| origin).unwrap_or_default();
    let callback = callback.map(|Query(callback)| callback).unwrap_or_default();
    let mut response = match provider_said(&state, &provider, &headers, &callback).await {
        Ok(Finished { identity, proved, next, link: None }) => {
            match state.app.accounts.sign_in_with(&identity, &origin).await {
                Ok(Ok(user)) => match enter(&state, &visit, user, proved, next.as_deref()).await {
                    Ok(response) => response,
                    Err(error)
                        if error
                            .downcast_ref::<tower_sessions::session::Error>()
                            .is_some_and(sessions::is_account_changed) =>
                    {
                        refused("/login", NotIn::Again)
                    }
                    Err(error) => {
                        tracing::error!(%error, "sessions.failed");
                        refused("/login", NotIn::Provider)
                    }
                },
                Ok(Err(why)) => refused("/login", why),
                Err(error) => refused("/login", why(Failed::Service(error))),
            }
        }
        Ok(Finished { identity, link: Some(user), .. }) => match visit.caller {
            Some(caller) if caller.user == user => join(&state, &caller, &identity).await,
            // Signed out, or another user signed in meanwhile.
            _ => refused("/login", NotIn::Again),
        },
        Err(failed) => refused("/login", why(failed)),
    };
    // The cookie is single-use, whatever the result.
    set_cookie(&state, &mut response, "", 0);
    response
}

async fn provider_said(
    state: &AppState,
    provider: &Oidc,
    headers: &HeaderMap,
    callback: &Callback,
) -> Result<Finished, Failed> {
    let cookie = cookie(state, headers).ok_or(Failed::Again)?;
    provider.finish(&cookie, callback).await
}

async fn join(state: &AppState, caller: &Caller, identity: &oidc::Identity) -> Response {
    match state.app.accounts.link_identity(caller, identity).await {
        Ok(Ok(())) => see("/settings/security?done=linked"),
        Ok(Err(why)) => refused(SECURITY, why),
        Err(error) => refused(SECURITY, why(Failed::Service(error))),
    }
}

/// Returns the error for the user. The details go to the log.
fn why(failed: Failed) -> NotIn {
    match failed {
        Failed::Again => NotIn::Again,
        Failed::Denied => NotIn::Denied,
        Failed::Service(Error::Conflict(_)) => NotIn::Again,
        failed => {
            tracing::warn!(error = %failed, "provider.failed");
            NotIn::Provider
        }
    }
}

fn refused(page: &str, why: NotIn) -> Response {
    see(&format!("{page}?refused={}", why.as_str()))
}

fn lead(state: &AppState, begun: oidc::Begun) -> Response {
    let mut response = see(&begun.location);
    set_cookie(state, &mut response, begun.cookie.expose(), oidc::LIFE);
    response
}

fn cookie_name(state: &AppState) -> &'static str {
    if state.app.config.public_url.is_https() { "__Host-keyward-oidc" } else { "keyward-oidc" }
}

/// `SameSite=Lax`, not `Strict`: the browser must send the cookie when the provider redirects back here.
fn set_cookie(state: &AppState, response: &mut Response, value: &str, age: i64) {
    let secure = if state.app.config.public_url.is_https() { "; Secure" } else { "" };
    let cookie = format!("{}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}", cookie_name(state));
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn cookie(state: &AppState, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(state);
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(it, value)| *it == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

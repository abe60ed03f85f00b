//! OpenID Connect sign-in endpoints: the redirect to the OpenID Provider, and the callback.
//!
//! All are GETs that redirect with 303. Sign-in starts with a link and not a form, because `form-action 'self'` also
//! applies to redirects after a form submission. A single-use cookie with a lifetime of ten minutes binds the callback
//! to the browser that started the flow.

use super::{AppState, csrf, form_actions::see_other, pages, sessions, sessions::SessionContext};
use crate::{
    domain::{error_chain::ErrorChain, ids::UserId, registration::SignInError, time::Timestamp},
    features::session::local_path,
    service::{
        Error,
        actor::{Caller, Origin},
        oidc::{self, Callback, Oidc, SignInFailure, SignInResult},
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

const SECURITY_PAGE: &str = "/settings/security";

/// Mounts sign-in, callback, and the link that connects an external account to the signed-in user.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router
        .route("/login/oidc", get(start_sign_in))
        .route("/login/oidc/callback", get(handle_callback))
        .route("/settings/security/link", get(start_link))
}

#[derive(Deserialize)]
struct SignInQuery {
    next: Option<String>,
}

/// Redirects to the OpenID Provider.
async fn start_sign_in(
    State(state): State<AppState>,
    wish: Result<Query<SignInQuery>, QueryRejection>,
    request: Request,
) -> Response {
    let Some(provider) = state.app.oidc.clone() else { return pages::not_found(State(state), request).await };
    let next = wish.ok().and_then(|Query(wish)| wish.next).and_then(|next| local_path(&next).map(ToOwned::to_owned));
    match state.app.accounts.instance().await {
        Ok(instance) if instance.needs_setup && instance.ways.passwords => return see_other("/setup"),
        Ok(_) => {}
        Err(error) => return redirect_with_error("/login", sign_in_error(SignInFailure::Service(error))),
    }
    match provider.start(next.as_deref(), None).await {
        Ok(begun) => redirect_to_provider(&state, begun),
        Err(failed) => redirect_with_error("/login", sign_in_error(failed)),
    }
}

/// Redirects to the OpenID Provider to link an external account to the signed-in user. Requires a recent authentication
/// and navigation from one of our pages.
async fn start_link(
    State(state): State<AppState>,
    visit: Option<Extension<SessionContext>>,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Some(provider) = state.app.oidc.clone() else { return pages::not_found(State(state), request).await };
    let Some(caller) = visit.and_then(|Extension(visit)| visit.caller) else {
        return see_other("/login?next=%2Fsettings%2Fsecurity");
    };
    if !csrf::is_own_navigation(&state, &headers)
        || caller.require_reauthentication("identity.linked", state.app.context.now()).is_err()
    {
        return redirect_with_error(SECURITY_PAGE, SignInError::ReauthenticationRequired);
    }
    match provider.start(None, Some(caller.user)).await {
        Ok(begun) => redirect_to_provider(&state, begun),
        Err(failed) => redirect_with_error(SECURITY_PAGE, sign_in_error(failed)),
    }
}

/// Starts a session, or a pending session if the user has a second factor. The authentication time reported by the
/// provider counts.
async fn start_session(
    state: &AppState,
    visit: &SessionContext,
    user: UserId,
    proved: Timestamp,
    next: Option<&str>,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let (now, next) = (state.app.context.now(), next.and_then(local_path));
    if state.app.accounts.requires_code(user).await? {
        sessions::start_pending(visit, user.into(), now).await?;
        let query = next
            .map(|next| format!("?next={}", url::form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>()));
        return Ok(see_other(&format!("/login/code{}", query.unwrap_or_default())));
    }
    sessions::start(visit, user.into(), proved.min(now), now).await?;
    Ok(see_other(next.unwrap_or("/keys")))
}

/// Handles the callback from the OpenID Provider.
async fn handle_callback(
    State(state): State<AppState>,
    visit: Option<Extension<SessionContext>>,
    origin_extension: Option<Extension<Origin>>,
    headers: HeaderMap,
    callback: Result<Query<Callback>, QueryRejection>,
    request: Request,
) -> Response {
    let (Some(provider), Some(Extension(visit))) = (state.app.oidc.clone(), visit) else {
        return pages::not_found(State(state), request).await;
    };
    let origin = origin_extension.map(|Extension(origin)| origin).unwrap_or_default();
    let callback = callback.map(|Query(callback)| callback).unwrap_or_default();
    let mut response = match finish_authorization(&state, &provider, &headers, &callback).await {
        Ok(SignInResult { identity, authenticated_at: proved, next, link: None }) => {
            match state.app.accounts.sign_in_with(&identity, &origin).await {
                Ok(Ok(user)) => match start_session(&state, &visit, user, proved, next.as_deref()).await {
                    Ok(response) => response,
                    Err(error)
                        if error
                            .downcast_ref::<tower_sessions::session::Error>()
                            .is_some_and(sessions::is_account_changed) =>
                    {
                        redirect_with_error("/login", SignInError::FlowExpired)
                    }
                    Err(error) => {
                        tracing::error!(error = %ErrorChain(&*error), "sessions.failed");
                        redirect_with_error("/login", SignInError::Provider)
                    }
                },
                Ok(Err(why)) => redirect_with_error("/login", why),
                Err(error) => redirect_with_error("/login", sign_in_error(SignInFailure::Service(error))),
            }
        }
        Ok(SignInResult { identity, link: Some(user), .. }) => match visit.caller {
            Some(caller) if caller.user == user => finish_link(&state, &caller, &identity).await,
            // Signed out, or another user signed in meanwhile.
            _ => redirect_with_error("/login", SignInError::FlowExpired),
        },
        Err(failed) => redirect_with_error("/login", sign_in_error(failed)),
    };
    // The cookie is single-use, whatever the result.
    set_cookie(&state, &mut response, "", 0);
    response
}

async fn finish_authorization(
    state: &AppState,
    provider: &Oidc,
    headers: &HeaderMap,
    callback: &Callback,
) -> Result<SignInResult, SignInFailure> {
    let cookie = cookie(state, headers).ok_or(SignInFailure::Restart)?;
    provider.complete(&cookie, callback).await
}

async fn finish_link(state: &AppState, caller: &Caller, identity: &oidc::Identity) -> Response {
    match state.app.accounts.link_identity(caller, identity).await {
        Ok(Ok(())) => see_other("/settings/security?done=linked"),
        Ok(Err(why)) => redirect_with_error(SECURITY_PAGE, why),
        Err(error) => redirect_with_error(SECURITY_PAGE, sign_in_error(SignInFailure::Service(error))),
    }
}

/// Returns the error for the user. The details go to the log.
fn sign_in_error(failed: SignInFailure) -> SignInError {
    match failed {
        SignInFailure::Restart => SignInError::FlowExpired,
        SignInFailure::Denied => SignInError::Denied,
        SignInFailure::Service(Error::Conflict(_)) => SignInError::FlowExpired,
        failed => {
            tracing::warn!(error = %ErrorChain(&failed), "provider.failed");
            SignInError::Provider
        }
    }
}

fn redirect_with_error(page: &str, why: SignInError) -> Response {
    see_other(&format!("{page}?refused={}", why.as_str()))
}

fn redirect_to_provider(state: &AppState, begun: oidc::AuthorizationStart) -> Response {
    let mut response = see_other(&begun.location);
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

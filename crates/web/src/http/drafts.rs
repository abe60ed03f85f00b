//! Form drafts. If a form cannot be accepted before its user signs in again or sets up a second factor, the submitted
//! values are stored and rendered again afterwards, for the same user.

use super::{AppState, cookies, sessions::SessionContext};
use crate::{
    domain::{error_chain::ErrorChain, ids::UserId},
    error::{AppError, ErrorKind, RejectedForm},
    service::{
        actor::Origin,
        drafts::{LIFETIME, Values},
    },
    ui::form::DRAFT,
};
use axum::{
    extract::{Request, State},
    http::{Extensions, HeaderValue, Method, header, request::Parts},
    middleware::Next,
    response::Response,
};
use std::net::IpAddr;

const RESTORED_MESSAGE: &str = "Your changes are not saved yet, because you had to sign in or set up two-factor authentication first. Review them \
     and submit the form again.";

/// The name of the cookie. On HTTPS no other host can set it, like the session cookie.
fn name(state: &AppState) -> &'static str {
    if state.app.config.public_url.is_https() { "__Host-keyward-draft" } else { "keyward-draft" }
}

fn cookie(state: &AppState, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if state.app.config.public_url.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age={seconds}", name(state));
    HeaderValue::from_str(&text).ok()
}

/// Returns the mark in the submitted fields, which identifies the user that the form was rendered for.
pub fn submitted_mark(text: &str) -> Option<String> {
    url::form_urlencoded::parse(text.as_bytes()).find(|(name, _)| name == DRAFT).map(|(_, mark)| mark.into_owned())
}

/// Returns the client address of a request.
pub fn client_ip(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Origin>().and_then(|origin| origin.ip)
}

/// Stores the values submitted to the form at this path from this address, and returns the cookie that restores them.
/// Stores nothing for a form without a mark. The caller omits the mark of a form that has no draft.
pub async fn save(
    state: &AppState,
    from: Option<IpAddr>,
    mark: Option<&str>,
    path: &str,
    values: &Values,
) -> Option<HeaderValue> {
    match state.app.drafts.save(from, mark?, path, values).await {
        Ok(code) => cookie(state, code?.expose(), LIFETIME),
        Err(error) => {
            // The user is redirected to the sign-in page all the same.
            tracing::error!(error = %ErrorChain(&error), "drafts.failed");
            None
        }
    }
}

/// Deletes the user's draft of a form that has just been accepted, and returns the cookie that removes it from the
/// browser.
pub async fn discard_accepted(state: &AppState, parts: &Parts) -> Option<HeaderValue> {
    let code = cookies::value(&parts.headers, name(state))?;
    let user = parts.extensions.get::<SessionContext>()?.caller.as_ref()?.user;
    delete(state, code, user, parts.uri.path()).await
}

/// Deletes a draft and returns the cookie that removes it from the browser. Returns `None` if the draft no longer
/// exists: the browser may already have the code of a newer one.
async fn delete(state: &AppState, code: &str, user: UserId, path: &str) -> Option<HeaderValue> {
    let taken = state.app.drafts.delete(code, user, path).await;
    let is_taken =
        taken.inspect_err(|error| tracing::error!(error = %ErrorChain(error), "drafts.failed")).unwrap_or_default();
    if is_taken { cookie(state, "", 0) } else { None }
}

/// A draft, with the code and the user for which it was found.
struct StoredDraft {
    code: String,
    user: UserId,
    values: Values,
}

/// Adds a draft to the request for its form's page, and deletes it after the page is rendered. Until then the draft and
/// the cookie stay valid, so a page that fails, times out, or is abandoned loses nothing.
pub async fn restore(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let found = find(&state, &request);
    let Some(StoredDraft { code, user, values }) = found.await else { return next.run(request).await };
    let path = request.uri().path().to_owned();
    let error = AppError::new(ErrorKind::Conflict, RESTORED_MESSAGE);
    request.extensions_mut().insert(RejectedForm { path: path.clone(), error, values, is_draft: true });
    let mut response = next.run(request).await;
    if !response.status().is_success() {
        return response;
    }
    if let Some(cookie) = delete(&state, &code, user, &path).await {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Finds the user's draft for the requested page. The future does not borrow the request, because a request is not
/// `Sync`.
fn find(state: &AppState, request: &Request) -> impl Future<Output = Option<StoredDraft>> + Send + use<> {
    let code = cookies::value(request.headers(), name(state)).filter(|_| request.method() == Method::GET);
    let visit = request.extensions().get::<SessionContext>();
    let user = visit.and_then(|visit| visit.caller.as_ref()).map(|caller| caller.user);
    let lookup = code.map(ToOwned::to_owned).zip(user);
    let (drafts, path) = (state.app.drafts.clone(), request.uri().path().to_owned());
    async move {
        let (code, user) = lookup?;
        let found = drafts.find(&code, user, &path).await;
        let values =
            found.inspect_err(|error| tracing::error!(error = %ErrorChain(error), "drafts.failed")).ok().flatten()?;
        Some(StoredDraft { code, user, values })
    }
}

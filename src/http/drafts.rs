//! A form that cannot be accepted before its user signs in again or sets up a second factor: what was typed is kept, and drawn again
//! after that, for the same user.

use super::{AppState, cookies, sessions::Visit};
use crate::{
    domain::ids::UserId,
    error::{AppError, ErrorKind, Refusal},
    service::{
        actor::Origin,
        drafts::{KEPT, Values},
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

/// Forms that are answered anew: their fields prove something, or say yes to something.
const NEVER: [&str; 9] =
    ["/authorize", "/confirm", "/device", "/login", "/logout", "/reset", "/settings/security", "/setup", "/signup"];
const WORDS: &str = "Nothing was saved yet: you had to sign in or set up a second factor first. What you typed is here again: check it, and send it \
     once more.";

/// On HTTPS a cookie that no other host can set, as that of the session.
fn name(state: &AppState) -> &'static str {
    if state.app.config.public_url.is_https() { "__Host-keyward-draft" } else { "keyward-draft" }
}

fn cookie(state: &AppState, value: &str, seconds: i64) -> Option<HeaderValue> {
    let secure = if state.app.config.public_url.is_https() { "; Secure" } else { "" };
    let text = format!("{}={value}; HttpOnly; SameSite=Lax{secure}; Path=/; Max-Age={seconds}", name(state));
    HeaderValue::from_str(&text).ok()
}

/// Whom a form names, of its fields as they were sent.
pub fn mark(text: &str) -> Option<String> {
    url::form_urlencoded::parse(text.as_bytes()).find(|(name, _)| name == DRAFT).map(|(_, mark)| mark.into_owned())
}

/// The address that a request comes from.
pub fn address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<Origin>().and_then(|origin| origin.ip)
}

/// Keeps what was typed into the form at this path, sent from this address; the cookie with which it comes back. Nothing is kept of a
/// form without a mark.
pub async fn keep(
    state: &AppState,
    from: Option<IpAddr>,
    mark: Option<&str>,
    path: &str,
    values: &Values,
) -> Option<HeaderValue> {
    if NEVER.iter().any(|never| path.starts_with(never)) {
        return None;
    }
    match state.app.drafts.keep(from, mark?, path, values).await {
        Ok(code) => cookie(state, code?.expose(), KEPT),
        Err(error) => {
            // The person is led to the sign-in page all the same.
            tracing::error!(%error, "drafts.failed");
            None
        }
    }
}

/// Forgets the user's draft of a form that was accepted now; the cookie that removes it from the browser.
pub async fn forget(state: &AppState, parts: &Parts) -> Option<HeaderValue> {
    let code = cookies::value(&parts.headers, name(state))?;
    let user = parts.extensions.get::<Visit>()?.caller.as_ref()?.user;
    let taken = state.app.drafts.take(code, user, parts.uri.path()).await;
    taken.inspect_err(|error| tracing::error!(%error, "drafts.failed")).ok().flatten()?;
    cookie(state, "", 0)
}

/// Puts a draft into the request for the page of its form, and takes it out of the store and of the browser. If the page cannot be
/// drawn, the draft is kept again.
pub async fn restore(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let draft = draft(&state, &request);
    let Some((user, values)) = draft.await else { return next.run(request).await };
    let (path, from) = (request.uri().path().to_owned(), address(request.extensions()));
    let error = AppError::new(ErrorKind::Conflict, WORDS);
    let refusal = Refusal { path: path.clone(), error, values: values.clone(), is_draft: true };
    request.extensions_mut().insert(refusal);
    let mut response = next.run(request).await;
    let set = if response.status().is_success() {
        cookie(&state, "", 0)
    } else {
        keep(&state, from, Some(&state.app.drafts.mark(user)), &path, &values).await
    };
    if let Some(set) = set {
        response.headers_mut().append(header::SET_COOKIE, set);
    }
    response
}

/// The user and their draft for the page that is asked for. Not by reference: a request cannot be shared between threads.
fn draft(state: &AppState, request: &Request) -> impl Future<Output = Option<(UserId, Values)>> + Send + use<> {
    let code = cookies::value(request.headers(), name(state)).filter(|_| request.method() == Method::GET);
    let visit = request.extensions().get::<Visit>();
    let user = visit.and_then(|visit| visit.caller.as_ref()).map(|caller| caller.user);
    let asked = code.map(ToOwned::to_owned).zip(user);
    let (drafts, path) = (state.app.drafts.clone(), request.uri().path().to_owned());
    async move {
        let (code, user) = asked?;
        let taken = drafts.take(&code, user, &path).await;
        let values = taken.inspect_err(|error| tracing::error!(%error, "drafts.failed")).ok().flatten()?;
        Some((user, values))
    }
}

//! Form actions: the POST handlers of pages, with and without JavaScript.
//!
//! A form posts to the path of its page; with JavaScript, the browser's navigation fetches the same response. This
//! module mounts a `post` handler for each form that a feature declares. The handler decodes the fields, compares them
//! with the path, checks the access, and runs the action in the context of a page. The response is a redirect (303, to a
//! path of this server), or the page: with the errors beside the fields (422), or with a result that is shown once, such
//! as a new key.

use super::{AppState, context, drafts, error_page, pages, sessions::SessionContext, static_page};
use crate::{
    app::NoScripts,
    domain::{security::ReauthenticationMethod, sensitive::Password},
    error::{AppError, ErrorKind, RejectedForm},
    features::{
        access::Access,
        form_route,
        form_route::{Action, ActionFuture, ActionResult, FORM_MAX, FormRoute},
        form_routes,
    },
    service::Error,
    ui::form::DRAFT,
    ui::markup::escape_text,
};
use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts as _, RawPathParams, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{Html, IntoResponse as _, Response},
    routing::post,
};
use http_body_util::LengthLimitError;
use leptos::{
    prelude::{Owner, provide_context},
    reactive::computed::ScopedFuture,
};
use leptos_axum::ResponseOptions;
use memchr::memchr_iter;
use percent_encoding::percent_decode;
use std::{collections::BTreeMap, sync::Arc};
use zeroize::Zeroizing;

/// Maximum number of pairs in a form. Decoding takes time for each pair, on a thread that other requests need.
const PAIRS_MAX: usize = 2_000;
/// Maximum length of a value that is rendered again, in bytes. Only a config can be longer.
const REFILL_MAX: usize = 8 * 1024;
/// Fields that are never rendered again.
const NOT_REFILLED: [&str; 5] = ["password", "new_password", PROOF_FIELD, "one_time_code", DRAFT];
/// Field for reauthentication, available in every form.
const PROOF_FIELD: &str = "proof";
const NOT_TEXT: &str = "The form contains invalid text. Fill it in again.";

/// Mounts all forms, each at the path of its page.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    form_routes().iter().fold(router, |router, route| {
        let handler = move |State(state): State<AppState>, request| Box::pin(respond(state, request, route));
        router.route(route.path, post(handler))
    })
}

/// Returns the paths of all forms in axum's syntax, for the authorization tests.
pub fn form_paths() -> Vec<&'static str> {
    form_routes().iter().map(|route| route.path).collect()
}

async fn respond(state: AppState, request: Request, route: &'static FormRoute) -> Response {
    let (mut parts, body) = request.into_parts();
    let (mut cookies, mut mark) = (Vec::<HeaderValue>::new(), None);
    let (values, outcome) = match read_body(&parts, body).await {
        Ok(text) => {
            let values = submitted_values(&text);
            mark = drafts::submitted_mark(&text).filter(|_| route.has_draft);
            let outcome = match accept(&state, &mut parts, &text, route).await {
                Ok(action) => {
                    let (outcome, options) = run(&state, &parts, action(parts.clone())).await;
                    if let Ok(set) = options.0.read() {
                        cookies.extend(set.headers.get_all(header::SET_COOKIE).iter().cloned());
                    }
                    outcome
                }
                Err(error) => Err(error),
            };
            (values, outcome)
        }
        // The same response as to a form whose `Content-Length` is too large. There are no values to render again.
        Err(error) if error.kind == ErrorKind::TooLarge => return StatusCode::PAYLOAD_TOO_LARGE.into_response(),
        Err(error) => (BTreeMap::new(), Err(error)),
    };
    let forgotten = if outcome.is_ok() { drafts::discard_accepted(&state, &parts).await } else { None };
    match outcome {
        Ok(ActionResult::Redirect(path)) => {
            let mut response = see_other(&path);
            for cookie in cookies.into_iter().chain(forgotten) {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Ok(ActionResult::ExternalRedirect(to)) => external_redirect_page(&parts.headers, &to),
        Ok(ActionResult::Render { provide_result: answer, once }) => {
            let still = once && !pages::is_in_browser_navigation(&parts.headers);
            let more = Arc::new(move || {
                if still {
                    provide_context(NoScripts);
                }
                answer();
            });
            let mut response = render_again(state, parts, StatusCode::OK, more).await;
            if let Some(cookie) = forgotten {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) if error.kind == ErrorKind::SignedOut => {
            if let Some(page) = route.signed_out_page {
                let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
                return see_other(&format!("{page}{query}"));
            }
            // The query can contain the code of an invitation: the redirect after sign-in must preserve it.
            let here = parts.uri.path_and_query().map_or(parts.uri.path(), |it| it.as_str());
            let back: String = url::form_urlencoded::byte_serialize(here.as_bytes()).collect();
            let mut response = see_other(&format!("/login?next={back}"));
            let from = drafts::client_ip(&parts.extensions);
            if let Some(cookie) = drafts::save(&state, from, mark.as_deref(), parts.uri.path(), &values).await {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
        Err(error) => {
            let path = parts.uri.path().to_owned();
            let leaves =
                error.kind == ErrorKind::StepUp && !reauthentication_method(&state, &parts).await.is_form_field();
            // The user must sign out and in again; the draft preserves the submitted values.
            let kept = if leaves {
                drafts::save(&state, drafts::client_ip(&parts.extensions), mark.as_deref(), &path, &values).await
            } else {
                None
            };
            let mut response =
                render_rejected(state, parts, RejectedForm { path, error, values, is_draft: false }).await;
            if let Some(cookie) = kept {
                response.headers_mut().append(header::SET_COOKIE, cookie);
            }
            response
        }
    }
}

/// Decodes a form and checks its path, the access of the caller, and the reauthentication.
async fn accept(state: &AppState, parts: &mut Parts, text: &str, route: &FormRoute) -> Result<Action, AppError> {
    let is_bound = is_bound_to_path(state, parts, text, route).await;
    let action = route.decode(text).filter(|_| is_bound).ok_or_else(|| {
        AppError::new(ErrorKind::Invalid, "The form could not be read. Reload the page and try again.")
    })?;
    check_access(parts, route.access)?;
    // An action that reauthenticates checks the field itself.
    if !route.has_field(PROOF_FIELD) {
        check_reauthentication(state, parts, text).await?;
    }
    Ok(action)
}

/// Returns whether the fields of a form match the parameters of its path.
async fn is_bound_to_path(state: &AppState, parts: &mut Parts, text: &str, route: &FormRoute) -> bool {
    // Fails if the decoded path is not UTF-8.
    let Ok(parameters) = RawPathParams::from_request_parts(parts, state).await else { return false };
    route.is_bound_to(&parameters.iter().collect::<Vec<_>>(), text)
}

/// Checks the session and the administrator permission that a form requires. The services check them again.
fn check_access(parts: &Parts, access: Access) -> Result<(), AppError> {
    let caller = parts.extensions.get::<SessionContext>().and_then(|visit| visit.caller.as_ref());
    match caller.map(|caller| caller.admin) {
        admin if access.is_granted(admin) => Ok(()),
        Some(_) => Err(context::to_app_error(Error::NotFound, None)),
        None => Err(context::signed_out_error()),
    }
}

/// Returns the reauthentication method of the user who submitted the form.
async fn reauthentication_method(state: &AppState, parts: &Parts) -> ReauthenticationMethod {
    match parts.extensions.get::<SessionContext>().and_then(|visit| visit.caller.as_ref()) {
        Some(caller) => state.app.accounts.reauthentication_method(caller).await.unwrap_or_default(),
        None => ReauthenticationMethod::default(),
    }
}

/// Renders the page again with the errors of a rejected form.
pub(super) async fn render_rejected(state: AppState, parts: Parts, refusal: RejectedForm) -> Response {
    let status = StatusCode::from_u16(refusal.error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let proof = reauthentication_method(&state, &parts).await;
    let more = Arc::new(move || {
        provide_context(refusal.clone());
        provide_context(proof);
    });
    let mut response = render_again(state, parts, status, more).await;
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().entry(header::RETRY_AFTER).or_insert(HeaderValue::from_static("2"));
    }
    response
}

/// Checks the reauthentication field of a form, if the form has one and the request has a session. On success the
/// action sees a recent reauthentication.
pub(super) async fn check_reauthentication(state: &AppState, parts: &mut Parts, text: &str) -> Result<(), AppError> {
    let Some(visit) = parts.extensions.get::<SessionContext>().cloned() else { return Ok(()) };
    let mut fields = url::form_urlencoded::parse(text.as_bytes());
    let proof = fields.find(|(name, _)| name == PROOF_FIELD).map(|(_, proof)| Password::new(proof.into_owned()));
    let Some(proof) = proof.filter(|proof| !proof.expose().is_empty()) else { return Ok(()) };
    if visit.caller.is_none() {
        return Ok(());
    }
    context::verify_reauthentication(&state.app, &visit, &proof).await?;
    parts.extensions.insert(visit.with_reauthentication(state.app.context.now()));
    Ok(())
}

/// Returns the body of a form as text.
///
/// # Errors
/// [`ErrorKind::Invalid`] for another content type, too many pairs, or bytes that are not UTF-8;
/// [`ErrorKind::TooLarge`] above the maximum length of all forms; [`ErrorKind::Broken`] for an incomplete body.
pub(super) async fn read_body(parts: &Parts, body: Body) -> Result<Zeroizing<String>, AppError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let wrong = |words: &str| AppError::new(ErrorKind::Invalid, words);
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(wrong("The form has an unsupported content type. Use the form on this page."));
    }
    let bytes = axum::body::to_bytes(body, max_form_len()).await.map_err(|error| match is_too_long(&error) {
        true => AppError::new(ErrorKind::TooLarge, "The form is too long. Shorten it."),
        false => AppError::new(ErrorKind::Broken, "The form was not received completely. Submit it again."),
    })?;
    check(&bytes).map_err(wrong)?;
    // The cause contains the form.
    String::from_utf8(bytes.into()).map(Zeroizing::new).map_err(|_| wrong(NOT_TEXT))
}

/// Returns the maximum body length of a route, in bytes.
pub fn max_body_len(route: Option<&str>) -> usize {
    route.and_then(form_route).map_or(FORM_MAX, |form| form.max_len)
}

/// Returns the maximum body length of all forms, in bytes.
pub fn max_form_len() -> usize {
    form_routes().iter().map(|form| form.max_len).fold(FORM_MAX, usize::max)
}

/// Checks a form before it is decoded. It has at most [`PAIRS_MAX`] pairs, and its bytes are UTF-8, including
/// percent-encoded bytes. The decoders would replace other bytes with U+FFFD.
///
/// # Errors
/// The message for the user.
pub(super) fn check(form: &[u8]) -> Result<(), &'static str> {
    if memchr_iter(b'&', form).count() >= PAIRS_MAX {
        return Err("The form has too many fields. Submit fewer at a time.");
    }
    // The form can contain a password. A vector that grows would leave copies of it in memory.
    let mut decoded = Zeroizing::new(Vec::<u8>::with_capacity(form.len()));
    decoded.extend(percent_decode(form));
    // The cause has only the position of the byte.
    std::str::from_utf8(&decoded).map(|_| ()).map_err(|_| NOT_TEXT)
}

/// Returns whether reading a body failed because of its length.
pub(super) fn is_too_long(error: &axum::Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if error.is::<LengthLimitError>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// Runs an action in the context of a page. Also returns the response options that the action set.
async fn run(
    state: &AppState,
    parts: &Parts,
    action: ActionFuture,
) -> (Result<ActionResult, AppError>, ResponseOptions) {
    let (parts, options) = (parts.clone(), ResponseOptions::default());
    let owner = Owner::new();
    let action = owner.with(|| {
        provide_context(parts);
        provide_context(options.clone());
        pages::provide(state);
        ScopedFuture::new(action)
    });
    (action.await, options)
}

/// Returns the submitted values by input name. Values that are longer than their field permits are omitted.
pub(super) fn submitted_values(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let name = name.split('[').next().unwrap_or_default();
        if !NOT_REFILLED.contains(&name) && (value.len() <= REFILL_MAX || name == "config") {
            values.entry(name.to_owned()).or_default().push(value.into_owned());
        }
    }
    values
}

/// Returns a 303 response: the browser requests the next page with GET, and Back does not submit the form again.
pub(super) fn see_other(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // A path of this server contains only characters that are valid in a header. Any other value redirects to `/keys`.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/keys"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Returns a page that redirects immediately.
fn external_redirect_page(headers: &HeaderMap, to: &str) -> Response {
    let href = escape_text(to).replace('"', "&quot;");
    let body = format!(
        r#"<div class="gate"><main class="gate__main"><header class="gate__head"><h1>Return to the application</h1></header>
<div class="actions"><a class="button button--primary" href="{href}">Continue</a></div></main></div>"#
    );
    let page = static_page::document(headers, "Return to the application · Keyward", &[], &body);
    let mut response = Html(page).into_response();
    let response_headers = response.headers_mut();
    response_headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(error_page::CSP));
    if let Ok(refresh) = HeaderValue::from_str(&format!("0;url={to}")) {
        response_headers.insert(header::REFRESH, refresh);
    }
    response
}

/// Renders the page of the form again, with the values of `more` in its context.
async fn render_again(state: AppState, mut parts: Parts, status: StatusCode, more: pages::ContextProvider) -> Response {
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let request = Request::from_parts(parts, Body::empty());
    let mut response = pages::render(state, request, Some(more)).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

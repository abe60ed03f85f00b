//! Forms without JavaScript.
//!
//! A form posts to its page's own path. Here a `post` is mounted beside each such page: it decodes the server function's own
//! arguments, runs the server function in the same context, and then redirects (303, to a path of ours) or draws the page again,
//! with the errors beside the fields (422) or, for a new key, with the answer that is shown once.

use super::{AppState, pages};
use crate::{
    app::NoScripts,
    error::{AppError, ErrorKind, Refusal},
    features::{
        keys::api::{ActivateKey, CreateKey, CreatedKey, DeactivateKey, DeleteKey, RestoreKey},
        session::api::{SetUp, SignIn, SignOut},
    },
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::Response,
    routing::post,
};
use leptos::{
    prelude::{Owner, provide_context},
    reactive::computed::ScopedFuture,
    server_fn::ServerFn,
};
use leptos_axum::ResponseOptions;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The longest form, in bytes.
const FORM_MAX: usize = 64 * 1024;
/// The field that is never drawn again.
const NOT_REFILLED: &str = "password";

/// What follows a form that was accepted.
enum Next {
    /// 303 to a path of ours.
    See(String),
    /// The page again, with the secret that is shown once.
    Reveal(Box<CreatedKey>),
}

/// All forms, each at its page's path.
pub fn mount(router: Router<AppState>) -> Router<AppState> {
    router
        .route("/login", post(form::<SignIn>(|_, parts| Next::See(next_path(parts)))))
        .route("/setup", post(form::<SetUp>(|_, _| Next::See("/keys".into()))))
        .route("/logout", post(form::<SignOut>(|_, _| Next::See("/login".into()))))
        .route("/keys/new", post(form::<CreateKey>(|created, _| Next::Reveal(Box::new(created)))))
        .route("/keys/{id}/deactivate", post(form::<DeactivateKey>(|_, _| Next::See("/keys".into()))))
        .route("/keys/{id}/activate", post(form::<ActivateKey>(|_, _| Next::See("/keys".into()))))
        .route("/keys/{id}/delete", post(form::<DeleteKey>(|_, _| Next::See("/keys?status=deleted".into()))))
        .route("/keys/{id}/restore", post(form::<RestoreKey>(|_, _| Next::See("/keys".into()))))
}

/// Where to go after signing in: `?next=`, if it is a path of ours.
fn next_path(parts: &Parts) -> String {
    let query = parts.uri.query().unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "next")
        .and_then(|(_, path)| crate::features::session::own_path(&path).map(ToOwned::to_owned))
        .unwrap_or_else(|| "/keys".to_owned())
}

type Answering = std::pin::Pin<Box<dyn Future<Output = Response> + Send>>;

/// The handler of one form.
fn form<S>(
    next: fn(S::Output, &Parts) -> Next,
) -> impl Fn(State<AppState>, Request) -> Answering + Clone + Send + Sync + 'static
where
    S: ServerFn<Error = AppError> + DeserializeOwned + Send + 'static,
    S::Output: Send,
{
    move |State(state), request| Box::pin(answer::<S>(state, request, next))
}

async fn answer<S>(state: AppState, request: Request, next: fn(S::Output, &Parts) -> Next) -> Response
where
    S: ServerFn<Error = AppError> + DeserializeOwned + Send + 'static,
    S::Output: Send,
{
    let (parts, body) = request.into_parts();
    let (values, outcome) = match read(&parts, body).await {
        Ok(text) => {
            let values = refill(&text);
            let outcome = match serde_qs::Config::new(5, false).deserialize_str::<S>(&text) {
                Ok(arguments) if is_about(parts.uri.path(), &values) => run(&state, &parts, arguments).await,
                _ => Err(AppError::new(
                    ErrorKind::Invalid,
                    "This form could not be read. Open the page again and fill it in once more.",
                )),
            };
            (values, outcome)
        }
        Err(error) => (BTreeMap::new(), Err(error)),
    };
    match outcome.map(|output| next(output, &parts)) {
        Ok(Next::See(path)) => see(&path),
        Ok(Next::Reveal(created)) => {
            redraw(state, parts, StatusCode::OK, move || provide_context(CreatedKey::clone(&created))).await
        }
        Err(error) if error.kind == ErrorKind::SignedOut => {
            let back: String = url::form_urlencoded::byte_serialize(parts.uri.path().as_bytes()).collect();
            see(&format!("/login?next={back}"))
        }
        Err(error) => {
            let status = StatusCode::from_u16(error.kind.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let refusal = Refusal { path: parts.uri.path().to_owned(), error, values };
            redraw(state, parts, status, move || provide_context(refusal.clone())).await
        }
    }
}

/// Whether a form is about the key that its address names.
fn is_about(path: &str, values: &BTreeMap<String, Vec<String>>) -> bool {
    match path.strip_prefix("/keys/").and_then(|rest| rest.split_once('/')) {
        Some((id, _)) => values.get("id").is_some_and(|ids| ids.iter().eq([id])),
        None => true,
    }
}

/// The body of a form, as text.
async fn read(parts: &Parts, body: Body) -> Result<String, AppError> {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let wrong = |words: &str| AppError::new(ErrorKind::Invalid, words);
    if !kind.starts_with("application/x-www-form-urlencoded") {
        return Err(wrong("This form was sent in a way that Keyward does not read. Use the form on this page."));
    }
    let bytes = axum::body::to_bytes(body, FORM_MAX).await.map_err(|_| wrong("This form is too long. Shorten it."))?;
    String::from_utf8(bytes.into()).map_err(|_| wrong("This form is not text. Fill it in once more."))
}

/// Runs the server function as a call from the browser would.
async fn run<S: ServerFn<Error = AppError>>(
    state: &AppState,
    parts: &Parts,
    arguments: S,
) -> Result<S::Output, AppError> {
    let (state, parts) = (state.clone(), parts.clone());
    let owner = Owner::new();
    let body = owner.with(|| {
        provide_context(parts);
        provide_context(ResponseOptions::default());
        pages::provide(&state);
        ScopedFuture::new(arguments.run_body())
    });
    body.await
}

/// What was typed, by the name of the input.
fn refill(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut values = BTreeMap::<String, Vec<String>>::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let name = name.split('[').next().unwrap_or_default();
        if name != NOT_REFILLED {
            values.entry(name.to_owned()).or_default().push(value.into_owned());
        }
    }
    values
}

/// 303: the browser asks for the next page with GET, and Back does not send the form again.
pub(super) fn see(path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    // A path of ours has only characters that a header may have; anything else goes home.
    let location = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/keys"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// Draws the page of the form again. Without scripts: what is in its context stands in no other page, so a browser that took it
/// over would not draw the same.
async fn redraw(
    state: AppState,
    mut parts: Parts,
    status: StatusCode,
    more: impl Fn() + Clone + Send + Sync + 'static,
) -> Response {
    parts.method = Method::GET;
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::CONTENT_TYPE);
    let request = Request::from_parts(parts, Body::empty());
    let mut response = pages::draw(state, request, move || {
        provide_context(NoScripts);
        more();
    })
    .await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    response
}

//! Loads the data of a page and draws it.

use super::{NotFoundPage, Session};
use crate::{
    error::{AppError, ErrorKind},
    features::resource::resource,
    response_status::status,
    ui::notice::{Notice, Tone},
};
use leptos::prelude::*;
use serde::{Serialize, de::DeserializeOwned};

/// Loads the data once a user is signed in, and draws it. An object that does not exist or is not accessible is drawn
/// as a 404 page; any other error as a notice.
pub fn load<T, F>(
    ask: impl Fn() -> F + Send + Sync + 'static,
    draw: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    load_with(ask, draw, |error| match error.kind {
        // `SignedInOnly` redirects to the sign-in page.
        ErrorKind::SignedOut => ().into_any(),
        ErrorKind::NotFound => view! { <NotFoundPage /> }.into_any(),
        _ => {
            status(error.kind.status());
            view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any()
        }
    })
}

/// Loads the data once a user is signed in, and draws it, or the error.
pub fn load_with<T, F>(
    ask: impl Fn() -> F + Send + Sync + 'static,
    draw: impl Fn(T) -> AnyView + Clone + Send + Sync + 'static,
    draw_error: impl Fn(AppError) -> AnyView + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
    F: Future<Output = Result<T, AppError>> + Send + 'static,
{
    let session = Session::current();
    let answer = resource(
        || (),
        move |()| {
            let future = ask();
            async move {
                session.signed_in().await?;
                future.await
            }
        },
    );
    let drawn = move |answer: Result<T, AppError>| match answer {
        Ok(found) => draw(found),
        Err(error) => draw_error(error),
    };
    view! { <Suspense>{move || answer.get().map(drawn.clone())}</Suspense> }.into_any()
}

/// Draws a page for administrators. Other users get a 404 page.
pub fn admin_page(draw: impl Fn() -> AnyView + Clone + Send + Sync + 'static) -> AnyView {
    let session = Session::current();
    view! {
        <Suspense>
            {move || {
                let draw = draw.clone();
                session
                    .get()
                    .map(|known| match known {
                        Ok(known) if known.me.as_ref().is_some_and(|me| me.admin) => draw(),
                        _ => view! { <NotFoundPage /> }.into_any(),
                    })
            }}
        </Suspense>
    }
    .into_any()
}

//! Redirect to the sign-in page for requests without a session.

use super::{Session, login_url_for_current_page};
use crate::{
    error::AppError,
    response_status::{Redirect, status},
    ui::notice::{Notice, Tone},
};
use leptos::prelude::*;

/// Redirects to the sign-in page if no user is signed in. Otherwise renders nothing.
#[component]
pub fn SignedInOnly() -> impl IntoView {
    let session = Session::current();
    let login = StoredValue::new(login_url_for_current_page());
    view! {
        <Suspense>
            {move || {
                session
                    .get()
                    .map(|known| match known {
                        Ok(known) if known.me.is_some() => ().into_any(),
                        Ok(_) => view! { <Redirect to=login.get_value() /> }.into_any(),
                        Err(error) => failed(error),
                    })
            }}
        </Suspense>
    }
    .into_any()
}

fn failed(error: AppError) -> AnyView {
    status(error.kind.status());
    view! { <Notice tone=Tone::Danger>{error.message}</Notice> }.into_any()
}

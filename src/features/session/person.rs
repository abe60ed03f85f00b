//! Redirect to the sign-in page for requests without a session.

use super::{Session, to_login};
use crate::{
    error::AppError,
    response_status::{Go, status},
    ui::notice::{Notice, Tone},
};
use leptos::prelude::*;

/// Redirects to the sign-in page if no user is signed in. Otherwise renders nothing.
#[component]
pub fn SignedInOnly() -> impl IntoView {
    let session = Session::here();
    let login = StoredValue::new(to_login());
    view! {
        <Suspense>
            {move || {
                session
                    .get()
                    .map(|known| match known {
                        Ok(known) if known.me.is_some() => ().into_any(),
                        Ok(_) => view! { <Go to=login.get_value() /> }.into_any(),
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

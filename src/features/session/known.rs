//! What every page knows: who is signed in, and whose Keyward this is.

use super::api;
use crate::{
    domain::user::{Instance, Me},
    error::{AppError, ErrorKind},
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub me: Option<Me>,
    pub instance: Instance,
}

/// [`Known`], asked for once a page load. Signing in and out load the page anew.
///
/// A `Resource`, although it never changes: reading a `OnceResource` while another thread stores its value panics
/// (`leptos_server` 0.8.8 takes the lock by `try_read`).
#[derive(Clone, Copy)]
pub struct Session(Resource<Result<Known, AppError>>);

impl Session {
    /// Asks, and gives the answer to all pages as context.
    pub fn provide() {
        let ask = |()| async { Ok(Known { me: api::me().await?, instance: api::instance().await? }) };
        provide_context(Self(Resource::new(|| (), ask)));
    }

    pub fn here() -> Self {
        expect_context()
    }

    /// The answer if it is there. Read it within a `Suspense`.
    pub fn get(self) -> Option<Result<Known, AppError>> {
        self.0.get()
    }

    /// Waits until it is clear that somebody is signed in.
    ///
    /// # Errors
    /// `SignedOut` if nobody is. A page asks here before it calls a server function, so that nothing but the redirect to the
    /// sign-in page decides its status.
    pub async fn signed_in(self) -> Result<(), AppError> {
        match self.0.await?.me {
            Some(_) => Ok(()),
            None => Err(AppError::new(ErrorKind::SignedOut, "Sign in to go on.")),
        }
    }
}

/// The title of the page, with the name of the product whose keys these are.
#[component]
pub fn PageTitle(#[prop(into)] text: String) -> impl IntoView {
    let session = Session::here();
    view! {
        <Suspense>
            {move || {
                let text = text.clone();
                session
                    .get()
                    .map(|known| {
                        let name = known.ok().and_then(|known| known.instance.name);
                        view! { <Title text=format!("{text} · {}", name.as_deref().unwrap_or("Keyward")) /> }
                    })
            }}
        </Suspense>
    }
    .into_any()
}

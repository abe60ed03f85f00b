//! What every page knows: who is signed in, and whose Keyward this is.

use super::api;
use crate::{
    domain::user::{Instance, Me},
    error::{AppError, ErrorKind},
    features::resource::resource,
    ui::markup::escape_text,
};
use leptos::prelude::*;
use leptos_meta::Title;
use serde::{Deserialize, Serialize};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

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
        provide_context(Self(resource(|| (), ask)));
        provide_context(Titled::default());
    }

    pub fn here() -> Self {
        expect_context()
    }

    /// The answer if it is there. Read it within a `Suspense`.
    pub fn get(self) -> Option<Result<Known, AppError>> {
        self.0.get()
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// If the session cannot be read.
    pub async fn known(self) -> Result<Known, AppError> {
        self.0.await
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

/// Whether what lies over a list has given the page its title. Their parts are drawn in any order.
#[derive(Clone, Default)]
struct Titled(Arc<AtomicBool>);

/// The title of the page, with the name of the product whose keys these are. That of a list lies `under` that of its dialogs.
#[component]
pub fn PageTitle(#[prop(into)] text: String, #[prop(optional)] under: bool) -> impl IntoView {
    let session = Session::here();
    let titled = expect_context::<Titled>().0;
    view! {
        <Suspense>
            {move || {
                let (text, titled) = (text.clone(), titled.clone());
                session
                    .get()
                    .map(|known| {
                        let name = known.ok().and_then(|known| known.instance.name);
                        let taken = titled.fetch_or(!under, Relaxed) && under;
                        let text = format!("{text} · {}", name.as_deref().unwrap_or("Keyward"));
                        if !taken {
                            // It stands in the head: here nothing is drawn, whether or not it is this one.
                            let text = escape_text(&text);
                            let _ = view! { <Title text /> };
                        }
                    })
            }}
        </Suspense>
    }
    .into_any()
}

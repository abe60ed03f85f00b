//! Session context of every page: the signed-in user and the instance.

use super::api;
use crate::{
    domain::user::{CurrentUser, Instance},
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
pub struct SessionInfo {
    pub me: Option<CurrentUser>,
    pub instance: Instance,
}

/// [`SessionInfo`], loaded once per page load. Sign-in and sign-out reload the page.
///
/// A `Resource`, although it never changes: reading a `OnceResource` while another thread stores its value panics
/// (`leptos_server` 0.8.8 takes the lock by `try_read`).
#[derive(Clone, Copy)]
pub struct Session(Resource<Result<SessionInfo, AppError>>);

impl Session {
    /// Starts loading and provides the resource to all pages as context.
    pub fn provide() {
        let ask = |()| async { Ok(SessionInfo { me: api::me().await?, instance: api::instance().await? }) };
        provide_context(Self(resource(|| (), ask)));
        provide_context(DialogTitleSet::default());
    }

    pub fn current() -> Self {
        expect_context()
    }

    /// Returns the value if it is loaded. Call it within a `Suspense`.
    pub fn get(self) -> Option<Result<SessionInfo, AppError>> {
        self.0.get()
    }

    /// Waits for the value.
    ///
    /// # Errors
    /// If the session cannot be read.
    pub async fn wait(self) -> Result<SessionInfo, AppError> {
        self.0.await
    }

    /// Waits for the session and checks that a user is signed in.
    ///
    /// # Errors
    /// `SignedOut` if no user is signed in. A page calls this before it loads its data, so that only the redirect to the
    /// sign-in page decides the status.
    pub async fn signed_in(self) -> Result<(), AppError> {
        match self.0.await?.me {
            Some(_) => Ok(()),
            None => Err(AppError::new(ErrorKind::SignedOut, "Sign in to continue.")),
        }
    }
}

/// Whether a dialog has set the page title. The list and its dialog render in any order.
#[derive(Clone, Default)]
struct DialogTitleSet(Arc<AtomicBool>);

/// The page title, followed by the product name. A list sets `under`: the title of its dialog takes precedence.
#[component]
pub fn PageTitle(#[prop(into)] text: String, #[prop(optional)] under: bool) -> impl IntoView {
    let session = Session::current();
    let titled = expect_context::<DialogTitleSet>().0;
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
                            // `Title` writes into the document head. Nothing is rendered here, whether or not this
                            // title is used.
                            let text = escape_text(&text);
                            let _ = view! { <Title text /> };
                        }
                    })
            }}
        </Suspense>
    }
    .into_any()
}

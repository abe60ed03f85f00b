//! The document, the application and the table of its pages.
//!
//! Never here: server functions, queries.

use crate::{
    features::{
        keys::{ActivatePage, CreatePage, DeactivatePage, DeletePage, KeysPage, RestorePage},
        session::{LoginPage, LogoutPage, MissingPage, Session, SetupPage},
    },
    ui::{answer::Go, icon::Sprite},
};
use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    SsrMode,
    components::{ParentRoute, Route, Router, Routes},
    path,
};

/// Given as context when the answer must do without scripts: it shows a secret, and nothing may read it afterwards.
#[derive(Clone, Copy, Debug)]
pub struct NoScripts;

/// The document that the server sends.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let site = format!("/{}", options.site_pkg_dir);
    let file = |name: &str| format!("{site}/{name}");
    let still = use_context::<NoScripts>().is_some();
    if still && let Some(shared) = Owner::current_shared_context() {
        // Nothing will hydrate this page: its data need not travel with it.
        shared.set_is_hydrating(false);
    }
    let scripts = (!still).then(|| {
        view! {
            <AutoReload options=options.clone() />
            <HydrationScripts options=options.clone() />
        }
    });
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#fafbfb" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#0b1114" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href=file("favicon.svg") type="image/svg+xml" />
                <link
                    rel="preload"
                    href=file("fonts/inter-latin-wght.woff2")
                    r#as="font"
                    type="font/woff2"
                    crossorigin="anonymous"
                />
                <link rel="stylesheet" href=file("keyward.css") />
                {scripts}
                <MetaTags />
            </head>
            <body>
                <App />
                <Sprite />
            </body>
        </html>
    }
}

/// The application, on the server and in the browser. Every page is complete before it is sent, so that none needs scripts.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Pages />
        </Router>
    }
}

#[component]
fn Pages() -> impl IntoView {
    Session::provide();
    view! {
        <Routes fallback=MissingPage>
            <Route path=path!("/") view=|| view! { <Go to="/keys" /> } ssr=SsrMode::Async />
            <Route path=path!("/login") view=LoginPage ssr=SsrMode::Async />
            <Route path=path!("/logout") view=LogoutPage ssr=SsrMode::Async />
            <Route path=path!("/setup") view=SetupPage ssr=SsrMode::Async />
            <ParentRoute path=path!("/keys") view=KeysPage ssr=SsrMode::Async>
                <Route path=path!("") view=|| () ssr=SsrMode::Async />
                <Route path=path!("new") view=CreatePage ssr=SsrMode::Async />
                <Route path=path!(":id/deactivate") view=DeactivatePage ssr=SsrMode::Async />
                <Route path=path!(":id/activate") view=ActivatePage ssr=SsrMode::Async />
                <Route path=path!(":id/delete") view=DeletePage ssr=SsrMode::Async />
                <Route path=path!(":id/restore") view=RestorePage ssr=SsrMode::Async />
            </ParentRoute>
        </Routes>
    }
}

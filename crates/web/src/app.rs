//! Leptos root: the HTML document, and the application with the pages of all features.
//!
//! This module contains no server functions and no queries.

use crate::{
    domain::theme::Theme,
    features::{
        page_routes,
        session::{NotFoundPage, Session},
    },
    ui::icon::Sprite,
};
use leptos::{either::Either, nonce::use_nonce, prelude::*, tachys::view::iterators::StaticVec};
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    any_nested_route::AnyNestedRoute,
    components::{Router, Routes},
};

/// Context value for a response without scripts. Such a page shows a secret, which no script may read.
#[derive(Clone, Copy, Debug)]
pub struct NoScripts;

/// Context value with the asset path whose font the browser has cached, as reported by [`FONT_COOKIE`].
#[derive(Clone, Debug)]
pub struct HasFont(pub String);

/// Cookie that reports the cached font. Its value is the asset path, so that the font of a new version is fetched
/// again.
pub const FONT_COOKIE: &str = "font";

/// Renders the HTML document.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let site = format!("/{}", options.site_pkg_dir);
    let file = |name: &str| format!("{site}/{name}");
    let still = use_context::<NoScripts>().is_some();
    // The first visit renders at once with the system font. The script below then loads the font and sets the cookie.
    let has_font = use_context::<HasFont>().is_some_and(|has| has.0 == site);
    if let Some(shared) = Owner::current_shared_context() {
        // Islands carry their own properties. No other data is serialized into the page.
        shared.set_is_hydrating(false);
    }
    let scripts = (!still).then(|| {
        view! {
            <AutoReload options=options.clone() />
            <script type="module" nonce=use_nonce() inner_html=loader_script(&site, !has_font)></script>
        }
    });
    let face = || view! { <link rel="stylesheet" href=file("font.css") /> };
    let font = if has_font || still {
        let preload = view! {
            <link rel="preload" href=file("fonts/inter-latin-wght.woff2") r#as="font" type="font/woff2" crossorigin="anonymous" />
        };
        Either::Left((preload, face()))
    } else {
        Either::Right(view! { <noscript>{face()}</noscript> })
    };
    let theme = use_context::<Theme>().unwrap_or_default();
    let chosen = (theme != Theme::System).then(|| theme.as_str());
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=chosen>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="description" content="Create and manage API keys." />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" content="#fafbfb" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#0b1114" media="(prefers-color-scheme: dark)" />
                <link rel="icon" href=file("favicon.svg") type="image/svg+xml" />
                <link rel="stylesheet" href=file("keyward.css") />
                {font}
                {scripts}
                <MetaTags />
            </head>
            <body>
                <Sprite />
                <App />
            </body>
        </html>
    }
}

/// Returns the script that loads the WASM module, and on the first visit the font.
///
/// It runs after the page is loaded, when the browser is idle, but at most 500 ms later: a browser may never call an
/// idle callback that has no timeout (`requestIdleCallback`, W3C Cooperative Scheduling of Background Tasks, section
/// 4.1). Leptos' own script loads the module at once, in competition with the resources for the first rendering.
fn loader_script(site: &str, font: bool) -> String {
    let font = if font {
        format!(
            "const face=document.createElement('link');face.rel='stylesheet';face.href='{site}/font.css';\
             document.head.append(face);document.cookie='{FONT_COOKIE}={site};path=/;max-age=31536000;samesite=lax';"
        )
    } else {
        String::new()
    };
    format!(
        "const idle=window.requestIdleCallback??setTimeout;\
         const start=()=>idle(async()=>{{{font}\
         const part=await import('{site}/keyward.js');\
         await part.default({{module_or_path:'{site}/keyward.wasm'}});\
         window.__hydrateIsland=(island,name)=>part[name]?.(island);\
         part.hydrate()}},{{timeout:500}});\
         document.readyState==='complete'?start():addEventListener('load',start)"
    )
}

/// Root component. Every page is rendered completely on the server, so that none requires scripts.
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
        <Routes fallback=NotFoundPage>
            <FeatureRoutes />
        </Routes>
    }
}

/// The pages of all features.
#[component(transparent)]
fn FeatureRoutes() -> StaticVec<AnyNestedRoute> {
    page_routes()
}

//! Shared state of all handlers.

use super::{EdgeState, assets, routes::ROUTES};
use crate::service::Services;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;

/// The services, the Leptos options, and the state of the edge.
#[derive(Clone)]
pub struct AppState {
    pub app: Services,
    pub leptos: LeptosOptions,
    pub edge: EdgeState,
}

impl AppState {
    pub fn new(app: Services) -> Self {
        // Set in code, not in the environment: the binary runs from any folder without files next to it. Under `cargo
        // leptos watch` the files are not embedded and their folder has no hash; the watcher sets the port of its
        // reload socket.
        let leptos = LeptosOptions::builder()
            .output_name("keyward")
            .site_root("target/site")
            .site_pkg_dir(assets::prefix())
            .build();
        let routes = ROUTES.iter().map(|route| route.path).collect();
        let edge = EdgeState::new(
            app.config.clone(),
            app.context.clone(),
            app.verify.clone(),
            app.tokens.clone(),
            app.usage.clone(),
            routes,
        );
        Self { app, leptos, edge }
    }
}

impl FromRef<AppState> for LeptosOptions {
    fn from_ref(state: &AppState) -> Self {
        state.leptos.clone()
    }
}

impl FromRef<AppState> for Services {
    fn from_ref(state: &AppState) -> Self {
        state.app.clone()
    }
}

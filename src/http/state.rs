//! What every handler can reach.

use super::{EdgeState, assets, routes::ROUTES};
use crate::service::App;
use axum::extract::FromRef;
use leptos::config::LeptosOptions;

/// The service, how Leptos is to draw, and what is counted.
#[derive(Clone)]
pub struct AppState {
    pub app: App,
    pub leptos: LeptosOptions,
    pub edge: EdgeState,
}

impl AppState {
    pub fn new(app: App) -> Self {
        // In code, not in the environment: the binary runs from any folder, with no file beside it. Under `cargo leptos watch`
        // the files are not embedded and their folder has no hash; the watcher says the port of its reload socket.
        let leptos = LeptosOptions::builder()
            .output_name("keyward")
            .site_root("target/site")
            .site_pkg_dir(assets::prefix())
            .build();
        let routes = ROUTES.iter().map(|route| route.path).collect();
        let edge = EdgeState::new(
            app.config.clone(),
            app.ground.clone(),
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

impl FromRef<AppState> for App {
    fn from_ref(state: &AppState) -> Self {
        state.app.clone()
    }
}

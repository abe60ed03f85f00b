//! Shared state of all handlers.

use super::{EdgeState, assets, static_page};
use crate::service::Services;
use axum::extract::FromRef;
use keyward_api::ApiState;
use leptos::config::LeptosOptions;

/// The services, the Leptos options, and the states of the edge and of the API.
#[derive(Clone)]
pub struct AppState {
    pub app: Services,
    pub leptos: LeptosOptions,
    pub edge: EdgeState,
    pub api: ApiState,
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
        let api = ApiState::new(app.clone(), static_page::document);
        let edge = api.edge.clone();
        Self { app, leptos, edge, api }
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

//! What every handler can reach.

use super::{assets, metrics::Metrics, request_id::Ids};
use crate::{log_limit::LogLimit, service::App};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use std::sync::Arc;

/// The service, how Leptos is to draw, and what is counted.
#[derive(Clone)]
pub struct AppState {
    pub app: App,
    pub leptos: LeptosOptions,
    pub(super) metrics: Arc<Metrics>,
    pub(super) ids: Arc<Ids>,
    /// Limits the log lines about requests for other hosts.
    pub(super) misdirected: Arc<LogLimit>,
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
        let ids = Arc::new(Ids::new(&*app.ground.random));
        Self { app, leptos, metrics: Arc::default(), ids, misdirected: Arc::default() }
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

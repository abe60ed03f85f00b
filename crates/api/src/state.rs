//! Shared state of the API handlers.

use crate::routes::ROUTES;
use axum::{extract::FromRef, http::HeaderMap};
use keyward_edge::EdgeState;
use keyward_service::Services;

/// Renders an HTML document in the layout of the site: the headers of the request, the title as escaped HTML, further
/// stylesheets, and the body.
pub type DocumentLayout = fn(&HeaderMap, &str, &[&str], &str) -> String;

/// The services, the state of the edge, and the layout of the API reference.
#[derive(Clone)]
pub struct ApiState {
    pub app: Services,
    pub edge: EdgeState,
    pub layout: DocumentLayout,
}

impl ApiState {
    pub fn new(app: Services, layout: DocumentLayout) -> Self {
        let routes = ROUTES.iter().map(|route| route.path).collect();
        let edge = EdgeState::new(
            app.config.clone(),
            app.context.clone(),
            app.verify.clone(),
            app.tokens.clone(),
            app.usage.clone(),
            routes,
        );
        Self { app, edge, layout }
    }
}

impl FromRef<ApiState> for Services {
    fn from_ref(state: &ApiState) -> Self {
        state.app.clone()
    }
}

//! Table of form actions: a router and the paths of its routes. An axum router cannot list its routes.

use super::AppState;
use axum::{Router, routing::MethodRouter};

/// Router of the forms, with the paths that are mounted.
pub struct FormTable {
    pub router: Router<AppState>,
    pub paths: Vec<&'static str>,
}

impl FormTable {
    pub fn new(router: Router<AppState>) -> Self {
        Self { router, paths: Vec::new() }
    }

    /// Mounts one form and records its path.
    pub fn route(mut self, path: &'static str, form: MethodRouter<AppState>) -> Self {
        self.paths.push(path);
        Self { router: self.router.route(path, form), paths: self.paths }
    }
}

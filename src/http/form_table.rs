//! The forms that are mounted, with their addresses: a router alone does not say what it holds.

use super::AppState;
use axum::{Router, routing::MethodRouter};

/// What is mounted so far.
pub struct Table {
    pub router: Router<AppState>,
    pub paths: Vec<&'static str>,
}

impl Table {
    pub fn new(router: Router<AppState>) -> Self {
        Self { router, paths: Vec::new() }
    }

    /// Mounts one form, and notes where.
    pub fn route(mut self, path: &'static str, form: MethodRouter<AppState>) -> Self {
        self.paths.push(path);
        Self { router: self.router.route(path, form), paths: self.paths }
    }
}

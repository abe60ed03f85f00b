//! The administration pages.

pub mod api;
pub mod routes;

//! Server functions of the administration pages.

pub mod api;

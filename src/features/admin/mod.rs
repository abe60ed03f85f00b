//! The administration pages.

pub mod api;

//! The administrators' pages.

pub mod api;

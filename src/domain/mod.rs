//! The words of the product as types: pure, for both targets.
//!
//! Never here: leptos, axum, sqlx, a clock, the environment.

pub mod expiry;
pub mod ids;
pub mod key;
pub mod project;
pub mod scope;
pub mod sensitive;
pub mod time;
pub mod user;

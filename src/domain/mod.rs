//! The words of the product as types: pure, for both targets.
//!
//! Never here: leptos, axum, sqlx, a clock, the environment.

pub mod audit;
pub mod consent;
pub mod count;
#[cfg(feature = "ssr")]
pub mod email;
pub mod entry;
pub mod expiry;
pub mod filter;
#[cfg(feature = "ssr")]
pub mod fold;
pub mod ids;
pub mod json;
pub mod key;
#[cfg(feature = "ssr")]
pub mod network;
pub mod people;
pub mod policy;
pub mod project;
#[cfg(feature = "ssr")]
pub mod rate;
pub mod scope;
pub mod security;
pub mod sensitive;
pub mod theme;
pub mod time;
pub mod usage;
pub mod user;

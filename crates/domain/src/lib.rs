//! Domain types of Keyward: ids, keys, scopes, expiry, networks, rate limits, policy, and secrets.
//!
//! The crate is pure: it has no I/O, no clock, and no framework. The server and the browser share it.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]

pub mod audit;
pub mod consent;
pub mod count;
pub mod email;
pub mod error_chain;
pub mod expiry;
pub mod filter;
pub mod fold;
pub mod ids;
pub mod json;
pub mod key;
pub mod network;
pub mod people;
pub mod policy;
pub mod project;
pub mod rate;
pub mod registration;
pub mod scope;
pub mod secret;
pub mod security;
pub mod sensitive;
pub mod theme;
pub mod time;
pub mod transition;
pub mod usage;
pub mod user;

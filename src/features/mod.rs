//! One folder a capability: server functions in `api`, pages and their parts beside it.
//!
//! Never here: store, sqlx.

pub mod keys;
pub mod session;

//! One folder per feature: server functions in `api`, pages and components beside them.
//!
//! Nothing here uses the store or sqlx.

pub mod admin;
pub mod audit;
pub mod authorize;
pub mod entry;
pub mod keys;
pub mod policy;
pub mod projects;
pub mod resource;
pub mod scopes;
pub mod security;
pub mod session;
pub mod settings;
pub mod users;

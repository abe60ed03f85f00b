//! One folder per feature: page data, form actions, and server functions in `api`, pages and components beside them.
//!
//! Nothing here uses the store or sqlx.

pub mod action;
pub mod admin;
pub mod audit;
pub mod consent;
pub mod keys;
pub mod policy;
pub mod projects;
pub mod registration;
pub mod resource;
pub mod scopes;
pub mod security;
pub mod session;
pub mod settings;
pub mod users;

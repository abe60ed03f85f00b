//! User settings: the account and developer information.

pub mod api;
pub mod routes;

mod account;
mod developer;
mod tabs;

pub use {account::AccountPage, developer::DeveloperPage, tabs::SettingsHead};

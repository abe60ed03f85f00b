//! The settings of a person: the account, and what a developer needs.

pub mod api;

mod account;
mod developer;
mod tabs;

pub use {account::AccountPage, developer::DeveloperPage, tabs::SettingsHead};

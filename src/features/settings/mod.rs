//! The settings of a person: the account, and what a developer needs.

pub mod api;

#[cfg(feature = "ssr")]
mod account;
#[cfg(feature = "ssr")]
mod developer;
#[cfg(feature = "ssr")]
mod tabs;

#[cfg(feature = "ssr")]
pub use {account::AccountPage, developer::DeveloperPage, tabs::SettingsHead};

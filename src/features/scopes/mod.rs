//! The catalogue of scopes, for administrators.

pub mod api;

#[cfg(feature = "ssr")]
mod dialogs;
#[cfg(feature = "ssr")]
mod page;

#[cfg(feature = "ssr")]
pub use {
    dialogs::{AddScopePage, EditScopePage, RemoveScopePage, RetireScopePage, UnretireScopePage},
    page::ScopesPage,
};

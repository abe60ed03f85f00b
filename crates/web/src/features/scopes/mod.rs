//! The scope catalog, for administrators.

pub mod api;
pub mod routes;

mod dialogs;
mod page;

pub use {
    dialogs::{AddScopePage, EditScopePage, RemoveScopePage, RetireScopePage, UnretireScopePage},
    page::ScopesPage,
};

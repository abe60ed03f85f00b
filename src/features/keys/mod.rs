//! The keys: the list, the dialogs over it, the one time that a secret is shown. The administrators' list is the same table.

pub mod api;

#[cfg(feature = "ssr")]
mod about;
#[cfg(feature = "ssr")]
mod chosen;
#[cfg(feature = "ssr")]
mod create;
#[cfg(feature = "ssr")]
mod detail;
#[cfg(feature = "ssr")]
mod edit;
#[cfg(feature = "ssr")]
mod expiry;
#[cfg(feature = "ssr")]
mod filters;
#[cfg(feature = "ssr")]
mod generate;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod place;
#[cfg(feature = "ssr")]
mod reveal;
#[cfg(feature = "ssr")]
mod row;
#[cfg(feature = "ssr")]
mod rules;
#[cfg(feature = "ssr")]
mod said;
#[cfg(feature = "ssr")]
mod scopes;
#[cfg(feature = "ssr")]
mod secret;

#[cfg(feature = "ssr")]
pub use {
    about::{ActivatePage, DeactivatePage, DeletePage, RestorePage},
    chosen::ChosenPage,
    create::CreatePage,
    detail::KeyDetailPage,
    edit::EditPage,
    generate::GeneratePage,
    page::{AdminKeysPage, KeysPage},
    reveal::Live,
};

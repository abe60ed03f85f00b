//! API keys: the list, its dialogs, and the one page that shows a secret. The administrators' list uses the same table.

pub mod api;

mod about;
mod chosen;
mod create;
mod detail;
mod edit;
mod expiry;
mod filters;
mod generate;
mod list;
mod page;
mod place;
mod reveal;
mod row;
mod rules;
mod said;
mod scopes;
mod secret;

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

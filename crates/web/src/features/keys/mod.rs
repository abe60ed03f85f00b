//! API keys: the list, its dialogs, and the one page that shows a secret. The administrators' list uses the same table.

pub mod api;
pub mod routes;

mod bulk_actions;
mod create;
mod detail;
mod edit;
mod expiry;
mod filters;
mod flash;
mod generate;
mod lifecycle_dialogs;
mod list;
mod list_context;
mod page;
mod reveal;
mod row;
mod rules;
mod scopes;
mod secret;
mod view;

pub use {
    bulk_actions::BulkActionPage,
    create::CreatePage,
    detail::{AdminKeyDetailPage, KeyDetailPage},
    edit::EditPage,
    generate::GeneratePage,
    lifecycle_dialogs::{ActivatePage, DeactivatePage, DeletePage, RestorePage},
    page::{AdminKeysPage, KeysPage},
    reveal::InBrowserNavigation,
    view::KeyView,
};

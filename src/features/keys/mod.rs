//! The API keys page, and the dialogs over it.

mod about;
pub mod api;
mod create;
mod expiry;
mod filters;
mod list;
mod page;
mod reveal;
mod row;
mod scopes;
mod secret;
mod state;

pub use about::{ActivatePage, DeactivatePage, DeletePage, RestorePage};
pub use create::CreatePage;
pub use page::KeysPage;

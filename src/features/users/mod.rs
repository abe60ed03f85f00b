//! Everybody who has an account, for administrators.

pub mod api;

#[cfg(feature = "ssr")]
mod dialogs;
#[cfg(feature = "ssr")]
mod invite;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod projects;

#[cfg(feature = "ssr")]
pub use {
    dialogs::{DisablePage, EnablePage, MakeAdministratorPage, UnmakeAdministratorPage},
    invite::InvitePage,
    list::UsersPage,
    page::UserPage,
    projects::{DeleteUserPage, TransferPage},
};

//! User administration, for administrators.

pub mod api;
pub mod routes;

mod dialogs;
mod invite;
mod list;
mod page;
mod projects;

pub use {
    dialogs::{DisablePage, EnablePage, MakeAdministratorPage, UnmakeAdministratorPage},
    invite::InvitePage,
    list::UsersPage,
    page::UserPage,
    projects::{DeleteUserPage, TransferPage},
};

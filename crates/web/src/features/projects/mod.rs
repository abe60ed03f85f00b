//! Projects: the list, the project page, and the dialogs over both.

pub mod api;
pub mod routes;

mod about;
mod change;
mod clients;
mod config;
mod dialog;
mod invite;
mod join;
mod keys;
mod list;
mod members;
mod page;
mod scopes;

pub use {
    change::{ArchivePage, NewProjectPage, RenamePage, TokenLifetimePage, UnarchivePage},
    clients::{RegisterClientPage, RemoveClientPage, RevokeGrantPage},
    invite::{InvitePage, WithdrawPage},
    join::JoinPage,
    keys::{DeleteProjectKeyPage, ProjectKeysPage},
    list::ProjectsPage,
    members::{JoinAsAdministratorPage, LeavePage, RemoveMemberPage, RolePage},
    page::ProjectPage,
    scopes::ScopesOfferedPage,
};

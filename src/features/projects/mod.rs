//! Projects: their list, a page for each, and the dialogs over both.

pub mod api;

#[cfg(feature = "ssr")]
mod about;
#[cfg(feature = "ssr")]
mod change;
#[cfg(feature = "ssr")]
mod clients;
#[cfg(feature = "ssr")]
mod config;
#[cfg(feature = "ssr")]
mod dialog;
#[cfg(feature = "ssr")]
mod invite;
#[cfg(feature = "ssr")]
mod join;
#[cfg(feature = "ssr")]
mod keys;
#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod members;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod scopes;

#[cfg(feature = "ssr")]
pub use {
    change::{ArchivePage, LifePage, NewProjectPage, RenamePage, UnarchivePage},
    clients::{RegisterClientPage, RemoveClientPage, RevokeGrantPage},
    invite::{InvitePage, WithdrawPage},
    join::JoinPage,
    keys::{DeleteProjectKeyPage, ProjectKeysPage},
    list::ProjectsPage,
    members::{JoinAsAdministratorPage, LeavePage, RemoveMemberPage, RolePage},
    page::ProjectPage,
    scopes::ScopesOfferedPage,
};

//! Account security: password, second factor, sessions, and reauthentication.

pub mod api;
pub mod routes;

mod codes;
mod dialogs;
mod enrol;
mod page;
mod sessions;

pub use {
    dialogs::{NewCodesPage, TurnOffPage},
    enrol::EnrollPage,
    page::SecurityPage,
};

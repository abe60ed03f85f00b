//! A person's own security: password, second factor, sessions, and proving again who they are.

pub mod api;

mod codes;
mod dialogs;
mod enrol;
mod page;
mod sessions;

pub use {
    dialogs::{NewCodesPage, TurnOffPage},
    enrol::EnrolPage,
    page::SecurityPage,
};

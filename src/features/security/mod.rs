//! A person's own security: password, second factor, sessions, and proving again who they are.

pub mod api;

#[cfg(feature = "ssr")]
mod codes;
#[cfg(feature = "ssr")]
mod dialogs;
#[cfg(feature = "ssr")]
mod enrol;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "ssr")]
mod sessions;

#[cfg(feature = "ssr")]
pub use {
    dialogs::{NewCodesPage, TurnOffPage},
    enrol::EnrolPage,
    page::SecurityPage,
};

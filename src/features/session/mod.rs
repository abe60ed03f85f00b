//! Signing in and out, the first start, and what every page knows of the person.

pub mod api;

#[cfg(feature = "ssr")]
mod code;
#[cfg(feature = "ssr")]
mod confirm;
#[cfg(feature = "ssr")]
mod frame;
#[cfg(feature = "ssr")]
mod known;
#[cfg(feature = "ssr")]
mod load;
#[cfg(feature = "ssr")]
mod login;
#[cfg(feature = "ssr")]
mod logout;
#[cfg(feature = "ssr")]
mod missing;
#[cfg(feature = "ssr")]
mod next;
#[cfg(feature = "ssr")]
mod person;
#[cfg(feature = "ssr")]
mod setup;

#[cfg(feature = "ssr")]
pub use {
    code::CodePage,
    confirm::ConfirmPage,
    frame::Frame,
    known::{Known, PageTitle, Session},
    load::{administrators, load},
    login::{LoginPage, foot, help_link},
    logout::LogoutPage,
    missing::{MissingPage, home_link},
    next::{login_for, next_here, own_path, to_login, to_logout},
    person::SignedInOnly,
    setup::SetupPage,
};

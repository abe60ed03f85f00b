//! Sessions: sign-in, sign-out, initial setup, and the session context of every page.

pub mod api;

mod code;
mod confirm;
mod frame;
mod known;
mod load;
mod login;
mod logout;
mod missing;
mod next;
mod person;
mod setup;

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

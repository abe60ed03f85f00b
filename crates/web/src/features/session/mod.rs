//! Sessions: sign-in, sign-out, initial setup, and the session context of every page.

pub mod api;
pub mod routes;

mod code;
mod confirm;
mod load;
mod login;
mod logout;
mod next;
mod not_found;
mod page_shell;
mod session_context;
mod setup;
mod sign_out_link;

pub use {
    code::CodePage,
    confirm::ConfirmPage,
    load::{admin_page, load, load_with},
    login::{LoginPage, help_link, instance_footer},
    logout::LogoutPage,
    next::{local_path, login_url, login_url_for_current_page, logout_url_for_current_page, next_param, next_path},
    not_found::{NotFoundPage, home_link},
    page_shell::PageShell,
    session_context::{PageTitle, Session, SessionInfo},
    setup::SetupPage,
    sign_out_link::SignedInOnly,
};

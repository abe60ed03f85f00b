//! Registration and password reset through one-time links.

pub mod api;
pub mod routes;

mod ask_reset;
mod ask_sign_up;
mod email_form;
mod expired_link;
mod reset;
mod sign_up;

pub use {ask_reset::RequestResetPage, ask_sign_up::RequestSignUpPage, reset::ResetPage, sign_up::SignUpPage};

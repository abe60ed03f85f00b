//! Registration and password reset through one-time links.

pub mod api;

mod ask;
mod ask_reset;
mod ask_sign_up;
mod gone;
mod reset;
mod sign_up;

pub use {ask_reset::AskResetPage, ask_sign_up::AskSignUpPage, reset::ResetPage, sign_up::SignUpPage};

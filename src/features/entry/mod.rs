//! Ways in besides a password that is known: making an account of one's own, and a new password.

pub mod api;

#[cfg(feature = "ssr")]
mod ask;
#[cfg(feature = "ssr")]
mod ask_reset;
#[cfg(feature = "ssr")]
mod ask_sign_up;
#[cfg(feature = "ssr")]
mod gone;
#[cfg(feature = "ssr")]
mod reset;
#[cfg(feature = "ssr")]
mod sign_up;

#[cfg(feature = "ssr")]
pub use {ask_reset::AskResetPage, ask_sign_up::AskSignUpPage, reset::ResetPage, sign_up::SignUpPage};

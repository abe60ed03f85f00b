//! Signing in and out, the first start, and what every page knows of the person.

pub mod api;
mod known;
mod login;
mod logout;
mod missing;
mod next;
mod person;
mod setup;

pub use known::{Known, PageTitle, Session};
pub use login::LoginPage;
pub use logout::LogoutPage;
pub use missing::MissingPage;
pub use next::{leave_if_signed_out, own_path, to_login};
pub use person::{Person, SignedInOnly};
pub use setup::SetupPage;

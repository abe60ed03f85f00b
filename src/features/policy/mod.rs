//! What holds for everybody, for administrators.

pub mod api;

#[cfg(feature = "ssr")]
mod page;

#[cfg(feature = "ssr")]
pub use page::PolicyPage;

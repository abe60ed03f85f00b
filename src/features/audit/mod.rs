//! The audit log: its page for administrators, and the history of a key or a project for its members.

pub mod api;

#[cfg(feature = "ssr")]
mod event;
#[cfg(feature = "ssr")]
mod filters;
#[cfg(feature = "ssr")]
mod history;
#[cfg(feature = "ssr")]
mod page;

#[cfg(feature = "ssr")]
pub use {history::HistoryOf, page::AuditPage};

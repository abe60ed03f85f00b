//! Audit log: the administrators' page, and the history of a key or a project for its members.

pub mod api;
pub mod routes;

mod event;
mod filters;
mod history;
mod page;

pub use {history::HistorySection, page::AuditPage};

//! The instance-wide policy, for administrators.

pub mod api;
pub mod routes;

mod page;

pub use page::PolicyPage;

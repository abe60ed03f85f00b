//! The instance-wide policy, for administrators.

pub mod api;

mod page;

pub use page::PolicyPage;

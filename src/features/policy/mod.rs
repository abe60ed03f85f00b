//! What holds for everybody, for administrators.

pub mod api;

mod page;

pub use page::PolicyPage;

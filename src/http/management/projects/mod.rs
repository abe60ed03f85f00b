//! `/v1/projects`.

pub mod list;
pub mod read;

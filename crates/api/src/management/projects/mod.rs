//! `/v1/projects` and `/v1/projects/{id}`.

pub mod list;
pub mod read;

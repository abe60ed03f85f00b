//! Authorization matrix: each caller, each object, the expected response and the database afterwards.
//!
//! A new page, form, server function or route needs a row in `rows` and no other change in this module.

pub mod database_state;
pub mod fixtures;
pub mod response_headers;
pub mod rows;
pub mod runner;

//! Authorization matrix: each caller, each object, the expected response and the database afterwards.
//!
//! A new page, form, server function or route needs a row in `rows.rs` and no other change in this module.

pub mod heads;
pub mod rows;
pub mod stage;
pub mod state;
pub mod walk;

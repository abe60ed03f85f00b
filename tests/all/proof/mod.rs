//! The proof of who may do what: who asks, of what, what must come of it, and what is stored afterwards.
//!
//! Whoever adds a page, a form, a server function or a route adds its row to `rows.rs`; nothing else here changes with it.

pub mod heads;
pub mod rows;
pub mod stage;
pub mod state;
pub mod walk;

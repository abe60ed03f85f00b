//! What `make bench` measures besides the server itself. The commands are hidden: nobody else needs them.

mod create;
mod empty;

pub use create::{Create, run as create};
pub use empty::{Empty, run as empty};

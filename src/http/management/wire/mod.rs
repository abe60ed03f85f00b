//! What is sent and answered, member by member. `tests/all/openapi.rs` holds answers against what `/openapi.json` says of these.

mod asked;
mod shown;

pub use asked::{KeyChanges, NewKey};
pub use shown::{Key, Keys, MadeKey, Project, Projects};

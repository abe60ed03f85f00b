//! Request and response bodies of the management API. `tests/all/openapi.rs` validates responses against their schemas
//! in `/openapi.json`.

mod asked;
mod shown;

pub use asked::{KeyChanges, NewKey};
pub use shown::{Key, Keys, MadeKey, Project, Projects};

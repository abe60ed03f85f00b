//! Request and response bodies of the management API. `tests/all/openapi.rs` validates responses against their schemas
//! in `/openapi.json`.

mod key;
mod project;

pub use key::{CreatedKey, Expiry, Key, KeyChanges, Keys, NewKey};
pub use project::{Project, Projects};

//! Request and response bodies of the management API. `tests/all/openapi.rs` validates responses against their schemas
//! in `/openapi.json`.

mod request;
mod response;

pub use request::{KeyChanges, NewKey};
pub use response::{CreatedKey, Key, Keys, Project, Projects};

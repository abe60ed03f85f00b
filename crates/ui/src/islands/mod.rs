//! Islands: components with state in the browser. The server renders them with the page, and the browser hydrates
//! them.
//!
//! Everything else on a page stays as the server rendered it (`navigation` updates it by fetching pages). The
//! properties of an island are part of the page, so they never contain a secret.

mod copy;
mod editor;
mod effects;
mod expiry;
mod latest_request;
mod not_before;
mod reveal;

pub use copy::CopyButton;
pub use editor::ConfigEditor;
pub use effects::EditEffects;
pub use expiry::Expiry;
pub use not_before::NotBefore;
pub use reveal::{DownloadEnv, RevealFoot};

//! What has a state of its own in the browser: each island is drawn by the server with the page and woken there. Everything
//! else on a page stays as the server drew it (`live` changes it by fetching).
//!
//! An island's properties stand in the page, so none of them is ever a secret.

mod copy;
mod editor;
mod effects;
mod expiry;
mod not_before;
mod reveal;

pub use copy::CopyButton;
pub use editor::ConfigEditor;
pub use effects::EditEffects;
pub use expiry::Expiry;
pub use not_before::NotBefore;
pub use reveal::{DownloadEnv, RevealFoot};

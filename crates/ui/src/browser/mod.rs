//! What only a browser has: focus, the clipboard, its language and zone. On the server the same functions do nothing, so that
//! components need no cfg gates; nothing here runs before a page is hydrated.

#[cfg_attr(feature = "hydrate", path = "dom.rs")]
#[cfg_attr(not(feature = "hydrate"), path = "ssr.rs")]
mod target;

pub use target::*;

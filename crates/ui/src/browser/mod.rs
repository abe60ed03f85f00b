//! Browser functions for islands: focus, clipboard, events, and server function calls.
//!
//! On the server the same functions do nothing, so that components need no cfg gates. No function runs before a page
//! is hydrated.

#[cfg_attr(feature = "hydrate", path = "dom.rs")]
#[cfg_attr(not(feature = "hydrate"), path = "ssr.rs")]
mod target;

pub use target::*;

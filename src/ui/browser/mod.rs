//! What only a browser has: focus, the clipboard, its language and zone. On the server the same functions do nothing, so that
//! components need no cfg gates; nothing here runs before a page is hydrated.

#[cfg(not(feature = "hydrate"))]
mod absent;
#[cfg(feature = "hydrate")]
mod present;

#[cfg(not(feature = "hydrate"))]
pub use absent::*;
#[cfg(feature = "hydrate")]
pub use present::*;

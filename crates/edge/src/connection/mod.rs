//! Client connections: time limits, connection limits, strict framing, and graceful close.

mod body;
mod framing;
mod link;
mod registry;
mod socket;

pub use body::{RequestBody, read_rest};
pub use link::{Link, Order, Phase};
pub use registry::{ConnectionSlot, Limits, Registry};
pub use socket::Socket;

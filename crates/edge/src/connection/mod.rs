//! One connection from a client: limits of time and number, strict framing, and an orderly close.

mod body;
mod framing;
mod link;
mod registry;
mod socket;

pub use body::{RequestBody, read_rest};
pub use link::{Link, Order, Phase};
pub use registry::{Limits, Place, Registry};
pub use socket::Socket;

//! The verification engine of Keyward: key snapshots, their cache and its invalidation, the policy decision, rate
//! limits, usage counters, tokens and their signing keys.

#![forbid(unsafe_code)]
#![warn(clippy::unwrap_used, clippy::expect_used)]
#![warn(clippy::print_stderr, clippy::print_stdout)]

pub mod cache_invalidation;
pub mod limits;
mod sharded_map;
pub mod signer;
pub mod tokens;
pub mod usage;
pub mod verify;

//! Addresses of the server functions that islands call. The server mounts exactly these.

/// When a key with an expiry would end, as a sentence. Fields: `expires`, `expires_on`.
pub const EXPIRY_PREVIEW: &str = "/api/keys/say_expiry";
/// From when a key with a "not before" would work, as a sentence. Field: `not_before`.
pub const NOT_BEFORE_PREVIEW: &str = "/api/keys/say_not_before";
/// When a key was first used, if it was. Field: `id`.
pub const FIRST_USE: &str = "/api/keys/called";

/// All of them.
pub const ALL: [&str; 3] = [EXPIRY_PREVIEW, NOT_BEFORE_PREVIEW, FIRST_USE];

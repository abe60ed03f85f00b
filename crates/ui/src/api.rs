//! Paths of the server functions that islands call. The server mounts exactly these.

/// Returns a sentence with the instant at which a key with this expiry would expire. Fields: `expires`, `expires_on`.
pub const EXPIRY_PREVIEW: &str = "/api/keys/say_expiry";
/// Returns a sentence with the instant from which a key with this "not before" would be valid. Field: `not_before`.
pub const NOT_BEFORE_PREVIEW: &str = "/api/keys/say_not_before";
/// Returns the time of a key's first use, if it was used. Field: `id`.
pub const FIRST_USE: &str = "/api/keys/called";

/// All paths.
pub const ALL: [&str; 3] = [EXPIRY_PREVIEW, NOT_BEFORE_PREVIEW, FIRST_USE];

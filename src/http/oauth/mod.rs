//! OAuth endpoints: the token endpoint with one file per grant type, device authorization, introspection, revocation,
//! and metadata.
//!
//! Requests are forms and responses are JSON, both as in RFC 6749. The rules are in the service.

mod authorization_code;
mod client;
mod client_credentials;
mod device_code;
mod error;
mod form;
mod grant_type;
mod introspect;
mod metadata;
pub mod protected_resource;
mod request;
mod revoke;
mod revoked_tokens;
mod token;
mod token_exchange;

pub use device_code::device_authorization;
pub use error::OAuthError;
#[cfg(test)]
pub use grant_type::GrantType;
pub use introspect::introspect;
pub use metadata::metadata;
pub use revoke::revoke;
pub use revoked_tokens::revoked_tokens;
pub use token::token;

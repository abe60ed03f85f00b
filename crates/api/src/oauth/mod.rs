//! OAuth endpoints: the token endpoint with one file per grant type, device authorization, introspection, revocation,
//! and metadata.
//!
//! Requests are forms and responses are JSON, both as in RFC 6749. The rules are in the service.

mod authorization_code;
mod client;
mod client_credentials;
mod device_code;
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
#[cfg(test)]
pub use grant_type::GrantType;
pub use introspect::introspect;
pub use metadata::metadata;
pub use revoke::revoke;
pub use revoked_tokens::revoked_tokens;
pub use token::token;

use keyward_edge::oauth_error::OAuthError;
use keyward_service::oauth::Denied;

/// Returns the error response for a request that the consent service denies.
fn consent_error(denied: Denied) -> OAuthError {
    match denied {
        Denied::InvalidClient => OAuthError::invalid_client(&denied.to_string()),
        Denied::TooManyFromAddress(seconds) => OAuthError::too_many_requests(&denied.to_string(), seconds),
        Denied::Crowded => OAuthError::too_many_requests(&denied.to_string(), 60),
        denied => OAuthError::bad_request(denied.code(), &denied.to_string()),
    }
}

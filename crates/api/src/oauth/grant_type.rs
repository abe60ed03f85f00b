//! Grant types of the token endpoint. Each has a variant here, an arm in [`super::token`], and a file of its own.

/// A grant type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    ClientCredentials,
    AuthorizationCode,
    DeviceCode,
    TokenExchange,
}

impl GrantType {
    /// All grant types, as listed in the metadata.
    pub const ALL: &[Self] = &[Self::ClientCredentials, Self::AuthorizationCode, Self::DeviceCode, Self::TokenExchange];

    /// Returns the value of `grant_type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// Returns the grant type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }
}

//! The ways to a token that the token endpoint knows: a row here, an arm in [`super::token`], and a file each.

/// A grant type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    ClientCredentials,
    AuthorizationCode,
    DeviceCode,
    TokenExchange,
}

impl GrantType {
    /// All of them, as the metadata lists them.
    pub const ALL: &[Self] = &[Self::ClientCredentials, Self::AuthorizationCode, Self::DeviceCode, Self::TokenExchange];

    /// As `grant_type` names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }

    /// The one of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.as_str() == name)
    }
}

//! Identifiers: UUIDs that cannot be taken for one another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Parses a UUID that is written in lowercase with hyphens. Every other form of the same number is refused.
pub fn exact_uuid(text: &str) -> Option<Uuid> {
    let id = Uuid::try_parse(text).ok()?;
    (id.hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text).then_some(id)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl $name {
            /// Parses an identifier exactly as Keyward writes it: lowercase, with hyphens, and nothing around it.
            ///
            /// Use this where a text is compared with a signed or stored one: [`FromStr`] also accepts capitals, braces and `urn:uuid:`.
            pub fn parse_exact(text: &str) -> Option<Self> {
                exact_uuid(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// An API key's identifier. Not its secret: it may be shown, logged and put in a URL.
    KeyId
);
id!(
    /// A project's identifier (a Pop's, a channel's).
    ProjectId
);
id!(
    /// A person's identifier.
    UserId
);
id!(
    /// An invitation's identifier. Not its code.
    InvitationId
);
id!(
    /// The identifier of a program that a project's owner registered (an OAuth client).
    ClientId
);
id!(
    /// The identifier of what a person allowed a program.
    GrantId
);
id!(
    /// The one-time number that a form carries, so that sending it twice makes one thing.
    FormNumber
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_id_has_one_form() {
        let id = "018f0000-0000-7000-8000-00000000000a";
        assert_eq!(KeyId::parse_exact(id), id.parse().ok());
        for other in [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            format!("urn:uuid:{id}"),
            format!(" {id}"),
            String::new(),
        ] {
            assert_eq!(KeyId::parse_exact(&other), None, "{other}");
        }
    }
}

//! Typed identifiers: UUIDs that cannot be confused with one another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Parses a UUID in lowercase with hyphens. Returns `None` for every other representation.
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
            /// Parses an identifier exactly as Keyward formats it: lowercase, with hyphens, and without surrounding
            /// text.
            ///
            /// Use this to compare a text with a signed or stored one: [`FromStr`] also accepts uppercase, braces, and
            /// `urn:uuid:`.
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
    /// Identifier of an API key. It is not secret: it may be shown, logged, and put in a URL.
    KeyId
);
id!(
    /// Identifier of a project (of a Pop, of a channel).
    ProjectId
);
id!(
    /// Identifier of a user.
    UserId
);
id!(
    /// Identifier of an invitation. It is not its code.
    InvitationId
);
id!(
    /// Identifier of an OAuth client that a project owner registered.
    ClientId
);
id!(
    /// Identifier of a grant that a user gave to a client.
    GrantId
);
id!(
    /// One-time number of a form. It makes a repeated submission idempotent.
    FormNumber
);

/// What a token was issued for: a key or a grant. Formatted as `key:<id>` or `grant:<id>`.
///
/// Keys and grants have their own ids, so the id of one is never accepted as the id of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubjectId {
    Key(KeyId),
    Grant(GrantId),
}

impl SubjectId {
    /// Returns the id of the key, or `None` for a grant.
    pub const fn key(self) -> Option<KeyId> {
        match self {
            Self::Key(key) => Some(key),
            Self::Grant(_) => None,
        }
    }
}

impl From<KeyId> for SubjectId {
    fn from(key: KeyId) -> Self {
        Self::Key(key)
    }
}

impl From<GrantId> for SubjectId {
    fn from(grant: GrantId) -> Self {
        Self::Grant(grant)
    }
}

/// The id without its kind, for columns and texts that contain only the id.
impl From<SubjectId> for Uuid {
    fn from(subject: SubjectId) -> Self {
        match subject {
            SubjectId::Key(key) => key.into(),
            SubjectId::Grant(grant) => grant.into(),
        }
    }
}

impl fmt::Display for SubjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "key:{key}"),
            Self::Grant(grant) => write!(f, "grant:{grant}"),
        }
    }
}

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

    #[test]
    fn a_subject_has_a_kind_and_an_id() {
        let id = Uuid::from_u128(0x018f_0000_0000_7000_8000_0000_0000_000a);
        let (key, grant) = (SubjectId::from(KeyId::from(id)), SubjectId::from(GrantId::from(id)));
        assert_ne!(key, grant, "the same id of another kind");
        assert_eq!(key.to_string(), "key:018f0000-0000-7000-8000-00000000000a");
        assert_eq!(grant.to_string(), "grant:018f0000-0000-7000-8000-00000000000a");
        assert_eq!((Uuid::from(key), Uuid::from(grant)), (id, id));
        assert_eq!((key.key(), grant.key()), (Some(id.into()), None));
    }
}

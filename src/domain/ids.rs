//! Identifiers: UUIDs that cannot be taken for one another.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

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

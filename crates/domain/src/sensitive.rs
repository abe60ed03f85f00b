//! Types for secrets in requests and responses: [`Password`] (in) and [`RevealedSecret`] (out).
//!
//! No other type carries a secret over the wire. Both have a redacted `Debug`, have no `Display`, and are zeroized on
//! drop.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::Zeroizing;

macro_rules! sensitive {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            pub fn new(text: String) -> Self {
                Self(Zeroizing::new(text))
            }

            /// The text in clear. State the reason at the call site.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer).map(Self::new)
            }
        }
    };
}

sensitive!(
    /// A password in a request, as typed.
    Password
);
sensitive!(
    /// The secret of a new key in the only response that contains it.
    RevealedSecret
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Password::new("hunter2hunter2".into())), "Password(…)");
        assert_eq!(format!("{:?}", RevealedSecret::new("kw_live_x".into())), "RevealedSecret(…)");
    }
}

//! Verify request, parsed from the body without copies.

use super::KEYS_MAX;
use crate::zeroizing_string::ZeroizingStr;
use keyward_domain::ids::ProjectId;
use keyward_verify::verify::VerifyRequest;
use serde::{
    Deserialize, Deserializer,
    de::{Error, SeqAccess, Visitor},
};
use std::{borrow::Cow, fmt, net::IpAddr};

/// String that borrows from the body unless it contains escapes. `serde` borrows a `Cow` only if it is a field.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Projects to which the key may belong. Without a list any project is allowed.
///
/// Not derived: an untagged enum copies the value, and does not report a wrong type as one.
enum Projects {
    Any,
    One([ProjectId; 1]),
    Many(Vec<ProjectId>),
}

impl<'de> Deserialize<'de> for Projects {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Projects;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a project ID or a list of project IDs")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Projects, E> {
                text.parse().map(|id| Projects::One([id])).map_err(|_| E::custom("not an ID"))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut ids: A) -> Result<Projects, A::Error> {
                let mut all = Vec::new();
                while let Some(id) = ids.next_element()? {
                    all.push(id);
                }
                // An empty list would deny every key. It is rejected as a mistake of the caller.
                if all.is_empty() { Err(A::Error::custom("no project")) } else { Ok(Projects::Many(all)) }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// Members of the request body.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Members<'a> {
    #[serde(borrow, default, deserialize_with = "given")]
    key: Option<ZeroizingStr<'a>>,
    #[serde(borrow, default, deserialize_with = "given")]
    token: Option<ZeroizingStr<'a>>,
    #[serde(default, deserialize_with = "given")]
    project: Option<Projects>,
    #[serde(borrow, default, deserialize_with = "texts")]
    scopes: Vec<Cow<'a, str>>,
    #[serde(default, deserialize_with = "given")]
    ip: Option<IpAddr>,
}

/// Deserializes a present member. `null` is rejected: an unset variable of the caller must not remove a restriction.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Cow<'de, str>>, D::Error> {
    Vec::<Text<'de>>::deserialize(deserializer).map(|texts| texts.into_iter().map(|text| text.0).collect())
}

/// Presented credential.
pub enum Credential<'a> {
    /// A key, or a token in the `key` member.
    KeyOrToken(ZeroizingStr<'a>),
    Token(ZeroizingStr<'a>),
}

/// One verify request.
#[derive(Deserialize)]
#[serde(try_from = "Members<'a>", bound(deserialize = "'de: 'a"))]
pub struct VerifyBody<'a> {
    pub credential: Credential<'a>,
    projects: Projects,
    scopes: Vec<Cow<'a, str>>,
    ip: Option<IpAddr>,
}

impl VerifyBody<'_> {
    pub fn verify_request(&self) -> VerifyRequest<'_> {
        let projects: &[ProjectId] = match &self.projects {
            Projects::Any => &[],
            Projects::One(id) => id,
            Projects::Many(ids) => ids,
        };
        VerifyRequest { projects, scopes: &self.scopes, ip: self.ip }
    }
}

impl<'a> TryFrom<Members<'a>> for VerifyBody<'a> {
    type Error = &'static str;

    fn try_from(members: Members<'a>) -> Result<Self, &'static str> {
        let Members { key, token, project, scopes, ip } = members;
        let credential = match (key, token) {
            (Some(text), None) => Credential::KeyOrToken(text),
            (None, Some(text)) => Credential::Token(text),
            // As `serde` reports a missing member.
            (None, None) => return Err("missing field `key`"),
            (Some(_), Some(_)) => return Err("one of key and token"),
        };
        Ok(Self { credential, projects: project.unwrap_or(Projects::Any), scopes, ip })
    }
}

/// Batch of 1 to [`KEYS_MAX`] verify requests.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch<'a> {
    #[serde(borrow, deserialize_with = "keys")]
    pub keys: Vec<VerifyBody<'a>>,
}

/// Deserializes the list. Not derived: the bound holds while the list is read, and an element that is an array is not a
/// request.
fn keys<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<VerifyBody<'de>>, D::Error> {
    struct Reader;

    impl<'de> Visitor<'de> for Reader {
        type Value = Vec<VerifyBody<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of 1 to 1,000 requests")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Vec<VerifyBody<'de>>, A::Error> {
            let mut all = Vec::new();
            while let Some(crate::json::JsonObject(one)) = elements.next_element()? {
                if all.len() == KEYS_MAX {
                    return Err(A::Error::custom("too many"));
                }
                all.push(one);
            }
            if all.is_empty() { Err(A::Error::custom("none")) } else { Ok(all) }
        }
    }

    deserializer.deserialize_seq(Reader)
}

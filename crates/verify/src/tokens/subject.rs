//! Subject and audience of a token, and their representation in its claims.

use keyward_domain::{
    consent::ClientName,
    ids::{GrantId, KeyId, ProjectId, SubjectId, UserId},
};

/// The path before the project id in an audience, after the public URL.
const PROJECTS: &str = "/projects/";
/// The path of the management API in an audience.
const MANAGEMENT: &str = "/v1";

/// The audience of a token. A token is denied where the other audience is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// `<public URL>/projects/<id>`: the project's own API, and its config on this server.
    Project(ProjectId),
    /// `<public URL>/v1`: the management API, with `keyward:*` scopes only.
    Management,
}

impl Audience {
    /// Returns the claim `aud`.
    pub fn claim(self, issuer: &str) -> String {
        match self {
            Self::Project(id) => format!("{issuer}{PROJECTS}{id}"),
            Self::Management => format!("{issuer}{MANAGEMENT}"),
        }
    }

    /// Parses the output of [`Audience::claim`] and nothing else: other spellings of an id are not accepted.
    pub fn parse(claim: &str, issuer: &str) -> Option<Self> {
        let path = claim.strip_prefix(issuer)?;
        if path == MANAGEMENT {
            return Some(Self::Management);
        }
        path.strip_prefix(PROJECTS).and_then(ProjectId::parse_exact).map(Self::Project)
    }
}

/// The subject of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A key: `sub` and `client_id` are `key:<id>`.
    Key(KeyId),
    /// A grant: `sub` is `user:<id>`, `client_id` identifies the client, and `grant_id` the grant.
    Grant { grant: GrantId, user: UserId, client: ClientName },
}

impl Subject {
    /// Returns the id of the key or the grant.
    pub const fn id(self) -> SubjectId {
        match self {
            Self::Key(key) => SubjectId::Key(key),
            Self::Grant { grant, .. } => SubjectId::Grant(grant),
        }
    }

    /// Parses the subject from the claims. Returns `None` if no subject has this representation.
    pub(super) fn from_claims(sub: &str, client_id: &str, grant_id: Option<&str>) -> Option<Self> {
        let Some(grant) = grant_id else {
            let key = sub.strip_prefix("key:").and_then(KeyId::parse_exact)?;
            return (client_id == sub).then_some(Self::Key(key));
        };
        let user = sub.strip_prefix("user:").and_then(UserId::parse_exact)?;
        Some(Self::Grant { grant: GrantId::parse_exact(grant)?, user, client: client_id.parse().ok()? })
    }

    /// Returns the claim `sub`.
    pub fn sub_claim(self) -> String {
        match self {
            Self::Key(key) => format!("key:{key}"),
            Self::Grant { user, .. } => format!("user:{user}"),
        }
    }

    /// Returns the claim `client_id`.
    pub fn client_id(self) -> String {
        match self {
            Self::Key(key) => format!("key:{key}"),
            Self::Grant { client, .. } => client.to_string(),
        }
    }

    /// Returns whether `client` identifies the client of the token: by its client id, or by `origin` for a registered
    /// client that identifies itself by its page (`client_id=origin`).
    pub fn is_client(self, client: &str) -> bool {
        let is_page_client = matches!(self, Self::Grant { client: ClientName::Registered(_), .. });
        client == self.client_id() || is_page_client && client == "origin"
    }

    /// Returns the claim `grant_id`.
    pub fn grant_id(self) -> Option<GrantId> {
        match self {
            Self::Key(_) => None,
            Self::Grant { grant, .. } => Some(grant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const URL: &str = "https://keys.example.com";
    const ID: &str = "018f0000-0000-7000-8000-00000000000a";

    #[test]
    fn audiences_are_read_as_they_are_written() {
        for audience in [Audience::Management, Audience::Project(ID.parse().unwrap())] {
            assert_eq!(Audience::parse(&audience.claim(URL), URL), Some(audience));
        }
        let id = ID;
        for wrong in [
            String::new(),
            format!("{URL}/v1/"),
            format!("{URL}/projects/"),
            format!("{URL}/projects/{}", id.to_uppercase()),
            format!("{URL}/projects/{{{id}}}"),
            format!("{URL}/projects/{}", id.replace('-', "")),
            format!("https://other.example/projects/{id}"),
        ] {
            assert_eq!(Audience::parse(&wrong, URL), None, "{wrong}");
        }
    }

    #[test]
    fn holders_are_read_as_they_are_written() {
        let grant = ID.parse().unwrap();
        let user = Uuid::nil().into();
        for holder in [
            Subject::Key(ID.parse().unwrap()),
            Subject::Grant { grant, user, client: ClientName::Loopback },
            Subject::Grant { grant, user, client: ClientName::Registered(ID.parse().unwrap()) },
        ] {
            let kind = if holder.grant_id().is_some() { "grant" } else { "key" };
            assert_eq!(holder.id().to_string(), format!("{kind}:{ID}"));
            let grant = holder.grant_id().map(|id| id.to_string());
            assert_eq!(Subject::from_claims(&holder.sub_claim(), &holder.client_id(), grant.as_deref()), Some(holder));
        }
        let (key, user) = (format!("key:{ID}"), format!("user:{ID}"));
        for (sub, client, grant) in [
            (key.as_str(), "loopback", None),
            (key.as_str(), key.as_str(), Some(ID)),
            (key.as_str(), "key:018f0000-0000-7000-8000-00000000000b", None),
            (user.as_str(), user.as_str(), None),
            (user.as_str(), key.as_str(), Some(ID)),
            (user.as_str(), "loopback", Some("x")),
            (user.as_str(), "client:", Some(ID)),
        ] {
            assert_eq!(Subject::from_claims(sub, client, grant), None, "{sub} {client}");
        }
    }
}

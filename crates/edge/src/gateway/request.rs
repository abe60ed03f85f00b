//! Gateway request: the restrictions that a key or token must satisfy.

use crate::problem::Problem;
use axum::http::{HeaderMap, StatusCode, Uri};
use keyward_domain::ids::ProjectId;
use keyward_verify::verify::VerifyRequest;
use std::{borrow::Cow, net::IpAddr};

/// Path prefix to which Envoy appends the path and query of its client's request.
const PREFIX: &str = "/v1/auth/";
/// Headers in which Envoy's configuration sends the restrictions. They are read only for paths below [`PREFIX`]: on
/// other paths the client could have set them.
const PROJECT_HEADER: &str = "x-keyward-project";
const SCOPE_HEADER: &str = "x-keyward-scope";

/// Restrictions of a gateway request.
///
/// Parameters: `?project=` (repeated: the key must belong to one of the projects), `?scope=` (repeated: the key must
/// have all scopes), and `?limited=403`.
#[derive(Debug, Default)]
pub struct GatewayRequest<'a> {
    projects: Vec<ProjectId>,
    scopes: Vec<Cow<'a, str>>,
    /// Whether a rate-limited call gets 403 instead of 429. nginx turns every status except 401 and 403 into 500.
    pub limited_is_403: bool,
}

impl<'a> GatewayRequest<'a> {
    /// Parses the restrictions from the query. Below [`PREFIX`] the query belongs to the client, so they are parsed
    /// from the headers instead. `parameter` is the query parameter of the credential, if one is configured.
    ///
    /// An invalid restriction is an error: if it were ignored, the request could pass with fewer restrictions than
    /// intended.
    ///
    /// # Errors
    /// 422 `invalid_query`.
    pub fn parse(uri: &'a Uri, headers: &'a HeaderMap, parameter: Option<&str>) -> Result<Self, Problem> {
        let mut request = Self::default();
        if uri.path().starts_with(PREFIX) {
            let header_values =
                // The response says how the query must look. The cause could quote it.
                |name| headers.get_all(name).iter().map(|value| value.to_str().map_err(|_| invalid_query()));
            // An empty restriction, for example from an unset variable, is an error. Otherwise it would allow every
            // key.
            for projects in header_values(PROJECT_HEADER) {
                let before = request.projects.len();
                projects?.split([' ', ',']).filter(|it| !it.is_empty()).try_for_each(|it| request.project(it))?;
                if request.projects.len() == before {
                    return Err(invalid_query());
                }
            }
            for scopes in header_values(SCOPE_HEADER) {
                request.scope(Cow::Borrowed(scopes?))?;
            }
            return Ok(request);
        }
        for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            match &*name {
                "project" => request.project(&value)?,
                "scope" => request.scope(value)?,
                "limited" if value == "403" => request.limited_is_403 = true,
                "limited" if value == "429" => request.limited_is_403 = false,
                name if Some(name) == parameter => {}
                _ => return Err(invalid_query()),
            }
        }
        Ok(request)
    }

    fn project(&mut self, id: &str) -> Result<(), Problem> {
        // As above.
        self.projects.push(id.parse().map_err(|_| invalid_query())?);
        Ok(())
    }

    fn scope(&mut self, value: Cow<'a, str>) -> Result<(), Problem> {
        let before = self.scopes.len();
        match value {
            Cow::Borrowed(names) => {
                self.scopes.extend(names.split(' ').filter(|it| !it.is_empty()).map(Cow::Borrowed));
            }
            Cow::Owned(names) => {
                let names = names.split(' ').filter(|it| !it.is_empty());
                self.scopes.extend(names.map(|it| Cow::Owned(it.to_owned())));
            }
        }
        if self.scopes.len() == before { Err(invalid_query()) } else { Ok(()) }
    }

    /// Returns the verification request for a credential that is used from this address.
    pub fn verify_request(&self, ip: Option<IpAddr>) -> VerifyRequest<'_> {
        VerifyRequest { projects: &self.projects, scopes: &self.scopes, ip }
    }

    /// Returns the required scopes.
    pub fn scopes(&self) -> &[Cow<'a, str>] {
        &self.scopes
    }
}

fn invalid_query() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_query",
        "The gateway parameters are not valid. Allowed: project (an ID), scope, and limited (403 or 429).",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "018f0000-0000-7000-8000-000000000001";
    const B: &str = "018f0000-0000-7000-8000-000000000002";

    /// Parses the restrictions and returns projects and scopes as one string, or `None` if they are invalid.
    fn read(uri: &str, headers: &[(&'static str, &str)]) -> Option<(String, bool)> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let uri = uri.parse().unwrap();
        let request = GatewayRequest::parse(&uri, &map, Some("api_key")).ok()?;
        let projects: Vec<_> = request.projects.iter().map(ToString::to_string).collect();
        Some((format!("{} | {}", projects.join(" "), request.scopes.join(" ")), request.limited_is_403))
    }

    #[test]
    fn the_query_says_what_is_asked() {
        let all = format!("/v1/auth?project={A}&scope=a:read+b:read&project={B}&scope=c&limited=403&api_key=x");
        assert_eq!(read(&all, &[]), Some((format!("{A} {B} | a:read b:read c"), true)));
        assert_eq!(read("/v1/auth?scope=a%3Aread%20b", &[]), Some((" | a:read b".into(), false)));
        assert_eq!(read("/v1/auth", &[]), Some((" | ".into(), false)));
        for wrong in [
            "?project=x",
            "?project=",
            "?scope=",
            "?scope=+",
            "?limited=1",
            "?limited",
            "?scopes=a",
            "?projekt=a",
            "?Scope=a",
        ] {
            assert_eq!(read(&format!("/v1/auth{wrong}"), &[]), None, "{wrong}");
        }
    }

    #[test]
    fn headers_are_read_where_the_query_is_the_clients() {
        let headers = [("x-keyward-project", A), ("x-keyward-scope", "a:read  b")];
        let client = "/v1/auth/orders?project=x&scope=z&limited=403&anything";
        assert_eq!(read(client, &headers), Some((format!("{A} | a:read b"), false)));
        assert_eq!(read(client, &[]), Some((" | ".into(), false)));
        for wrong in [
            ("x-keyward-project", "nonsense"),
            ("x-keyward-project", " , "),
            ("x-keyward-project", ""),
            ("x-keyward-scope", " "),
        ] {
            assert_eq!(read(client, &[wrong]), None, "{wrong:?}");
        }
        // On other paths the headers are ignored: a client of another gateway could use them to widen the restrictions.
        assert_eq!(read(&format!("/v1/auth?project={B}"), &headers), Some((format!("{B} | "), false)));
    }
}

//! Authorization request: the query of `/authorize`. It is parsed again at each use and never trusted.

use super::{
    Consent, Denied,
    authorization_response::{RedirectTarget, ResponseError},
    pkce,
    redirect::Redirect,
};
use crate::{Error, management_client::WRITE_SCOPE};
use keyward_domain::{
    consent::ClientName,
    ids::{ClientId, ProjectId},
    scope::ScopeName,
};
use keyward_store::{self as store, Engine, oauth_clients::ClientRow, projects::ScopeRow};

/// A valid authorization request, ready for the consent prompt.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub client: ClientName,
    /// The name that an owner gave the client; `None` for an unregistered client.
    pub title: Option<String>,
    /// The `client_id` as it was sent: the token request must use the same value.
    pub sent_client_id: String,
    pub to: RedirectTarget,
    pub project: ProjectId,
    pub scopes: Vec<ScopeName>,
    pub challenge: String,
}

/// Why there is no consent prompt for a request.
#[derive(Debug)]
pub(super) enum RequestError {
    /// Only the user can be told: the client or the redirect URI is unknown.
    ShowToUser(&'static str),
    /// The client receives an error response.
    RedirectToClient(Box<RedirectTarget>, ResponseError),
    Fault(Error),
}

impl<E: Into<Error>> From<E> for RequestError {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

const UNKNOWN: &str = "The application that sent you here is not registered, or was removed, so no access was granted. \
    Contact its developer.";
const ELSEWHERE: &str = "The application that sent you here uses a redirect URL that is not registered, so no access was granted. \
    Contact its developer.";

const SEVERAL_RESOURCES: Denied =
    Denied::InvalidTarget("A grant is for one project. Send one authorization request for each resource.");

/// The request parameters. A parameter must not occur more than once (RFC 6749 section 3.1), except `resource` (RFC
/// 8707 section 2).
struct AuthorizationRequest(Vec<(String, String)>);

impl AuthorizationRequest {
    fn parse(query: &str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// Returns the value of a parameter, or an error if it is repeated. An empty value counts as absent (RFC 6749
    /// section 3.1).
    fn get(&self, name: &str) -> Result<Option<&str>, ()> {
        let mut all = self.0.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        let first = all.next().filter(|value| !value.is_empty());
        if all.next().is_some() { Err(()) } else { Ok(first) }
    }

    /// Returns the different values of a parameter that may be repeated, without empty values.
    fn distinct(&self, name: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for (_, value) in self.0.iter().filter(|(it, value)| it == name && !value.is_empty()) {
            if !values.contains(&value.as_str()) {
                values.push(value.as_str());
            }
        }
        values
    }
}

/// Parses a space-separated list of scopes, without duplicates.
pub(super) fn parse_scopes(text: &str) -> Result<Vec<ScopeName>, Denied> {
    const UNREAD: Denied = Denied::InvalidScope("A scope is 1 to 80 letters, digits or the characters : . _ - * /");
    let mut read: Vec<ScopeName> = Vec::new();
    for name in text.split(' ').filter(|name| !name.is_empty()) {
        // The message is for the user of an application. The error of the parser adds nothing.
        let name = name.parse().map_err(|_| UNREAD)?;
        if !read.contains(&name) {
            read.push(name);
        }
    }
    Ok(read)
}

/// Checks that the project offers all scopes, and that management scopes are requested alone, because their tokens
/// serve another purpose.
pub(super) fn check_scopes(scopes: &[ScopeName], offered: &[ScopeRow]) -> Result<(), Denied> {
    if scopes.iter().any(|scope| !offered.iter().any(|row| row.name == scope.as_str())) {
        return Err(Denied::InvalidScope("The project does not offer all of the requested scopes."));
    }
    let management = scopes.iter().filter(|scope| scope.is_management()).count();
    if management > 0 && management < scopes.len() {
        return Err(Denied::InvalidScope(
            "Scopes that start with keyward: need a token of their own. Request them separately.",
        ));
    }
    // No key bounds what a user's client could create with this scope. Denying it here avoids a prompt for a scope that
    // the server would deny.
    if scopes.iter().any(|scope| scope.as_str() == WRITE_SCOPE) {
        return Err(Denied::InvalidScope(
            "Only keys can have the scope keyward:keys.write. Applications cannot request it.",
        ));
    }
    Ok(())
}

impl Consent {
    /// Returns the project that a `resource` identifies (RFC 8707).
    pub(super) fn project_of_resource(&self, text: &str) -> Option<ProjectId> {
        text.strip_prefix(&*self.issuer)?.strip_prefix("/projects/").and_then(ProjectId::parse_exact)
    }

    /// Parses and checks a request.
    pub(super) async fn parse_request(&self, conn: &mut Engine<'_>, query: &str) -> Result<Request, RequestError> {
        let parameters = AuthorizationRequest::parse(query);
        let client_id = parameters.get("client_id").ok().flatten().ok_or(RequestError::ShowToUser(UNKNOWN))?;
        let redirect = parameters.get("redirect_uri").ok().flatten().and_then(|uri| Redirect::parse(uri).ok());
        let redirect = redirect.ok_or(RequestError::ShowToUser(ELSEWHERE))?;
        let resources = parameters.distinct("resource");
        let by_message = parameters.get("response_mode").ok().flatten() == Some("web_message");
        let (client, row) = match client_id {
            "loopback" => (ClientName::Loopback, None),
            "origin" => {
                let row = self
                    .find_client_of_page(conn, &resources, &redirect)
                    .await?
                    .ok_or(RequestError::ShowToUser(UNKNOWN))?;
                (ClientName::Registered(row.id.into()), Some(row))
            }
            client_id => {
                let row = self.find_client(conn, client_id).await?.ok_or(RequestError::ShowToUser(UNKNOWN))?;
                (ClientName::Registered(row.id.into()), Some(row))
            }
        };
        let allowed = match &row {
            None => redirect.is_loopback(),
            // A page receives its response as a message to its origin, whatever its path.
            Some(_) if client_id == "origin" => by_message && redirect.is_origin(),
            Some(row) => row.redirects()?.iter().any(|it| Redirect::parse(it).is_ok_and(|it| it.allows(&redirect))),
        };
        if !allowed {
            return Err(RequestError::ShowToUser(ELSEWHERE));
        }
        // From here on the redirect target is known, so errors go to the client.
        let state = parameters.get("state").ok().flatten().map(ToOwned::to_owned);
        let to = RedirectTarget { redirect, by_message, state, issuer: self.issuer.to_string() };
        match self.check_parameters(conn, &parameters, row.as_ref(), &resources).await? {
            Ok((project, scopes, challenge)) => {
                let title = row.map(|row| row.name);
                Ok(Request { client, title, sent_client_id: client_id.to_owned(), to, project, scopes, challenge })
            }
            Err(refusal) => Err(RequestError::RedirectToClient(Box::new(to), refusal)),
        }
    }

    /// Checks the remaining parameters. The client receives these errors.
    async fn check_parameters(
        &self,
        conn: &mut Engine<'_>,
        parameters: &AuthorizationRequest,
        row: Option<&ClientRow>,
        resources: &[&str],
    ) -> Result<Result<(ProjectId, Vec<ScopeName>, String), ResponseError>, Error> {
        let deny = |denied: Denied| Ok(Err(ResponseError::from(denied)));
        let names = ["response_type", "response_mode", "state", "scope", "code_challenge", "code_challenge_method"];
        if names.into_iter().any(|name| parameters.get(name).is_err()) {
            return deny(Denied::InvalidRequest("A parameter occurs more than once."));
        }
        let get = |name| parameters.get(name).ok().flatten();
        match get("response_type") {
            None => return deny(Denied::InvalidRequest("Use response_type=code.")),
            Some("code") => {}
            Some(_) => return Ok(Err(ResponseError::UnsupportedResponseType)),
        }
        if !matches!(get("response_mode"), None | Some("query" | "web_message")) {
            return deny(Denied::InvalidRequest("response_mode must be query or web_message."));
        }
        let challenge = get("code_challenge").filter(|text| pkce::is_challenge(text));
        let (Some(challenge), Some("S256")) = (challenge, get("code_challenge_method")) else {
            return deny(Denied::InvalidRequest("Send a code_challenge with code_challenge_method=S256 (RFC 7636)."));
        };
        let named = match resources {
            [] => None,
            [resource] => Some(self.project_of_resource(resource)),
            _ => return deny(SEVERAL_RESOURCES),
        };
        let project = match (row.map(|row| ProjectId::from(row.project_id)), named) {
            (Some(project), None) => project,
            (Some(project), Some(named)) if named == Some(project) => project,
            (None, Some(Some(named))) => named,
            _ => return deny(Denied::InvalidTarget("Specify the project: resource=<public URL>/projects/<id>.")),
        };
        let scopes = match parse_scopes(get("scope").unwrap_or_default()) {
            Ok(scopes) => scopes,
            Err(denied) => return deny(denied),
        };
        let offered = store::projects::list_offered_scopes(conn, project.into()).await?;
        // If the project does not exist or the user is not a member, the page tells the user. The client learns
        // nothing.
        if row.is_some()
            && let Err(denied) = check_scopes(&scopes, &offered)
        {
            return deny(denied);
        }
        Ok(Ok((project, scopes, challenge.to_owned())))
    }

    /// Returns the client with this `client_id`, unless it was removed.
    pub(super) async fn find_client(&self, conn: &mut Engine<'_>, client_id: &str) -> Result<Option<ClientRow>, Error> {
        let Ok(Some(id)) = client_id.parse::<ClientName>().map(ClientName::id) else { return Ok(None) };
        Ok(store::oauth_clients::by_id(conn, id.into()).await?)
    }

    /// Returns the client to which pages of this origin belong, of the project that the only resource identifies.
    async fn find_client_of_page(
        &self,
        conn: &mut Engine<'_>,
        resources: &[&str],
        origin: &Redirect,
    ) -> Result<Option<ClientRow>, Error> {
        let [resource] = resources else { return Ok(None) };
        let Some(project) = self.project_of_resource(resource) else { return Ok(None) };
        for row in store::oauth_clients::list_by_project(conn, project.into()).await? {
            if row.redirects()?.iter().any(|it| Redirect::parse(it).is_ok_and(|it| it.has_origin(origin))) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }
}

impl Request {
    /// Returns the client's id if it is registered.
    pub fn client_id(&self) -> Option<ClientId> {
        self.client.id()
    }
}

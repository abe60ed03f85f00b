//! Client authorization: the part of a request that the user may grant.

use super::{Denied, authorization_request::check_scopes};
use crate::{
    Error,
    actor::Caller,
    keys,
    permissions::{Action, role_allows},
    policy,
};
use keyward_domain::{
    consent::{Authorization, ConsentPrompt, LifetimeOption},
    ids::ProjectId,
    project::ProjectName,
    scope::{ScopeName, ScopeView},
    time::{DAY, Timestamp, format_duration},
};
use keyward_store::{self as store, Engine, projects::ProjectRow};

/// The offered lifetimes in seconds, up to the project's maximum: an hour, a day, a week, a month.
const LIVES: [i64; 4] = [3_600, DAY, 7 * DAY, 30 * DAY];
const NO_MEMBER: &str =
    "The requested project does not exist, or you are not a member of it. A project owner can invite you.";
const VIEWER: &str = "Your role in this project cannot grant access. A project owner can change your role.";
const RETIRED: &str = "The project does not offer the requested scopes. No access was granted.";
const ARCHIVED: &str = "The requested project is archived. A project owner can unarchive it.";

/// The part of an authorization request that the user may grant.
pub(super) struct AuthorizedRequest {
    pub project: ProjectRow,
    pub lives: Vec<LifetimeOption>,
    /// The requested scopes that the user may grant.
    pub scopes: Vec<ScopeView>,
    pub denied_scopes: Vec<String>,
    /// The user's role, as a word for the audit log.
    pub role: String,
}

/// Why the user may grant nothing, or a fault.
pub(super) enum AuthorizeError {
    /// The project does not exist, or the user is not a member of it: both give the same response.
    NoMember,
    Role,
    Archived,
    Scopes(Denied),
    Fault(Error),
}

impl AuthorizeError {
    /// Returns the consent page for this error. Invalid scopes concern the client, if it can receive a response.
    pub fn into_page(self) -> Result<Authorization, Error> {
        let (status, why) = match self {
            Self::NoMember => (404, NO_MEMBER),
            Self::Role => (403, VIEWER),
            Self::Archived => (409, ARCHIVED),
            Self::Scopes(_) => (409, RETIRED),
            Self::Fault(error) => return Err(error),
        };
        Ok(Authorization::Failed { status, why: why.to_owned() })
    }

    /// Returns the error for a form that was submitted although nothing may be granted.
    pub fn into_error(self) -> Error {
        match self {
            Self::NoMember => Error::NotFound,
            Self::Role => Error::Forbidden(VIEWER),
            Self::Archived => Error::Conflict(ARCHIVED),
            Self::Scopes(_) => Error::Conflict(RETIRED),
            Self::Fault(error) => error,
        }
    }
}

impl<E: Into<Error>> From<E> for AuthorizeError {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// Returns the part of the requested scopes that the user may grant. Reads in the caller's transaction.
pub(super) async fn authorize_request(
    conn: &mut Engine<'_>,
    caller: &Caller,
    project: ProjectId,
    requested: &[ScopeName],
) -> Result<AuthorizedRequest, AuthorizeError> {
    let role = keys::role(conn, project, caller.user).await?.ok_or(AuthorizeError::NoMember)?;
    let row = store::projects::by_id(conn, project.into()).await?.ok_or(AuthorizeError::NoMember)?;
    if !role_allows(role, Action::ChangeKeys) {
        return Err(AuthorizeError::Role);
    }
    if row.archived_at.is_some() {
        return Err(AuthorizeError::Archived);
    }
    let offered = store::projects::list_offered_scopes(conn, project.into()).await?;
    check_scopes(requested, &offered).map_err(AuthorizeError::Scopes)?;
    let (mut scopes, mut beyond) = (Vec::new(), Vec::new());
    for name in requested {
        match offered.iter().find(|row| row.name == name.as_str()) {
            Some(row) if keys::may_grant(role, name, row) => {
                scopes.push(ScopeView { name: name.clone(), description: row.description.clone() });
            }
            _ => beyond.push(name.to_string()),
        }
    }
    let ceiling = row.token_life_max.min(policy::load(conn).await?.token_life_max);
    Ok(AuthorizedRequest {
        project: row,
        lives: lifetimes(ceiling),
        scopes,
        denied_scopes: beyond,
        role: role.as_str().to_owned(),
    })
}

/// Returns the lifetimes offered up to a maximum, shortest first. The maximum is the last one if it is at most 30 days.
fn lifetimes(ceiling: i64) -> Vec<LifetimeOption> {
    let mut all: Vec<_> = LIVES.into_iter().filter(|life| *life < ceiling).collect();
    if ceiling <= LIVES[3] {
        all.push(ceiling);
    }
    all.into_iter().map(|seconds| LifetimeOption { seconds, words: format_duration(seconds) }).collect()
}

/// Returns the preselected lifetime: the longest one that is at most a day, or else the shortest.
fn default_lifetime(lives: &[LifetimeOption]) -> i64 {
    let short = lives.iter().rev().find(|life| life.seconds <= DAY);
    short.or(lives.first()).map_or(DAY, |life| life.seconds)
}

impl AuthorizedRequest {
    /// Returns the data of the consent page.
    pub fn into_prompt(self, client: Option<String>, host: Option<String>, caller: &Caller) -> ConsentPrompt {
        ConsentPrompt {
            client,
            host,
            project: ProjectName { id: self.project.id.into(), name: self.project.name },
            scopes: self.scopes,
            beyond: self.denied_scopes,
            usual: default_lifetime(&self.lives),
            lives: self.lives,
            email: caller.email.clone(),
        }
    }

    /// Returns the scopes that the user left selected, and the time at which the grant expires.
    pub fn select(&self, scopes: &[String], life: i64, now: Timestamp) -> Result<(Vec<String>, Timestamp), Error> {
        let mut chosen = Vec::new();
        for view in &self.scopes {
            if scopes.iter().any(|it| it == view.name.as_str()) {
                chosen.push(view.name.to_string());
            }
        }
        if let Some(other) = scopes.iter().find(|it| !chosen.contains(it)) {
            return Err(Error::field("scopes", format!("{other} was not requested, or you cannot grant it.")));
        }
        if !self.lives.iter().any(|it| it.seconds == life) {
            return Err(Error::field("life", "Choose a duration from the list."));
        }
        Ok((chosen, now.plus_seconds(life)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_usual_and_the_ceiling_is_the_last() {
        let summary = |ceiling| {
            let lives = lifetimes(ceiling);
            let words: Vec<_> = lives.iter().map(|life| life.words.clone()).collect();
            (words.join(", "), default_lifetime(&lives))
        };
        assert_eq!(summary(DAY), ("1 hour, 1 day".into(), DAY));
        assert_eq!(summary(60), ("1 minute".into(), 60));
        assert_eq!(summary(5_400), ("1 hour, 90 minutes".into(), 5_400));
        assert_eq!(summary(7 * DAY), ("1 hour, 1 day, 7 days".into(), DAY));
        assert_eq!(summary(366 * DAY), ("1 hour, 1 day, 7 days, 30 days".into(), DAY));
    }
}

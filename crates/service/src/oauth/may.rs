//! Client authorization: the part of a request that the user may grant.

use super::{Denied, request::check_scopes};
use crate::{
    Error,
    actor::Caller,
    can::{Action, can},
    keys, policy, projects,
};
use keyward_domain::{
    consent::{Asking, Authorization, Life},
    ids::ProjectId,
    project::ProjectName,
    scope::{ScopeName, ScopeView},
    time::{DAY, Timestamp},
};
use keyward_store::{self as store, Conn, projects::ProjectRow};

/// The offered lifetimes in seconds, up to the project's maximum: an hour, a day, a week, a month.
const LIVES: [i64; 4] = [3_600, DAY, 7 * DAY, 30 * DAY];
const NO_MEMBER: &str = "You are no member of the project that it asks for, or there is no such project. An owner of the project \
    can invite you.";
const VIEWER: &str = "Your role in this project lets you see it, and allow nothing. An owner can change that.";
const RETIRED: &str = "The project does not offer (any more) what is asked for. Nothing was allowed.";
const ARCHIVED: &str = "The project that it asks for is archived. An owner can take it out of the archive.";

/// The part of an authorization request that the user may grant.
pub(super) struct May {
    pub project: ProjectRow,
    pub lives: Vec<Life>,
    /// The requested scopes that the user may grant.
    pub scopes: Vec<ScopeView>,
    pub beyond: Vec<String>,
    /// The user's role, as a word for the audit log.
    pub role: String,
}

/// Why the user may grant nothing, or a fault.
pub(super) enum MayNot {
    /// The project does not exist, or the user is not a member of it: both give the same response.
    NoMember,
    Role,
    Archived,
    Scopes(Denied),
    Fault(Error),
}

impl MayNot {
    /// Returns the consent page for this error. Invalid scopes concern the client, if it can receive a response.
    pub fn page(self) -> Result<Authorization, Error> {
        let (status, why) = match self {
            Self::NoMember => (404, NO_MEMBER),
            Self::Role => (403, VIEWER),
            Self::Archived => (409, ARCHIVED),
            Self::Scopes(_) => (409, RETIRED),
            Self::Fault(error) => return Err(error),
        };
        Ok(Authorization::Cannot { status, why: why.to_owned() })
    }

    /// Returns the error for a form that was submitted although nothing may be granted.
    pub fn refusal(self) -> Error {
        match self {
            Self::NoMember => Error::NotFound,
            Self::Role => Error::Forbidden(VIEWER),
            Self::Archived => Error::Conflict(ARCHIVED),
            Self::Scopes(_) => Error::Conflict(RETIRED),
            Self::Fault(error) => error,
        }
    }
}

impl<E: Into<Error>> From<E> for MayNot {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

/// Returns the part of the requested scopes that the user may grant. Reads in the caller's transaction.
pub(super) async fn may(
    conn: &mut Conn<'_>,
    caller: &Caller,
    project: ProjectId,
    asked: &[ScopeName],
) -> Result<May, MayNot> {
    let role = keys::role(conn, project, caller.user).await?.ok_or(MayNot::NoMember)?;
    let row = store::projects::by_id(conn, project.into()).await?.ok_or(MayNot::NoMember)?;
    if !can(role, Action::ChangeKeys) {
        return Err(MayNot::Role);
    }
    if row.archived_at.is_some() {
        return Err(MayNot::Archived);
    }
    let offered = store::projects::offered(conn, project.into()).await?;
    check_scopes(asked, &offered).map_err(MayNot::Scopes)?;
    let (mut scopes, mut beyond) = (Vec::new(), Vec::new());
    for name in asked {
        match offered.iter().find(|row| row.name == name.as_str()) {
            Some(row) if keys::may_grant(role, name, row) => {
                scopes.push(ScopeView { name: name.clone(), description: row.description.clone() });
            }
            _ => beyond.push(name.to_string()),
        }
    }
    let ceiling = row.token_life_max.min(policy::read(conn).await?.token_life_max);
    Ok(May { project: row, lives: lives(ceiling), scopes, beyond, role: role.as_str().to_owned() })
}

/// Returns the lifetimes offered up to a maximum, shortest first. The maximum is the last one if it is at most 30 days.
fn lives(ceiling: i64) -> Vec<Life> {
    let mut all: Vec<_> = LIVES.into_iter().filter(|life| *life < ceiling).collect();
    if ceiling <= LIVES[3] {
        all.push(ceiling);
    }
    all.into_iter().map(|seconds| Life { seconds, words: projects::in_words(seconds) }).collect()
}

/// Returns the preselected lifetime: the longest one that is at most a day, or else the shortest.
fn usual(lives: &[Life]) -> i64 {
    let short = lives.iter().rev().find(|life| life.seconds <= DAY);
    short.or(lives.first()).map_or(DAY, |life| life.seconds)
}

impl May {
    /// Returns the data of the consent page.
    pub fn asking(self, client: Option<String>, host: Option<String>, caller: &Caller) -> Asking {
        Asking {
            client,
            host,
            project: ProjectName { id: self.project.id.into(), name: self.project.name },
            scopes: self.scopes,
            beyond: self.beyond,
            usual: usual(&self.lives),
            lives: self.lives,
            email: caller.email.clone(),
        }
    }

    /// Returns the scopes that the user left selected, and the time at which the grant expires.
    pub fn chosen(&self, scopes: &[String], life: i64, now: Timestamp) -> Result<(Vec<String>, Timestamp), Error> {
        let mut chosen = Vec::new();
        for view in &self.scopes {
            if scopes.iter().any(|it| it == view.name.as_str()) {
                chosen.push(view.name.to_string());
            }
        }
        if let Some(other) = scopes.iter().find(|it| !chosen.contains(it)) {
            return Err(Error::field("scopes", format!("{other} was not asked for, or is not yours to allow.")));
        }
        if !self.lives.iter().any(|it| it.seconds == life) {
            return Err(Error::field("life", "Choose one of these."));
        }
        Ok((chosen, now.plus_seconds(life)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_usual_and_the_ceiling_is_the_last() {
        let said = |ceiling| {
            let lives = lives(ceiling);
            let words: Vec<_> = lives.iter().map(|life| life.words.clone()).collect();
            (words.join(", "), usual(&lives))
        };
        assert_eq!(said(DAY), ("1 hour, 1 day".into(), DAY));
        assert_eq!(said(60), ("1 minute".into(), 60));
        assert_eq!(said(5_400), ("1 hour, 90 minutes".into(), 5_400));
        assert_eq!(said(7 * DAY), ("1 hour, 1 day, 7 days".into(), DAY));
        assert_eq!(said(366 * DAY), ("1 hour, 1 day, 7 days, 30 days".into(), DAY));
    }
}

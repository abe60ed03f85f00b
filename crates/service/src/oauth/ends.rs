//! Grant revocation when a user is disabled, deleted, or demoted, in the transaction of that change.

use crate::{
    Error,
    actor::Actor,
    audit::acting,
    can::{Action, can},
    keys,
};
use keyward_domain::{
    ids::{GrantId, ProjectId, UserId},
    project::Role,
    scope::{GrantedBy, ScopeName},
    time::Timestamp,
};
use keyward_store::{self as store, Tx, audit::NewEvent, changes::Change, grants::GrantRow, queue::Kept};

/// The `granted_by` value, as the scope catalog stores it, of a scope that only owners may grant.
const OWNER: &str = GrantedBy::Owner.as_str();

/// Grants revoked or narrowed along with another change: their events and cache invalidations, committed with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends(Vec<(NewEvent, Change)>);

impl Ends {
    /// Appends the events and the invalidations after those of the change that they belong to.
    pub fn with<T>(self, kept: Kept<T>) -> Kept<T> {
        self.0.into_iter().fold(kept, |kept, (event, change)| kept.and(event).heard(change))
    }

    fn note(&mut self, event: NewEvent, row: &GrantRow) {
        self.0.push((event, Change { topic: "grant", id: row.id }));
    }
}

async fn event(
    tx: &mut Tx<'_>,
    actor: &Actor,
    row: &GrantRow,
    action: &'static str,
    now: Timestamp,
) -> Result<NewEvent, Error> {
    let project = ProjectId::from(row.project_id);
    let acting = acting::in_project(tx, actor, project).await?;
    let event = actor.event(now, action, format!("grant:{}", row.id), &row.client_name);
    Ok(event.acting_as(&acting).in_project(project))
}

/// Revokes the tokens issued so far, for clients that verify tokens offline.
async fn cut_off(tx: &mut Tx<'_>, row: &GrantRow, now: Timestamp) -> Result<(), Error> {
    Ok(store::revoked::cut_off(tx, &format!("grant:{}", row.id), now.micros()).await?)
}

async fn end(
    tx: &mut Tx<'_>,
    actor: &Actor,
    row: &GrantRow,
    (action, why): (&'static str, &str),
    now: Timestamp,
    ends: &mut Ends,
) -> Result<(), Error> {
    if store::grants::end(tx, row.id, now.micros()).await? {
        cut_off(tx, row, now).await?;
        let detail = serde_json::json!({"before": {
            "person": row.user_name, "scopes": row.scopes()?, "expires_at": row.until,
        }});
        let why = (!why.is_empty()).then_some(why);
        let event = event(tx, actor, row, action, now).await?.because(why).detail(detail);
        ends.note(event, row);
    }
    Ok(())
}

/// Revokes those of the given grants that are still valid.
pub(crate) async fn end_where(
    tx: &mut Tx<'_>,
    actor: &Actor,
    grants: &[GrantId],
    action: &'static str,
    why: &str,
    now: Timestamp,
) -> Result<Ends, Error> {
    let mut ends = Ends::default();
    for id in grants {
        if let Some(row) = store::grants::by_id(tx, (*id).into()).await? {
            end(tx, actor, &row, (action, why), now, &mut ends).await?;
        }
    }
    Ok(ends)
}

/// Revokes all grants of a user, or only those in `project` if it is given.
pub(crate) async fn end_of_person(
    tx: &mut Tx<'_>,
    actor: &Actor,
    user: UserId,
    project: Option<ProjectId>,
    why: &str,
    now: Timestamp,
) -> Result<Ends, Error> {
    let mut ends = Ends::default();
    for row in store::grants::of_user(tx, user.into(), now.micros()).await? {
        if project.is_none_or(|project| project == row.project_id.into()) {
            end(tx, actor, &row, ("grant.ended", why), now, &mut ends).await?;
        }
    }
    Ok(ends)
}

/// Narrows a user's grants in a project to the scopes that their new role may grant. A role that may grant nothing
/// revokes them.
pub(crate) async fn follow_role(
    tx: &mut Tx<'_>,
    actor: &Actor,
    user: UserId,
    project: ProjectId,
    role: Role,
    now: Timestamp,
) -> Result<Ends, Error> {
    if !can(role, Action::ChangeKeys) {
        return end_of_person(tx, actor, user, Some(project), "Their new role may allow nothing.", now).await;
    }
    let mut ends = Ends::default();
    let catalogue = store::scopes::catalogue(tx).await?;
    for row in store::grants::of_project(tx, project.into(), Some(user.into()), now.micros()).await? {
        let had = row.scopes()?;
        let may = |name: &String| {
            // A scope that is no longer in the catalog counts as owner-only: a user keeps it only with a role that
            // may grant every scope.
            let for_owners = catalogue.iter().find(|it| it.name == *name).is_none_or(|it| it.granted_by == OWNER);
            name.parse::<ScopeName>().is_ok_and(|name| keys::may_grant_what_is(role, &name, for_owners))
        };
        let left: Vec<_> = had.iter().filter(|name| may(name)).cloned().collect();
        if left == had {
            continue;
        }
        store::grants::narrow(tx, row.id, &left).await?;
        cut_off(tx, &row, now).await?;
        let detail = serde_json::json!({"before": {"scopes": had}, "after": {"scopes": left}});
        ends.note(event(tx, actor, &row, "grant.narrowed", now).await?.detail(detail), &row);
    }
    Ok(ends)
}

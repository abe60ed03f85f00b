//! Grant revocation when a user is disabled, deleted, or demoted, in the transaction of that change.

use crate::{
    Error,
    actor::Actor,
    audit::acting_role,
    keys,
    permissions::{Action, role_allows},
};
use keyward_domain::{
    ids::{GrantId, ProjectId, SubjectId, UserId},
    project::Role,
    scope::{GrantedBy, ScopeName},
    time::Timestamp,
};
use keyward_store::{
    self as store, Tx,
    audit::NewEvent,
    change_log::{Change, Topic},
    grants::GrantRow,
    write_queue::WriteOutcome,
};

/// The `granted_by` value, as the scope catalog stores it, of a scope that only owners may grant.
const OWNER: &str = GrantedBy::Owner.as_str();

/// Grants revoked or narrowed along with another change: their events and cache invalidations, committed with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct RevokedGrants(Vec<(NewEvent, Change)>);

impl RevokedGrants {
    /// Appends the events and the invalidations after those of the change that they belong to.
    pub fn append_to<T>(self, kept: WriteOutcome<T>) -> WriteOutcome<T> {
        self.0.into_iter().fold(kept, |kept, (event, change)| kept.and_event(event).notify(change))
    }

    fn push(&mut self, event: NewEvent, row: &GrantRow) {
        self.0.push((event, Change { topic: Topic::Grant, id: row.id }));
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
    let acting = acting_role::in_project(tx, actor, project).await?;
    let event = actor.event(now, action, format!("grant:{}", row.id), &row.client_name);
    Ok(event.with_acting_role(&acting).in_project(project))
}

/// Revokes the tokens issued so far, for clients that verify tokens offline.
async fn revoke_issued_tokens(tx: &mut Tx<'_>, row: &GrantRow, now: Timestamp) -> Result<(), Error> {
    Ok(store::revoked_tokens::cut_off(tx, SubjectId::Grant(row.id.into()), now.micros()).await?)
}

async fn revoke_grant(
    tx: &mut Tx<'_>,
    actor: &Actor,
    row: &GrantRow,
    (action, why): (&'static str, &str),
    now: Timestamp,
    ends: &mut RevokedGrants,
) -> Result<(), Error> {
    if store::grants::revoke(tx, row.id.into(), now.micros()).await? {
        revoke_issued_tokens(tx, row, now).await?;
        let detail = serde_json::json!({"before": {
            "person": row.user_name, "scopes": row.scopes()?, "expires_at": row.until,
        }});
        let why = (!why.is_empty()).then_some(why);
        let event = event(tx, actor, row, action, now).await?.with_reason(why).with_detail(detail);
        ends.push(event, row);
    }
    Ok(())
}

/// Revokes those of the given grants that are still valid.
pub(crate) async fn revoke_grants(
    tx: &mut Tx<'_>,
    actor: &Actor,
    grants: &[GrantId],
    action: &'static str,
    why: &str,
    now: Timestamp,
) -> Result<RevokedGrants, Error> {
    let mut ends = RevokedGrants::default();
    for id in grants {
        if let Some(row) = store::grants::by_id(tx, *id).await? {
            revoke_grant(tx, actor, &row, (action, why), now, &mut ends).await?;
        }
    }
    Ok(ends)
}

/// Revokes all grants of a user, or only those in `project` if it is given.
pub(crate) async fn revoke_user_grants(
    tx: &mut Tx<'_>,
    actor: &Actor,
    user: UserId,
    project: Option<ProjectId>,
    why: &str,
    now: Timestamp,
) -> Result<RevokedGrants, Error> {
    let mut ends = RevokedGrants::default();
    for row in store::grants::list_by_user(tx, user.into(), now.micros()).await? {
        if project.is_none_or(|project| project == row.project_id.into()) {
            revoke_grant(tx, actor, &row, ("grant.ended", why), now, &mut ends).await?;
        }
    }
    Ok(ends)
}

/// Narrows a user's grants in a project to the scopes that their new role may grant. A role that may grant nothing
/// revokes them.
pub(crate) async fn narrow_to_role(
    tx: &mut Tx<'_>,
    actor: &Actor,
    user: UserId,
    project: ProjectId,
    role: Role,
    now: Timestamp,
) -> Result<RevokedGrants, Error> {
    if !role_allows(role, Action::ChangeKeys) {
        return revoke_user_grants(
            tx,
            actor,
            user,
            Some(project),
            "The new role of the user cannot grant access.",
            now,
        )
        .await;
    }
    let mut ends = RevokedGrants::default();
    let catalogue = store::scopes::list(tx).await?;
    for row in store::grants::list_by_project(tx, project.into(), Some(user.into()), now.micros()).await? {
        let had = row.scopes()?;
        let may = |name: &String| {
            // A scope that is no longer in the catalog counts as owner-only: a user keeps it only with a role that
            // may grant every scope.
            let for_owners = catalogue.iter().find(|it| it.name == *name).is_none_or(|it| it.granted_by == OWNER);
            name.parse::<ScopeName>().is_ok_and(|name| keys::may_grant_scope(role, &name, for_owners))
        };
        let left: Vec<_> = had.iter().filter(|name| may(name)).cloned().collect();
        if left == had {
            continue;
        }
        store::grants::set_scopes(tx, row.id.into(), &left).await?;
        revoke_issued_tokens(tx, &row, now).await?;
        let detail = serde_json::json!({"before": {"scopes": had}, "after": {"scopes": left}});
        ends.push(event(tx, actor, &row, "grant.narrowed", now).await?.with_detail(detail), &row);
    }
    Ok(ends)
}

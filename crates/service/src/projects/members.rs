//! Project members: listing, role changes, removal, and leaving.
//!
//! A project always has an owner. This rule spans several rows, so changes of members run one at a time on all nodes
//! ([`serialize_change`]): a count stays true until commit.

use super::{Projects, project_access::authorize, read::parse_role};
use crate::{
    Error,
    actor::{Actor, Caller},
    audit::acting_role,
    oauth,
    permissions::{Action, AdminPermission, role_allows},
    time_format::moment_from_micros,
};
use keyward_domain::{
    email::Email,
    ids::{ProjectId, UserId},
    project::{Member, Members, OpenInvitation, Role},
};
use keyward_store::{
    self as store, Engine, Tx,
    write_queue::{WriteOutcome, serialize_change},
};

pub(super) const OWNERS: &str = "Only a project owner can invite members, change roles, and remove members.";
const LAST: Error = Error::Conflict("A project must have at least one owner. Make another member an owner first.");
const CHANGED: Error = Error::Conflict("This member’s role was changed elsewhere. Review it and save again.");

/// Returns an error if no other owner who can sign in would remain.
async fn check_owner_remains(conn: &mut Engine<'_>, project: ProjectId, user: UserId, role: Role) -> Result<(), Error> {
    let last = role.is_owner() && store::members::other_owners(conn, project.into(), user.into()).await? < 1;
    if last { Err(LAST) } else { Ok(()) }
}

/// Revokes the invitations of a user who may no longer invite: otherwise the user could rejoin with one of them.
async fn withdraw(tx: &mut Tx<'_>, project: ProjectId, user: UserId, now: i64) -> Result<u64, Error> {
    Ok(store::invitations::withdraw_by_inviter(tx, project.into(), user.into(), now).await?)
}

impl Projects {
    /// Returns the members of a project and, for its owners, the open invitations.
    ///
    /// # Errors
    /// As [`Projects::get`].
    #[tracing::instrument(name = "projects.members", skip_all, fields(project.id = %id))]
    pub async fn members(&self, caller: &Caller, id: ProjectId) -> Result<Members, Error> {
        let now = self.context.now();
        let (_, role) = self.find_visible(caller, id, AdminPermission::SeeEveryProject, now).await?;
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let mut members = Vec::new();
        for row in store::members::list(&mut conn, id.into()).await? {
            let user = UserId::from(row.user_id);
            members.push(Member {
                user,
                role: parse_role(&row.role)?,
                since: moment_from_micros(row.created_at, &caller.zone),
                you: user == caller.user,
                name: row.name,
                email: row.email,
            });
        }
        let mut invitations = Vec::new();
        if role.is_some_and(|role| role_allows(role, Action::ManageMembers)) {
            for row in store::invitations::open(&mut conn, id.into(), now.micros()).await? {
                invitations.push(OpenInvitation {
                    id: row.id.into(),
                    role: parse_role(&row.role)?,
                    ends: moment_from_micros(row.expires_at, &caller.zone),
                    invited_by: row.invited_by_name,
                    email: row.email,
                });
            }
        }
        Ok(Members { members, invitations, now })
    }

    /// Changes the role of a member. The current role must be `before`.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist, the caller is not a member, or there is no such member;
    /// [`Error::Forbidden`] for a member who is not an owner; [`Error::Conflict`] if the role was changed in the
    /// meantime, or no owner would remain.
    #[tracing::instrument(name = "projects.set_role", skip_all, fields(project.id = %id, user.id = %user))]
    pub async fn set_role(
        &self,
        caller: &Caller,
        id: ProjectId,
        user: UserId,
        before: &str,
        role: &str,
    ) -> Result<(), Error> {
        let (now, actor) = (self.context.now(), Actor::User(caller.clone()));
        let (before, requested) = (before.to_owned(), role.to_owned());
        let write = self.context.queue.write(move |tx| {
            let (actor, before, requested) = (actor.clone(), before.clone(), requested.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                authorize(tx, &actor, id, Action::ManageMembers, OWNERS).await?;
                let acting = acting_role::in_project(tx, &actor, id).await?;
                let member = store::members::find(tx, id.into(), user.into()).await?.ok_or(Error::NotFound)?;
                let role: Role = requested.parse().map_err(|error| Error::field("role", error))?;
                let had = parse_role(&member.role)?;
                if had.as_str() != before {
                    return Err(CHANGED);
                }
                if had == role {
                    return Ok(WriteOutcome::unaudited(()));
                }
                check_owner_remains(tx, id, user, had).await?;
                if !store::members::set_role(tx, id.into(), user.into(), had.as_str(), role.as_str()).await? {
                    return Err(CHANGED);
                }
                let withdrawn = match role_allows(role, Action::ManageMembers) {
                    true => 0,
                    false => withdraw(tx, id, user, now.micros()).await?,
                };
                let event = actor
                    .event(now, "member.role_changed", format!("user:{user}"), &member.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({
                        "before": {"role": had}, "after": {"role": role}, "invitations_withdrawn": withdrawn,
                    }));
                let ends = oauth::narrow_to_role(tx, &actor, user, id, role, now).await?;
                Ok(ends.append_to(WriteOutcome::audited((), event)))
            })
        });
        write.await
    }

    /// Removes a member. Access ends at the next request. The keys that the member created stay, with their creator's
    /// name.
    ///
    /// # Errors
    /// As [`Projects::set_role`].
    #[tracing::instrument(name = "projects.remove_member", skip_all, fields(project.id = %id, user.id = %user))]
    pub async fn remove_member(&self, caller: &Caller, id: ProjectId, user: UserId) -> Result<(), Error> {
        self.remove_membership(caller, id, user, "member.removed").await
    }

    /// Removes the caller from a project.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist or the caller is not a member; [`Error::Conflict`] for its
    /// last owner.
    #[tracing::instrument(name = "projects.leave", skip_all, fields(project.id = %id))]
    pub async fn leave(&self, caller: &Caller, id: ProjectId) -> Result<(), Error> {
        self.remove_membership(caller, id, caller.user, "member.left").await
    }

    async fn remove_membership(
        &self,
        caller: &Caller,
        id: ProjectId,
        user: UserId,
        action: &'static str,
    ) -> Result<(), Error> {
        let (now, actor) = (self.context.now(), Actor::User(caller.clone()));
        let write = self.context.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                serialize_change(tx).await?;
                let acting = acting_role::in_project(tx, &actor, id).await?;
                // Any member may leave. Only an owner may remove others.
                let needed = if action == "member.left" { Action::SeeKeys } else { Action::ManageMembers };
                authorize(tx, &actor, id, needed, OWNERS).await?;
                let member = store::members::find(tx, id.into(), user.into()).await?.ok_or(Error::NotFound)?;
                let role = parse_role(&member.role)?;
                check_owner_remains(tx, id, user, role).await?;
                if !store::members::remove(tx, id.into(), user.into()).await? {
                    return Err(Error::NotFound);
                }
                let to_them = store::invitations::withdraw_by_email(
                    tx,
                    id.into(),
                    Email::from_row(&member.email).as_str(),
                    now.micros(),
                )
                .await?;
                let withdrawn = withdraw(tx, id, user, now.micros()).await? + to_them;
                let event = actor
                    .event(now, action, format!("user:{user}"), &member.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({"before": {"role": role}, "invitations_withdrawn": withdrawn}));
                let why = "The user who granted access is no longer a member of the project.";
                let ends = oauth::revoke_user_grants(tx, &actor, user, Some(id), why, now).await?;
                Ok(ends.append_to(WriteOutcome::audited((), event)))
            })
        });
        write.await
    }
}

//! User deletion, and the disposition of the user's projects.

use super::{
    Users, check_administrator_remains, lock_user, target,
    transfer::{find_new_owner, transfer_event},
};
use crate::{Error, actor::Actor, oauth, permissions::AdminPermission};
use keyward_domain::{
    ids::{ProjectId, UserId},
    key::Reason,
    project::Role,
};
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};

/// Disposition of a project whose only owner is the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// Archive the project. Its keys are denied while it is archived.
    Archive,
    /// Transfer ownership to another user: their ID, as submitted by the form.
    TransferTo(String),
    /// No choice was made.
    Missing,
}

/// Disposition of each project whose only owner is the user.
pub type ProjectDispositions = Vec<(ProjectId, Disposition)>;

impl Users {
    /// Deletes a user with their sessions and memberships. Keys that the user created stay and keep the user's name.
    /// The audit log keeps the user's ID and name.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist or the caller is not an administrator;
    /// [`Error::ReauthenticationRequired`] without recent reauthentication; [`Error::Conflict`] for the last
    /// administrator, or if the plan does not match the projects that the user alone owns now; [`Error::Invalid`]
    /// without a reason, or (`heirs`) for a project without a choice.
    #[tracing::instrument(name = "users.delete", skip_all, fields(user.id = %id))]
    pub async fn delete(
        &self,
        actor: &Actor,
        id: UserId,
        reason: &str,
        plan: &ProjectDispositions,
    ) -> Result<(), Error> {
        let now = self.context.now();
        let reason = self.reason(actor, id, reason).await?;
        let (actor, plan) = (actor.clone(), plan.clone());
        let write = self.context.queue.write(move |tx| {
            let (actor, reason, plan) = (actor.clone(), reason.clone(), plan.clone());
            Box::pin(async move {
                let row = lock_user(tx, &actor, id, AdminPermission::ManageUsers).await?;
                actor.require_reauthentication("user.deleted", now)?;
                check_administrator_remains(tx, &row).await?;
                for project in store::users::projects(tx, row.id).await? {
                    store::policy::lock_project(tx, project.id).await?;
                }
                let because = reason.as_ref().map(Reason::as_str);
                let (mut events, mut changes, mut alone) = (Vec::new(), Vec::new(), 0);
                let projects = store::users::projects(tx, row.id).await?;
                for project in &projects {
                    if !project.role.parse::<Role>().is_ok_and(Role::is_owner) || project.other_owners > 0 {
                        let event = actor
                            .event(now, "member.removed", target(id), &row.name)
                            .with_acting_role(actor.admin_acting_role())
                            .in_project(project.id.into())
                            .with_detail(serde_json::json!({"before": {"role": project.role}}));
                        events.push(event);
                        continue;
                    }
                    alone += 1;
                    match plan.iter().find(|(it, _)| *it == project.id.into()) {
                        None => return Err(CHANGED),
                        Some((_, Disposition::Missing)) => {
                            return Err(Error::field("heirs", "Choose a new owner for each project, or archive it."));
                        }
                        Some((_, Disposition::TransferTo(to))) => {
                            let new = find_new_owner(tx, "heirs", to, id).await?;
                            store::users::make_owner(tx, project.id, new.id, now.micros()).await?;
                            events.push(transfer_event(&actor, now, project, (&row, &new), None));
                        }
                        Some((_, Disposition::Archive)) => {
                            if store::users::archive(tx, project.id, now.micros()).await? {
                                let event = actor
                                    .event(now, "project.archived", format!("project:{}", project.id), &project.name)
                                    .with_acting_role(actor.admin_acting_role())
                                    .in_project(project.id.into())
                                    .with_detail(serde_json::json!({
                                        "before": {"archived": false, "owner": row.id, "owner_name": row.name},
                                        "after": {"archived": true, "owner": null},
                                    }));
                                events.push(event);
                            }
                        }
                    }
                    changes.push(Change { topic: Topic::Project, id: project.id });
                }
                if alone != plan.len() {
                    return Err(CHANGED);
                }
                // Withdraw invitations that the user created, so that they cannot return under another account.
                store::invitations::withdraw_all_by_inviter(tx, row.id, now.micros()).await?;
                let why = "The user who granted access was deleted.";
                let ends = oauth::revoke_user_grants(tx, &actor, id, None, why, now).await?;
                if !store::users::delete(tx, row.id).await? {
                    return Err(Error::Internal("the user to delete no longer exists"));
                }
                let event = actor
                    .event(now, "user.deleted", target(id), &row.name)
                    .with_acting_role(actor.admin_acting_role())
                    .with_reason(because)
                    .with_detail(serde_json::json!({"before": {
                        "email": row.email, "admin": row.admin, "active": row.active, "projects": row.projects,
                        "keys_made": row.keys,
                    }}));
                let mut kept = WriteOutcome::audited((), event).notify(Change { topic: Topic::User, id: row.id });
                for event in events {
                    kept = kept.and_event(event);
                }
                for change in changes {
                    kept = kept.notify(change);
                }
                Ok(ends.append_to(kept))
            })
        });
        write.await
    }
}

const CHANGED: Error =
    Error::Conflict("The projects that only this user owns have changed. Review them, then delete the user.");

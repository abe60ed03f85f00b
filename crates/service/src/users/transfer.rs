//! Project transfer to another owner.

use super::{Users, lock_user};
use crate::{Error, actor::Actor, oauth, permissions::AdminPermission};
use keyward_domain::{
    ids::{ProjectId, UserId},
    project::Role,
};
use keyward_store::{
    self as store, Tx,
    audit::NewEvent,
    change_log::{Change, Topic},
    users::{PersonRow, UserProjectRow},
    write_queue::WriteOutcome,
};

/// Reads the new owner that a form names. It must be another user who can sign in.
pub(super) async fn find_new_owner(
    tx: &mut Tx<'_>,
    field: &'static str,
    to: &str,
    from: UserId,
) -> Result<PersonRow, Error> {
    let wrong = || Error::field(field, "Choose a user who can sign in.");
    // The field is a list of users, so an invalid id was not selected there.
    let to: UserId = to.trim().parse().map_err(|_| wrong())?;
    if to == from {
        return Err(Error::field(field, "Choose a different user."));
    }
    store::users::lock(tx, to.into()).await?;
    let row = store::users::by_id(tx, to.into()).await?;
    row.filter(|row| row.active).ok_or_else(wrong)
}

/// Returns the audit event of a project transfer.
pub(super) fn transfer_event(
    actor: &Actor,
    now: keyward_domain::time::Timestamp,
    project: &UserProjectRow,
    (from, to): (&PersonRow, &PersonRow),
    left_as: Option<Role>,
) -> NewEvent {
    let facts = |row: &PersonRow| serde_json::json!({"owner": row.id, "owner_name": row.name});
    actor
        .event(now, "project.transferred", format!("project:{}", project.id), &project.name)
        .with_acting_role(actor.admin_acting_role())
        .in_project(project.id.into())
        .with_detail(serde_json::json!({
            "before": facts(from), "after": facts(to), "former_owner_is": left_as.map(Role::as_str),
        }))
}

impl Users {
    /// Makes another user an owner of a project that this user owns. The former owner becomes an operator with `stays`,
    /// and otherwise leaves the project. Other members keep their roles.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the user does not exist, does not own the project, or the caller is not an administrator;
    /// [`Error::Invalid`] for a new owner who cannot sign in; [`Error::ReauthenticationRequired`] without recent
    /// reauthentication.
    #[tracing::instrument(name = "users.transfer", skip_all, fields(user.id = %from, project.id = %project))]
    pub async fn transfer(
        &self,
        actor: &Actor,
        from: UserId,
        project: ProjectId,
        to: &str,
        stays: bool,
    ) -> Result<(), Error> {
        let (actor, to, now) = (actor.clone(), to.to_owned(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (actor, to) = (actor.clone(), to.clone());
            Box::pin(async move {
                let row = lock_user(tx, &actor, from, AdminPermission::TransferProject).await?;
                // Required because a transfer gives the new owner access to the project.
                actor.require_reauthentication("project.transferred", now)?;
                store::policy::lock_project(tx, project.into()).await?;
                let theirs = store::users::projects(tx, row.id).await?.into_iter();
                let owned = theirs.filter(|it| it.role.parse::<Role>().is_ok_and(Role::is_owner));
                let mut found = owned.filter(|it| ProjectId::from(it.id) == project);
                let found = found.next().ok_or(Error::NotFound)?;
                let new = find_new_owner(tx, "to", &to, from).await?;
                store::users::make_owner(tx, found.id, new.id, now.micros()).await?;
                if stays {
                    store::users::make_operator(tx, found.id, row.id).await?;
                } else {
                    store::users::remove_member(tx, found.id, row.id).await?;
                }
                // Otherwise the former owner could return through an invitation of their own.
                store::invitations::withdraw_by_inviter(tx, found.id, row.id, now.micros()).await?;
                let ends = if stays {
                    oauth::narrow_to_role(tx, &actor, from, project, Role::Operator, now).await?
                } else {
                    let why = "The user who granted access is no longer a member of the project.";
                    oauth::revoke_user_grants(tx, &actor, from, Some(project), why, now).await?
                };
                let event = transfer_event(&actor, now, &found, (&row, &new), stays.then_some(Role::Operator));
                Ok(ends
                    .append_to(WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: found.id })))
            })
        });
        write.await
    }
}

//! Joining a project: by an invitation, or as an administrator.

use super::{
    Projects,
    members::OWNERS,
    project_access,
    read::{parse_role, role},
};
use crate::{
    Error,
    actor::{Actor, Caller},
    one_time_tokens,
    permissions::{Action, AdminPermission, role_allows},
    policy,
    time_format::moment_from_micros,
};
use jiff::tz::TimeZone;
use keyward_domain::{
    ids::ProjectId,
    policy::SignUp,
    project::{InvitationView, Joined, Role},
};
use keyward_store::{
    self as store, Engine,
    invitations::InvitationRow,
    write_queue::{WriteOutcome, serialize_change},
};

/// Returns the invitation with this code if it is valid: its author must still be active and permitted to invite.
async fn find_valid_invitation(conn: &mut Engine<'_>, code: &str, now: i64) -> Result<InvitationRow, Error> {
    let row = store::invitations::by_digest(conn, &one_time_tokens::digest(code), now).await?.ok_or(Error::NotFound)?;
    if let Some(by) = row.invited_by {
        let by = role(conn, row.project_id.into(), by.into()).await?;
        let there = match row.invited_by {
            Some(by) => store::accounts::by_id(conn, by).await?.is_some_and(|row| row.active),
            None => true,
        };
        if !there || !by.is_some_and(|by| role_allows(by, Action::ManageMembers)) {
            return Err(Error::NotFound);
        }
    }
    Ok(row)
}

impl Projects {
    /// Returns the invitation with this code. The code is the only credential.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the invitation was used or revoked, has expired, or never existed: all give the same
    /// response.
    #[tracing::instrument(name = "projects.invitation", skip_all)]
    pub async fn invitation(&self, caller: Option<&Caller>, code: &str) -> Result<InvitationView, Error> {
        let now = self.context.now();
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let row = find_valid_invitation(&mut conn, code, now.micros()).await?;
        let project = store::projects::by_id(&mut conn, row.project_id).await?.ok_or(Error::NotFound)?;
        let member = match caller {
            Some(caller) => role(&mut conn, row.project_id.into(), caller.user).await?.is_some(),
            None => false,
        };
        let zone = caller.map_or(TimeZone::UTC, |caller| caller.zone.clone());
        Ok(InvitationView {
            project: row.project_id.into(),
            name: project.name,
            role: parse_role(&row.role)?,
            invited_by: row.invited_by_name,
            ends: moment_from_micros(row.expires_at, &zone),
            signed_in_as: caller.map(|caller| caller.email.clone()),
            member,
            // The same condition as in `accounts`: registration uses the address to which the link was mailed.
            sign_up: row.email.is_some()
                && self.context.mail.is_configured()
                && matches!(policy::load(&mut conn).await?.sign_up, SignUp::Invite | SignUp::Open),
        })
    }

    /// Accepts an invitation and consumes it. An existing member keeps their role, and the invitation stays open.
    ///
    /// # Errors
    /// As [`Projects::invitation`].
    #[tracing::instrument(name = "projects.accept", skip_all)]
    pub async fn accept(&self, caller: &Caller, code: &str) -> Result<Joined, Error> {
        let (now, caller, code) = (self.context.now(), caller.clone(), code.to_owned());
        let write = self.context.queue.write(move |tx| {
            let (caller, code) = (caller.clone(), code.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                let row = find_valid_invitation(tx, &code, now.micros()).await?;
                let project = ProjectId::from(row.project_id);
                if role(tx, project, caller.user).await?.is_some() {
                    return Ok(WriteOutcome::unaudited(Joined { project, already: true }));
                }
                if !store::invitations::mark_used(tx, row.id, caller.user.into(), now.micros()).await? {
                    return Err(Error::NotFound);
                }
                store::projects::add_member(tx, row.project_id, caller.user.into(), &row.role, now.micros()).await?;
                let name = caller.name.clone();
                let event = Actor::User(caller.clone())
                    .event(now, "member.joined", format!("user:{}", caller.user), &name)
                    .in_project(project)
                    .with_detail(serde_json::json!({
                        "after": {"role": row.role}, "invitation": row.id, "invited_by": row.invited_by_name,
                    }));
                Ok(WriteOutcome::audited(Joined { project, already: false }, event))
            })
        });
        write.await
    }

    /// Joins a project as an administrator. The member list and the audit log show it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist, or for a user who is not an administrator;
    /// [`Error::Forbidden`] for a member who is not an owner; [`Error::Conflict`] for an owner;
    /// [`Error::ReauthenticationRequired`] without recent reauthentication.
    #[tracing::instrument(name = "projects.join", skip_all, fields(project.id = %id))]
    pub async fn join(&self, caller: &Caller, id: ProjectId, role_asked: &str) -> Result<(), Error> {
        let (now, caller, requested) = (self.context.now(), caller.clone(), role_asked.to_owned());
        let write = self.context.queue.write(move |tx| {
            let (caller, requested) = (caller.clone(), requested.clone());
            Box::pin(async move {
                serialize_change(tx).await?;
                let (row, had) =
                    project_access::find_visible(tx, &caller, id, AdminPermission::JoinAnyProject, now).await?;
                match had {
                    Some(role) if !role_allows(role, Action::ManageMembers) => return Err(Error::Forbidden(OWNERS)),
                    Some(_) => return Err(Error::Conflict("You are already a member of this project.")),
                    None => {}
                }
                let role: Role = requested.parse().map_err(|error| Error::field("role", error))?;
                store::projects::add_member(tx, row.id, caller.user.into(), role.as_str(), now.micros()).await?;
                let name = caller.name.clone();
                let event = Actor::User(caller.clone())
                    .event(now, "member.joined", format!("user:{}", caller.user), &name)
                    .with_acting_role("administrator")
                    .in_project(id)
                    .with_detail(serde_json::json!({"after": {"role": role}, "as": "administrator"}));
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await
    }
}

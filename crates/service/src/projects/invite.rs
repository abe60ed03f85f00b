//! Invitations by a one-time link that is valid for seven days.

use super::{Projects, members::OWNERS, project_access::authorize, read::parse_role};
use crate::{
    Error, InvalidField,
    accounts::registration::{EMAIL_LIMIT_REACHED, has_reached_email_limit},
    actor::{Actor, Caller},
    audit::acting_role,
    mail::EmailMessage,
    one_time_tokens::OneTimeCode,
    permissions::Action,
    time_format::moment_from_micros,
};
use keyward_config::Config;
use keyward_domain::{
    email::Email,
    error_chain::ErrorChain,
    ids::{InvitationId, ProjectId},
    project::{Invited, Role},
    registration::INVITATION_LIFETIME,
    sensitive::RevealedSecret,
    time::format_duration,
};
use keyward_store::{
    self as store,
    invitations::{InvitationRow, NewInvitation},
    write_queue::WriteOutcome,
};

/// Maximum open invitations per project, so that a project owner cannot use the server as a mailer.
const OPEN_MOST: usize = 50;

/// Parses the fields of the form.
fn parse_form(role: &str, email: &str) -> Result<(Role, Option<Email>), Error> {
    let mut errors = Vec::new();
    let role = role.parse::<Role>().map_err(|error| errors.push(InvalidField::new("role", error))).ok();
    let email = match email.trim() {
        "" => None,
        text => text.parse::<Email>().map_err(|error| errors.push(InvalidField::new("email", error))).ok(),
    };
    match role {
        Some(role) if errors.is_empty() => Ok((role, email)),
        _ => Err(Error::Invalid(errors)),
    }
}

fn invitation_email(to: &Email, by: &str, project: &str, role: Role, link: &str, config: &Config) -> EmailMessage {
    let site = config.name.as_deref().unwrap_or("Keyward");
    EmailMessage {
        to: to.clone(),
        // The subject contains no name that a user chose: a mail client lists it without any context.
        subject: format!("Your invitation to {site}"),
        text: format!(
            "{by} invited you to the project {project} on {site} with the role {}.\n\nOpen this link to join:\n\n{link}\n\n\
             The link can be used once and expires after {}. If you do not know {by}, ignore this email.\n",
            role.as_str(),
            format_duration(INVITATION_LIFETIME)
        ),
    }
}

impl Projects {
    /// Invites a user. The link is mailed if mail is configured and an address is given. If no email is sent, only this
    /// response contains the link.
    ///
    /// # Errors
    /// [`Error::Invalid`] with every invalid field, or if the address received too many emails; [`Error::Forbidden`]
    /// for a member who is not an owner; [`Error::NotFound`] if the project does not exist or the caller is not a
    /// member.
    #[tracing::instrument(name = "projects.invite", skip_all, fields(project.id = %id))]
    pub async fn invite(
        &self,
        caller: &Caller,
        id: ProjectId,
        role: &str,
        email: &str,
        config: &Config,
    ) -> Result<Invited, Error> {
        let (now, actor) = (self.context.now(), Actor::User(caller.clone()));
        let (code, parsed) = (OneTimeCode::generate(&*self.context.random), parse_form(role, email));
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                // Only those who may invite learn which fields are invalid.
                let mut reader = self.context.pool.acquire_reader().await?;
                authorize(&mut reader.conn(), &actor, id, Action::ManageMembers, OWNERS).await?;
                return Err(error);
            }
        };
        let (role, email) = parsed;
        let new = NewInvitation {
            digest: code.digest(),
            row: InvitationRow {
                id: self.context.new_id(),
                project_id: id.into(),
                role: role.as_str().to_owned(),
                email: email.as_ref().map(ToString::to_string),
                invited_by: Some(caller.user.into()),
                invited_by_name: caller.name.clone(),
                created_at: now.micros(),
                expires_at: now.plus_seconds(INVITATION_LIFETIME).micros(),
            },
        };
        let mails = self.context.mail.is_configured();
        let (ends, invitation) = (moment_from_micros(new.row.expires_at, &caller.zone), new.row.id);
        let write = self.context.queue.write(move |tx| {
            let (actor, new) = (actor.clone(), new.clone());
            Box::pin(async move {
                let row = authorize(tx, &actor, id, Action::ManageMembers, OWNERS).await?;
                if row.archived_at.is_some() {
                    return Err(Error::Conflict("This project is archived. Unarchive it before you invite members."));
                }
                // Serializes the count with invitations on other nodes.
                store::projects::lock(tx, row.id).await?;
                if store::invitations::open(tx, row.id, now.micros()).await?.len() >= OPEN_MOST {
                    return Err(Error::Conflict(
                        "This project has the maximum number of open invitations. Revoke an invitation first.",
                    ));
                }
                if let Some(email) = new.row.email.as_deref().filter(|_| mails)
                    && has_reached_email_limit(tx, email, now).await?
                {
                    return Err(Error::field("email", EMAIL_LIMIT_REACHED));
                }
                store::invitations::insert(tx, &new).await?;
                let acting = acting_role::in_project(tx, &actor, id).await?;
                let event = actor
                    .event(now, "member.invited", format!("invitation:{}", new.row.id), &row.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({"after": {
                        "role": new.row.role, "email": new.row.email, "expires_at": new.row.expires_at,
                    }}));
                Ok::<_, Error>(WriteOutcome::audited(row.name, event))
            })
        });
        let project: String = write.await?;
        // Exposed for the email, or for the one page that shows it.
        let link = format!("{}/join?code={}", config.public_url, code.expose());
        let to = email.clone().filter(|_| mails);
        let sent = match &to {
            Some(to) => {
                let message = invitation_email(to, &caller.name, &project, role, &link, config);
                let sent = self.context.mail.send(message).await;
                if let Err(error) = &sent {
                    tracing::warn!(error = %ErrorChain(error), project.id = %id, "invitation.not_mailed");
                }
                sent.is_ok()
            }
            None => false,
        };
        let mail_failed = to.is_some() && !sent;
        if email.is_some() && !sent {
            let write = self.context.queue.write(move |tx| {
                Box::pin(async move {
                    store::invitations::clear_email(tx, invitation).await?;
                    // The `member.invited` event contains the address already.
                    Ok::<_, Error>(WriteOutcome::unaudited(()))
                })
            });
            write.await?;
        }
        let email = email.map(|email| email.to_string());
        Ok(Invited { project: id, role, email, link: (!sent).then(|| RevealedSecret::new(link)), mail_failed, ends })
    }

    /// Revokes an open invitation.
    ///
    /// # Errors
    /// As [`Projects::invite`]; [`Error::Conflict`] if the invitation is no longer valid.
    #[tracing::instrument(name = "projects.withdraw", skip_all, fields(project.id = %id, invitation.id = %invitation))]
    pub async fn withdraw(&self, caller: &Caller, id: ProjectId, invitation: InvitationId) -> Result<(), Error> {
        const GONE: Error = Error::Conflict("This invitation was used or revoked, or it has expired.");
        let (now, actor) = (self.context.now(), Actor::User(caller.clone()));
        let write = self.context.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                authorize(tx, &actor, id, Action::ManageMembers, OWNERS).await?;
                let row = store::invitations::by_id(tx, invitation.into(), now.micros()).await?;
                let row = row.filter(|row| ProjectId::from(row.project_id) == id).ok_or(GONE)?;
                if !store::invitations::withdraw(tx, row.id, now.micros()).await? {
                    return Err(GONE);
                }
                let name = row.email.clone().unwrap_or_else(|| {
                    format!("Invitation link ({})", parse_role(&row.role).map_or("member", Role::as_str))
                });
                let acting = acting_role::in_project(tx, &actor, id).await?;
                let event = actor
                    .event(now, "invitation.withdrawn", format!("invitation:{invitation}"), &name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({"before": {"role": row.role, "email": row.email}}));
                Ok(WriteOutcome::audited((), event))
            })
        });
        write.await
    }
}

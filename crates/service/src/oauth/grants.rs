//! Valid grants: listing and revocation.

use super::{Consent, grant_revocation::revoke_grants};
use crate::{
    Error,
    actor::{Actor, Caller},
    keys,
    permissions::{Action, role_allows},
    time_format::moment_from_micros,
};
use keyward_domain::{
    consent::{ClientView, GrantView, ProjectGrants},
    ids::{GrantId, ProjectId},
    project::{ProjectName, Role},
};
use keyward_store::{
    self as store, Engine,
    grants::GrantRow,
    write_queue::{WriteOutcome, serialize_change},
};

fn view(row: GrantRow, caller: &Caller) -> Result<GrantView, Error> {
    let moment = |at| moment_from_micros(at, &caller.zone);
    Ok(GrantView {
        id: row.id.into(),
        project: ProjectName { id: row.project_id.into(), name: row.project_name.clone() },
        yours: caller.user == row.user_id.into(),
        scopes: row.scopes()?,
        since: moment(row.created_at),
        until: moment(row.until),
        last_used: row.last_used_at.map(moment),
        client: row.client_name,
        person: row.user_name,
    })
}

impl Consent {
    /// Returns the caller's valid grants, newest first.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "oauth.list_own", skip_all)]
    pub async fn list_own(&self, caller: &Caller) -> Result<ProjectGrants, Error> {
        let now = self.context.now();
        let mut reader = self.context.pool.acquire_reader().await?;
        let rows = store::grants::list_by_user(&mut reader.conn(), caller.user.into(), now.micros()).await?;
        let grants = rows.into_iter().map(|row| view(row, caller)).collect::<Result<_, _>>()?;
        Ok(ProjectGrants { grants, clients: Vec::new(), may_register: false, now })
    }

    /// Returns the valid grants of a project and its clients. Owners see all grants; other members see their own.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist or the caller is not a member.
    #[tracing::instrument(name = "oauth.list_by_project", skip_all, fields(project.id = %id))]
    pub async fn list_by_project(&self, caller: &Caller, id: ProjectId) -> Result<ProjectGrants, Error> {
        let now = self.context.now();
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let role = keys::role(&mut conn, id, caller.user).await?.ok_or(Error::NotFound)?;
        let whose = (!role_allows(role, Action::ManageMembers)).then_some(caller.user.into());
        let rows = store::grants::list_by_project(&mut conn, id.into(), whose, now.micros()).await?;
        let mut clients = Vec::new();
        for row in store::oauth_clients::list_by_project(&mut conn, id.into()).await? {
            clients.push(ClientView {
                id: row.id.into(),
                redirects: row.redirects()?,
                since: moment_from_micros(row.created_at, &caller.zone),
                title: row.name,
                by: row.created_by_name,
            });
        }
        let grants = rows.into_iter().map(|row| view(row, caller)).collect::<Result<_, _>>()?;
        Ok(ProjectGrants { grants, clients, may_register: role_allows(role, Action::Configure), now })
    }

    /// Revokes a grant: the caller's own or, for an owner of the project, any grant of it. Its tokens are denied from
    /// the next request.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the grant is not valid (any more), or the caller may not revoke it.
    #[tracing::instrument(name = "oauth.revoke", skip_all, fields(grant.id = %id))]
    pub async fn revoke(&self, caller: &Caller, project: Option<ProjectId>, id: GrantId) -> Result<(), Error> {
        let (now, caller) = (self.context.now(), caller.clone());
        let write = self.context.queue.write(move |tx| {
            let caller = caller.clone();
            Box::pin(async move {
                serialize_change(tx).await?;
                let row = store::grants::by_id(tx, id).await?;
                let row = row.filter(|row| row.is_valid_at(now.micros())).ok_or(Error::NotFound)?;
                if project.is_some_and(|project| project != row.project_id.into())
                    || !may_revoke(tx, &caller, &row).await?
                {
                    return Err(Error::NotFound);
                }
                let ends = revoke_grants(tx, &Actor::User(caller), &[id], "grant.revoked", "", now).await?;
                Ok(ends.append_to(WriteOutcome::unaudited(())))
            })
        });
        write.await
    }
}

async fn may_revoke(conn: &mut Engine<'_>, caller: &Caller, row: &GrantRow) -> Result<bool, Error> {
    if caller.user == row.user_id.into() {
        return Ok(true);
    }
    let role: Option<Role> = keys::role(conn, row.project_id.into(), caller.user).await?;
    Ok(role.is_some_and(|role| role_allows(role, Action::ManageMembers)))
}

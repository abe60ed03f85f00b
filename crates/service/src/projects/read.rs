//! Projects as their members see them.

use super::{
    Projects,
    config::{indented, version},
    project_access,
};
use crate::{
    Error,
    actor::{Actor, Caller, REAUTHENTICATION_MAX_AGE},
    permissions::{Action, AdminPermission, role_allows},
    policy, read_list,
    time_format::moment_from_micros,
};
use keyward_domain::{
    ids::{ProjectId, UserId},
    project::{HeldScope, ProjectSummary, ProjectView, Role},
    scope::ScopeView,
    time::{Timestamp, format_duration},
};
use keyward_store::{
    self as store, Engine,
    projects::{CountsRow, ProjectRow},
    write_queue::WriteOutcome,
};
use std::collections::HashMap;
use uuid::Uuid;

/// Returns the role of a user in a project.
pub(super) async fn role(conn: &mut Engine<'_>, project: ProjectId, user: UserId) -> Result<Option<Role>, Error> {
    let Some(role) = store::projects::role(conn, project.into(), user.into()).await? else { return Ok(None) };
    Ok(Some(parse_role(&role)?))
}

pub(super) fn parse_role(role: &str) -> Result<Role, store::Error> {
    role.parse().map_err(|_| store::Error::Corrupt("role of a member"))
}

pub(super) fn count(keys: i64) -> u64 {
    u64::try_from(keys).unwrap_or_default()
}

/// Returns the scopes that a project offers.
pub(super) async fn offered(conn: &mut Engine<'_>, project: Uuid) -> Result<Vec<ScopeView>, Error> {
    let rows = store::projects::list_offered_scopes(conn, project).await?.into_iter();
    let shown = rows.map(|row| {
        let name = row.name.parse().map_err(|_| store::Error::Corrupt("name of a scope"))?;
        Ok(ScopeView { name, description: row.description })
    });
    shown.collect()
}

impl Projects {
    /// Returns the projects of a user, ordered by name, archived ones last.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "projects.list", skip_all)]
    pub async fn list(&self, caller: &Caller) -> Result<Vec<ProjectSummary>, Error> {
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            let user = caller.user.into();
            let counts = store::projects::counts(&mut conn, user, self.context.now().micros()).await?;
            let counts: HashMap<Uuid, CountsRow> = counts.into_iter().map(|row| (row.id, row)).collect();
            let mut projects = Vec::new();
            for member in store::projects::list_by_user(&mut conn, user).await? {
                let of = |number: fn(&CountsRow) -> i64| {
                    count(counts.get(&member.project.id).map(number).unwrap_or_default())
                };
                projects.push(ProjectSummary {
                    role: parse_role(&member.role)?,
                    keys: of(|row| row.keys),
                    active: of(|row| row.active),
                    members: of(|row| row.members),
                    id: member.project.id.into(),
                    name: member.project.name,
                    created: moment_from_micros(member.project.created_at, &caller.zone),
                    archived: member.project.archived_at.is_some(),
                });
            }
            projects.sort_by_key(|project| project.archived);
            Ok(projects)
        })
        .await
    }

    /// Returns a project for a member, or for an administrator with recent reauthentication, whose access is audited.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist or the caller may not see it;
    /// [`Error::ReauthenticationRequired`] for an administrator without recent reauthentication.
    #[tracing::instrument(name = "projects.get", skip_all, fields(project.id = %id))]
    pub async fn get(&self, caller: &Caller, id: ProjectId) -> Result<ProjectView, Error> {
        let now = self.context.now();
        let (row, role) = self.find_visible(caller, id, AdminPermission::SeeEveryProject, now).await?;
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let scopes = offered(&mut conn, row.id).await?;
        let held = super::scopes::scopes_in_use(&mut conn, row.id).await?;
        let retired = held.into_iter().filter(|(name, _)| !scopes.iter().any(|it| it.name.as_str() == name));
        let retired = retired.map(|(name, keys)| HeldScope { name, keys }).collect();
        let may = |action| role.is_some_and(|role| role_allows(role, action));
        let able = project_access::has_permission(&mut conn, caller, AdminPermission::ChooseScopes).await?;
        Ok(ProjectView {
            id,
            role,
            scopes,
            retired,
            default_scopes: !row.own_scopes,
            token_life_max: row.token_life_max,
            token_life_most: format_duration(policy::load(&mut conn).await?.token_life_max),
            token_life: format_duration(row.token_life_max),
            config: indented(&row.config),
            version: version(&row.config),
            keys: count(store::projects::count_keys_capped(&mut conn, row.id).await?),
            created: moment_from_micros(row.created_at, &caller.zone),
            archived: row.archived_at.is_some(),
            may_configure: may(Action::Configure),
            may_archive: may(Action::Archive),
            may_manage_members: may(Action::ManageMembers),
            may_make_keys: may(Action::ChangeKeys) && row.archived_at.is_none(),
            may_choose_scopes: able,
            name: row.name,
        })
    }

    /// Returns the project with the caller's role in it. Access by an administrator without a role is audited.
    pub(super) async fn find_visible(
        &self,
        caller: &Caller,
        id: ProjectId,
        power: AdminPermission,
        now: Timestamp,
    ) -> Result<(ProjectRow, Option<Role>), Error> {
        let (found, noted) = {
            // The reader is released before the wait for the write queue.
            let mut reader = self.context.pool.acquire_reader().await?;
            let mut conn = reader.conn();
            let found = project_access::find_visible(&mut conn, caller, id, power, now).await?;
            let since = now.plus_seconds(-REAUTHENTICATION_MAX_AGE).micros();
            let looked = store::projects::find_last_view(&mut conn, caller.user.into(), found.0.id).await?;
            (found, looked.is_some_and(|at| at > since))
        };
        if found.1.is_none() && !noted {
            self.record_access(caller, &found.0, now).await?;
        }
        Ok(found)
    }

    /// Writes an audit event for an administrator's access to a project, once per reauthentication period.
    async fn record_access(&self, caller: &Caller, row: &ProjectRow, now: Timestamp) -> Result<(), Error> {
        let since = now.plus_seconds(-REAUTHENTICATION_MAX_AGE).micros();
        let (actor, user, id, name) = (Actor::User(caller.clone()), caller.user, row.id, row.name.clone());
        let write = self.context.queue.write(move |tx| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                if !store::projects::record_view(tx, user.into(), id, now.micros(), since).await? {
                    return Ok(WriteOutcome::unaudited(()));
                }
                let id = ProjectId::from(id);
                let event = actor
                    .event(now, "project.seen_by_administrator", format!("project:{id}"), &name)
                    .with_acting_role("administrator")
                    .in_project(id);
                Ok::<_, Error>(WriteOutcome::audited((), event))
            })
        });
        write.await
    }
}

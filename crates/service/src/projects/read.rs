//! Projects as their members see them.

use super::{
    Projects,
    config::{laid_out, version},
    may,
};
use crate::{
    Error,
    actor::{Actor, Caller, PROOF_HOLDS},
    can::{Action, Power, can},
    moments::moment_of,
    policy, read_list,
};
use keyward_domain::{
    ids::{ProjectId, UserId},
    project::{HeldScope, ProjectSummary, ProjectView, Role},
    scope::ScopeView,
    time::Timestamp,
};
use keyward_store::{
    self as store, Conn,
    projects::{CountsRow, ProjectRow},
    queue::Kept,
};
use std::collections::HashMap;
use uuid::Uuid;

/// Returns the role of a user in a project.
pub(super) async fn role(conn: &mut Conn<'_>, project: ProjectId, user: UserId) -> Result<Option<Role>, Error> {
    let Some(role) = store::projects::role(conn, project.into(), user.into()).await? else { return Ok(None) };
    Ok(Some(parse(&role)?))
}

pub(super) fn parse(role: &str) -> Result<Role, store::Error> {
    role.parse().map_err(|_| store::Error::Corrupt("role of a member"))
}

pub(super) fn count(keys: i64) -> u64 {
    u64::try_from(keys).unwrap_or_default()
}

/// Returns the scopes that a project offers.
pub(super) async fn offered(conn: &mut Conn<'_>, project: Uuid) -> Result<Vec<ScopeView>, Error> {
    let rows = store::projects::offered(conn, project).await?.into_iter();
    let shown = rows.map(|row| {
        let name = row.name.parse().map_err(|_| store::Error::Corrupt("name of a scope"))?;
        Ok(ScopeView { name, description: row.description })
    });
    shown.collect()
}

/// Formats a duration in seconds, in the largest unit that divides it.
pub(crate) fn in_words(seconds: i64) -> String {
    let (count, unit) = [(86_400, "day"), (3_600, "hour"), (60, "minute")]
        .into_iter()
        .find(|(unit, _)| seconds > 0 && seconds % unit == 0)
        .map_or((seconds, "second"), |(unit, word)| (seconds / unit, word));
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

impl Projects {
    /// Returns the projects of a user, ordered by name, archived ones last.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<ProjectSummary>, Error> {
        read_list(async {
            let mut reader = self.ground.pool.read_list().await?;
            let mut conn = reader.conn();
            let user = caller.user.into();
            let counts = store::projects::counts(&mut conn, user, self.ground.now().micros()).await?;
            let counts: HashMap<Uuid, CountsRow> = counts.into_iter().map(|row| (row.id, row)).collect();
            let mut projects = Vec::new();
            for member in store::projects::of_user(&mut conn, user).await? {
                let of = |number: fn(&CountsRow) -> i64| {
                    count(counts.get(&member.project.id).map(number).unwrap_or_default())
                };
                projects.push(ProjectSummary {
                    role: parse(&member.role)?,
                    keys: of(|row| row.keys),
                    active: of(|row| row.active),
                    members: of(|row| row.members),
                    id: member.project.id.into(),
                    name: member.project.name,
                    created: moment_of(member.project.created_at, &caller.zone),
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
    /// [`Error::NotFound`] if the project does not exist or the caller may not see it; [`Error::StepUp`] for an
    /// administrator without recent reauthentication.
    pub async fn get(&self, caller: &Caller, id: ProjectId) -> Result<ProjectView, Error> {
        let now = self.ground.now();
        let (row, role) = self.seen(caller, id, Power::SeeEveryProject, now).await?;
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let scopes = offered(&mut conn, row.id).await?;
        let held = super::scopes::held(&mut conn, row.id).await?;
        let retired = held.into_iter().filter(|(name, _)| !scopes.iter().any(|it| it.name.as_str() == name));
        let retired = retired.map(|(name, keys)| HeldScope { name, keys }).collect();
        let may = |action| role.is_some_and(|role| can(role, action));
        let able = may::is_able(&mut conn, caller, Power::ChooseScopes).await?;
        Ok(ProjectView {
            id,
            role,
            scopes,
            retired,
            default_scopes: !row.own_scopes,
            token_life_max: row.token_life_max,
            token_life_most: in_words(policy::read(&mut conn).await?.token_life_max),
            token_life: in_words(row.token_life_max),
            config: laid_out(&row.config),
            version: version(&row.config),
            keys: count(store::projects::key_count_shown(&mut conn, row.id).await?),
            created: moment_of(row.created_at, &caller.zone),
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
    pub(super) async fn seen(
        &self,
        caller: &Caller,
        id: ProjectId,
        power: Power,
        now: Timestamp,
    ) -> Result<(ProjectRow, Option<Role>), Error> {
        let (found, noted) = {
            // The reader is released before the wait for the write queue.
            let mut reader = self.ground.pool.read().await?;
            let mut conn = reader.conn();
            let found = may::seen(&mut conn, caller, id, power, now).await?;
            let since = now.plus_seconds(-PROOF_HOLDS).micros();
            let looked = store::projects::looked(&mut conn, caller.user.into(), found.0.id).await?;
            (found, looked.is_some_and(|at| at > since))
        };
        if found.1.is_none() && !noted {
            self.note_look(caller, &found.0, now).await?;
        }
        Ok(found)
    }

    /// Writes an audit event for an administrator's access to a project, once per reauthentication period.
    async fn note_look(&self, caller: &Caller, row: &ProjectRow, now: Timestamp) -> Result<(), Error> {
        let since = now.plus_seconds(-PROOF_HOLDS).micros();
        let (actor, user, id, name) = (Actor::User(caller.clone()), caller.user, row.id, row.name.clone());
        let write = self.ground.queue.write(move |tx| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                if !store::projects::look(tx, user.into(), id, now.micros(), since).await? {
                    return Ok(Kept::unrecorded(()));
                }
                let id = ProjectId::from(id);
                let event = actor
                    .event(now, "project.seen_by_administrator", format!("project:{id}"), &name)
                    .acting_as("administrator")
                    .in_project(id);
                Ok::<_, Error>(Kept::with((), event))
            })
        });
        write.await
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn a_life_in_words() {
        let said = [86_400, 604_800, 3_600, 5_400, 90, 1].map(in_words);
        assert_eq!(said, ["1 day", "7 days", "1 hour", "90 minutes", "90 seconds", "1 second"]);
    }
}

//! Creating and changing a project: its name, its archived state, and its maximum token lifetime.

use super::{Projects, project_access::authorize};
use crate::{Error, actor::Actor, audit::acting_role, permissions::Action, policy};
use keyward_domain::{
    ids::{ProjectId, UserId},
    project::{ProjectTitle, Role},
    time::format_duration,
};
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};

/// Initial maximum token lifetime of a project, in seconds, if the policy allows it: a day.
const TOKEN_LIFE: i64 = 86_400;
/// The smallest value of the maximum token lifetime, in seconds.
const TOKEN_LIFE_LEAST: i64 = 60;

const OWNERS_CONFIGURE: &str = "Only a project owner can change the name and settings of the project.";
const OWNERS_ARCHIVE: &str = "Only a project owner can archive or unarchive the project.";

fn title(text: &str) -> Result<String, Error> {
    let title = text.parse::<ProjectTitle>().map_err(|error| Error::field("name", error))?;
    Ok(title.as_str().to_owned())
}

/// Converts a number and its unit to seconds.
fn seconds(amount: &str, unit: &str) -> Result<i64, Error> {
    let factor = match unit {
        "minutes" => 60,
        "hours" => 3_600,
        "days" => 86_400,
        _ => return Err(Error::field("unit", "Choose minutes, hours, or days.")),
    };
    let amount = amount.trim().parse::<i64>().ok().filter(|it| *it > 0);
    let seconds = amount.and_then(|it| it.checked_mul(factor));
    seconds.ok_or_else(|| Error::field("amount", "Enter a whole number of at least 1."))
}

impl Projects {
    /// Creates a project with this owner: the user who creates it, or the one that the operator names at the command
    /// line.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid name.
    #[tracing::instrument(name = "projects.create", skip_all, fields(user.id = %owner))]
    pub async fn create(&self, actor: &Actor, owner: UserId, name: &str) -> Result<ProjectId, Error> {
        let (name, id, now, actor) =
            (title(name)?, ProjectId::from(self.context.new_id()), self.context.now(), actor.clone());
        let write = self.context.queue.write(move |tx| {
            let (actor, name) = (actor.clone(), name.clone());
            Box::pin(async move {
                let life = TOKEN_LIFE.min(policy::load(tx).await?.token_life_max);
                store::projects::insert(tx, id.into(), &name, life, now.micros()).await?;
                store::projects::add_member(tx, id.into(), owner.into(), Role::Owner.as_str(), now.micros()).await?;
                let event = actor
                    .event(now, "project.created", format!("project:{id}"), &name)
                    .in_project(id)
                    .with_detail(serde_json::json!({"after": {"owner": owner, "name": name}}));
                Ok(WriteOutcome::audited(id, event).notify(Change { topic: Topic::Project, id: id.into() }))
            })
        });
        write.await
    }

    /// Renames a project. The current name must be `before`; `None` skips this check.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid name; [`Error::Forbidden`] for a member who is not an owner;
    /// [`Error::NotFound`] if the project does not exist or the caller is not a member; [`Error::Conflict`] if it was
    /// renamed in the meantime.
    #[tracing::instrument(name = "projects.rename", skip_all, fields(project.id = %id))]
    pub async fn rename(&self, actor: &Actor, id: ProjectId, before: Option<&str>, name: &str) -> Result<(), Error> {
        const CHANGED: Error = Error::Conflict("This project was renamed elsewhere. Review the name and save again.");
        let (typed, before, now, actor) =
            (name.to_owned(), before.map(ToOwned::to_owned), self.context.now(), actor.clone());
        let write = self.context.queue.write(move |tx| {
            let (actor, typed, before) = (actor.clone(), typed.clone(), before.clone());
            Box::pin(async move {
                let row = authorize(tx, &actor, id, Action::Configure, OWNERS_CONFIGURE).await?;
                let name = title(&typed)?;
                if before.is_some_and(|before| before != row.name) {
                    return Err(CHANGED);
                }
                if row.name == name {
                    return Ok(WriteOutcome::unaudited(()));
                }
                if !store::projects::rename(tx, row.id, &row.name, &name).await? {
                    return Err(CHANGED);
                }
                let acting = acting_role::in_project(tx, &actor, id).await?;
                let event = actor
                    .event(now, "project.renamed", format!("project:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({"before": {"name": row.name}, "after": {"name": name}}));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: row.id }))
            })
        });
        write.await
    }

    /// Archives a project, or unarchives it if `back` is true. Keys of an archived project are denied from the next
    /// request. Repeating the call is not an error.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a member who is not an owner; [`Error::NotFound`] if the project does not exist or the
    /// caller is not a member.
    #[tracing::instrument(name = "projects.archive", skip_all, fields(project.id = %id))]
    pub async fn archive(&self, actor: &Actor, id: ProjectId, back: bool) -> Result<(), Error> {
        let (now, actor) = (self.context.now(), actor.clone());
        let write = self.context.queue.write(move |tx| {
            let actor = actor.clone();
            Box::pin(async move {
                let row = authorize(tx, &actor, id, Action::Archive, OWNERS_ARCHIVE).await?;
                if !store::projects::set_archived(tx, row.id, (!back).then_some(now.micros())).await? {
                    return Ok(WriteOutcome::unaudited(()));
                }
                let action = if back { "project.unarchived" } else { "project.archived" };
                let acting = acting_role::in_project(tx, &actor, id).await?;
                let event = actor
                    .event(now, action, format!("project:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({"before": {"archived": back}, "after": {"archived": !back}}));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: row.id }))
            })
        });
        write.await
    }

    /// Sets a project's maximum token lifetime, which was `before` (seconds) when the form was rendered.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an invalid duration, or one longer than the policy allows; otherwise as
    /// [`Projects::rename`].
    #[tracing::instrument(name = "projects.set_token_life", skip_all, fields(project.id = %id))]
    pub async fn set_token_life(
        &self,
        actor: &Actor,
        id: ProjectId,
        before: i64,
        amount: &str,
        unit: &str,
    ) -> Result<(), Error> {
        const CHANGED: Error =
            Error::Conflict("The maximum token lifetime was changed elsewhere. Review it and save again.");
        let (now, actor) = (self.context.now(), actor.clone());
        let (amount, unit) = (amount.to_owned(), unit.to_owned());
        let write = self.context.queue.write(move |tx| {
            let (actor, amount, unit) = (actor.clone(), amount.clone(), unit.clone());
            Box::pin(async move {
                let row = authorize(tx, &actor, id, Action::Configure, OWNERS_CONFIGURE).await?;
                let life = seconds(&amount, &unit)?;
                let most = policy::load(tx).await?.token_life_max;
                if !(TOKEN_LIFE_LEAST..=most).contains(&life) {
                    let words = format!(
                        "Enter at most {}. The policy does not allow a longer token lifetime.",
                        format_duration(most)
                    );
                    return Err(Error::field("amount", words));
                }
                if row.token_life_max != before {
                    return Err(CHANGED);
                }
                if life == before {
                    return Ok(WriteOutcome::unaudited(()));
                }
                if !store::projects::set_token_life(tx, row.id, before, life).await? {
                    return Err(CHANGED);
                }
                let acting = acting_role::in_project(tx, &actor, id).await?;
                let event = actor
                    .event(now, "project.token_life_set", format!("project:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(serde_json::json!({"before": {"seconds": before}, "after": {"seconds": life}}));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: row.id }))
            })
        });
        write.await
    }
}

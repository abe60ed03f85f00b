//! Fixtures of the demo: clock, people, memberships, scopes, and changes of keys.

use super::{
    data,
    scenario::{DAY, HOUR, KeyScenario, LaterChange, MINUTE},
};
use crate::{
    cli::database::terminal_error,
    domain::{
        ids::{KeyId, ProjectId},
        key::{parse_description, parse_issued_to},
        scope::ScopeName,
        sensitive::Password,
        time::Timestamp,
        transition::Transition,
    },
    service::{
        Context, Error,
        accounts::{Accounts, NewUser},
        actor::{Actor, Caller, Origin},
        clock::ManualClock,
        keys::{KeySpec, Keys, Precondition},
        projects::Projects,
        scopes::{ScopeDraft, Scopes},
    },
    store::{
        self,
        change_log::{Change, Topic},
        write_queue::WriteOutcome,
    },
};
use anyhow::Context as _;
use std::sync::Arc;

/// Database of the demo, with a clock that the demo controls.
pub struct Fixtures {
    pub now: Timestamp,
    pub clock: Arc<ManualClock>,
    pub context: Context,
    pub accounts: Accounts,
}

/// People of the demo, each with the project that they created.
pub struct DemoUsers(Vec<(Caller, ProjectId)>);

impl Fixtures {
    /// Advances the clock to `ago` seconds before now. The clock never goes back.
    pub fn advance_to(&self, ago: i64) {
        self.clock.advance(self.now.plus_seconds(-ago).seconds_since(self.context.now()).max(0));
    }

    /// Advances the clock by some minutes, so that the events have different times.
    fn advance(&self) {
        self.clock.advance(7 * MINUTE + 13);
    }

    /// Creates the people, their memberships, the scopes, and the configs.
    pub async fn create_users(&self, password: &str) -> anyhow::Result<DemoUsers> {
        let mut cast = Vec::new();
        let mut maker = Actor::Operator;
        for (number, (email, name, project)) in (0..).zip(data::PEOPLE) {
            self.advance_to(205 * DAY - number * HOUR);
            let person = NewUser {
                email: email.to_owned(),
                name: name.to_owned(),
                password: Password::new(password.to_owned()),
                admin: number == 0,
                project: project.to_owned(),
            };
            let user = self.accounts.create_user(&maker, person).await.map_err(terminal_error)?;
            let origin =
                Origin { ip: Some(std::net::Ipv4Addr::new(192, 0, 2, 10 + number as u8).into()), ..Origin::default() };
            let caller = self.accounts.caller(user, origin, self.context.now()).await.map_err(terminal_error)?;
            let caller = caller.context("a demo user does not exist after its creation")?;
            let mut reader = self.context.pool.acquire_reader().await?;
            let projects = store::projects::list_by_user(&mut reader.conn(), user.into()).await?;
            let project = projects.first().context("a demo user has no project")?.project.id;
            // The administrator creates the other people.
            if number == 0 {
                maker = Actor::User(caller.clone());
            }
            cast.push((caller, project.into()));
        }
        let cast = DemoUsers(cast);
        self.create_scopes(cast.administrator()).await.map_err(terminal_error)?;
        for (project, user, role) in data::MEMBERS {
            self.advance();
            self.add_member(&cast, project, user, role).await.map_err(terminal_error)?;
        }
        let projects = Projects::new(self.context.clone());
        for ((caller, project), config) in cast.0.iter().zip(data::CONFIGS) {
            self.advance();
            projects.set_config(&Actor::User(caller.clone()), *project, config).await.map_err(terminal_error)?;
        }
        Ok(cast)
    }

    async fn create_scopes(&self, administrator: &Caller) -> Result<(), Error> {
        let scopes = Scopes::new(self.context.clone());
        for name in data::UNUSED_SCOPES {
            self.advance();
            scopes.remove(administrator, name).await?;
        }
        for (name, description, in_default, granted_by) in data::SCOPES {
            self.advance();
            let draft = ScopeDraft {
                name: name.to_owned(),
                description: description.to_owned(),
                in_default,
                granted_by: granted_by.to_owned(),
            };
            scopes.add(administrator, &draft).await?;
        }
        Ok(())
    }

    async fn add_member(&self, cast: &DemoUsers, project: usize, user: usize, role: &'static str) -> Result<(), Error> {
        let (owner, project) = cast.0[project].clone();
        let (caller, now) = (cast.0[user].0.clone(), self.context.now());
        let write = self.context.queue.write(move |tx| {
            let (owner, caller) = (Actor::User(owner.clone()), caller.clone());
            Box::pin(async move {
                store::projects::add_member(tx, project.into(), caller.user.into(), role, now.micros()).await?;
                let event = owner
                    .event(now, "member.added", format!("user:{}", caller.user), &caller.name)
                    .in_project(project)
                    .with_detail(serde_json::json!({"after": {"role": role}}));
                Ok::<_, Error>(
                    WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: project.into() }),
                )
            })
        });
        write.await
    }

    pub async fn apply_change(
        &self,
        keys: &Keys,
        cast: &DemoUsers,
        plan: &KeyScenario,
        id: KeyId,
    ) -> anyhow::Result<()> {
        let maker = &cast.0[plan.maker].0;
        let transition = async |transition: Transition| {
            let actor = Actor::User(maker.clone());
            keys.transition(&actor, id, transition, Precondition::default()).await.map(|_| ())
        };
        let done = match plan.later_change {
            LaterChange::Unchanged => return Ok(()),
            LaterChange::Deactivated(_) => transition(Transition::Deactivate).await,
            LaterChange::Deleted(_) => transition(Transition::Delete).await,
            LaterChange::DeactivatedByAdmin(_, reason) => {
                self.deactivate_by_admin(cast.administrator(), id, plan, reason).await
            }
            LaterChange::Scheduled(after) => self.schedule(maker, id, plan, self.now.plus_seconds(after)).await,
        };
        done.map_err(terminal_error)
    }

    async fn deactivate_by_admin(
        &self,
        administrator: &Caller,
        id: KeyId,
        plan: &KeyScenario,
        reason: &'static str,
    ) -> Result<(), Error> {
        let (by, now, name) = (administrator.clone(), self.context.now(), plan.name.clone());
        let write = self.context.queue.write(move |tx| {
            let (by, name) = (by.clone(), name.clone());
            Box::pin(async move {
                let row = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::demo::deactivate_as_administrator(tx, row.id, reason, &by.name, now.micros()).await? {
                    return Err(Error::NotFound);
                }
                let mut event = Actor::User(by)
                    .event(now, "key.deactivated", format!("key:{id}"), &name)
                    .with_acting_role("administrator")
                    .in_project(row.project_id.into())
                    .with_detail(serde_json::json!({"before": {"status": "active"}, "after": {"status": "inactive"}}));
                event.reason = Some(reason.to_owned());
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Key, id: row.id }))
            })
        });
        write.await
    }

    async fn schedule(&self, maker: &Caller, id: KeyId, plan: &KeyScenario, from: Timestamp) -> Result<(), Error> {
        let (by, now, name) = (Actor::User(maker.clone()), self.context.now(), plan.name.clone());
        let write = self.context.queue.write(move |tx| {
            let (by, name) = (by.clone(), name.clone());
            Box::pin(async move {
                let row = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::demo::schedule(tx, row.id, from.micros()).await? {
                    return Err(Error::NotFound);
                }
                let event = by
                    .event(now, "key.edited", format!("key:{id}"), &name)
                    .in_project(row.project_id.into())
                    .with_detail(serde_json::json!({"before": {"not_before": null}, "after": {"not_before": from}}));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Key, id: row.id }))
            })
        });
        write.await
    }
}

impl DemoUsers {
    pub fn administrator(&self) -> &Caller {
        &self.0[data::MAREN].0
    }

    /// Returns the person with this index in [`data::PEOPLE`].
    pub fn user(&self, place: usize) -> &Caller {
        &self.0[place].0
    }

    /// Returns the project that the person with this index created.
    pub fn project(&self, place: usize) -> ProjectId {
        self.0[place].1
    }

    /// Creates a key and discards its secret.
    pub async fn create_key(&self, keys: &Keys, plan: &KeyScenario, now: Timestamp) -> anyhow::Result<KeyId> {
        let project = self.0[plan.project].1;
        // A key that never expires requires a recent reauthentication.
        let maker = Actor::User(Caller { authenticated_at: now, ..self.0[plan.maker].0.clone() });
        let spec = KeySpec {
            environment: plan.environment,
            scopes: plan.scopes.iter().map(|scope| scope.parse::<ScopeName>()).collect::<Result<_, _>>()?,
            issued_to: parse_issued_to(plan.issued_to)?,
            description: parse_description(plan.description)?,
            expires_at: plan.lifetime_days.map(|days| now.plus_seconds(i64::from(days) * DAY)),
            ..KeySpec::new(project, plan.name.parse()?)
        };
        let (key, _) = keys.create(&maker, spec).await.map_err(terminal_error)?;
        Ok(key.id)
    }
}

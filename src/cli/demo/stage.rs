//! Fixtures of the demo: clock, people, memberships, scopes, and changes of keys.

use super::{
    data,
    plan::{DAY, Fate, HOUR, MINUTE, Plan},
};
use crate::{
    cli::open::words,
    domain::{
        ids::{KeyId, ProjectId},
        sensitive::Password,
        time::Timestamp,
    },
    service::{
        Error, Ground,
        accounts::{Accounts, NewPerson},
        actor::{Actor, Caller, Origin},
        clock::ManualClock,
        keys::{Keys, NewKey},
        projects::Projects,
        scopes::{ScopeDraft, Scopes},
    },
    store::{self, changes::Change, queue::Kept},
};
use anyhow::Context as _;
use std::sync::Arc;

/// Database of the demo, with a clock that the demo controls.
pub struct Stage {
    pub now: Timestamp,
    pub clock: Arc<ManualClock>,
    pub ground: Ground,
    pub accounts: Accounts,
}

/// People of the demo, each with the project that they created.
pub struct Cast(Vec<(Caller, ProjectId)>);

impl Stage {
    /// Advances the clock to `ago` seconds before now. The clock never goes back.
    pub fn go_to(&self, ago: i64) {
        self.clock.advance(self.now.plus_seconds(-ago).seconds_since(self.ground.now()).max(0));
    }

    /// Advances the clock by some minutes, so that the events have different times.
    fn later(&self) {
        self.clock.advance(7 * MINUTE + 13);
    }

    /// Creates the people, their memberships, the scopes, and the configs.
    pub async fn cast(&self, password: &str) -> anyhow::Result<Cast> {
        let mut cast = Vec::new();
        let mut maker = Actor::Operator;
        for (number, (email, name, project)) in (0..).zip(data::PEOPLE) {
            self.go_to(205 * DAY - number * HOUR);
            let person = NewPerson {
                email: email.to_owned(),
                name: name.to_owned(),
                password: Password::new(password.to_owned()),
                admin: number == 0,
                project: project.to_owned(),
            };
            let user = self.accounts.create_user(&maker, person).await.map_err(words)?;
            let origin =
                Origin { ip: Some(std::net::Ipv4Addr::new(192, 0, 2, 10 + number as u8).into()), ..Origin::default() };
            let caller = self.accounts.caller(user, origin, self.ground.now()).await.map_err(words)?;
            let caller = caller.context("a person of the demo was not there after they were made")?;
            let mut reader = self.ground.pool.read().await?;
            let projects = store::projects::of_user(&mut reader.conn(), user.into()).await?;
            let project = projects.first().context("a person of the demo has no project")?.project.id;
            // The administrator creates the other people.
            if number == 0 {
                maker = Actor::User(caller.clone());
            }
            cast.push((caller, project.into()));
        }
        let cast = Cast(cast);
        self.catalogue(cast.administrator()).await.map_err(words)?;
        for (project, user, role) in data::MEMBERS {
            self.later();
            self.join(&cast, project, user, role).await.map_err(words)?;
        }
        let projects = Projects::new(self.ground.clone());
        for ((caller, project), config) in cast.0.iter().zip(data::CONFIGS) {
            self.later();
            projects.set_config(&Actor::User(caller.clone()), *project, config).await.map_err(words)?;
        }
        Ok(cast)
    }

    async fn catalogue(&self, administrator: &Caller) -> Result<(), Error> {
        let scopes = Scopes::new(self.ground.clone());
        for name in data::UNUSED_SCOPES {
            self.later();
            scopes.remove(administrator, name).await?;
        }
        for (name, description, in_default, granted_by) in data::SCOPES {
            self.later();
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

    async fn join(&self, cast: &Cast, project: usize, user: usize, role: &'static str) -> Result<(), Error> {
        let (owner, project) = cast.0[project].clone();
        let (caller, now) = (cast.0[user].0.clone(), self.ground.now());
        let write = self.ground.queue.write(move |tx| {
            let (owner, caller) = (Actor::User(owner.clone()), caller.clone());
            Box::pin(async move {
                store::projects::join(tx, project.into(), caller.user.into(), role, now.micros()).await?;
                let event = owner
                    .event(now, "member.added", format!("user:{}", caller.user), &caller.name)
                    .in_project(project)
                    .detail(serde_json::json!({"after": {"role": role}}));
                Ok::<_, Error>(Kept::with((), event).heard(Change { topic: "project", id: project.into() }))
            })
        });
        write.await
    }

    pub async fn change(&self, keys: &Keys, cast: &Cast, plan: &Plan, id: KeyId) -> anyhow::Result<()> {
        let maker = &cast.0[plan.maker].0;
        let done = match plan.fate {
            Fate::Stays => return Ok(()),
            Fate::Deactivated(_) => keys.deactivate(maker, id).await.map(|_| ()),
            Fate::Deleted(_) => keys.delete(maker, id).await.map(|_| ()),
            Fate::Held(_, reason) => self.hold(cast.administrator(), id, plan, reason).await,
            Fate::Starts(after) => self.schedule(maker, id, plan, self.now.plus_seconds(after)).await,
        };
        done.map_err(words)
    }

    async fn hold(&self, administrator: &Caller, id: KeyId, plan: &Plan, reason: &'static str) -> Result<(), Error> {
        let (by, now, name) = (administrator.clone(), self.ground.now(), plan.name.clone());
        let write = self.ground.queue.write(move |tx| {
            let (by, name) = (by.clone(), name.clone());
            Box::pin(async move {
                let row = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::demo::hold(tx, row.id, reason, &by.name, now.micros()).await? {
                    return Err(Error::NotFound);
                }
                let mut event = Actor::User(by)
                    .event(now, "key.deactivated", format!("key:{id}"), &name)
                    .acting_as("administrator")
                    .in_project(row.project_id.into())
                    .detail(serde_json::json!({"before": {"status": "active"}, "after": {"status": "inactive"}}));
                event.reason = Some(reason.to_owned());
                Ok(Kept::with((), event).heard(Change { topic: "key", id: row.id }))
            })
        });
        write.await
    }

    async fn schedule(&self, maker: &Caller, id: KeyId, plan: &Plan, from: Timestamp) -> Result<(), Error> {
        let (by, now, name) = (Actor::User(maker.clone()), self.ground.now(), plan.name.clone());
        let write = self.ground.queue.write(move |tx| {
            let (by, name) = (by.clone(), name.clone());
            Box::pin(async move {
                let row = store::keys::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::demo::schedule(tx, row.id, from.micros()).await? {
                    return Err(Error::NotFound);
                }
                let event = by
                    .event(now, "key.edited", format!("key:{id}"), &name)
                    .in_project(row.project_id.into())
                    .detail(serde_json::json!({"before": {"not_before": null}, "after": {"not_before": from}}));
                Ok(Kept::with((), event).heard(Change { topic: "key", id: row.id }))
            })
        });
        write.await
    }
}

impl Cast {
    pub fn administrator(&self) -> &Caller {
        &self.0[data::MAREN].0
    }

    /// Returns the person with this index in [`data::PEOPLE`].
    pub fn person(&self, place: usize) -> &Caller {
        &self.0[place].0
    }

    /// Returns the project that the person with this index created.
    pub fn project(&self, place: usize) -> ProjectId {
        self.0[place].1
    }

    /// Creates a key and discards its secret.
    pub async fn make(&self, keys: &Keys, plan: &Plan, now: Timestamp) -> anyhow::Result<KeyId> {
        let life = plan.life.map_or_else(|| "never".to_owned(), |days| format!("{days}d"));
        let project = self.0[plan.project].1;
        // A key that never expires requires a recent reauthentication.
        let maker = Actor::User(Caller { proved: now, ..self.0[plan.maker].0.clone() });
        let new =
            NewKey::read(&plan.name, project, plan.environment, &life.parse()?, &plan.scopes, plan.issued_to, now);
        let (key, _) = keys.create_as(&maker, new.map_err(words)?).await.map_err(words)?;
        Ok(key.id)
    }
}

//! What a project offers: the default set, or scopes of its own, chosen by an administrator.
//!
//! There is no list of what a project has retired: it is what its keys hold and the project does not offer. Such a scope stays on
//! its keys, and is given to no new one.

use super::{Projects, may};
use crate::{
    Error,
    actor::{Actor, Caller},
    can::Power,
    reauthentication::MANAGEMENT_SCOPE,
};
use keyward_domain::{
    ids::ProjectId,
    project::{ScopeOffer, ScopesForm},
};
use keyward_store::{self as store, Conn, changes::Change, projects::ProjectRow, queue::Kept};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// What the form says, unread.
#[derive(Clone, Debug)]
pub struct ScopesChoice {
    /// The form's: which choice it starts from.
    pub version: String,
    /// The default set; otherwise `scopes` counts.
    pub default: bool,
    pub scopes: Vec<String>,
    /// What may be dropped although keys hold it: whoever chose was told how many.
    pub retire: Vec<String>,
}

/// The scopes that a project's keys hold, each with how many hold it.
pub(super) async fn held(conn: &mut Conn<'_>, project: Uuid) -> Result<BTreeMap<String, u64>, Error> {
    let mut held = BTreeMap::new();
    for (scopes, keys) in store::projects::held_scopes(conn, project).await? {
        for scope in scopes {
            *held.entry(scope).or_default() += u64::try_from(keys).unwrap_or_default();
        }
    }
    Ok(held)
}

/// Names a choice, so that a form can say from which it started.
fn version(row: &ProjectRow, chosen: &[String]) -> String {
    let text = if row.own_scopes { format!("own {}", chosen.join(" ")) } else { "default".to_owned() };
    hex::encode(&Sha256::digest(text)[..16])
}

/// For whoever has no power over it, it is not there; a member who is no administrator knows of it, and may not.
async fn check(
    conn: &mut Conn<'_>,
    caller: &Caller,
    id: ProjectId,
    now: keyward_domain::time::Timestamp,
) -> Result<ProjectRow, Error> {
    let (row, role) = may::seen(conn, caller, id, Power::ChooseScopes, now).await?;
    if role.is_some() && !may::is_able(conn, caller, Power::ChooseScopes).await? {
        return Err(Error::Forbidden("Administrators choose the scopes that a project offers. Ask one of them."));
    }
    Ok(row)
}

impl Projects {
    /// What there is to choose for a project, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is not there or not theirs; [`Error::Forbidden`] for a member who is no administrator;
    /// [`Error::StepUp`] for an administrator who is no member and whose proof is old.
    pub async fn scopes_form(&self, caller: &Caller, id: ProjectId) -> Result<ScopesForm, Error> {
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let row = check(&mut conn, caller, id, self.ground.now()).await?;
        let held = held(&mut conn, row.id).await?;
        let offered = store::projects::offered(&mut conn, row.id).await?;
        let chosen = store::projects::chosen(&mut conn, row.id).await?;
        let catalogue = store::scopes::catalogue(&mut conn).await?;
        let scopes = catalogue.into_iter().filter(|scope| !scope.retired).map(|scope| ScopeOffer {
            offered: offered.iter().any(|it| it.name == scope.name),
            keys: held.get(&scope.name).copied().unwrap_or_default(),
            name: scope.name,
            description: scope.description,
            in_default: scope.in_default,
        });
        Ok(ScopesForm { default: !row.own_scopes, scopes: scopes.collect(), version: version(&row, &chosen) })
    }

    /// Chooses what a project offers. What its keys hold stays on them; whoever drops it says that they know.
    ///
    /// # Errors
    /// As [`Projects::scopes_form`]; [`Error::Invalid`] for a scope that cannot be offered, and (`retire`) with the numbers for
    /// one that keys hold; [`Error::Conflict`] if another choice was made meanwhile.
    pub async fn set_scopes(&self, caller: &Caller, id: ProjectId, choice: ScopesChoice) -> Result<(), Error> {
        let (now, caller) = (self.ground.now(), caller.clone());
        let write = self.ground.queue.write(move |tx| {
            let (caller, choice) = (caller.clone(), choice.clone());
            Box::pin(async move {
                store::projects::lock(tx, id.into()).await?;
                let row = check(tx, &caller, id, now).await?;
                let chosen = store::projects::chosen(tx, row.id).await?;
                if choice.version != version(&row, &chosen) {
                    return Err(Error::Conflict(
                        "Somebody chose other scopes for this project meanwhile. Look at them again, then save.",
                    ));
                }
                let catalogue = store::scopes::catalogue(tx).await?;
                let before = store::projects::offered(tx, row.id).await?;
                let asked: BTreeSet<_> = choice.scopes.iter().cloned().collect();
                if let Some(wrong) = asked.iter().filter(|_| !choice.default).find(|name| {
                    !catalogue.iter().any(|scope| scope.name == **name && !scope.retired)
                }) {
                    return Err(Error::field("scopes", format!("The catalogue does not offer {wrong}.")));
                }
                let after: BTreeSet<String> = if choice.default {
                    catalogue.into_iter().filter(|it| it.in_default && !it.retired).map(|it| it.name).collect()
                } else {
                    asked.clone()
                };
                if after.iter().any(|it| it.starts_with("keyward:") && !before.iter().any(|had| had.name == *it)) {
                    caller.reauthenticate(MANAGEMENT_SCOPE, now)?;
                }
                let held = held(tx, row.id).await?;
                let dropped: Vec<_> = before
                    .iter()
                    .filter(|it| !after.contains(&it.name) && !choice.retire.contains(&it.name))
                    .filter_map(|it| Some((&it.name, held.get(&it.name)?)))
                    .map(|(name, keys)| if *keys == 1 { format!("1 key holds {name}") } else { format!("{keys} keys hold {name}") })
                    .collect();
                if !dropped.is_empty() {
                    let words = format!(
                        "{}. They keep it, and no new key is given it. Say below that this is meant, then save once more.",
                        dropped.join(", ")
                    );
                    return Err(Error::field("retire", words));
                }
                let own: Vec<_> = asked.into_iter().collect();
                store::projects::set_scopes(tx, row.id, (!choice.default).then_some(own.as_slice())).await?;
                let names: Vec<_> = before.iter().map(|it| &it.name).collect();
                let event = Actor::User(caller)
                    .event(now, "project.scopes_set", format!("project:{id}"), &row.name).acting_as("administrator")
                    .in_project(id)
                    .detail(serde_json::json!({
                        "before": {"default": !row.own_scopes, "scopes": names},
                        "after": {"default": choice.default, "scopes": after},
                    }));
                Ok(Kept::with((), event).heard(Change { topic: "project", id: row.id }))
            })
        });
        write.await
    }
}

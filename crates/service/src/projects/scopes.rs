//! The scopes that a project offers: the default set, or its own set, chosen by an administrator.
//!
//! Retired scopes of a project are not stored. They are the scopes that its keys hold and the project does not offer.
//! Existing keys keep such a scope; new keys cannot have it.

use super::{Projects, project_access};
use crate::{
    Error,
    actor::{Actor, Caller},
    permissions::AdminPermission,
    reauthentication::MANAGEMENT_SCOPE,
};
use keyward_domain::{
    count::format_grouped,
    ids::ProjectId,
    project::{ScopeOffer, ScopesForm},
};
use keyward_store::{
    self as store, Engine,
    change_log::{Change, Topic},
    projects::ProjectRow,
    write_queue::WriteOutcome,
};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// The fields of the form, not yet parsed.
#[derive(Clone, Debug)]
pub struct ScopesChoice {
    /// The version of the choice that the form started from.
    pub version: String,
    /// Whether the project uses the default set. Otherwise `scopes` applies.
    pub default: bool,
    pub scopes: Vec<String>,
    /// Scopes that may be retired although keys hold them: the administrator has confirmed the number of keys.
    pub retire: Vec<String>,
}

/// Returns the scopes that a project's keys hold, each with its number of keys.
pub(super) async fn scopes_in_use(conn: &mut Engine<'_>, project: Uuid) -> Result<BTreeMap<String, u64>, Error> {
    let mut held = BTreeMap::new();
    for (scopes, keys) in store::projects::held_scopes(conn, project).await? {
        for scope in scopes {
            *held.entry(scope).or_default() += u64::try_from(keys).unwrap_or_default();
        }
    }
    Ok(held)
}

/// Returns the version of a choice: a truncated hash. A form sends the version that it started from.
fn version(row: &ProjectRow, chosen: &[String]) -> String {
    let text = if row.own_scopes { format!("own {}", chosen.join(" ")) } else { "default".to_owned() };
    hex::encode(&Sha256::digest(text)[..16])
}

/// Checks that the caller may choose scopes. The project does not exist for a caller without access; a member who is
/// not an administrator gets [`Error::Forbidden`].
async fn check(
    conn: &mut Engine<'_>,
    caller: &Caller,
    id: ProjectId,
    now: keyward_domain::time::Timestamp,
) -> Result<ProjectRow, Error> {
    let (row, role) = project_access::find_visible(conn, caller, id, AdminPermission::ChooseScopes, now).await?;
    if role.is_some() && !project_access::has_permission(conn, caller, AdminPermission::ChooseScopes).await? {
        return Err(Error::Forbidden("Only an administrator can choose the scopes that a project offers."));
    }
    Ok(row)
}

impl Projects {
    /// Returns the available scopes of a project, for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist or the caller has no access; [`Error::Forbidden`] for a member
    /// who is not an administrator; [`Error::ReauthenticationRequired`] for an administrator who is not a member,
    /// without recent reauthentication.
    #[tracing::instrument(name = "projects.scopes_form", skip_all, fields(project.id = %id))]
    pub async fn scopes_form(&self, caller: &Caller, id: ProjectId) -> Result<ScopesForm, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let row = check(&mut conn, caller, id, self.context.now()).await?;
        let held = scopes_in_use(&mut conn, row.id).await?;
        let offered = store::projects::list_offered_scopes(&mut conn, row.id).await?;
        let chosen = store::projects::list_selected_scopes(&mut conn, row.id).await?;
        let catalogue = store::scopes::list(&mut conn).await?;
        let scopes = catalogue.into_iter().filter(|scope| !scope.retired).map(|scope| ScopeOffer {
            offered: offered.iter().any(|it| it.name == scope.name),
            keys: held.get(&scope.name).copied().unwrap_or_default(),
            name: scope.name,
            description: scope.description,
            in_default: scope.in_default,
        });
        Ok(ScopesForm { default: !row.own_scopes, scopes: scopes.collect(), version: version(&row, &chosen) })
    }

    /// Sets the scopes that a project offers. Existing keys keep their scopes, and the caller confirms each retired
    /// scope that keys hold.
    ///
    /// # Errors
    /// As [`Projects::scopes_form`]; [`Error::Invalid`] for a scope that cannot be offered, and (`retire`) with the
    /// numbers for one that keys hold; [`Error::Conflict`] if the choice was changed in the meantime.
    #[tracing::instrument(name = "projects.set_scopes", skip_all, fields(project.id = %id))]
    pub async fn set_scopes(&self, caller: &Caller, id: ProjectId, choice: ScopesChoice) -> Result<(), Error> {
        let (now, caller) = (self.context.now(), caller.clone());
        let write = self.context.queue.write(move |tx| {
            let (caller, choice) = (caller.clone(), choice.clone());
            Box::pin(async move {
                store::projects::lock(tx, id.into()).await?;
                let row = check(tx, &caller, id, now).await?;
                let chosen = store::projects::list_selected_scopes(tx, row.id).await?;
                if choice.version != version(&row, &chosen) {
                    return Err(Error::Conflict(
                        "The scopes of this project were changed elsewhere. Review them and save again.",
                    ));
                }
                let catalogue = store::scopes::list(tx).await?;
                let before = store::projects::list_offered_scopes(tx, row.id).await?;
                let requested: BTreeSet<_> = choice.scopes.iter().cloned().collect();
                if let Some(wrong) = requested.iter().filter(|_| !choice.default).find(|name| {
                    !catalogue.iter().any(|scope| scope.name == **name && !scope.retired)
                }) {
                    return Err(Error::field("scopes", format!("The scope {wrong} is not in the catalog, or it is retired.")));
                }
                let after: BTreeSet<String> = if choice.default {
                    catalogue.into_iter().filter(|it| it.in_default && !it.retired).map(|it| it.name).collect()
                } else {
                    requested.clone()
                };
                if after.iter().any(|it| it.starts_with("keyward:") && !before.iter().any(|had| had.name == *it)) {
                    caller.require_reauthentication(MANAGEMENT_SCOPE, now)?;
                }
                let held = scopes_in_use(tx, row.id).await?;
                let dropped: Vec<_> = before
                    .iter()
                    .filter(|it| !after.contains(&it.name) && !choice.retire.contains(&it.name))
                    .filter_map(|it| Some((&it.name, held.get(&it.name)?)))
                    .map(|(name, keys)| match *keys {
                        1 => format!("1 key has {name}"),
                        keys => format!("{} keys have {name}", format_grouped(keys)),
                    })
                    .collect();
                if !dropped.is_empty() {
                    let words = format!(
                        "{}. Existing keys keep these scopes, but they cannot be added to new keys. Confirm below, then save again.",
                        dropped.join(", ")
                    );
                    return Err(Error::field("retire", words));
                }
                let own: Vec<_> = requested.into_iter().collect();
                store::projects::set_scopes(tx, row.id, (!choice.default).then_some(own.as_slice())).await?;
                let names: Vec<_> = before.iter().map(|it| &it.name).collect();
                let event = Actor::User(caller)
                    .event(now, "project.scopes_set", format!("project:{id}"), &row.name).with_acting_role("administrator")
                    .in_project(id)
                    .with_detail(serde_json::json!({
                        "before": {"default": !row.own_scopes, "scopes": names},
                        "after": {"default": choice.default, "scopes": after},
                    }));
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: row.id }))
            })
        });
        write.await
    }
}

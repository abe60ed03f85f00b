//! The keys of one project, grouped by the label they were issued to.

use super::{Keys, role, to_key};
use crate::{
    Error,
    actor::{Actor, Caller},
    permissions::{Action, AdminPermission, is_allowed, role_allows},
    read_list,
};
use keyward_domain::{
    fold::fold,
    ids::ProjectId,
    project::{IssuedKeys, ProjectKeys},
};
use keyward_store as store;
use std::collections::BTreeMap;

/// Maximum keys in the dialog. The list of all keys is paginated.
const MOST: i64 = 200;

impl Keys {
    /// Returns the keys of a project that are not deleted, for a member, or for an administrator with recent
    /// reauthentication.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist or the caller may not see it;
    /// [`Error::ReauthenticationRequired`] for an administrator without recent reauthentication.
    #[tracing::instrument(name = "keys.list_by_project", skip_all, fields(project.id = %id))]
    pub async fn list_by_project(&self, caller: &Caller, id: ProjectId) -> Result<ProjectKeys, Error> {
        let now = self.context.now();
        read_list(async {
            let mut reader = self.context.pool.acquire_list_reader().await?;
            let mut conn = reader.conn();
            let role = role(&mut conn, id, caller.user).await?;
            if role.is_none() && !is_allowed(caller.admin, AdminPermission::SeeEveryKey) {
                return Err(Error::NotFound);
            }
            let project = store::projects::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
            if role.is_none() {
                caller.require_reauthentication("project.seen_by_administrator", now)?;
            }
            let rows = store::keys::list_newest_by_project(&mut conn, id.into(), MOST).await?;
            let total = store::projects::count_keys_capped(&mut conn, id.into()).await?;
            let actor = Actor::User(caller.clone());
            // Keys without a label come last. Labels that differ only in case are separate groups, because their
            // authors wrote two labels.
            let mut groups: BTreeMap<(bool, String, Option<String>), Vec<_>> = BTreeMap::new();
            for row in rows {
                let to = row.issued_to.clone();
                let place = (to.is_none(), fold(to.as_deref().unwrap_or_default()), to);
                groups.entry(place).or_default().push(to_key(row, &actor, role, now)?);
            }
            let archived = project.archived_at.is_some();
            Ok(ProjectKeys {
                id,
                name: project.name,
                archived,
                is_member: role.is_some(),
                may_make_keys: !archived && role.is_some_and(|role| role_allows(role, Action::ChangeKeys)),
                groups: groups.into_iter().map(|((.., to), keys)| IssuedKeys { to, keys }).collect(),
                total: u64::try_from(total).unwrap_or_default(),
                now,
            })
        })
        .await
    }
}

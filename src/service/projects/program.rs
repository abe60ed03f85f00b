//! The one project that a program sees: its key's.

use super::{Projects, read::count};
use crate::{
    domain::{ids::ProjectId, scope::ScopeView, time::Moment},
    service::{Error, moments::moment_of, policy, program::Program},
    store,
};
use jiff::tz::TimeZone;

/// A project as a program sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramProject {
    pub id: ProjectId,
    pub name: String,
    pub created: Moment,
    /// What its keys may be given.
    pub scopes: Vec<ScopeView>,
    /// The longest life of its tokens, in seconds.
    pub token_life_max: i64,
    /// Its keys that are not deleted.
    pub keys: u64,
}

impl Projects {
    /// The project of a program.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other.
    pub async fn of_program(&self, program: &Program, id: ProjectId) -> Result<ProgramProject, Error> {
        program.in_project(id)?;
        let mut reader = self.ground.pool.read().await?;
        let mut conn = reader.conn();
        let row = store::projects::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
        let mut scopes = Vec::new();
        for scope in store::projects::offered(&mut conn, row.id).await? {
            let name = scope.name.parse().map_err(|_| store::Error::Corrupt("name of a scope"))?;
            scopes.push(ScopeView { name, description: scope.description });
        }
        Ok(ProgramProject {
            id,
            scopes,
            token_life_max: row.token_life_max.min(policy::read(&mut conn).await?.token_life_max),
            keys: count(store::projects::key_count(&mut conn, row.id).await?),
            created: moment_of(row.created_at, &TimeZone::UTC),
            name: row.name,
        })
    }
}

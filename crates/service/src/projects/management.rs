//! Projects, for programs and the command line. A program sees one project: that of its key.

use super::{
    Projects,
    read::{count, offered},
};
use crate::{Error, management_client::ManagementClient, policy, time_format::moment_from_micros};
use jiff::tz::TimeZone;
use keyward_domain::{ids::ProjectId, policy::Policy, scope::ScopeView, time::Moment};
use keyward_store::{self as store, Engine, projects::ProjectRow};

/// A project as the management API shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramProject {
    pub id: ProjectId,
    pub name: String,
    pub created: Moment,
    pub archived: bool,
    /// The scopes that its keys may have.
    pub scopes: Vec<ScopeView>,
    /// Maximum token lifetime in seconds.
    pub token_life_max: i64,
    /// The number of its keys that are not deleted.
    pub keys: u64,
}

impl Projects {
    /// Returns the project of a program.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other project.
    #[tracing::instrument(name = "projects.get_by_program", skip_all, fields(project.id = %id))]
    pub async fn get_by_program(&self, program: &ManagementClient, id: ProjectId) -> Result<ProgramProject, Error> {
        program.check_project(id)?;
        self.find_project(id).await
    }

    /// Returns a project, for the command line.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist.
    #[tracing::instrument(name = "projects.get_as_operator", skip_all, fields(project.id = %id))]
    pub async fn get_as_operator(&self, id: ProjectId) -> Result<ProgramProject, Error> {
        self.find_project(id).await
    }

    async fn find_project(&self, id: ProjectId) -> Result<ProgramProject, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let row = store::projects::by_id(&mut conn, id.into()).await?.ok_or(Error::NotFound)?;
        let policy = policy::load(&mut conn).await?;
        project_view(&mut conn, row, &policy).await
    }

    /// Returns all projects, ordered by name, for the command line.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "projects.list_as_operator", skip_all)]
    pub async fn list_as_operator(&self) -> Result<Vec<ProgramProject>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let mut conn = reader.conn();
        let policy = policy::load(&mut conn).await?;
        let mut projects = Vec::new();
        for row in store::projects::list(&mut conn).await? {
            projects.push(project_view(&mut conn, row, &policy).await?);
        }
        Ok(projects)
    }
}

async fn project_view(conn: &mut Engine<'_>, row: ProjectRow, policy: &Policy) -> Result<ProgramProject, Error> {
    Ok(ProgramProject {
        id: row.id.into(),
        scopes: offered(conn, row.id).await?,
        token_life_max: row.token_life_max.min(policy.token_life_max),
        keys: count(store::projects::count_keys_capped(conn, row.id).await?),
        created: moment_from_micros(row.created_at, &TimeZone::UTC),
        archived: row.archived_at.is_some(),
        name: row.name,
    })
}

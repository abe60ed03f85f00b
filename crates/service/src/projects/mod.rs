//! Projects: use cases to create, read, change, and share them. One use case or concept per file.

mod change;
mod config;
mod invite;
mod join;
mod management;
mod members;
mod operator;
mod project_access;
mod read;
mod scopes;

pub use config::CONFIG_MAX;
pub use management::ProgramProject;
pub use scopes::ScopesChoice;

use super::{Context, Error};
use keyward_domain::ids::ProjectId;
use keyward_store::{self as store, projects::ProjectRow};

/// The use cases of projects.
#[derive(Clone)]
pub struct Projects {
    context: Context,
}

impl Projects {
    pub fn new(context: Context) -> Self {
        Self { context }
    }

    /// Returns all projects, ordered by name, for the command line.
    ///
    /// # Errors
    /// If the database cannot be read.
    #[tracing::instrument(name = "projects.list_rows", skip_all)]
    pub async fn list_rows(&self) -> Result<Vec<ProjectRow>, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        Ok(store::projects::list(&mut reader.conn()).await?)
    }

    /// Returns the config that a token holder reads: JSON, as it was saved.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist.
    pub async fn config(&self, id: ProjectId) -> Result<String, Error> {
        let mut reader = self.context.pool.acquire_reader().await?;
        let row = store::projects::by_id(&mut reader.conn(), id.into()).await?;
        row.map(|row| row.config).ok_or(Error::NotFound)
    }
}

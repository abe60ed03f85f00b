//! Projects: use cases to create, read, change, and share them. One use case or concept per file.

mod change;
mod config;
mod invite;
mod join;
mod may;
mod members;
mod operator;
mod program;
mod read;
mod scopes;

pub use config::CONFIG_MAX;
pub use program::ProgramProject;
pub(super) use read::in_words;
pub use scopes::ScopesChoice;

use super::{Error, Ground};
use keyward_domain::ids::ProjectId;
use keyward_store::{self as store, projects::ProjectRow};

/// The use cases of projects.
#[derive(Clone)]
pub struct Projects {
    ground: Ground,
}

impl Projects {
    pub fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Returns all projects, ordered by name, for the command line.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn all(&self) -> Result<Vec<ProjectRow>, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::projects::all(&mut reader.conn()).await?)
    }

    /// Returns the config that a token holder reads: JSON, as it was saved.
    ///
    /// # Errors
    /// [`Error::NotFound`] if the project does not exist.
    pub async fn config(&self, id: ProjectId) -> Result<String, Error> {
        let mut reader = self.ground.pool.read().await?;
        let row = store::projects::by_id(&mut reader.conn(), id.into()).await?;
        row.map(|row| row.config).ok_or(Error::NotFound)
    }
}

//! Projects: their config, and their list for the command line.

use super::{Error, Ground, actor::Actor};
use crate::{
    domain::ids::ProjectId,
    store::{self, changes::Change, projects::ProjectRow, queue::Kept},
};

/// The longest config, in bytes.
pub const CONFIG_MAX: usize = 256 * 1024;

/// The use cases of projects.
#[derive(Clone)]
pub struct Projects {
    ground: Ground,
}

impl Projects {
    pub fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// All projects, by name, for the command line.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn all(&self) -> Result<Vec<ProjectRow>, Error> {
        let mut reader = self.ground.pool.read().await?;
        Ok(store::projects::all(&mut reader.conn()).await?)
    }

    /// The config that a token holder reads: JSON, as it was saved.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is no such project.
    pub async fn config(&self, id: ProjectId) -> Result<String, Error> {
        let mut reader = self.ground.pool.read().await?;
        let row = store::projects::by_id(&mut reader.conn(), id.into()).await?;
        row.map(|row| row.config).ok_or(Error::NotFound)
    }

    /// Saves a config. It must be one JSON object.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says line and column if it is none; [`Error::NotFound`] if there is no such project.
    pub async fn set_config(&self, actor: &Actor, id: ProjectId, text: &str) -> Result<(), Error> {
        if text.len() > CONFIG_MAX {
            return Err(Error::field("config", "A config has at most 256 KiB."));
        }
        let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).map_err(|e| {
            Error::field("config", format!("Not a JSON object: line {}, column {}.", e.line(), e.column()))
        })?;
        let config = serde_json::Value::Object(value).to_string();
        let (now, actor) = (self.ground.now(), actor.clone());
        let write = self.ground.queue.write(move |tx| {
            let (actor, config) = (actor.clone(), config.clone());
            Box::pin(async move {
                let row = store::projects::by_id(tx, id.into()).await?.ok_or(Error::NotFound)?;
                if !store::projects::set_config(tx, row.id, &config).await? {
                    return Err(Error::Internal("a project that was just read was not there to be changed"));
                }
                // A config may hold what only token holders should read: the log notes its size, not its words.
                let event =
                    actor.event(now, "project.config_set", format!("project:{id}"), &row.name).in_project(id).detail(
                        serde_json::json!({"before": {"bytes": row.config.len()}, "after": {"bytes": config.len()}}),
                    );
                Ok(Kept::with((), event).heard(Change { topic: "project", id: row.id }))
            })
        });
        write.await
    }
}

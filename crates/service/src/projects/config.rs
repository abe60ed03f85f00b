//! Saving a project's config.

use super::{Projects, may::allow};
use crate::{
    Error,
    actor::{Actor, Caller},
    audit::acting,
    can::Action,
};
use keyward_domain::{ids::ProjectId, json};
use keyward_store::{self as store, changes::Change, queue::Kept};
use sha2::{Digest as _, Sha256};

/// The longest config, in bytes.
pub const CONFIG_MAX: usize = 256 * 1024;
/// The longest config as the editor shows it, in bytes: deep nesting multiplies what is stored. Percent-encoded by a form, it is at
/// most three times as long, which `http::forms` and `http::router` let through.
pub const LAID_OUT_MAX: usize = 1024 * 1024;

const OWNERS: &str = "Only an owner of this project may change its config.";

/// Names what a config holds, so that a form can say from which it started.
pub(super) fn version(config: &str) -> String {
    hex::encode(&Sha256::digest(config)[..16])
}

/// The config laid out to be read; one that is too long for that, or cannot be read (saved by an earlier release), as it is stored.
pub(super) fn laid_out(config: &str) -> String {
    json::read(config).and_then(|json| json.laid_out(LAID_OUT_MAX)).unwrap_or_else(|_| config.to_owned())
}

/// The config as it is stored, and as programs get it: the same text without the white space between its parts.
fn compact(text: &str) -> Result<String, Error> {
    let json = json::read(text).map_err(|words| Error::field("config", words))?;
    // Measured without the spaces that a form put in for the eye.
    let compact = json.compact();
    if compact.len() > CONFIG_MAX {
        let words = format!("A config has at most 256 KiB; this one has {} KiB.", compact.len().div_ceil(1024));
        return Err(Error::field("config", words));
    }
    json.laid_out(LAID_OUT_MAX).map_err(|words| Error::field("config", words))?;
    Ok(compact)
}

impl Projects {
    /// Saves a config that a member wrote, starting from the config of this version.
    ///
    /// # Errors
    /// [`Error::Invalid`] as [`Projects::set_config`]; [`Error::Forbidden`] for a member who is no owner; [`Error::NotFound`] if it
    /// is not there or not theirs; [`Error::Conflict`] if the config was changed meanwhile.
    pub async fn save_config(&self, caller: &Caller, id: ProjectId, from: &str, text: &str) -> Result<(), Error> {
        let actor = Actor::User(caller.clone());
        self.write_config(&actor, id, Some(from.to_owned()), compact(text)?).await
    }

    /// Sets a config from the command line. It must be one JSON object of at most 256 KiB (1 MiB laid out) and 64 levels, with no
    /// name twice in an object.
    ///
    /// # Errors
    /// [`Error::Invalid`] that says what is wrong at which line and column; [`Error::NotFound`] if there is no such project.
    pub async fn set_config(&self, actor: &Actor, id: ProjectId, text: &str) -> Result<(), Error> {
        self.write_config(actor, id, None, compact(text)?).await
    }

    async fn write_config(
        &self,
        actor: &Actor,
        id: ProjectId,
        from: Option<String>,
        config: String,
    ) -> Result<(), Error> {
        const CHANGED: Error = Error::Conflict(
            "This config was changed meanwhile. Copy what you wrote, load the page again, and put it in there.",
        );
        let (now, actor) = (self.ground.now(), actor.clone());
        let write = self.ground.queue.write(move |tx| {
            let (actor, from, config) = (actor.clone(), from.clone(), config.clone());
            Box::pin(async move {
                let row = allow(tx, &actor, id, Action::Configure, OWNERS).await?;
                if from.is_some_and(|from| from != version(&row.config)) {
                    return Err(CHANGED);
                }
                // Another node may have been faster since it was read.
                if !store::projects::set_config(tx, row.id, &row.config, &config).await? {
                    return Err(CHANGED);
                }
                let acting = acting::in_project(tx, &actor, id).await?;
                // A config may hold what only token holders should read: the log notes its size, not its words.
                let event = actor
                    .event(now, "project.config_set", format!("project:{id}"), &row.name)
                    .acting_as(&acting)
                    .in_project(id)
                    .detail(
                        serde_json::json!({"before": {"bytes": row.config.len()}, "after": {"bytes": config.len()}}),
                    );
                Ok(Kept::with((), event).heard(Change { topic: "project", id: row.id }))
            })
        });
        write.await
    }
}

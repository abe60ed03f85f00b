//! A project's config: validation, versions, and storage.

use super::{Projects, project_access::authorize};
use crate::{
    Error,
    actor::{Actor, Caller},
    audit::acting_role,
    permissions::Action,
};
use keyward_domain::{ids::ProjectId, json};
use keyward_store::{
    self as store,
    change_log::{Change, Topic},
    write_queue::WriteOutcome,
};
use sha2::{Digest as _, Sha256};

/// Maximum size of a stored config, in bytes.
pub const CONFIG_MAX: usize = 256 * 1024;
/// Maximum size of a config with the indentation that the editor shows, in bytes: deep nesting multiplies the stored
/// size. The percent encoding of a form makes it at most three times as long, which `http::form_actions` and
/// `http::router` accept.
pub const INDENTED_MAX: usize = 1024 * 1024;

const OWNERS: &str = "Only a project owner can change the config.";

/// Returns the version of a config: a truncated hash. A form sends the version that it started from.
pub(super) fn version(config: &str) -> String {
    hex::encode(&Sha256::digest(config)[..16])
}

/// Returns the indented config. A config that would be too long, or that cannot be parsed (saved by an earlier
/// release), is returned as stored.
pub(super) fn indented(config: &str) -> String {
    json::parse(config).and_then(|json| json.pretty_print(INDENTED_MAX)).unwrap_or_else(|_| config.to_owned())
}

/// Returns the config as it is stored and as API clients receive it: the same text without insignificant white space.
fn compact(text: &str) -> Result<String, Error> {
    let json = json::parse(text).map_err(|words| Error::field("config", words))?;
    // The limit does not count the white space that the editor adds.
    let compact = json.compact();
    if compact.len() > CONFIG_MAX {
        let words = format!("The config has {} KiB. The maximum is 256 KiB.", compact.len().div_ceil(1024));
        return Err(Error::field("config", words));
    }
    json.pretty_print(INDENTED_MAX).map_err(|words| Error::field("config", words))?;
    Ok(compact)
}

impl Projects {
    /// Saves a config that a member edited, starting from the given version.
    ///
    /// # Errors
    /// [`Error::Invalid`] as [`Projects::set_config`]; [`Error::Forbidden`] for a member who is not an owner;
    /// [`Error::NotFound`] if the project does not exist or the caller is not a member; [`Error::Conflict`] if the
    /// config was changed in the meantime.
    #[tracing::instrument(name = "projects.save_config", skip_all, fields(project.id = %id))]
    pub async fn save_config(&self, caller: &Caller, id: ProjectId, from: &str, text: &str) -> Result<(), Error> {
        let actor = Actor::User(caller.clone());
        self.write_config(&actor, id, Some(from.to_owned()), compact(text)?).await
    }

    /// Sets a config from the command line. It must be one JSON object of at most 256 KiB (1 MiB with indentation) and
    /// 64 levels, without duplicate names in an object.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the problem and its line and column; [`Error::NotFound`] if the project does not exist.
    #[tracing::instrument(name = "projects.set_config", skip_all, fields(project.id = %id))]
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
            "The config was changed elsewhere. Copy your text, reload the page, and make your changes again.",
        );
        let (now, actor) = (self.context.now(), actor.clone());
        let write = self.context.queue.write(move |tx| {
            let (actor, from, config) = (actor.clone(), from.clone(), config.clone());
            Box::pin(async move {
                let row = authorize(tx, &actor, id, Action::Configure, OWNERS).await?;
                if from.is_some_and(|from| from != version(&row.config)) {
                    return Err(CHANGED);
                }
                // Another node may have changed it since the read above.
                if !store::projects::set_config(tx, row.id, &row.config, &config).await? {
                    return Err(CHANGED);
                }
                let acting = acting_role::in_project(tx, &actor, id).await?;
                // A config may contain data for token holders only: the audit log records its size, not its content.
                let event = actor
                    .event(now, "project.config_set", format!("project:{id}"), &row.name)
                    .with_acting_role(&acting)
                    .in_project(id)
                    .with_detail(
                        serde_json::json!({"before": {"bytes": row.config.len()}, "after": {"bytes": config.len()}}),
                    );
                Ok(WriteOutcome::audited((), event).notify(Change { topic: Topic::Project, id: row.id }))
            })
        });
        write.await
    }
}

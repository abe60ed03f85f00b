//! `keyward keys …`: key management in the database, or on a server with `--url`.

mod args;
mod edit;
mod print;
mod remote;

use super::{
    open::{Opened, words},
    projects,
    remote::{Need, RemoteArgs, none_without},
};
use crate::{
    config::DatabaseSettings,
    domain::{fold::fold, ids::ProjectId, key::Status},
    http::wire_key,
    service::{
        keys::{KeyDraft, Keys as Service, RulesDraft},
        projects::Projects,
    },
    store::keys::KeyRow,
};
use args::{Create, Listed, One};
use clap::{Args, Subcommand};

/// Target and subcommand of `keyward keys`.
#[derive(Args)]
pub struct Keys {
    #[command(flatten)]
    remote: RemoteArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a key and print its secret, once
    Create(Create),
    /// Change a key from the next request on; what is not named stays as it is
    Edit {
        #[command(flatten)]
        one: One,
        #[command(flatten)]
        changes: edit::Changes,
    },
    /// List keys, the newest first
    List(Listed),
    /// Show everything about a key, but its secret
    Show(One),
    /// Refuse a key from the next request on, until it is activated
    Deactivate(One),
    /// Accept a deactivated key again
    Activate(One),
    /// Refuse a key from the next request on; for seven days it can be restored
    Delete(One),
    /// Give a deleted key back the state that it had
    Restore(One),
}

/// Lifecycle action on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Deactivate,
    Activate,
    Delete,
    Restore,
}

impl Verb {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivate => "deactivate",
            Self::Activate => "activate",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }

    /// Returns the past participle of the action and its effect, for the output.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Deactivate => ("Deactivated", "It is refused from the next request on."),
            Self::Activate => ("Activated", "It is accepted from the next request on."),
            Self::Delete => ("Deleted", "It is refused from the next request on; for seven days it can be restored."),
            Self::Restore => ("Restored", "It has the state that it had."),
        }
    }
}

/// Past participle and effect of an edit, for the output.
const EDITED: (&str, &str) = ("Edited", "It holds from the next request on.");

pub async fn run(database: &DatabaseSettings, keys: Keys) -> anyhow::Result<()> {
    let Keys { remote, command } = keys;
    let need = if matches!(command, Command::List(_) | Command::Show(_)) { Need::Read } else { Need::Write };
    if let Some(server) = remote.server()? {
        let remote = server.open(need).await?;
        return match command {
            Command::Create(asked) => remote::create(&remote, &asked).await,
            Command::Edit { one, changes } => {
                remote::edit(&remote, one.project.as_deref(), one.id, &changes, one.json).await
            }
            Command::List(asked) => remote::list(&remote, &asked).await,
            Command::Show(one) => remote::show(&remote, one.project.as_deref(), one.id, one.json).await,
            Command::Deactivate(one) => {
                remote::change(&remote, one.project.as_deref(), one.id, Verb::Deactivate, one.json).await
            }
            Command::Activate(one) => {
                remote::change(&remote, one.project.as_deref(), one.id, Verb::Activate, one.json).await
            }
            Command::Delete(one) => {
                remote::change(&remote, one.project.as_deref(), one.id, Verb::Delete, one.json).await
            }
            Command::Restore(one) => {
                remote::change(&remote, one.project.as_deref(), one.id, Verb::Restore, one.json).await
            }
        };
    }
    match &command {
        Command::Create(asked) => none_without(asked.idempotency_key.is_none(), "--idempotency-key")?,
        Command::List(_) => {}
        Command::Edit { one, .. }
        | Command::Show(one)
        | Command::Deactivate(one)
        | Command::Activate(one)
        | Command::Delete(one)
        | Command::Restore(one) => none_without(one.project.is_none(), "--project")?,
    }
    let opened = Opened::open(database, false).await?;
    let service = Service::new(opened.ground.clone());
    let done = match command {
        Command::Create(asked) => create(&opened, &service, asked).await,
        Command::Edit { one, changes } => {
            let edited = service.edit_as_operator(one.id, &changes.into()).await.map_err(words);
            edited.and_then(|key| print::changed(&wire_key(key), EDITED, one.json))
        }
        Command::List(asked) => list(&opened, &service, asked).await,
        Command::Show(one) => {
            let found = service.get_as_operator(one.id).await.map_err(words);
            found.and_then(|key| Ok(print::one(&wire_key(key), one.json)?))
        }
        Command::Deactivate(one) => change(&service, &one, Verb::Deactivate).await,
        Command::Activate(one) => change(&service, &one, Verb::Activate).await,
        Command::Delete(one) => change(&service, &one, Verb::Delete).await,
        Command::Restore(one) => change(&service, &one, Verb::Restore).await,
    };
    drop(service);
    opened.done().await;
    done
}

/// Converts an expiry into the value of the form's select field, which marks a date with `date:`.
fn choice(expires: String) -> String {
    if expires.contains('-') { format!("date:{expires}") } else { expires }
}

async fn create(opened: &Opened, service: &Service, asked: Create) -> anyhow::Result<()> {
    let project = projects::named(asked.project)?;
    let project = projects::find(&Projects::new(opened.ground.clone()), &project).await?;
    let draft = KeyDraft {
        number: opened.ground.new_id().into(),
        name: asked.name,
        project,
        environment: asked.environment.unwrap_or_default().to_string(),
        expires: asked.expires.map(choice).unwrap_or_default(),
        expires_on: String::new(),
        scopes: asked.scopes,
        issued_to: asked.issued_to,
        rules: RulesDraft {
            networks: asked.networks.join("\n"),
            not_before: asked.not_before,
            rate: asked.rate,
            ..RulesDraft::default()
        },
    };
    let (key, secret) = service.create_as_operator(draft).await.map_err(words)?;
    let mut made = wire_key(key);
    made["secret"] = secret.expose().into();
    print::created(&made, asked.json)
}

async fn list(opened: &Opened, service: &Service, asked: Listed) -> anyhow::Result<()> {
    let project: Option<ProjectId> = match &asked.project {
        Some(project) => Some(projects::find(&Projects::new(opened.ground.clone()), project).await?),
        None => None,
    };
    let rows = match asked.status {
        Some(Status::Deleted) => service.all_deleted(project).await,
        _ => service.all(project).await,
    };
    let text = asked.text.as_ref().map(|it| fold(it));
    let wanted = |row: &KeyRow| {
        let holds = |text: &str| {
            let places = [row.name.as_str(), row.preview.as_str(), row.issued_to.as_deref().unwrap_or_default()];
            places.iter().any(|it| fold(it).contains(text))
        };
        asked.status.is_none_or(|it| it == service.status(row))
            && asked.environment.is_none_or(|it| it.as_str() == row.environment)
            // An empty filter matches every key.
            && asked.issued_to.as_ref().is_none_or(|it| it.is_empty() || row.issued_to.as_ref() == Some(it))
            && text.as_deref().is_none_or(holds)
    };
    let (mut keys, mut projects) = (Vec::new(), Vec::new());
    for row in rows.map_err(words)?.into_iter().filter(wanted) {
        projects.push(row.project_name.clone());
        keys.push(wire_key(service.shown(row).map_err(words)?));
    }
    Ok(print::list(&keys, |at| projects.get(at).cloned(), asked.json)?)
}

async fn change(service: &Service, one: &One, verb: Verb) -> anyhow::Result<()> {
    let done = match verb {
        Verb::Deactivate => service.deactivate_as_operator(one.id).await,
        Verb::Activate => service.activate_as_operator(one.id).await,
        Verb::Delete => service.delete_as_operator(one.id).await,
        Verb::Restore => service.restore_as_operator(one.id).await,
    };
    print::changed(&wire_key(done.map_err(words)?), verb.words(), one.json)
}
